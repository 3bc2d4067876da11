"""What the endpoint wants in each field of an event, and how a value is made to fit it."""

from __future__ import annotations

import datetime as dt
import enum
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Final, assert_never

from target_applied_events.mapping.notation import Unmappable, kind, text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from target_applied_events.event import Json

NOW: Final = "now"
"""Mapped as an event's time, it leaves the time out, so that the endpoint takes the time of arrival."""


class Want(enum.Enum):
    """What a field holds; the value says it to people."""

    TEXT = "text"
    IDENTIFIER = "text that identifies"
    UUID = "a uuid"
    NUMBER = "a number"
    TIME = "a time"
    CONDITION = "true or false"

    @property
    def is_strict(self) -> bool:
        """Whether a null anywhere in it makes the whole of it null, so that strangers are never joined."""
        return self in (Want.IDENTIFIER, Want.UUID)


EVENT: Final[Mapping[str, Want]] = {"name": Want.TEXT, "description": Want.TEXT, "event_time": Want.TIME}
CONTACT: Final[Mapping[str, Want]] = {
    "email": Want.IDENTIFIER,
    "name": Want.TEXT,
    "phone": Want.IDENTIFIER,
    "remote_id": Want.IDENTIFIER,
}
IDENTIFIERS: Final = ("email", "phone", "remote_id")
METRIC: Final[Mapping[str, Want]] = {
    "metric_name": Want.TEXT,
    "value": Want.NUMBER,
    "deduping_key": Want.IDENTIFIER,
    "metric_object_id": Want.UUID,
    "metric_object_type": Want.TEXT,
    "context_object_id": Want.UUID,
    "context_object_type": Want.TEXT,
}

_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,9})?", re.ASCII)
_LARGEST_NUMBER: Final = Decimal("1.7976931348623157E+308")
_TIME: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d)(?:(:\d\d)(?:[.,](\d+))?)? ?([Zz]|[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII,
)


def fit(want: Want, value: Json) -> Json:
    """Make a value what its field wants; None means that there is nothing in it and the field is left out.

    Raises:
        Unmappable: It can't be made so; the message names the type that was found and what is wanted.
    """
    return fitting(want)(value)


def fitting(want: Want) -> Callable[[Json], Json]:
    """Choose the function that makes a value what a field wants, as `fit` does."""
    match want:
        case Want.TEXT:
            return _filled_text
        case Want.IDENTIFIER:
            return _identifier
        case Want.UUID:
            return _uuid
        case Want.NUMBER:
            return _number
        case Want.TIME:
            return _time
        case Want.CONDITION:
            return _condition
        case _:
            assert_never(want)


def _filled_text(value: Json) -> str | None:
    found = _text(value)
    return None if not found or found.isspace() else found


def _identifier(value: Json) -> str | None:
    return _text(value).strip() or None


def _text(value: Json) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict | list):
        raise Unmappable(f"found {kind(value)}; the endpoint wants text")
    return text(value)


def _uuid(value: Json) -> str | None:
    if isinstance(value, bool | int | Decimal):
        raise Unmappable(f"found {kind(value)}; the endpoint wants a uuid: the filter uuid makes a stable one")
    if not (found := _text(value).strip()):
        return None
    if _UUID.fullmatch(found) is None:
        raise Unmappable("found text that is no uuid; the filter uuid makes a stable one")
    return found


def is_uuid(found: str) -> bool:
    """Tell whether a text is a uuid in its usual form, with hyphens."""
    return _UUID.fullmatch(found) is not None


def _number(value: Json) -> int | Decimal | None:
    match value:
        case bool() | dict() | list():
            raise Unmappable(f"found {kind(value)}; the endpoint wants a number")
        case str():
            return _held(number(value)) if value.strip() else None
        case int() | Decimal():
            return _held(value)
        case _:
            return None


def _held(value: int | Decimal) -> int | Decimal:
    """Refuse a number that JSON's usual readers would take for infinite."""
    if isinstance(value, Decimal) and not value.is_finite():
        raise Unmappable("found a number that isn't finite")
    if not -_LARGEST_NUMBER <= value <= _LARGEST_NUMBER:
        raise Unmappable("found a number larger than a 64-bit float holds")
    return value


def number(found: str) -> Decimal:
    """Read a number out of text, exactly.

    Raises:
        Unmappable: The text is no number.
    """
    if _NUMBER.fullmatch(found.strip()) is None:
        raise Unmappable("found text that is no number; the endpoint wants a number")
    return Decimal(found.strip())


def _time(value: Json) -> str | None:
    match value:
        case None:
            return None
        case str():
            return _time_of_text(value.strip())
        case int() | Decimal() if not isinstance(value, bool):
            raise Unmappable("found a number; the endpoint wants a time: the filter timestamp reads epochs")
        case _:
            raise Unmappable(f"found {kind(value)}; the endpoint wants a time")


def _time_of_text(found: str) -> str | None:
    if not found or found == NOW:
        return found or None
    return utc(found)


def utc(found: str, zone: dt.tzinfo = dt.UTC) -> str:
    """Write a time in UTC as RFC 3339 has it, with its fraction to the last digit; a date is its midnight.

    Args:
        found: Date and time as databases and ISO 8601 write them.
        zone: Where a time without a zone of its own was read from a clock.

    Raises:
        Unmappable: The text is no time.
    """
    if (parts := _TIME.fullmatch(found.strip())) is None:
        raise Unmappable("found text that is no time; the endpoint wants one as 2026-04-07T14:30:00Z")
    day, clock, seconds, fraction, offset = parts.groups()
    try:
        moment = dt.datetime.fromisoformat(f"{day}T{clock or '00:00'}{seconds or ':00'}{_offset(offset)}")
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone)
        return rfc3339(moment, (fraction or "").rstrip("0"))
    except (ValueError, OverflowError):
        raise Unmappable("found a time that the calendar doesn't have") from None


def _offset(offset: str | None) -> str:
    if offset is None or offset in "Zz":
        return "+00:00" if offset else ""
    return offset if len(offset) != len("+00") else f"{offset}:00"


def rfc3339(moment: dt.datetime, fraction: str = "") -> str:
    """Write an aware time in UTC as RFC 3339 has it; the digits after the second are given by themselves.

    Raises:
        OverflowError: In UTC it lies before the year 1 or after 9999.
    """
    if moment.tzinfo is not dt.UTC:
        moment = moment.astimezone(dt.UTC)
    base = moment.replace(tzinfo=None, microsecond=0).isoformat()
    return f"{base}.{fraction}Z" if fraction else f"{base}Z"


def _condition(value: Json) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    raise Unmappable(f"found {kind(value)}; a condition is true, false or null")


def properties(value: Json) -> dict[str, str]:
    """Make an object's values the texts that `additional_properties` wants; nulls and empty ones are left out.

    Raises:
        Unmappable: It is no object.
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        hint = "; the filter fromjson reads JSON out of text" if isinstance(value, str) else ""
        raise Unmappable(f"found {kind(value)}; the endpoint wants an object of texts{hint}")
    return {str(name): found for name, item in value.items() if (found := text(item))}
