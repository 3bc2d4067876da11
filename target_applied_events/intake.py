"""What becomes of a record: its events, its rejection, or nothing where it isn't this run's."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from target_applied_events.event import Event, Rejection, Violation
from target_applied_events.handover import Pending, RejectedRecord, Tally
from target_applied_events.mapping import Passed, record_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_applied_events.event import Record
    from target_applied_events.handover import Stream
    from target_applied_events.mapping import Mapping
    from target_applied_events.shard import Shard
    from target_applied_events.summary import Summary
    from target_applied_events.validation import Validator

_STRANGE = (Violation("$", "only JSON that is valid by RFC 8259 is taken: no NaN, Infinity or lone surrogate"),)


class Intake:
    """A record is counted once for each mapping that looks at it, and once where none does.

    Where runs share the work by shards, an event belongs to the shard that its mapping chooses; a record that is
    invalid or can't be mapped belongs to the shard of its key, and is rejected there alone.
    """

    def __init__(self, stream: Stream, validator: Validator | None, shard: Shard | None, summary: Summary) -> None:
        """Keep the parts.

        Args:
            stream: The stream of the records.
            validator: Holds them against the stream's schema; None: they aren't validated.
            shard: What this run is in charge of; None: everything.
            summary: The accounts, kept up to date here.
        """
        self._stream, self._validator, self._shard, self._summary = stream, validator, shard, summary

    def __repr__(self) -> str:
        """Tell the stream and the shard."""
        return f"<Intake {self._stream.name} shard={self._shard}>"

    def take(
        self, record: Record, mappings: Sequence[Mapping], *, deleted: bool, strange: bool, size_bytes: int = 0
    ) -> Sequence[Pending | RejectedRecord]:
        """Decide on a record.

        Args:
            record: As it was read, after stream maps.
            mappings: Those that look at it.
            deleted: Whether the source says that the row is gone.
            strange: Whether only a lenient parser could read it.
            size_bytes: How long it was as it was read.
        """
        shard, keys = self._shard, self._stream.key_properties
        key_is_ours = shard is None or shard.holds(record_key(record, keys))
        if not key_is_ours:
            mappings = [mapping for mapping in mappings if self._holds(mapping, record, key_is_ours=False)]
        if not mappings:
            self._pass_over()
            return []
        tally = Tally()
        violations = _STRANGE if strange else self._violations(record, deleted=deleted)
        if violations:
            rejected = RejectedRecord(self._stream, record, Rejection("invalid", violations), tally, size_bytes)
            return self._rejected(rejected, key_is_ours=key_is_ours)
        taken: list[Pending | RejectedRecord] = []
        for mapping in mappings:
            match mapping.event(record, deleted=deleted):
                case Event() as event:
                    if self._takes(mapping, record, key_is_ours=key_is_ours):
                        taken.append(Pending(event, self._stream, tally, size_bytes))
                case Passed():
                    self._summary.read += 1
                    self._summary.skipped_by_mapping += 1
                case Rejection() as rejection:
                    rejected = RejectedRecord(self._stream, record, rejection, tally, size_bytes)
                    taken += self._rejected(rejected, key_is_ours=key_is_ours)
                case never:
                    assert_never(never)
        return taken

    def _violations(self, record: Record, *, deleted: bool) -> tuple[Violation, ...]:
        return () if self._validator is None else self._validator.violations(record, deleted=deleted)

    def _takes(self, mapping: Mapping, record: Record, *, key_is_ours: bool) -> bool:
        """Count an event, and tell whether it's this run's."""
        if self._holds(mapping, record, key_is_ours=key_is_ours):
            self._summary.read += 1
            return True
        self._pass_over()
        return False

    def _rejected(self, rejected: RejectedRecord, *, key_is_ours: bool) -> list[RejectedRecord]:
        if not key_is_ours:
            self._pass_over()
            return []
        self._summary.read += 1
        return [rejected]

    def _pass_over(self) -> None:
        self._summary.read += 1
        self._summary.passed_over += 1

    def _holds(self, mapping: Mapping, record: Record, *, key_is_ours: bool) -> bool:
        """Whether the event that a mapping makes of a record is this run's."""
        if self._shard is None:
            return True
        value = mapping.shard_value(record)
        if value is not None:
            return self._shard.holds(value)
        self._summary.sharded_by_key += key_is_ours
        return key_is_ours
