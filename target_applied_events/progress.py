"""How a run is shown while it goes: a bar on a terminal, else a line every 30 seconds."""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass
from typing import Protocol

from rich.console import Console
from rich.progress import Progress as RichProgress
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

LINE_SECONDS = 30.0
_BAR_SECONDS = 0.25

logger = logging.getLogger("target-applied-events")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Where a run stands.

    Attributes:
        read: Records times mappings so far.
        delivered: Events that the endpoint took.
        rejected: Events and records given up.
        unsettled: Events and records on their way.
        in_flight: Requests that wait for their answer.
        limit: How many of them there may be now.
        oldest_seconds: How long the oldest unsettled one has been on its way.
        ledger_seconds: How long the ledger has taken in all.
        seconds: How long the run has taken.
    """

    read: int
    delivered: int
    rejected: int
    unsettled: int
    in_flight: int
    limit: int
    oldest_seconds: float
    ledger_seconds: float
    seconds: float

    def text(self) -> str:
        """The figures in one line."""
        rate = self.delivered / self.seconds if self.seconds else 0.0
        return (
            f"read {self.read}, delivered {self.delivered}, rejected {self.rejected}, "
            f"in flight {self.in_flight} of {self.limit}, {rate:.0f} events a second"
        )


class Progress(Protocol):
    """Shows where a run stands."""

    def show(self, snapshot: Snapshot) -> None:
        """Show it if it's time to."""

    def close(self) -> None:
        """Leave the terminal as it was."""


class Lines:
    """At most one line every 30 seconds goes to the log."""

    def __init__(self) -> None:
        """Let the first line come after 30 seconds."""
        self._next_seconds = LINE_SECONDS

    def show(self, snapshot: Snapshot) -> None:
        """Log the figures if it's time to."""
        if snapshot.seconds < self._next_seconds:
            return
        self._next_seconds = snapshot.seconds + LINE_SECONDS
        logger.info(
            "So far: %s; %d unsettled, the oldest for %.0f s; the ledger took %.1f s.",
            snapshot.text(),
            snapshot.unsettled,
            snapshot.oldest_seconds,
            snapshot.ledger_seconds,
        )

    def close(self) -> None:
        """Nothing is left on the screen."""


class Bar:
    """One line at the bottom of the terminal, redrawn; log lines scroll above it."""

    def __init__(self) -> None:
        """Draw it, and let log lines go through it so that they don't tear it."""
        self._rich = RichProgress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            redirect_stdout=False,
            transient=True,
        )
        plain, self._next_seconds = sys.stderr, 0.0
        self._rich.start()
        self._task = self._rich.add_task("starting", total=None)
        handlers = (handler for handler in logging.getLogger().handlers if isinstance(handler, logging.StreamHandler))
        self._moved = [(handler, plain) for handler in handlers if handler.stream is plain]
        for handler, _ in self._moved:
            handler.setStream(sys.stderr)

    def show(self, snapshot: Snapshot) -> None:
        """Redraw the line if it's time to."""
        if snapshot.seconds >= self._next_seconds:
            self._next_seconds = snapshot.seconds + _BAR_SECONDS
            self._rich.update(self._task, description=snapshot.text(), refresh=True)

    def close(self) -> None:
        """Take the line away."""
        for handler, plain in self._moved:
            handler.setStream(plain)
        self._rich.stop()


def start_progress() -> Progress:
    """Choose by what standard error is."""
    is_terminal = sys.stderr is not None and sys.stderr.isatty()  # there is none where it was closed before the start
    return Bar() if is_terminal else Lines()
