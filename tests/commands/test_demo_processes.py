from __future__ import annotations

import signal
import socket
import threading
from typing import TYPE_CHECKING

import pytest
import requests

from target_applied_events.commands.demo_processes import (
    ANY_FREE_PORT,
    DemoError,
    Interrupts,
    Sandbox,
    last_lines,
    run_target,
    running_sandbox,
    stay,
)
from target_applied_events.errors import StopReading
from tests.target_process import as_lines, config, record, schema

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.sandbox_process import Sandbox as Endpoint

MAPPING = {"stream": "rows", "name": "Row {{ id }}", "contact": {"remote_id": "{{ id }}"}}
MESSAGES = [schema("rows", {"id": {"type": "integer"}}), record("rows", id=1)]
EVENT = {"name": "x", "metric": {"metric_name": "m", "value": 1}}
HEADERS = {"Authorization": "Bearer AL-x", "X-Shop-Id": "66e4a5f0-0000-4000-8000-000000000001"}


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running_sandbox(tmp_path_factory.mktemp("demo") / "log", [ANY_FREE_PORT]) as sandbox:
        yield sandbox


def post(sandbox: Sandbox) -> int:
    return requests.post(f"{sandbox.api_url}/events/", json=EVENT, headers=HEADERS, timeout=10).status_code


def test_a_signal_is_noted_and_ends_the_demo_where_it_next_looks() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with Interrupts() as interrupts:
        interrupts.look()
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(StopReading, match="SIGTERM") as stopped:
            interrupts.look()
    assert stopped.value.exit_status == 143
    assert signal.getsignal(signal.SIGTERM) is before


def test_what_arrived_is_told_and_what_met_a_fault_is_counted(started: Sandbox) -> None:
    started.put_faults({"kind": "status", "status": 503, "times": 2})
    assert [post(started) for _ in range(3)] == [503, 503, 200]
    assert started.failed_requests() == 2
    started.put_faults()
    assert post(started) == 200
    assert started.events() == [EVENT, EVENT]


def test_a_port_that_is_taken_is_passed_over_for_the_next(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with running_sandbox(tmp_path / "log", [port, ANY_FREE_PORT]) as sandbox:
            assert sandbox.address.startswith("http://127.0.0.1:")
            assert sandbox.address != f"http://127.0.0.1:{port}"
            assert sandbox.events() == []
    assert sandbox.process.poll() is not None
    with pytest.raises(DemoError, match=f"The sandbox at {sandbox.address} doesn't answer"):
        sandbox.events()


def test_a_sandbox_that_gets_no_port_is_told_in_its_own_words(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(DemoError, match=rf"doesn't start\. It said:\n(.|\n)*port {port}: Address already in use"),
            running_sandbox(tmp_path / "log", [port]),
        ):
            pass


def test_a_run_that_ends_well_says_what_it_says_to_its_log(sandbox: Endpoint, tmp_path: Path) -> None:
    settings = config(tmp_path, sandbox.url, [MAPPING])
    (tmp_path / "in").write_bytes(as_lines(MESSAGES))
    run_target(["--config", str(settings), "--input", str(tmp_path / "in")], tmp_path / "log", Interrupts())
    assert len(sandbox.events()) == 1
    assert "Read 1: delivered 1" in last_lines(tmp_path / "log")


def test_a_run_that_fails_is_an_error_with_what_it_said_last(tmp_path: Path) -> None:
    with pytest.raises(DemoError, match=r"status 2\. It said:\n(.|\n)*There are no settings"):
        run_target([], tmp_path / "log", Interrupts())


def test_a_signal_during_a_run_ends_it_before_the_demo(sandbox: Endpoint, tmp_path: Path) -> None:
    sandbox.put_faults({"faults": [{"kind": "latency", "seconds": 1}]})
    settings = config(tmp_path, sandbox.url, [MAPPING])
    (tmp_path / "in").write_bytes(as_lines(MESSAGES))
    main = threading.main_thread().ident
    assert main is not None

    def interrupt() -> None:
        while not sandbox.get("requests")["open"]:
            pass
        signal.pthread_kill(main, signal.SIGINT)

    with Interrupts() as interrupts:
        interrupting = threading.Thread(target=interrupt, daemon=True)
        interrupting.start()
        with pytest.raises(StopReading, match="SIGINT"):
            run_target(["--config", str(settings), "--input", str(tmp_path / "in")], tmp_path / "log", interrupts)
        interrupting.join()
    assert "Ended by SIGTERM" in (tmp_path / "log").read_text()
    assert "delivered 1" in last_lines(tmp_path / "log")


def test_it_stays_until_a_signal_comes_or_the_sandbox_ends(tmp_path: Path) -> None:
    with running_sandbox(tmp_path / "log", [ANY_FREE_PORT]) as sandbox:
        with Interrupts() as interrupts:
            signal.raise_signal(signal.SIGINT)
            stay(sandbox, interrupts)
        sandbox.process.terminate()
        with pytest.raises(DemoError, match="The sandbox ended with status"):
            stay(sandbox, Interrupts())


def test_of_a_log_only_the_end_is_shown_whatever_it_holds(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"".join(b"line %d \xff\n" % number for number in range(9)))
    assert last_lines(log).splitlines() == [f"line {number} �" for number in range(4, 9)]
    log.write_bytes(b"")
    assert last_lines(log) == ""
