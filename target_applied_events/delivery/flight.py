"""An event on its way, what governs that, and what is said of it when it goes wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import msgspec

from target_applied_events.errors import EndpointError
from target_applied_events.event import Rejection, Violation
from target_applied_events.handover import Pending, RejectedRecord

if TYPE_CHECKING:
    from target_applied_events.delivery.retry import History, Stop
    from target_applied_events.event import Event

SENT_BEFORE = "It may have been sent before; no answer told."


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The settings that govern a delivery; seconds for times."""

    retry_timeout_seconds: float
    in_doubt: Literal["resend", "reject"]
    max_rejected: int


class Flight(msgspec.Struct, gc=False):
    """An event on its way.

    Attributes:
        pending: What was handed over.
        accepted_at: When, in monotonic seconds.
        history: Its attempts; None before the first has ended.
        noted: Its intent stands in the ledger, as this run's.
        doubt: An earlier request of its key may have been taken.
        resent: It was sent though in doubt.
    """

    pending: Pending
    accepted_at: float
    history: History | None = None
    noted: bool = False
    doubt: bool = False
    resent: bool = False

    @property
    def event(self) -> Event:
        """The event itself."""
        return self.pending.event


def rejected(pending: Pending, rejection: Rejection) -> RejectedRecord:
    """Give up an event's record; the rejection learns which mapping it was and what was sent."""
    event = pending.event
    whole = msgspec.structs.replace(rejection, mapping=event.mapping, event=event.body)
    return RejectedRecord(pending.stream, event.record, whole, pending.tally)


def rejected_in_doubt(pending: Pending, message: str) -> RejectedRecord:
    """Give up an event's record since nobody can tell whether it was taken."""
    return rejected(pending, Rejection("in_doubt", (Violation("$", message),)))


def stopped_by(event: Event, stop: Stop) -> EndpointError:
    """Make the error that ends the run; what may not enter a log goes with it for the run's own file."""
    details = {
        "stream": event.stream,
        "key_properties": dict(event.key_properties),
        "status": stop.status,
        "response": stop.response,
    }
    return EndpointError(stop.message, details)
