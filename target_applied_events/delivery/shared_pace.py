"""The pace of several runs on one ledger: a rate that holds for all of them together, and a wait that one was told."""

from __future__ import annotations

import hashlib
from math import ceil, inf
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from target_applied_events.delivery.pace import Pace
    from target_applied_events.event import Signal

BURST_SECONDS = 0.1
"""So much of the rate is reserved at once: few questions to the ledger, and no burst that would be noticed."""
LOOK_SECONDS = 1.0
"""How often a run without a rate looks whether another was told to wait."""


class Reservations(Protocol):
    """What is asked of the ledger."""

    def reserve(self, bucket: str, permits: int, per_second: float) -> float:
        """Reserve permits; gives the seconds until they may be used."""

    def hold_all(self, bucket: str, seconds: float) -> None:
        """Let no run use permits for so long."""

    def held_for(self, bucket: str) -> float:
        """Seconds for which nobody may use any."""


def bucket_of(origin: str, api_key: str) -> str:
    """What runs share a rate by: the endpoint and the key, which is hashed."""
    return f"{origin} {hashlib.blake2b(api_key.encode(), digest_size=16).hexdigest()}"


class SharedPace:
    """No start without a permit where runs share a rate, and none while any of them was told to wait.

    What one run alone decides (its limit, its gate, its learned rate) is its own `Pace`'s.
    """

    def __init__(self, pace: Pace, ledger: Reservations, bucket: str, requests_per_second: float | None) -> None:
        """Start without permits.

        Args:
            pace: The run's own, made without `requests_per_second`.
            ledger: Where permits are reserved.
            bucket: What the runs share it by.
            requests_per_second: For all of them together; None: no rate.
        """
        self._own, self._ledger, self._bucket, self._rate = pace, ledger, bucket, requests_per_second
        self._permits = 0
        self._open_at = -inf
        self._look_at = -inf
        self._now = -inf

    def __repr__(self) -> str:
        """Tell what may be sent."""
        return f"<SharedPace permits={self._permits} of {self._rate} a second, {self._own!r}>"

    @property
    def in_flight(self) -> int:
        """How many of this run's requests are started and not answered."""
        return self._own.in_flight

    @property
    def limit(self) -> int:
        """How many of this run's may be in flight now."""
        return self._own.limit

    @property
    def most_in_flight(self) -> int:
        """The most of this run's that ever were."""
        return self._own.most_in_flight

    def admit(self, now: float) -> bool:
        """Tell whether one more may be sent now; if so, it counts as started.

        Raises:
            LedgerError: The ledger can't be asked.
        """
        self._ask(now)
        if self._open_at > now or not self._own.admit(now):
            return False
        self._permits -= 1
        return True

    def next_admit(self, now: float) -> float | None:
        """Tell when one more may be sent though nothing is answered until then; None: only an answer helps."""
        own = self._own.next_admit(now)
        return None if own is None else max(own, self._open_at)

    def answered(self, now: float, started: float, signal: Signal) -> None:
        """Learn from the reply to an attempt."""
        self._now = now
        self._own.answered(now, started, signal)

    def withdraw(self, now: float, started: float) -> None:
        """Take back an admission that nothing was sent on."""
        self._own.withdraw(now, started)

    def hold(self, until: float) -> None:
        """Let no run start anything before `until`, since the endpoint asked one of them for it."""
        self._own.hold(until)
        self._ledger.hold_all(self._bucket, until - self._now)

    def _ask(self, now: float) -> None:
        """Reserve what is needed next, or look whether another run was told to wait."""
        if self._rate is not None and self._permits <= 0:
            self._permits = ceil(self._rate * BURST_SECONDS)
            self._open_at = now + self._ledger.reserve(self._bucket, self._permits, self._rate)
        elif self._rate is None and now >= self._look_at:
            self._look_at = now + LOOK_SECONDS
            self._open_at = now + self._ledger.held_for(self._bucket)
