"""Events to note, and what every ledger must do, in whatever database."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from target_applied_events.event import Event

if TYPE_CHECKING:
    from collections.abc import Iterable

ORIGIN = "https://events.example.com"
SHOP = "66e4b3a0-5b0e-4f57-9d2a-1c2d3e4f5a6b"
DAY = 86_400.0


def event(number: int, *, shop_id: str = SHOP) -> Event:
    """Make the event of a number."""
    return Event(
        stream="public-orders",
        mapping="mappings[0]",
        shop_id=shop_id,
        body=b"{}",
        key=hashlib.blake2b(b"%d" % number, digest_size=16).digest(),
        identifiers=(),
        key_properties={"id": number},
        record={"id": number},
    )


def events(numbers: Iterable[int]) -> list[Event]:
    """Make the events of some numbers."""
    return [event(number) for number in numbers]


def key(number: int) -> bytes:
    """Tell the key of a number's event."""
    return event(number).key


class Clock:
    """Seconds since the epoch, as a test sets them."""

    def __init__(self, now: float = 20_000 * DAY) -> None:
        """Start at a day."""
        self.now = now

    def __call__(self) -> float:
        """Read it."""
        return self.now
