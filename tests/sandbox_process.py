"""The sandbox as its own process, for tests that need an endpoint."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from collections.abc import Iterator

STOP_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running sandbox.

    Attributes:
        base: Its address, without a path.
        process: Its process.
    """

    base: str
    process: subprocess.Popen[str]

    @property
    def url(self) -> str:
        """What `api_url` is set to."""
        return f"{self.base}/v2026-04"

    def events(self) -> list[dict[str, Any]]:
        """All events in the order of their arrival, numbers exact."""
        return list(self._pages("events"))

    def requests(self) -> list[dict[str, Any]]:
        """All requests in the order of their arrival."""
        return list(self._pages("requests"))

    def most_open(self) -> int:
        """The most requests that were open at once."""
        return int(self.get("requests", limit=1)["most_open"])

    def put_faults(self, faults: dict[str, Any]) -> None:
        """Replace the faults in force."""
        requests.put(f"{self.base}/sandbox/faults", json=faults, timeout=10).raise_for_status()

    def clear(self) -> None:
        """Forget all events, contacts and requests."""
        requests.delete(f"{self.base}/sandbox", timeout=10).raise_for_status()

    def get(self, what: str, **query: str | int) -> dict[str, Any]:
        """Ask a question under /sandbox."""
        answer = requests.get(f"{self.base}/sandbox/{what}", params=query, timeout=30)
        answer.raise_for_status()
        found: dict[str, Any] = json.loads(answer.content, parse_float=Decimal)
        return found

    def _pages(self, what: str) -> Iterator[dict[str, Any]]:
        after: int | None = 0
        while after is not None:
            page = self.get(what, after=after, limit=1000)
            yield from page[what]
            after = page["next"]


@contextmanager
def running_sandbox(*args: str, stderr: int | None = None) -> Iterator[Sandbox]:
    """Start a sandbox on a free port, and stop it at the end."""
    command = [sys.executable, "-m", "target_applied_events.sandbox", "--port", "0", *args]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True) as process:
        try:
            yield Sandbox(_address(process), process)
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.communicate(timeout=STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.search(r"http://\S+", line):
            return found[0]
    raise RuntimeError(f"the sandbox ended with {process.wait()} before it told its address")
