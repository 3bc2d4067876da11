"""The events that aren't settled: each by its position, in its lanes, and with its key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_applied_events.delivery.keys import Keys
from target_applied_events.delivery.lanes import Lanes
from target_applied_events.event import Standing

if TYPE_CHECKING:
    from target_applied_events.delivery.flight import Flight


class Unsettled:
    """From when it's added until it's settled, an event is in one place of its lanes and its key is counted.

    Attributes:
        lanes: Which of them may be sent, which wait, which are parked.
        size_bytes: Of their bodies and records.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self.lanes = Lanes()
        self.size_bytes = 0
        self._keys = Keys()
        self._flights: dict[int, Flight] = {}

    def __repr__(self) -> str:
        """Tell where they stand."""
        return f"<Unsettled {self.lanes!r} {self._keys!r}>"

    def __len__(self) -> int:
        """How many there are."""
        return len(self._flights)

    def __getitem__(self, position: int) -> Flight:
        """The event at a position."""
        return self._flights[position]

    def has_key(self, key: bytes) -> bool:
        """Whether one of this key is among them."""
        return key in self._keys

    def standing(self, flight: Flight) -> Standing | None:
        """What is known of an event from others of its key that were settled since it was added."""
        return self._keys.standing(flight.event.key)

    def add(self, position: int, flight: Flight) -> None:
        """Add an event, at a position above all before."""
        event = flight.event
        self.size_bytes += flight.pending.size_bytes
        self._keys.add(event.key)
        self._flights[position] = flight
        self.lanes.add(position, (*event.identifiers, event.key.hex()))

    def settle(self, position: int, *, delivered: bool) -> None:
        """Settle what is at a position: a record that never became an event was never here."""
        flight = self._flights.pop(position, None)
        if flight is None:
            return
        self.lanes.settle(position)
        self.size_bytes -= flight.pending.size_bytes
        left = Standing.IN_DOUBT if flight.doubt else None
        self._keys.settle(flight.event.key, Standing.DELIVERED if delivered else left)

    def oldest_seconds(self, position: int | None, now: float) -> float:
        """How long the event at a position, the oldest, has been on its way; may be asked from any thread."""
        oldest = self._flights.get(position or 0)
        return now - oldest.accepted_at if oldest is not None else 0.0
