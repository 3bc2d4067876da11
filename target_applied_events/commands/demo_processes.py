"""The processes of a demo: the sandbox, runs of the target, and how both end with it."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from decimal import Decimal
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlencode

from target_applied_events.errors import StopReading, TargetError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from types import FrameType

USUAL_PORT, ANY_FREE_PORT = 8080, 0
ASK_SECONDS = 10
STOP_SECONDS = 5
LOOK_AGAIN_SECONDS = 0.1
LINES_SHOWN = 5

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

# -P: a file of the user's own in the current folder must not stand in for a module.
_SANDBOX = (sys.executable, "-P", "-m", "target_applied_events.sandbox")
_TARGET = (sys.executable, "-P", "-c", "from target_applied_events.cli import main; main()")


class DemoError(TargetError):
    """The sandbox or a run of the target failed; the message ends with what it said last."""


class Interrupts:
    """While it is entered, SIGINT, SIGTERM and SIGHUP are only noted: the demo ends where it next looks.

    Attributes:
        signum: The first of them that came.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self.signum: int | None = None

    def __repr__(self) -> str:
        """Tell whether one came."""
        return f"<Interrupts {self.signum}>"

    def __enter__(self) -> Self:
        """Note signals from now on."""
        self._before = {number: signal.signal(number, self._note) for number in _ENDING}
        return self

    def __exit__(self, *_: object) -> None:
        """Leave signals to who had them before."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def look(self) -> None:
        """End the demo if it is asked to.

        Raises:
            StopReading: One of the signals came.
        """
        if self.signum is not None:
            raise StopReading(f"{signal.Signals(self.signum).name}: the demo ends.", 128 + self.signum)

    def _note(self, signum: int, _frame: FrameType | None) -> None:
        self.signum = self.signum or signum


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running sandbox, and what can be asked of it.

    Attributes:
        address: Where its page is.
        process: Its process.
    """

    address: str
    process: subprocess.Popen[str]

    @property
    def api_url(self) -> str:
        """What the target's `api_url` is set to."""
        return f"{self.address}/v2026-04"

    def events(self) -> list[dict[str, Any]]:
        """Give the bodies of all events in the order they arrived, numbers exact."""
        return [event["body"] for event in self._all("events")]

    def failed_requests(self) -> int:
        """Count the requests that met a fault."""
        return sum(1 for _ in self._all("requests", outcome="faulted"))

    def put_faults(self, *faults: dict[str, Any]) -> None:
        """Replace the faults in force."""
        self._ask("PUT", "/sandbox/faults", json.dumps({"faults": faults}))

    def _all(self, what: str, **query: str) -> Iterator[dict[str, Any]]:
        after = "0"
        while after is not None:
            page = self._ask("GET", f"/sandbox/{what}?{urlencode({**query, 'after': after, 'limit': 1000})}")
            yield from page[what]
            after = page["next"]

    def _ask(self, method: str, path: str, body: str | None = None) -> Any:  # noqa: ANN401 - any JSON
        connection = HTTPConnection(self.address.removeprefix("http://"), timeout=ASK_SECONDS)
        with contextlib.closing(connection):
            try:
                connection.request(method, path, body)
                return json.loads(connection.getresponse().read(), parse_float=Decimal)
            except (OSError, HTTPException, ValueError) as error:
                raise DemoError(f"The sandbox at {self.address} doesn't answer: {error}.") from error


@contextlib.contextmanager
def running_sandbox(log: Path, ports: Sequence[int] = (USUAL_PORT, ANY_FREE_PORT)) -> Iterator[Sandbox]:
    """Run a sandbox at the first port that it can have, until the block ends.

    Raises:
        DemoError: It doesn't start.
    """
    sandbox = next((found for port in ports if (found := _start(log, port)) is not None), None)
    if sandbox is None:
        raise DemoError(f"The sandbox doesn't start. It said:\n{last_lines(log)}")
    try:
        yield sandbox
    finally:
        _stop(sandbox.process)


def run_target(arguments: Sequence[str], log: Path, interrupts: Interrupts) -> None:
    """Run the target to its end; what it says goes to the log.

    Raises:
        DemoError: It failed.
        StopReading: The demo is to end; the target has ended.
    """
    with log.open("w") as said:
        process = _begin([*_TARGET, *arguments], stdout=subprocess.DEVNULL, stderr=said)
        try:
            while process.poll() is None:
                interrupts.look()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(LOOK_AGAIN_SECONDS)
        finally:
            _stop(process)
    if process.returncode != 0:
        raise DemoError(f"The target ended with status {process.returncode}. It said:\n{last_lines(log)}")


def stay(sandbox: Sandbox, interrupts: Interrupts) -> None:
    """Wait until the demo is asked to end.

    Raises:
        DemoError: The sandbox ended first.
    """
    while interrupts.signum is None:
        if sandbox.process.poll() is not None:
            raise DemoError(f"The sandbox ended with status {sandbox.process.returncode}.")
        time.sleep(LOOK_AGAIN_SECONDS)


def last_lines(log: Path) -> str:
    """Take the end of what a process said."""
    return "\n".join(log.read_text("utf-8", errors="replace").splitlines()[-LINES_SHOWN:])


def _start(log: Path, port: int) -> Sandbox | None:
    with log.open("w") as said:
        process = _begin([*_SANDBOX, "--port", str(port)], stdout=subprocess.PIPE, stderr=said)
    for line in process.stdout or ():
        if found := re.search(r"http://[^\s/]+", line):
            return Sandbox(found[0], process)
    process.communicate()
    return None


def _begin(command: Sequence[str], *, stdout: int, stderr: Any) -> subprocess.Popen[str]:  # noqa: ANN401 - as Popen
    # A session of its own, so that Ctrl-C reaches the demo alone, which then ends the process in order.
    return subprocess.Popen(  # noqa: S603 - the programs are our own
        command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, text=True, start_new_session=True
    )


def _stop(process: subprocess.Popen[str]) -> None:
    """End a process if it hasn't, by force where it doesn't."""
    process.terminate()
    try:
        process.communicate(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
