from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import requests
from click.testing import CliRunner

from target_applied_events.sandbox.options import sandbox as command
from tests.sandbox.posting import EVENT, post
from tests.sandbox_process import running_sandbox

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_is_there_again_at_the_next_start(tmp_path: Path) -> None:
    kept = str(tmp_path / "kept.sqlite")
    for count in (1, 2):
        with running_sandbox("--data", kept) as sandbox:
            assert post(sandbox).status_code == 200
            assert len(sandbox.events()) == count
            assert [request["id"] for request in sandbox.requests()] == list(range(1, count + 1))


def test_the_config_that_it_prints_works() -> None:
    with running_sandbox() as sandbox:
        sandbox.process.send_signal(signal.SIGINT)
        assert sandbox.process.stdout is not None
        printed = sandbox.process.stdout.read()
    config = json.loads(printed[printed.index("{") : printed.rindex("}") + 1])
    assert config["api_url"] == sandbox.url
    with running_sandbox() as again:
        headers = {"Authorization": f"Bearer {config['api_key']}", "X-Shop-Id": config["shop_id"]}
        assert requests.get(f"{again.url}/contacts/", headers=headers, timeout=10).status_code == 200


def test_a_busy_port_is_told_with_what_to_do() -> None:
    with running_sandbox() as sandbox:
        port = sandbox.base.rsplit(":", 1)[1]
        ended = subprocess.run(
            [sys.executable, "-m", "target_applied_events.sandbox", "--port", port],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        assert ended.returncode == 1
        assert f"port {port}" in ended.stderr
        assert "--port 0" in ended.stderr
        assert "Traceback" not in ended.stderr
        assert post(sandbox).status_code == 200


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--fault", "flood"], "kind must be one of"),
        (["--fault", ""], "kind must be one of"),
        (["--fault", "status status='500"], "quot"),
        (["--fault", "status status=9"], "status must be"),
        (["--fault", "drop", "--fault", "drop share"], "faults[1].share must be"),
        (["--port", "99999"], "99999"),
        (["--data", "/nowhere/kept.sqlite"], "--data /nowhere/kept.sqlite"),
        (["--host", "256.0.0.1"], "Can't listen at 256.0.0.1"),
    ],
)
def test_a_wrong_option_is_told(options: list[str], said: str) -> None:
    ended = CliRunner().invoke(command, options)
    assert ended.exit_code in {1, 2}
    assert said in ended.output


def test_the_one_good_key_can_be_given() -> None:
    with running_sandbox("--api-key", "ALone") as sandbox:
        assert [post(sandbox, Authorization=f"Bearer {key}").status_code for key in ("ALone", "ALother")] == [200, 401]


def test_each_leniency_is_a_flag() -> None:
    anonymous, unknown, null = (
        {"name": "x", "contact": {"name": "Ada"}},
        EVENT | {"tag": 1},
        EVENT | {"description": None},
    )
    with running_sandbox("--allow-anonymous", "--allow-unknown-fields", "--allow-nulls") as sandbox:
        assert [post(sandbox, event).status_code for event in (anonymous, unknown, null)] == [200, 200, 200]
    with running_sandbox("--max-body", "48") as sandbox:
        assert [post(sandbox, event).status_code for event in (anonymous, unknown, null)] == [422, 413, 413]


def test_an_address_that_others_can_reach_is_warned_about() -> None:
    with running_sandbox("--host", "0.0.0.0", stderr=subprocess.PIPE) as sandbox:  # noqa: S104 - the warning is what is tested
        sandbox.process.send_signal(signal.SIGINT)
        _, said = sandbox.process.communicate(timeout=5)
    assert "Whoever can reach 0.0.0.0" in said


def test_faults_can_be_given_when_it_starts() -> None:
    options = (
        "--fault",
        "status status=503 times=1 match='Order placed' headers='{\"X-Said\": \"so\"}'",
        "--fault",
        "latency seconds=0",
        "--seed",
        "7",
    )
    with running_sandbox(*options) as sandbox:
        failed = post(sandbox)
        assert (failed.status_code, failed.headers["X-Said"]) == (503, "so")
        assert post(sandbox).status_code == 200
        assert [fault["kind"] for fault in sandbox.get("faults")["faults"]] == ["status", "latency"]


def test_an_address_of_version_6_is_written_as_urls_have_it() -> None:
    with running_sandbox("--host", "::1") as sandbox:
        assert sandbox.base.startswith("http://[::1]:")
        assert post(sandbox).status_code == 200


@pytest.mark.parametrize("library", ["starlette", "uvicorn"])
def test_it_says_what_to_install_where_the_extra_is_missing(library: str) -> None:
    code = f"import sys; sys.modules['{library}'] = None; import target_applied_events.sandbox.__main__"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=20, check=False)
    assert ended.returncode == 1
    assert f"The sandbox needs {library}: pip install 'target-applied-events[sandbox]'" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_data_file_of_another_kind_is_left_as_it_is(tmp_path: Path) -> None:
    other = tmp_path / "notes.txt"
    other.write_text("no database" * 100)
    ended = CliRunner().invoke(command, ["--data", str(other)])
    assert ended.exit_code == 1
    assert f"--data {other} can't be used" in ended.output
    assert other.read_text() == "no database" * 100
