"""SIGTERM and SIGINT: the run ends in order at the first, at once at the second."""

from __future__ import annotations

import os
import signal

from target_applied_events.errors import StopReading


class Interruption:
    """A signal is only noted when it comes, since what its handler interrupts may hold any lock."""

    def __init__(self) -> None:
        """Begin with none."""
        self._signum: int | None = None

    def __repr__(self) -> str:
        """Tell which came."""
        return f"<Interruption {self._signum}>"

    def note(self, signum: int) -> None:
        """Note a signal; the second one ends the process."""
        if self._signum is not None:
            os._exit(128 + signum)
        self._signum = signum

    def look(self) -> None:
        """End the reading if a signal came.

        Raises:
            StopReading: It names the signal.
        """
        if self._signum is not None:
            name = signal.Signals(self._signum).name
            raise StopReading(
                f"Ended by {name}: what was in flight is settled where an answer came, the rest stays behind STATE. "
                "Run again for the rest.",
                exit_status=128 + self._signum,
            )
