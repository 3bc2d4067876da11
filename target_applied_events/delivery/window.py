"""How much may be unsettled at once: the thread that reads waits for room, the dispatcher's makes it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from target_applied_events.handover import HeldState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_applied_events.handover import Item

MOST_UNSETTLED = 10_000
MOST_UNSETTLED_BYTES = 64 << 20


class Window:
    """At most 10,000 items or 64 MiB of bodies, records and STATEs are in it; a batch above that comes in alone.

    What is handed over counts from then on, before the delivery knows of it; a STATE, once that does, by its bytes
    alone, until it leaves or a newer one stands for it. All of it ends without anything new coming in, so that who
    waits for room gets it. Used by both threads.

    Attributes:
        is_closed: Nothing is settled any more.
    """

    def __init__(self) -> None:
        """Begin empty."""
        self.is_closed = False
        self._changed = threading.Condition()
        self._handed_over = self._handed_over_records = self._handed_over_bytes = 0  # and not accepted by the delivery
        self._unsettled = self._unsettled_bytes = 0
        self._wanted = self._wanted_bytes = 0  # by who waits for room

    def __repr__(self) -> str:
        """Tell how full it is."""
        return f"<Window unsettled={self.unsettled}{' closed' if self.is_closed else ''}>"

    @property
    def unsettled(self) -> int:
        """How many of the events and rejected records handed over aren't settled."""
        with self._changed:
            return self._handed_over_records + self._unsettled

    def has_room(self, items: Sequence[Item]) -> bool:
        """Whether a batch may come in; once it is closed, whoever waits for that may go on."""
        size_bytes = _size_bytes(items)
        with self._changed:
            self._wanted, self._wanted_bytes = len(items), size_bytes
            return self.is_closed or self._fits()

    def _fits(self) -> bool:
        count = self._handed_over + self._unsettled
        size_bytes = self._handed_over_bytes + self._unsettled_bytes
        fits = count + self._wanted <= MOST_UNSETTLED and size_bytes + self._wanted_bytes <= MOST_UNSETTLED_BYTES
        return fits or not (count or size_bytes)

    def hand_over(self, items: Sequence[Item]) -> None:
        """Let a batch in."""
        records, size_bytes = _records(items), _size_bytes(items)
        with self._changed:
            self._handed_over += len(items)
            self._handed_over_records += records
            self._handed_over_bytes += size_bytes

    def accept(self, items: Sequence[Item], unsettled: int, unsettled_bytes: int) -> None:
        """Count a batch no more as handed over: it's among what the delivery holds, which is told in the same step."""
        records, size_bytes = _records(items), _size_bytes(items)
        with self._changed:  # in two steps, there would seem to be room for as much again in between
            self._handed_over -= len(items)
            self._handed_over_records -= records
            self._handed_over_bytes -= size_bytes
            self._unsettled, self._unsettled_bytes = unsettled, unsettled_bytes

    def settle(self, unsettled: int, unsettled_bytes: int) -> None:
        """Take what the delivery still holds, and wake who waits if there is room now."""
        with self._changed:
            self._unsettled, self._unsettled_bytes = unsettled, unsettled_bytes
            if self._fits():
                self._changed.notify_all()

    def wait(self, seconds: float) -> None:
        """Wait for a change, at most so long."""
        with self._changed:
            if not self.is_closed:
                self._changed.wait(seconds)

    def close(self) -> None:
        """Let nobody wait any longer."""
        with self._changed:
            self.is_closed = True
            self._changed.notify_all()


def _size_bytes(items: Sequence[Item]) -> int:
    return sum([item.size_bytes for item in items])


def _records(items: Sequence[Item]) -> int:
    return sum(not isinstance(item, HeldState) for item in items)
