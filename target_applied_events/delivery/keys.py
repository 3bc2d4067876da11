"""Unsettled events that share a key: the later ones wait for what becomes of the earlier."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from target_applied_events.event import Standing


class Keys:
    """What became of a key's settled events is known as long as another of that key is unsettled.

    After that the ledger knows it, and nothing is kept here.
    """

    def __init__(self) -> None:
        """Start with no event."""
        self._unsettled: Counter[bytes] = Counter()
        self._standing: dict[bytes, Standing] = {}

    def __repr__(self) -> str:
        """Tell how many keys are in use."""
        return f"<Keys unsettled={len(self._unsettled)} known={len(self._standing)}>"

    def __len__(self) -> int:
        """How many keys have an unsettled event."""
        return len(self._unsettled)

    def __contains__(self, key: bytes) -> bool:
        """Whether an event of the key is unsettled."""
        return key in self._unsettled

    def standing(self, key: bytes) -> Standing | None:
        """What is known of the key from events of this run that are settled."""
        return self._standing.get(key)

    def add(self, key: bytes) -> None:
        """Count an event that is unsettled from now on."""
        self._unsettled[key] += 1

    def settle(self, key: bytes, standing: Standing | None) -> None:
        """Settle one event of the key; `standing` is what is known of the key now, None where that's nothing new."""
        self._unsettled[key] -= 1
        if not self._unsettled[key]:
            del self._unsettled[key]
            self._standing.pop(key, None)
        elif standing is not None:
            self._standing[key] = standing
