from __future__ import annotations

import re
import signal
import subprocess
from typing import TYPE_CHECKING

from tests.sandbox.posting import post
from tests.sandbox_process import Sandbox
from tests.target_process import PROGRAM

if TYPE_CHECKING:
    from pathlib import Path


def test_the_target_s_own_command_starts_the_sandbox_without_any_settings(tmp_path: Path) -> None:
    command = [str(PROGRAM), "sandbox", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        assert process.stdout is not None
        address = re.search(r"http://[^\s/]+", process.stdout.readline())
        assert address is not None
        sandbox = Sandbox(address[0], process)
        assert post(sandbox).status_code == 200
        assert len(sandbox.events()) == 1
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=10)
    assert process.returncode == 0
    assert list(tmp_path.iterdir()) == []
