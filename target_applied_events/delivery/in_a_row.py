"""Rejected records in a row: a sign that the mapping or the shop is wrong, and no single record."""

from __future__ import annotations

from target_applied_events.errors import RejectedRecordsError

LEAST_REJECTED_IN_A_ROW = 100


class RejectedInARow:
    """Two counts, since what is read and what is answered come in orders of their own.

    Of records that can't be sent none may have an event between, in the order read; of events that were sent and given
    up, none that was delivered, or skipped since it was before.
    """

    def __init__(self, max_rejected: int) -> None:
        """Begin with none; the limit is `max_rejected`, or 100 where that is less."""
        self._most = max(LEAST_REJECTED_IN_A_ROW, max_rejected)
        self._unsendable = self._given_up = 0

    def __repr__(self) -> str:
        """Tell both counts."""
        return f"<RejectedInARow unsendable={self._unsendable} given_up={self._given_up} of {self._most}>"

    def see_event(self) -> None:
        """An event was read."""
        self._unsendable = 0

    def see_delivered(self) -> None:
        """An event was delivered, now or before."""
        self._given_up = 0

    def see_unsendable(self) -> RejectedRecordsError | None:
        """A record was read that can't be sent; gives what ends the run if they are too many."""
        self._unsendable += 1
        return self._too_many(self._unsendable)

    def see_given_up(self) -> RejectedRecordsError | None:
        """An event was given up after it was sent; gives what ends the run if they are too many."""
        self._given_up += 1
        return self._too_many(self._given_up)

    def _too_many(self, in_a_row: int) -> RejectedRecordsError | None:
        if in_a_row < self._most:
            return None
        return RejectedRecordsError(
            f"{in_a_row} records in a row were rejected and none delivered: the mapping or the shop is probably wrong. "
            "Look at them with `target-applied-events rejected`; `max_rejected` raises this limit."
        )
