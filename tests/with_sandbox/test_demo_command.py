from __future__ import annotations

import contextlib
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.target_process import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.xdist_group("usual_port")

SCREENS = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
PATIENCE_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Demo:
    """A demo on a terminal.

    Attributes:
        process: Its process.
        terminal: Our end of the terminal.
        mark: What all its processes have in their environment.
        folder: Where it keeps its files.
        unread: What was read from the terminal and not yet looked for.
    """

    process: subprocess.Popen[bytes]
    terminal: int
    mark: str
    folder: Path
    unread: list[str] = field(default_factory=list)

    def read_until(self, pattern: str) -> re.Match[str]:
        """Read on until the pattern is on the screen."""
        while (found := re.search(pattern, "".join(self.unread))) is None:
            self.unread.append(os.read(self.terminal, 4096).decode(errors="replace"))
        self.unread[:] = [found.string[found.end() :]]
        return found

    def end(self) -> int:
        """Wait for its end, reading all that it still says; gives the exit status."""
        with contextlib.suppress(OSError):
            while os.read(self.terminal, 4096):
                pass
        return self.process.wait(timeout=20)

    def processes(self) -> list[str]:
        """Those that are left of it, by their environment."""
        return [path.parent.name for path in Path("/proc").glob("[0-9]*/environ") if self.mark.encode() in _read(path)]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def environment(folder: Path, **more: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name not in SCREENS}
    return inherited | {"TMPDIR": str(folder), "TERM": "dumb"} | more


@contextlib.contextmanager
def usual_port_taken() -> Iterator[None]:
    """Hold the port that the demo would take; another program that has it for a moment is waited for."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    with contextlib.ExitStack() as held:
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                held.enter_context(socket.create_server(("127.0.0.1", 8080)))
                break
            time.sleep(0.1)
        yield  # where the other program keeps it, it's taken as well


@pytest.fixture
def on_terminal(tmp_path: Path) -> Iterator[Demo]:
    """A demo that was just started on a terminal of its own, with a browser that writes down what it's to open."""
    folder, browser, mark = tmp_path / "temporary", tmp_path / "browser", uuid.uuid4().hex
    folder.mkdir()
    browser.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/opened\n')
    browser.chmod(0o755)
    ours, its = pty.openpty()
    with subprocess.Popen(
        [str(PROGRAM), "demo"],
        stdin=its,
        stdout=its,
        stderr=its,
        env=environment(folder, MARK=mark, DISPLAY=":0", BROWSER=f"{browser} %s"),
        start_new_session=True,
    ) as process:
        os.close(its)
        yield Demo(process, ours, mark, folder)
        process.kill()
    os.close(ours)


def test_without_a_terminal_it_ends_by_itself_and_tells_what_the_sandbox_has(tmp_path: Path) -> None:
    with usual_port_taken():
        done = subprocess.run(
            [str(PROGRAM), "demo"],
            env=environment(tmp_path),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )
    said = done.stdout
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"arrives at http://127\.0\.0\.1:(?!8080\b)\d+", said)
    first, new = map(int, re.findall(r"records became (\d+) events", said))
    assert new + first > 200
    assert "\n0 events arrived: the ledger knows" in said
    assert f"The sandbox has {first + new} events now, none of them twice." in said
    retried = int(re.findall(r"Retried (\d+)", said)[-1])
    assert f"{retried} requests failed and were sent again" in said
    assert retried > 0
    assert "public-orders, invalid: $.total" in said
    assert "public-orders, unmappable: $.event_time" in said
    assert list(tmp_path.iterdir()) == []


def test_on_a_terminal_it_opens_the_page_and_stays_until_ctrl_c_and_leaves_nothing(
    on_terminal: Demo, tmp_path: Path
) -> None:
    address = on_terminal.read_until(r"arrives at http://(\S+)\s")[1]
    counted = on_terminal.read_until(r"The sandbox has (\d+) events now")[1]
    on_terminal.read_until("until Ctrl-C")
    assert (tmp_path / "opened").read_text() == f"http://{address}\n"
    with contextlib.closing(HTTPConnection(address, timeout=10)) as page:
        page.request("GET", "/sandbox/live")
        assert f'"events": {counted},' in page.getresponse().readline().decode()
    assert len(on_terminal.processes()) == 2
    os.killpg(on_terminal.process.pid, signal.SIGINT)
    assert on_terminal.end() == 0
    assert on_terminal.processes() == []
    assert list(on_terminal.folder.iterdir()) == []


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_the_target_runs_ends_all_of_it(on_terminal: Demo, stop: signal.Signals) -> None:
    on_terminal.read_until("1. A shop's records")
    on_terminal.process.send_signal(stop)
    assert on_terminal.end() == 128 + stop
    assert on_terminal.processes() == []
    assert list(on_terminal.folder.iterdir()) == []


def test_it_says_what_to_install_where_the_extra_is_missing() -> None:
    code = "import sys; sys.modules['starlette'] = None; from target_applied_events.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code, "demo"], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 2
    assert "pip install 'target-applied-events[sandbox]'" in done.stderr
    assert done.stdout == ""
