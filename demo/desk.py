"""The endpoint on this machine, as its own process, and what has arrived there."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from collections.abc import Iterator

REQUEST_SECONDS = 10
STOP_SECONDS = 5


class DeskError(Exception):
    """The endpoint did not start."""


@dataclass(frozen=True, slots=True)
class Desk:
    """A running sandbox.

    Attributes:
        address: Where its page is.
    """

    address: str

    @property
    def api_url(self) -> str:
        """What the target's `api_url` is set to."""
        return f"{self.address}/v2026-04"

    def bodies(self) -> list[dict[str, Any]]:
        """Read the bodies of all events in the order they arrived, numbers exact."""
        return [event["body"] for event in self._events()]

    def _events(self) -> Iterator[dict[str, Any]]:
        after: int | None = 0
        while after is not None:
            query = {"after": after, "limit": 1000}
            answer = requests.get(f"{self.address}/sandbox/events", params=query, timeout=REQUEST_SECONDS)
            answer.raise_for_status()
            page = json.loads(answer.content, parse_float=Decimal)
            yield from page["events"]
            after = page["next"]


@contextlib.contextmanager
def running() -> Iterator[Desk]:
    """Run a sandbox on a free port until the block ends."""
    command = [sys.executable, "-u", "-m", "target_applied_events.sandbox", "--port", "0"]
    # A session of its own, so that Ctrl-C reaches the demo alone, which then ends the sandbox.
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        try:
            yield Desk(_address(process))
        finally:
            _stop(process)


def _address(process: subprocess.Popen[str]) -> str:
    for line in process.stdout or ():
        if found := re.search(r"http://[^\s/]+", line):
            return found[0]
    raise DeskError(f"The sandbox ended with status {process.wait()} before it told its address.")


def _stop(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.communicate(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
