"""What stands in for a ledger where `ledger_url` is `none`: a run that knows itself alone."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from target_applied_events.ledger.tables import Opening

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import date

    from target_applied_events.event import Event, Standing
    from target_applied_events.ledger.tables import InDoubt


class NoLedger:
    """It forgets every event at once, and nothing outlives the run."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start with nothing; the clock's seconds may count from any moment."""
        self._clock = clock
        self._free_at: dict[str, float] = {}
        self._held_until: dict[str, float] = {}

    def __repr__(self) -> str:
        """Tell that it is none."""
        return "<NoLedger>"

    def opening(self) -> Opening:
        """Say that there is none."""
        return Opening(is_new=True, delivered=0, since=None, in_doubt=0, place="none")

    def standing(self, keys: Sequence[bytes]) -> dict[bytes, Standing]:  # noqa: ARG002 - it knows none of them
        """Know nothing."""
        return {}

    def commit(
        self,
        *,
        intents: Sequence[Event] = (),
        delivered: Sequence[Event | bytes] = (),
        withdrawn: Sequence[bytes] = (),
    ) -> None:
        """Note nothing."""

    def sync(self) -> None:
        """Return: nothing is to be kept."""

    def knows_delivery(self, shop_id: str) -> bool:  # noqa: ARG002 - it knows none of them
        """Know none."""
        return False

    def in_doubt(self) -> Iterator[InDoubt]:
        """Yield nothing."""
        return iter(())

    def forget_before(self, day: date) -> int:  # noqa: ARG002 - there is nothing to forget
        """Forget nothing."""
        return 0

    def mark_delivered(self, events: Iterable[Event]) -> int:  # noqa: ARG002 - it can't note them
        """Note nothing."""
        return 0

    def reserve(self, bucket: str, permits: int, per_second: float) -> float:
        """Reserve requests of a rate; seconds until they may be used, all at once."""
        now = self._clock()
        start = max(now, self._free_at.get(bucket, now), self._held_until.get(bucket, now))
        self._free_at[bucket] = start + permits / per_second
        return start - now

    def hold_all(self, bucket: str, seconds: float) -> None:
        """Let no permits of a bucket be used for so long."""
        until = self._clock() + seconds
        self._held_until[bucket] = max(self._held_until.get(bucket, until), until)

    def held_for(self, bucket: str) -> float:
        """Seconds for which a bucket is held."""
        now = self._clock()
        return max(0.0, self._held_until.get(bucket, now) - now)

    def close(self) -> None:
        """Nothing is to be given back."""
