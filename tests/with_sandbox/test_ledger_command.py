"""The `ledger` command shows what is known, and sets it right without sending anything."""

from __future__ import annotations

import json
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.target_process import API_KEY, PROGRAM, Message, as_lines, config, record, run_target, schema, state

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox_process import Sandbox

MAPPING: Message = {"stream": "rows", "name": "Row {{ id }}", "contact": {"remote_id": "{{ id }}"}}
SCHEMA = schema("rows", {"id": {"type": "integer"}})


def rows(*numbers: int) -> list[Message]:
    return [SCHEMA, *(record("rows", id=number) for number in numbers), state(max(numbers))]


def command(settings: Path, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[str]:
    whole = [str(PROGRAM), "ledger", "--config", str(settings), *arguments]
    done = subprocess.run(whole, input=given.decode(), capture_output=True, check=False, timeout=50, text=True)
    assert API_KEY not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def test_it_tells_how_many_events_are_known_and_since_when(sandbox: Sandbox, tmp_path: Path) -> None:
    settings = config(tmp_path, sandbox.url, [MAPPING])
    run_target(settings, rows(1, 2, 3))
    done = command(settings)
    assert done.returncode == 0
    assert "3 events delivered since 20" in done.stdout


def test_to_look_makes_no_ledger(sandbox: Sandbox, tmp_path: Path) -> None:
    settings = config(tmp_path, sandbox.url, [MAPPING])
    done = command(settings)
    assert (done.returncode, done.stdout) == (1, "")
    assert "There is no ledger at" in done.stderr
    assert not (tmp_path / "data").exists()


def test_marked_events_are_skipped_by_the_next_run(sandbox: Sandbox, tmp_path: Path) -> None:
    settings = config(tmp_path, sandbox.url, [MAPPING])
    assert command(settings, "--mark-delivered", given=as_lines(rows(1, 2))).stdout == "Noted 2 events as delivered.\n"
    assert command(settings, "--mark-delivered", given=as_lines(rows(1, 2))).stdout == "Noted 0 events as delivered.\n"
    done = run_target(settings, rows(1, 2, 3))
    assert done.status == 0
    assert [event["body"]["name"] for event in sandbox.events()] == ["Row 3"]
    assert "2 by the ledger" in done.log


def test_events_in_doubt_are_shown_by_stream_and_key(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.put_faults({"faults": [{"kind": "silent"}]})
    settings = config(tmp_path, sandbox.url, [MAPPING])
    with subprocess.Popen([str(PROGRAM), "--config", str(settings)], stdin=subprocess.PIPE) as target:
        assert target.stdin is not None
        target.stdin.write(as_lines(rows(7)))
        target.stdin.flush()
        while sandbox.get("requests", limit=1)["open"] < 1:
            pass
        target.send_signal(signal.SIGKILL)
    (line,) = command(settings, "--in-doubt").stdout.splitlines()
    doubt = json.loads(line)
    assert (doubt["stream"], doubt["key_properties"]) == ("rows", {"id": 7})
    assert "1 in doubt" in command(settings).stdout


def test_what_was_met_lately_is_not_forgotten_and_what_is_old_is(sandbox: Sandbox, tmp_path: Path) -> None:
    settings = config(tmp_path, sandbox.url, [MAPPING])
    run_target(settings, rows(1, 2, 3))
    assert "No event is in doubt." in command(settings, "--in-doubt").stderr
    assert command(settings, "--forget-before", "2026-01-01").stdout == "Forgot 0 events.\n"
    assert command(settings, "--forget-before", "2999-01-01").stdout == "Forgot 3 events.\n"
    run_target(settings, rows(1))
    assert len(sandbox.events()) == 4


@pytest.mark.parametrize(("arguments", "status"), [(["--forget-before", "yesterday"], 2), (["--no-such-option"], 2)])
def test_a_wrong_option_ends_with_status_2(tmp_path: Path, arguments: list[str], status: int) -> None:
    assert command(config(tmp_path, "https://example.com", [MAPPING]), *arguments).returncode == status


def test_without_a_ledger_there_is_nothing_to_show(tmp_path: Path) -> None:
    done = command(config(tmp_path, "https://example.com", [MAPPING], ledger_url="none"))
    assert done.returncode == 1
    assert "ledger_url is `none`" in done.stderr
