"""What the endpoint wants in each field of an event, and how a value is made to fit it."""

from __future__ import annotations

import enum
from decimal import Decimal
from typing import TYPE_CHECKING, Final, assert_never

from target_applied_events.mapping.template.notation import Unmappable, canonical, is_uuid, kind, number, text
from target_applied_events.mapping.template.times import utc

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
        """Whether a part of it that is missing makes the whole of it null: half of it reads as another one.

        `crm-` is the same stranger for all rows without a customer, a day without its hour is midnight.
        """
        return self in (Want.IDENTIFIER, Want.UUID, Want.NUMBER, Want.TIME)


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

NEVER_EMPTY: Final[Mapping[str, str]] = {
    "name": "came out empty; an event needs a name",
    "event_time": f"came out empty; where the time of arrival will do, write \"{{{{ … or '{NOW}' }}}}\"",
    "shop_id": "came out empty; a shop to fall back on is written into the template",
    "once_per": (
        "came out empty; it names what the event happens once for, and a part that may be empty is written "
        "\"{{ … or '' }}\""
    ),
    "metric.metric_name": "came out empty; a metric needs it",
    "metric.value": "came out null; records without one are passed over by a `when`, or given one: {{ total or 0 }}",
}
"""The fields that, once mapped, may not come out empty, and what is said then."""

_LARGEST_NUMBER: Final = Decimal("1.7976931348623157E+308")
_SMALLEST_NUMBER: Final = -_LARGEST_NUMBER
_CONTAINERS: Final = (dict, list)


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
    found = value if isinstance(value, str) else _text(value)
    return None if not found or found.isspace() else found


def _identifier(value: Json) -> str | None:
    found = value if isinstance(value, str) else _text(canonical(value))  # 7, 7.0 and 7.00 are one
    return found.strip() or None


def _text(value: Json) -> str:
    if isinstance(value, _CONTAINERS):
        raise Unmappable(f"found {kind(value)}; the endpoint wants text")
    return text(value)


def _uuid(value: Json) -> str | None:
    if isinstance(value, str) and is_uuid(value):
        return value.lower()
    if isinstance(value, int | Decimal):
        raise Unmappable(f"found {kind(value)}; the endpoint wants a uuid: the filter uuid makes a stable one")
    if not (found := _text(value).strip()):
        return None
    if not is_uuid(found):
        raise Unmappable("found text that is no uuid; the filter uuid makes a stable one")
    return found.lower()


def _number(value: Json) -> int | Decimal | None:
    if isinstance(value, Decimal):
        return _held(value)
    match value:
        case bool() | dict() | list():
            raise Unmappable(f"found {kind(value)}; the endpoint wants a number")
        case str():
            return _held(number(value)) if value.strip() else None
        case int():
            return _held(value)
        case _:
            return None


def _held(value: int | Decimal) -> int | Decimal:
    """Refuse a number that JSON's usual readers would take for infinite."""
    if isinstance(value, Decimal) and not value.is_finite():
        raise Unmappable("found a number that isn't finite")
    if not _SMALLEST_NUMBER <= value <= _LARGEST_NUMBER:
        raise Unmappable("found a number larger than a 64-bit float holds")
    return value


def _time(value: Json) -> str | None:
    if isinstance(value, str):
        found = value.strip()
        return utc(found) if found and found != NOW else found or None
    match value:
        case None:
            return None
        case int() | Decimal() if not isinstance(value, bool):
            raise Unmappable("found a number; the endpoint wants a time: the filter timestamp reads epochs")
        case _:
            raise Unmappable(f"found {kind(value)}; the endpoint wants a time")


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
