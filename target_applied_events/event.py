"""The frozen values that travel: an event, the reply to an attempt, the outcome of a delivery, a rejection."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, ClassVar, Final, Literal, TypeAlias

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

Json: TypeAlias = "bool | int | Decimal | str | list[Json] | dict[str, Json] | None"
"""A value of JSON as it is read: every number with a fraction or an exponent is a Decimal."""

Record: TypeAlias = "Mapping[str, Json]"

Reason: TypeAlias = Literal["invalid", "unmappable", "refused", "in_doubt"]
"""Why a record was rejected: by its schema, by a mapping, by the endpoint, or because nobody can tell."""


class Value(msgspec.Struct, frozen=True, gc=False):
    """What travels with every event is one of these: it doesn't change, and nothing in it leads back to it.

    It is made in a quarter of the time that a frozen dataclass takes, which were a tenth of an event's; and the garbage
    collector, which looks for values that lead back to themselves, never looks at it.

    Attributes:
        unshown: The fields that may hold a record's values or the key, which enter no log.
    """

    unshown: ClassVar[tuple[str, ...]] = ()

    def __repr__(self) -> str:
        """Tell all but what is unshown."""
        shown = [name for name in self.__struct_fields__ if name not in self.unshown]
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"


class Event(Value, frozen=True):
    """One event, ready to be sent.

    Attributes:
        stream: The stream that its record came from.
        mapping: The mapping that made it, as users find it in their settings (`mappings[0]`).
        shop_id: The shop, a uuid, sent as X-Shop-Id.
        body: The request body: compact JSON in UTF-8.
        key: What the ledger knows it by, 16 bytes.
        identifiers: What ties it to its contact within its shop; empty where it keeps no order.
        key_properties: The primary key of its record, to name it by.
        record: The record as the mapping saw it.
    """

    stream: str
    mapping: str
    shop_id: str
    body: bytes
    key: bytes
    identifiers: tuple[str, ...]
    key_properties: Record
    record: Record

    unshown = ("body", "identifiers", "record")


class Violation(Value, frozen=True):
    """A rule that a record breaks: where, and which rule; never the value.

    Attributes:
        path: The place in the record or the event, `$.contact.email`.
        message: What was found (its type) and what is wanted.
    """

    path: str
    message: str


class Rejection(Value, frozen=True):
    """Why a record was given up.

    Attributes:
        reason: The kind of reason.
        errors: Each broken rule.
        mapping: The mapping that made the event; None where the record itself is invalid.
        status: The status that the endpoint answered, if it did.
        response: The beginning of the endpoint's answer, as it came.
        event: The body that was sent or would have been.
    """

    reason: Reason
    errors: tuple[Violation, ...] = ()
    mapping: str | None = None
    status: int | None = None
    response: str | None = None
    event: bytes | None = None

    unshown = ("response", "event")


class Failure(enum.Enum):
    """What kept an attempt from its answer."""

    UNREACHABLE = "no connection was made"
    UNTRUSTED = "the certificate doesn't verify"
    BROKEN = "the connection broke, or what came back is not HTTP"
    TIMED_OUT = "no answer in time"


PAGE_STARTS: Final = (b"<!doctype html", b"<html")
"""How a page of HTML begins, in lower case."""


class Answer(Value, frozen=True):
    """What the endpoint answered to one attempt.

    Attributes:
        status: The HTTP status.
        body: The beginning of the body, 64 KiB at most.
        content_type: The Content-Type header, empty where there is none.
        retry_after: The Retry-After header as it came.
        date: The Date header as it came.
    """

    status: int
    body: bytes = b""
    content_type: str = ""
    retry_after: str | None = None
    date: str | None = None

    unshown = ("body",)

    @property
    def is_labelled_page(self) -> bool:
        """Whether its label says that it's a page of HTML."""
        return self.content_type.strip().lower().startswith(("text/html", "application/xhtml"))

    @property
    def first_word(self) -> bytes:
        """How its body begins, in lower case and no longer than `PAGE_STARTS` are."""
        return self.body[:1024].removeprefix(b"\xef\xbb\xbf").lstrip()[:15].lower()


class NoAnswer(Value, frozen=True):
    """An attempt that ended without an HTTP answer.

    Attributes:
        failure: The kind of failure; after UNREACHABLE and UNTRUSTED the request was never written.
        detail: What the system said, for people.
    """

    failure: Failure
    detail: str = ""


Reply: TypeAlias = "Answer | NoAnswer"
"""What came back from one attempt."""


class Delivered(Value, frozen=True):
    """The endpoint took the event.

    Attributes:
        status: The 2xx status.
    """

    status: int


class Refused(Value, frozen=True):
    """The endpoint will never take this event; its record is rejected.

    Attributes:
        rejection: The reason, as it is kept with the record.
    """

    rejection: Rejection


Outcome: TypeAlias = "Delivered | Refused"
"""How the delivery of an event ended."""


class Signal(enum.Enum):
    """What one reply tells about how much the endpoint can take."""

    SUCCESS = "it took the event"
    RATE_LIMITED = "it wants fewer requests a second"
    PUSH_BACK = "it is overloaded, which is a failure too"
    FAILURE = "it failed"
    NEUTRAL = "it answered, which tells nothing about its load"


class Standing(enum.Enum):
    """What the ledger knows of an event; of most it knows nothing."""

    DELIVERED = "delivered before"
    IN_DOUBT = "an earlier run may have sent it, no answer told"
