"""The ledger as a delivery uses it, and how long it takes."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from target_applied_events.event import Event, Standing
    from target_applied_events.ledger.ledger import Ledger
    from target_applied_events.ledger.no_ledger import NoLedger


class TimedLedger:
    """The ledger as a delivery uses it.

    Attributes:
        seconds: How long it has taken so far, whatever came of it.
    """

    def __init__(self, ledger: Ledger | NoLedger) -> None:
        """Start at none."""
        self._ledger = ledger
        self.seconds = 0.0

    def standing(self, keys: Sequence[bytes]) -> Mapping[bytes, Standing]:
        """What is known of each key."""
        with self._timing():
            return self._ledger.standing(keys)

    def commit(self, *, intents: Sequence[Event], delivered: Sequence[bytes], withdrawn: Sequence[bytes]) -> None:
        """Note what is about to be sent, what was taken and what came to nothing."""
        with self._timing():
            self._ledger.commit(intents=intents, delivered=delivered, withdrawn=withdrawn)

    def sync(self) -> None:
        """Return when all that was committed is on disk."""
        with self._timing():
            self._ledger.sync()

    def knows_delivery(self, shop_id: str) -> bool:
        """Whether a delivery to this shop was ever noted."""
        with self._timing():
            return self._ledger.knows_delivery(shop_id)

    @contextlib.contextmanager
    def _timing(self) -> Iterator[None]:
        started = time.monotonic()
        try:
            yield
        finally:
            self.seconds += time.monotonic() - started
