"""Which event may be sent now, which waits for another of its contact, which is parked until when."""

from __future__ import annotations

import enum
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from target_applied_events.errors import InternalError

if TYPE_CHECKING:
    from collections.abc import Iterable


class _Standing(enum.Enum):
    WAITING = "waits for another of its contact"
    READY = "ready"
    OUT = "out"
    PARKED = "parked"


class _Lane:
    """The events of one identifier: the last that was added, the one that was sent and isn't settled, the last sent."""

    __slots__ = ("last", "sent", "sent_last")

    def __init__(self, last: _Waiter) -> None:
        """Open it for its first event."""
        self.last = last
        self.sent: _Waiter | None = None
        self.sent_last = last.position


class _Waiter:
    """An unsettled event: what it waits for, and what waits for it."""

    __slots__ = ("ahead", "followers", "identifiers", "position", "standing")

    def __init__(self, position: int, identifiers: tuple[str, ...]) -> None:
        """Let it wait for nothing yet."""
        self.position = position
        self.identifiers = identifiers
        self.standing = _Standing.WAITING
        self.ahead = 0
        self.followers: tuple[_Waiter, ...] = ()  # few have one, none more than it has identifiers


class Lanes:
    """At most one unsettled event of a lane is out at a time, and each is taken in the order of its position.

    An event waits for the last unsettled event of each of its identifiers, so it has at most one follower for each of
    them, and a step costs the same however many wait. A lane is forgotten when its last event is settled.
    """

    def __init__(self) -> None:
        """Start with no event."""
        self._newest = -1
        self._waiters: dict[int, _Waiter] = {}
        self._lanes: dict[str, _Lane] = {}
        self._ready: list[int] = []
        self._parked: list[tuple[float, int]] = []
        self._out = 0

    def __repr__(self) -> str:
        """Tell how many events stand where."""
        return f"<Lanes ready={self.ready} out={self.out} parked={self.parked} waiting={self.waiting}>"

    def __len__(self) -> int:
        """How many events are unsettled."""
        return len(self._waiters)

    @property
    def ready(self) -> int:
        """How many may be taken."""
        return len(self._ready)

    @property
    def parked(self) -> int:
        """How many wait for their time, each holding its lanes."""
        return len(self._parked)

    @property
    def out(self) -> int:
        """How many are taken."""
        return self._out

    @property
    def waiting(self) -> int:
        """How many wait for another of their contact."""
        return len(self._waiters) - len(self._ready) - len(self._parked) - self._out

    def add(self, position: int, identifiers: Iterable[str]) -> None:
        """Add an event, which waits for the last unsettled one that shares an identifier with it.

        Args:
            position: Above all that were added before.
            identifiers: What ties it to its contact; none: it waits for nothing.

        Raises:
            InternalError: The position isn't above all before.
        """
        if position <= self._newest:
            raise InternalError(f"position {position} was added behind {self._newest} ({self!r})")
        self._newest = position
        waiter = self._waiters[position] = _Waiter(position, tuple(dict.fromkeys(identifiers)))
        for ahead in self._enter_lanes(waiter):
            ahead.followers += (waiter,)
            waiter.ahead += 1
        if not waiter.ahead:
            self._make_ready(waiter)

    def take(self) -> int | None:
        """Take the oldest event that is ready; None where none is.

        Raises:
            InternalError: Another of its lane is out or parked, or a younger one was sent before it.
        """
        if not self._ready:
            return None
        waiter = self._waiters[heappop(self._ready)]
        self._hold_lanes(waiter)
        waiter.standing = _Standing.OUT
        self._out += 1
        return waiter.position

    def park(self, position: int, until: float) -> None:
        """Let a taken event go back and hold its lanes; it's ready again at `until`, monotonic seconds."""
        self._come_in(position).standing = _Standing.PARKED
        heappush(self._parked, (until, position))

    def put_back(self, position: int) -> None:
        """Let a taken event that wasn't sent go back; it's ready again at once."""
        self._make_ready(self._come_in(position))

    def wake(self, now: float) -> int:
        """Make ready what is parked and whose time has come; give how many."""
        woken = 0
        while self._parked and self._parked[0][0] <= now:
            self._make_ready(self._waiters[heappop(self._parked)[1]])
            woken += 1
        return woken

    def next_wake(self) -> float | None:
        """Tell when the next parked event becomes ready; None where none is parked."""
        return self._parked[0][0] if self._parked else None

    def settle(self, position: int) -> None:
        """Settle a taken event: it leaves its lanes, and what waited for it alone becomes ready.

        Raises:
            InternalError: It isn't out.
        """
        waiter = self._come_in(position)
        del self._waiters[position]
        self._leave_lanes(waiter)
        for follower in waiter.followers:
            follower.ahead -= 1
            if not follower.ahead:
                self._make_ready(follower)

    def crowd(self) -> int:
        """Count the events that wait behind the oldest unsettled one, whether for itself or for others that do."""
        if not self._waiters:
            return 0
        seen = {min(self._waiters)}
        to_visit = [self._waiters[position] for position in seen]
        while to_visit:
            followers = [follower for follower in to_visit.pop().followers if follower.position not in seen]
            seen.update(follower.position for follower in followers)
            to_visit.extend(followers)
        return len(seen) - 1

    def _enter_lanes(self, waiter: _Waiter) -> set[_Waiter]:
        """Make it the last of its lanes; give those that were."""
        ahead = set()
        for identifier in waiter.identifiers:
            lane = self._lanes.get(identifier)
            if lane is None:
                self._lanes[identifier] = _Lane(waiter)
            else:
                ahead.add(lane.last)
                lane.last = waiter
        return ahead

    def _hold_lanes(self, waiter: _Waiter) -> None:
        for identifier in waiter.identifiers:
            lane = self._lanes[identifier]
            if lane.sent not in (None, waiter) or lane.sent_last > waiter.position:
                raise InternalError(f"position {waiter.position} is sent before its turn in its lane ({self!r})")
            lane.sent = waiter
            lane.sent_last = waiter.position

    def _leave_lanes(self, waiter: _Waiter) -> None:
        for identifier in waiter.identifiers:
            lane = self._lanes[identifier]
            lane.sent = None
            if lane.last is waiter:
                del self._lanes[identifier]

    def _come_in(self, position: int) -> _Waiter:
        waiter = self._waiters.get(position)
        if waiter is None or waiter.standing is not _Standing.OUT:
            raise InternalError(f"position {position} came back and isn't out ({self!r})")
        self._out -= 1
        return waiter

    def _make_ready(self, waiter: _Waiter) -> None:
        waiter.standing = _Standing.READY
        heappush(self._ready, waiter.position)
