from __future__ import annotations

import signal
import socket
import subprocess
import threading
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

import pytest
import requests

from target_applied_events.sandbox.server import is_loopback, listen
from tests.sandbox.posting import post, post_and_see, put
from tests.sandbox_process import Sandbox, running_sandbox

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE_SECONDS = 30


def wait_in_vain(sandbox: Sandbox) -> None:
    with pytest.raises(requests.ConnectionError):
        post(sandbox)


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_it_quickly_and_leaves_nothing_behind(tmp_path: Path, stop: signal.Signals) -> None:
    kept = tmp_path / "kept.sqlite"
    with running_sandbox("--data", str(kept), stderr=subprocess.PIPE) as sandbox:
        assert post(sandbox).status_code == 200
        put(sandbox, {"kind": "silent"})
        waiting = threading.Thread(target=wait_in_vain, args=(sandbox,))
        with requests.get(f"{sandbox.base}/sandbox/live", stream=True, timeout=10) as stream:
            waiting.start()
            lines = stream.iter_lines(chunk_size=1)
            next(line for line in lines if b'"open": 1' in line)
            sandbox.process.send_signal(stop)
            _, said = sandbox.process.communicate(timeout=5)
        waiting.join(timeout=5)
        assert said == ""
    assert sandbox.process.returncode in {0, -stop}
    assert [path.name for path in tmp_path.iterdir()] == ["kept.sqlite"]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(sandbox.base.rsplit(":", 1)[1])))


def test_another_name_for_this_machine_reads_nothing(sandbox: Sandbox) -> None:
    answer = requests.get(f"{sandbox.base}/sandbox/events", headers={"Host": "evil.example:80"}, timeout=10)
    assert answer.status_code == 421
    answer = requests.get(f"{sandbox.base}/sandbox/events", headers={"Host": "[::1"}, timeout=10)
    assert answer.status_code == 421
    for host in ("localhost", "127.0.0.1:1", "[::1]:8080"):
        assert requests.get(f"{sandbox.base}/sandbox/events", headers={"Host": host}, timeout=10).status_code == 200


def test_the_endpoint_answers_under_whatever_name_it_is_reached(sandbox: Sandbox) -> None:
    assert post(sandbox, Host="sandbox.internal:8080").status_code == 200


@pytest.mark.parametrize(
    ("host", "alone"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104 - a name, nothing listens there
        ("::", False),
        ("192.168.0.1", False),
        ("localhost.example.com", False),
        ("", False),
    ],
)
def test_only_this_machine_reaches_what_is_bound_to_its_loopback_addresses(host: str, *, alone: bool) -> None:
    assert is_loopback(host) is alone


def test_no_answer_waits_for_more_to_send_with_it() -> None:
    with closing(listen("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_port_that_is_taken_is_an_error() -> None:
    with closing(listen("127.0.0.1", 0)) as listener, pytest.raises(OSError, match="in use"):
        listen("127.0.0.1", listener.getsockname()[1])


def wait_for_an_answer(sandbox: Sandbox, name: str) -> None:
    with suppress(requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
        _ = post_and_see(sandbox, name, PATIENCE_SECONDS).content


def test_no_fault_keeps_anybody_waiting_once_it_is_told_to_stop() -> None:
    held_back: list[dict[str, Any]] = [
        {"kind": "latency", "seconds": 3600},
        {"kind": "silent"},
        {"kind": "slow", "byte_seconds": 3600},
        {"kind": "endless"},
    ]
    with running_sandbox(stderr=subprocess.PIPE) as sandbox:
        put(sandbox, *({**fault, "match": fault["kind"]} for fault in held_back))
        waiting = [
            threading.Thread(target=wait_for_an_answer, args=(sandbox, fault["kind"]), daemon=True)
            for fault in held_back
        ]
        for client in waiting:
            client.start()
        while sandbox.get("requests")["open"] < len(held_back):
            pass
        sandbox.process.send_signal(signal.SIGTERM)
        _, said = sandbox.process.communicate(timeout=PATIENCE_SECONDS)
        for client in waiting:
            client.join(PATIENCE_SECONDS)
            assert not client.is_alive()
    assert said == ""
