"""The events that aren't settled: each by its position, in its lanes, and with its key; and those that fail."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, assert_never

from target_applied_events.delivery.keys import Keys
from target_applied_events.delivery.lanes import Lanes
from target_applied_events.delivery.retry import Retry, Settle, Stop
from target_applied_events.event import Delivered, Standing

if TYPE_CHECKING:
    from target_applied_events.delivery.flight import Flight
    from target_applied_events.delivery.retry import Decision

MOST_FAILING = 5
"""Where more events fail at a time, it may be an outage: so many are given up in one at most."""


class Failing:
    """An event is in here from its first failure until it has ended; others are well only while few are in here.

    What fails speaks for an outage, until a request is taken that was sent after its first attempt. When requests were
    sent decides, not when they were answered: a time-out comes long after what was sent behind it has passed.
    """

    def __init__(self) -> None:
        """Begin without a delivery."""
        self._deliveries = 0
        self._deliveries_before: dict[int, int] = {}
        self._gone = 0
        self._newest_taken = self._newest_failing = -inf

    def __repr__(self) -> str:
        """Tell how many there are, and what they speak for."""
        return f"<Failing {len(self)}, others {'are' if self.others_are_well else 'may not be'} well>"

    def __len__(self) -> int:
        """How many there are."""
        return len(self._deliveries_before)

    @property
    def others_are_well(self) -> bool:
        """Whether nothing speaks for an outage: few fail, and something that was sent after all of them was taken.

        Those given up since the last delivery count as well, so between two deliveries they are few, too.
        """
        is_past = self._newest_taken > self._newest_failing
        return is_past and len(self._deliveries_before) + self._gone <= MOST_FAILING

    def has_seen_a_delivery(self, position: int) -> bool:
        """Whether another event was delivered since this one's last failure."""
        return position in self._deliveries_before and self._deliveries > self._deliveries_before[position]

    def see(self, position: int, decision: Decision, started: float) -> None:
        """Hear what was decided on an attempt, and when that was started, in monotonic seconds."""
        match decision:
            case Settle(Delivered()):
                self._deliveries += 1
                self._gone = 0
                self._newest_taken = max(self._newest_taken, started)
                self.forget(position)
            case Settle():
                self._gone += position in self._deliveries_before
                self.forget(position)
            case Retry():
                if position not in self._deliveries_before:
                    self._newest_failing = max(self._newest_failing, started)
                self._deliveries_before[position] = self._deliveries
            case Stop():
                pass
            case _:
                assert_never(decision)

    def forget(self, position: int) -> None:
        """Leave out what has ended, if it was in here."""
        if position in self._deliveries_before:
            del self._deliveries_before[position]


class Unsettled:
    """From when it's added until it's settled, an event is in one place of its lanes and its key is counted.

    Attributes:
        lanes: Which of them may be sent, which wait, which are parked.
        failing: Which of them fail, and whether that may be an outage.
        size_bytes: Of their bodies and records.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self.lanes = Lanes()
        self.failing = Failing()
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
        self.failing.forget(position)
        self.size_bytes -= flight.pending.size_bytes
        left = Standing.IN_DOUBT if flight.doubt else None
        self._keys.settle(flight.event.key, Standing.DELIVERED if delivered else left)

    def oldest_seconds(self, position: int | None, now: float) -> float:
        """How long the event at a position, the oldest, has been on its way; may be asked from any thread."""
        oldest = self._flights.get(position or 0)
        return now - oldest.accepted_at if oldest is not None else 0.0
