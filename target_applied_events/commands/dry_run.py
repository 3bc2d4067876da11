"""The target without its delivery: what a record becomes, for the commands that only look."""

from __future__ import annotations

from functools import cached_property
from typing import IO, TYPE_CHECKING

from target_applied_events.summary import Summary
from target_applied_events.target import TargetAppliedEvents

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from target_applied_events.handover import Item
    from target_applied_events.settings import Settings


class _Looking:
    """Takes what the sinks hand over and gives it to a function."""

    def __init__(self, settings: Settings, take: Callable[[Item], None]) -> None:
        self.settings = settings
        self.summary = Summary()
        self.met: set[str] = set()
        self._take = take

    def hand_over(self, items: Sequence[Item]) -> None:
        for item in items:
            self._take(item)


class DryRun(TargetAppliedEvents):
    """Reads, validates and maps exactly as a run does; nothing is sent and nothing is written."""

    offline = True
    take: Callable[[Item], None]

    @cached_property
    def receiver(self) -> _Looking:
        """What the sinks hand over to."""
        return _Looking(self.settings, self.take)

    def process_endofpipe(self) -> None:
        """Nothing is left to wait for."""

    def look(self, file_input: IO[str] | None, take: Callable[[Item], None]) -> Summary:
        """Read an input to its end.

        Args:
            file_input: The messages; None: standard input.
            take: Is given each item in the order read.

        Raises:
            TargetError: The input, a schema or a mapping can't be used.
        """
        self.take = take
        self.message_reader.on_pause = self.interruption.look
        self.listen(file_input)
        return self.receiver.summary
