"""Rejections in the log as they come: the first of each kind, without a record's value."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from target_applied_events.handover import RejectedRecord

MOST_KINDS = 20

logger = logging.getLogger("target-applied-events")


class Told:
    """Each kind of rejection is told at most once, and at most 20 of them: a wrong mapping rejects every record."""

    def __init__(self) -> None:
        """Start with none told."""
        self._kinds: set[tuple[str, ...]] = set()

    def __repr__(self) -> str:
        """Tell how many kinds were."""
        return f"<{type(self).__name__} kinds={len(self._kinds)}>"

    def tell(self, records: Iterable[RejectedRecord]) -> None:
        """Write a line for each record whose kind is new."""
        for record in records:
            kind = _kind(record)
            if len(self._kinds) < MOST_KINDS and kind not in self._kinds:
                self._kinds.add(kind)
                logger.warning(
                    "A record of the stream %s is rejected as %s%s: %s. More of this kind are counted, not told.", *kind
                )


def _kind(record: RejectedRecord) -> tuple[str, ...]:
    rejection = record.rejection
    by = f" by {rejection.mapping}" if rejection.mapping else ""
    errors = "; ".join(f"{error.path}: {error.message}" for error in rejection.errors)
    return record.stream.name, rejection.reason, by, errors
