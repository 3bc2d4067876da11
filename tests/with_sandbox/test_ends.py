"""How a run ends before its input does: signals, a closed standard output, a quiet tap."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pytest

from tests.target_process import PROGRAM, Message, as_lines, config, record, schema, state

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sandbox_process import Sandbox

MAPPING: Message = {"stream": "rows", "name": "Row {{ id }}", "contact": {"remote_id": "{{ id }}"}}
SCHEMA = schema("rows", {"id": {"type": "integer"}})
PATIENCE_SECONDS = 20


class Tap:
    """A tap that says what it's told and keeps its pipe open."""

    def __init__(self, settings: Path) -> None:
        command = [str(PROGRAM), "--config", str(settings)]
        self.target = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
        )

    def say(self, *messages: Message) -> None:
        self._pipe(self.target.stdin).write(as_lines(messages))

    def next_state(self) -> Any:  # noqa: ANN401 - any JSON
        return json.loads(self._pipe(self.target.stdout).readline())

    def log_until(self, text: str) -> str:
        lines = []
        for line in iter(self._pipe(self.target.stderr).readline, b""):
            lines.append(line.decode())
            if text in lines[-1]:
                break
        return "".join(lines)

    def end(self) -> tuple[int, list[Any], str]:
        out, log = self.target.communicate(timeout=PATIENCE_SECONDS + 20)
        return self.target.returncode, [json.loads(line) for line in out.splitlines()], log.decode()

    @staticmethod
    def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
        assert pipe is not None
        return pipe


@pytest.fixture
def tap(sandbox: Sandbox, tmp_path: Path) -> Iterator[Tap]:
    with_tap = Tap(config(tmp_path, sandbox.url, [MAPPING]))
    yield with_tap
    with_tap.target.kill()
    with_tap.target.communicate()


def test_state_leaves_while_the_tap_is_quiet(tap: Tap, sandbox: Sandbox) -> None:
    tap.say(SCHEMA, record("rows", id=1), state(1))
    assert tap.next_state() == 1
    assert len(sandbox.events()) == 1
    tap.say(record("rows", id=2), state(2))
    assert tap.next_state() == 2
    assert tap.target.poll() is None


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_a_run_whose_tap_is_quiet(tap: Tap, number: signal.Signals, status: int) -> None:
    tap.say(SCHEMA, record("rows", id=1), state(1))
    assert tap.next_state() == 1
    tap.target.send_signal(number)
    ended, states, log = tap.end()
    assert (ended, states) == (status, [])
    assert f"Ended by {number.name}" in log
    assert "Traceback" not in log


def test_what_is_in_flight_at_a_signal_is_settled_and_its_state_leaves(tap: Tap, sandbox: Sandbox) -> None:
    sandbox.put_faults({"faults": [{"kind": "latency", "seconds": 1.5}]})
    tap.say(SCHEMA, record("rows", id=1), state(1), record("rows", id=2), state(2))
    tap.log_until("The ledger")
    wait_for_requests(sandbox, 2)
    tap.target.send_signal(signal.SIGTERM)
    ended, states, _ = tap.end()
    assert (ended, states[-1]) == (143, 2)
    assert len(sandbox.events()) == 2


