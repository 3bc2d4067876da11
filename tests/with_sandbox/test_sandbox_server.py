from __future__ import annotations

import signal
import socket
import subprocess
import threading
from typing import TYPE_CHECKING

import pytest
import requests

from tests.sandbox.posting import post, put
from tests.sandbox_process import Sandbox, running_sandbox

if TYPE_CHECKING:
    from pathlib import Path


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
