"""What has ended, on its way to disk: noted in the ledger or kept, then settled, then STATE leaves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from target_applied_events.delivery.watermark import Watermark

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from target_applied_events.event import Event, Standing
    from target_applied_events.handover import RejectedRecord
    from target_applied_events.summary import Summary

SYNC_SECONDS = 1.0


class Ledger(Protocol):
    """What a delivery asks of the ledger."""

    def standing(self, keys: Sequence[bytes]) -> Mapping[bytes, Standing]:
        """What is known of each key, absent where nothing is; this run's own intents are in doubt as well."""

    def commit(self, *, intents: Sequence[Event], delivered: Sequence[bytes], withdrawn: Sequence[bytes]) -> None:
        """Note all of it in one transaction; an intent outweighs its key's withdrawal."""

    def sync(self) -> None:
        """Return when all that was committed is on disk."""

    def knows_delivery(self, shop_id: str) -> bool:
        """Whether a delivery to this endpoint and shop was ever noted."""


@dataclass(slots=True)
class _Ended:
    """What has ended since the last settlement."""

    delivered: list[tuple[int, bytes]] = field(default_factory=list)
    skipped: list[int] = field(default_factory=list)
    rejected: list[tuple[int, RejectedRecord]] = field(default_factory=list)
    withdrawn: list[bytes] = field(default_factory=list)


class Settlement:
    """A position is settled only when its end is on record, and a STATE leaves only when all before it is on disk.

    So the order is: `note`, `settle`, `release`. What was noted is on disk a second later though no STATE leaves: power
    that fails takes no more.
    """

    def __init__(
        self,
        ledger: Ledger,
        keep: Callable[[Sequence[RejectedRecord]], None],
        write_state: Callable[[Any], None],
        summary: Summary,
    ) -> None:
        """Take the parts.

        Args:
            ledger: Where deliveries are noted.
            keep: Writes rejected records so that they survive a crash, before it returns.
            write_state: Writes one STATE value to standard output.
            summary: The accounts, kept up to date here.
        """
        self._ledger, self._keep, self._write_state, self._summary = ledger, keep, write_state, summary
        self._watermark: Watermark[Any] = Watermark()
        self._ended = _Ended()
        self._shops_known: set[str] = set()
        self._is_synced = True
        self._sync_at: float | None = None

    def __repr__(self) -> str:
        """Tell how far it is."""
        return repr(self._watermark)

    @property
    def unsettled(self) -> int:
        """How many positions are handed out and not settled."""
        return self._watermark.unsettled

    @property
    def size_bytes(self) -> int:
        """Of the records given up that aren't settled, and of the STATEs that are held."""
        return self._watermark.held_bytes + sum(record.size_bytes for _, record in self._ended.rejected)

    @property
    def oldest(self) -> int | None:
        """The oldest position that isn't settled; None where all are. May be asked from any thread."""
        return self._watermark.oldest

    def issue(self) -> int:
        """Hand out the next position."""
        return self._watermark.issue()

    def hold(self, state: Any, size_bytes: int = 0) -> None:  # noqa: ANN401 - a STATE's value is any JSON
        """Hold a STATE behind all positions handed out so far."""
        self._watermark.hold(state, size_bytes)

    def deliver(self, position: int, event: Event) -> None:
        """Take down that the endpoint took an event."""
        self._shops_known.add(event.shop_id)
        self._ended.delivered.append((position, event.key))

    def knows(self, shop_id: str) -> bool:
        """Whether the endpoint has ever taken an event for this shop.

        Raises:
            LedgerError: The ledger can't be asked.
        """
        return shop_id in self._shops_known or self._ledger.knows_delivery(shop_id)

    def skip(self, position: int) -> None:
        """Take down that an event was delivered before."""
        self._ended.skipped.append(position)

    def reject(self, position: int, rejected: RejectedRecord) -> None:
        """Take down that a record is given up."""
        self._ended.rejected.append((position, rejected))

    def withdraw(self, key: bytes) -> None:
        """Take down that no request of an event can have been taken, so that its intent is void."""
        self._ended.withdrawn.append(key)

    def standing(self, keys: Sequence[bytes]) -> Mapping[bytes, Standing]:
        """What the ledger knows of each key, absent where that is nothing.

        Raises:
            LedgerError: It can't be asked, or another run is at one of the events.
        """
        return self._ledger.standing(keys) if keys else {}

    def note(self, intents: Sequence[Event]) -> None:
        """Note in the ledger what has ended, and what is about to be sent.

        Raises:
            LedgerError: It can't be noted, or another run is at one of the events.
        """
        delivered = [key for _, key in self._ended.delivered]
        if intents or delivered or self._ended.withdrawn:
            self._is_synced = False  # before it is tried: some of it may be noted where that fails
            self._ledger.commit(intents=intents, delivered=delivered, withdrawn=self._ended.withdrawn)

    def settle(self) -> list[tuple[int, bool]]:
        """Settle what has ended and was noted.

        Returns:
            The positions, each with whether it was delivered, now or before; else it was rejected.

        Raises:
            RejectedRecordsError: Rejected records can't be kept; nothing of what has ended is settled then, now or
                later, so that no STATE passes it.
        """
        ended, self._ended = self._ended, _Ended()
        if ended.rejected:
            self._keep([record for _, record in ended.rejected])
        for _, record in ended.rejected:
            self._count_rejected(record)
        self._summary.delivered += len(ended.delivered)
        self._summary.skipped_by_ledger += len(ended.skipped)
        settled = [(position, True) for position, _ in ended.delivered]
        settled += [(position, True) for position in ended.skipped]
        settled += [(position, False) for position, _ in ended.rejected]
        for position, _ in settled:
            self._watermark.settle(position)
        return settled

    def _count_rejected(self, record: RejectedRecord) -> None:
        self._summary.rejected[record.rejection.reason] += 1
        self._summary.rejected_records += not record.tally.rejected
        record.tally.rejected = True

    def release(self, now: float, *, final: bool) -> None:
        """Bring the ledger to disk where that is due, then write the newest STATE that may leave.

        Raises:
            LedgerError: The ledger can't be brought to disk.
            StopReading: Nobody reads standard output any more.
        """
        state = self._watermark.release(now, final=final)
        if state is not None or self._is_to_be_synced(now, final=final):
            self._ledger.sync()
            self._is_synced, self._sync_at = True, None
        if state is not None:
            self._write_state(state)

    def _is_to_be_synced(self, now: float, *, final: bool) -> bool:
        if self._is_synced:
            return False
        if self._sync_at is None:
            self._sync_at = now + SYNC_SECONDS
        return final or now >= self._sync_at

    def due_at(self, now: float) -> float | None:
        """When there is something to note, settle, sync or release though nothing more ends; None: there is nothing."""
        if self._ended != _Ended():
            return now
        due = [moment for moment in (self._watermark.due_at(now), self._sync_at) if moment is not None]
        return min(due, default=None)