def test_nothing_is_sent_after_a_signal(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.put_faults({"faults": [{"kind": "latency", "seconds": 1.0}]})
    tap = Tap(config(tmp_path, sandbox.url, [MAPPING], max_concurrency=1))
    tap.say(SCHEMA, *(message for number in (1, 2, 3) for message in (record("rows", id=number), state(number))))
    wait_for_requests(sandbox, 1)
    tap.target.send_signal(signal.SIGTERM)
    ended, states, _ = tap.end()
    assert (ended, states) == (143, [1])
    assert [event["body"]["name"] for event in sandbox.events()] == ["Row 1"]


def test_a_run_leaves_no_core_file_that_would_hold_the_key(tap: Tap) -> None:
    tap.say(SCHEMA, record("rows", id=1), state(1))
    assert tap.next_state() == 1
    limits = Path(f"/proc/{tap.target.pid}/limits").read_text().splitlines()
    (core,) = [line for line in limits if line.startswith("Max core file size")]
    assert core.split()[4] == "0"


def test_a_signal_ends_a_run_that_waits_for_room_and_its_accounts_add_up(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.put_faults({"faults": [{"kind": "latency", "seconds": 3.0}]})
    tap = Tap(config(tmp_path, sandbox.url, [MAPPING], max_concurrency=1))
    tap.say(SCHEMA, *(record("rows", id=number) for number in range(11_000)))
    wait_for_requests(sandbox, 1)
    tap.target.send_signal(signal.SIGTERM)
    ended, _, log = tap.end()
    assert ended == 143
    assert "Traceback" not in log
    assert "delivered 1," in log


def test_a_second_signal_ends_at_once(tap: Tap, sandbox: Sandbox) -> None:
    sandbox.put_faults({"faults": [{"kind": "silent"}]})
    tap.say(SCHEMA, record("rows", id=1), state(1))
    wait_for_requests(sandbox, 1)
    tap.target.send_signal(signal.SIGTERM)
    with pytest.raises(subprocess.TimeoutExpired):  # it waits for the answer
        tap.target.wait(timeout=1)
    tap.target.send_signal(signal.SIGTERM)
    assert tap.target.wait(timeout=PATIENCE_SECONDS) == 143


def test_an_event_in_flight_at_a_second_signal_is_named_at_the_next_start(
    tap: Tap, sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.put_faults({"faults": [{"kind": "silent", "times": 1}]})
    tap.say(SCHEMA, record("rows", id=1), state(1))
    wait_for_requests(sandbox, 1)
    tap.target.kill()
    tap.target.wait(timeout=PATIENCE_SECONDS)
    again = Tap(tmp_path / "config.json")
    again.say(SCHEMA, record("rows", id=1), state(1))
    assert again.next_state() == 1
    assert again.target.stdin is not None
    again.target.stdin.close()
    again.target.stdin = None
    status, _, log = again.end()
    assert status == 0
    assert "1 in doubt" in log
    assert "resent in doubt 1" in log


@pytest.mark.slow
def test_a_signal_ends_a_run_in_thirty_seconds_whose_states_nobody_reads(tap: Tap, sandbox: Sandbox) -> None:
    large = state({"position": "x" * 300_000})  # more than a pipe holds
    tap.say(SCHEMA, record("rows", id=1), large, record("rows", id=2), large, record("rows", id=3))
    while not sandbox.events():
        time.sleep(0.05)
    tap.target.send_signal(signal.SIGTERM)
    assert tap.target.wait(30) == 143


def test_a_standard_output_that_is_closed_ends_the_run_as_a_signal_does(tap: Tap) -> None:
    assert tap.target.stdout is not None
    tap.target.stdout.close()
    tap.say(SCHEMA, record("rows", id=1), state(1))
    log = tap.log_until("Standard output was closed")
    assert tap.target.wait(timeout=PATIENCE_SECONDS) == 143
    assert "Traceback" not in log
    tap.target.stdout = None


@pytest.mark.slow
def test_a_quiet_run_says_every_thirty_seconds_where_it_stands(tap: Tap, sandbox: Sandbox) -> None:
    sandbox.put_faults({"faults": [{"kind": "silent"}]})
    tap.say(SCHEMA, record("rows", id=1))
    line = tap.log_until("So far:").splitlines()[-1]
    assert "read 1, delivered 0, rejected 0, in flight 1 of 8" in line
    assert "1 unsettled, the oldest for 30 s" in line or "the oldest for 29 s" in line


def wait_for_requests(sandbox: Sandbox, count: int) -> None:
    """Ask until so many requests are open or were taken; the test's own time limit ends it."""
    while max(sandbox.get("requests", limit=1)["open"], len(sandbox.events())) < count:
        pass


def test_a_run_that_meets_another_at_an_event_stops_names_it_and_settles_its_own(
    tap: Tap, sandbox: Sandbox, tmp_path: Path
) -> None:
    slow, never = {"kind": "latency", "seconds": 5, "match": "Row 2"}, {"kind": "silent", "match": "Row 1"}
    sandbox.put_faults({"faults": [slow, never]})
    tap.say(SCHEMA, record("rows", id=1))
    wait_for_requests(sandbox, 1)
    second = Tap(tmp_path / "config.json")
    second.say(SCHEMA, record("rows", id=2), state(2))
    wait_for_requests(sandbox, 2)
    second.say(record("rows", id=1), state(1))
    status, states, log = second.end()
    assert (status, states) == (1, [2])
    assert re.search(r"The run \d{8}T\d{6}Z-\w+, which shares this ledger, is sending an event", log)
    assert [event["body"]["name"] for event in sandbox.events()] == ["Row 2"]
