"""What is handed from the sinks to the delivery: events, rejected records and states, in the order read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from target_applied_events.event import Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_applied_events.event import Event, Record, Rejection, Reply


class Stream(Value, frozen=True, eq=False):
    """What a SCHEMA message said of a stream, after stream maps."""

    name: str
    schema: Mapping[str, Any]
    key_properties: tuple[str, ...]


class Tally(msgspec.Struct, gc=False):
    """Whether a record is counted: two mappings of it count it once.

    Attributes:
        rejected: As rejected, for whatever reason.
        kept: As one that is kept, and so held against `max_rejected`.
    """

    rejected: bool = False
    kept: bool = False


class Pending(Value, frozen=True):
    """An event to deliver.

    Attributes:
        record_bytes: How long its record was as it was read.
    """

    event: Event
    stream: Stream
    tally: Tally
    record_bytes: int = 0

    @property
    def size_bytes(self) -> int:
        """How long all is that is kept until the event is settled."""
        return len(self.event.body) + self.record_bytes


class RejectedRecord(Value, frozen=True):
    """A record given up, with the reason that is kept beside it.

    Attributes:
        size_bytes: How long the record was as it was read; none where its event was handed over before it.
    """

    stream: Stream
    record: Record
    rejection: Rejection
    tally: Tally
    size_bytes: int = 0

    unshown = ("record",)


class HeldState(Value, frozen=True):
    """A STATE message: it leaves when all that was handed over before it is settled.

    Attributes:
        size_bytes: How long the message was as it was read.
    """

    value: Any
    size_bytes: int = 0


Item: TypeAlias = "Pending | RejectedRecord | HeldState"


class Job(Value, frozen=True):
    """An event that may be sent now: its intent is on record."""

    position: int
    event: Event


class Returned(Value, frozen=True):
    """What came of a job.

    Attributes:
        position: The job's.
        reply: What came back.
        started: When the attempt began, monotonic seconds.
    """

    position: int
    reply: Reply
    started: float
