"""The filters that Jinja lacks or does otherwise than mappings need: exact numbers, uuids, times, hashes, JSON."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import uuid as uuids
import zoneinfo
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from msgspec import UNSET, UnsetType

from target_applied_events.mapping.template.arithmetic import binary, whole
from target_applied_events.mapping.template.notation import Unmappable, canonical, is_uuid, kind, number, text
from target_applied_events.mapping.template.time_forms import EPOCH_UNITS, check_form
from target_applied_events.mapping.template.times import rfc3339, utc

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_applied_events.event import Json

NAMESPACE: Final = uuids.UUID("5b0f1b0e-6c0a-5d0e-9d43-0d5f2a1c7e11")
"""What the uuids of the filter `uuid` are made under; a change makes every one of them another."""

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_GUESSED: Final = range(315_532_800, 4_102_444_800)
"""The seconds of an epoch from 1980 to the end of 2099: in no two units a number lies in it."""


def scalar_text(value: Json) -> str:
    """Give a scalar as text.

    Raises:
        Unmappable: It is an object or an array.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, int | Decimal):
        return text(value)
    raise Unmappable(f"a filter that works on text found {kind(value)}")


def lower(value: Json) -> str:
    """Give a text in lower case."""
    return scalar_text(value).lower()


def upper(value: Json) -> str:
    """Give a text in upper case."""
    return scalar_text(value).upper()


def trim(value: Json, chars: str | None = None) -> str:
    """Take white space, or the characters given, from both ends of a text."""
    return scalar_text(value).strip(chars)


def sha256(value: Json) -> str | None:
    """Give the SHA-256 of a text, as 64 hexadecimal digits; blank text has none, or all without an email were one."""
    found = _plainest(value)
    return hashlib.sha256(_utf8(found)).hexdigest() if found.strip() else None


def _utf8(found: str) -> bytes:
    try:
        return found.encode()
    except UnicodeEncodeError:
        raise Unmappable("found text with half a surrogate pair, which UTF-8 can't hold") from None


def _plainest(value: Json) -> str:
    """Give a scalar as text, equal numbers alike: 7, 7.0 and 7.00 are one key."""
    return scalar_text(canonical(value) if isinstance(value, int | Decimal) else value)


def uuid(value: Json, kind_of_object: str = "") -> str:
    """Give a stable uuid for a key that is none: the same for the same kind and value, always."""
    if isinstance(value, str) and is_uuid(value.strip()):
        return value.strip().lower()
    if not (found := _plainest(value).strip()):
        raise Unmappable("the filter uuid found empty text")
    return str(uuids.uuid5(NAMESPACE, _utf8(f"{kind_of_object}:{found}").decode()))


def fromjson(value: Json) -> Json:
    """Read JSON out of text, numbers exact; what isn't text has been read already."""
    if not isinstance(value, str):
        return value
    try:
        found: Json = json.loads(value, parse_float=Decimal, parse_constant=_no_json)
    except (ValueError, ArithmeticError, RecursionError):
        raise Unmappable("the filter fromjson found text that is no JSON") from None
    return found


def _no_json(name: str) -> None:
    raise ValueError(name)


def timestamp(value: Json, form: str | None = None, zone: str = "UTC") -> str:
    """Read a time by its format, in the zone given where it names none, and write it as the endpoint wants it.

    Args:
        value: A text or a number; without a format, and with an epoch's unit, a number is an epoch.
        form: As `strptime` has it, or `s`, `ms`, `us`, `ns` for an epoch; without it ISO 8601, or an epoch of 1980 to
            2100 whose unit is told by its size.
        zone: As the IANA names them, `Europe/Berlin`.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise Unmappable(f"the filter timestamp found {kind(value)}")
    if form in EPOCH_UNITS:
        return _epoch(number(value) if isinstance(value, str) else value, EPOCH_UNITS[form])
    if form is None and not isinstance(value, str):
        return _epoch(value, _places(value))
    place = zone_named(zone)
    return utc(text(value), place) if form is None else _by_format(text(value), form, place)


def zone_named(zone: str) -> dt.tzinfo:
    """Find a time zone by its IANA name.

    Raises:
        Unmappable: There is none of that name.
    """
    try:
        return dt.UTC if zone == "UTC" else zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError, TypeError):
        raise Unmappable("there is no such time zone; zones have names as Europe/Berlin") from None


def _by_format(value: str, form: str, place: dt.tzinfo) -> str:
    check_form(form)
    try:
        moment = dt.datetime.strptime(value.strip(), form)  # noqa: DTZ007  the zone comes on the next line
        aware = moment if moment.tzinfo else moment.replace(tzinfo=place)
        fraction = f"{moment.microsecond:06d}".rstrip("0")
        return rfc3339(aware, fraction)
    except (ValueError, OverflowError):
        raise Unmappable("the filter timestamp found text that its format doesn't fit") from None


def _epoch(value: int | Decimal, places: int) -> str:
    try:
        seconds = binary("*", Decimal(value), Decimal((0, (1,), -places)))
        begun = binary("//", seconds, 1)
        moment = _EPOCH + dt.timedelta(seconds=whole(begun))
    except (OverflowError, ArithmeticError):
        raise Unmappable("the filter timestamp found a number that is no epoch of our calendar") from None
    fraction = format(binary("-", seconds, begun), "f").partition(".")[2].rstrip("0")
    return rfc3339(moment, fraction)


def _places(value: int | Decimal) -> int:
    """Guess an epoch's unit: the one in which it lies in our time, where a date written as a number doesn't."""
    if Decimal(value).is_finite():
        for places in EPOCH_UNITS.values():
            if _GUESSED.start * 10**places <= value < _GUESSED.stop * 10**places:
                return places
    raise Unmappable(
        "found a number that is no epoch of 1980 to 2100; say what it is: timestamp('s'), or a format as "
        "timestamp('%Y%m%d')"
    )


def to_decimal(value: Json, default: Json | UnsetType = UNSET) -> Json:
    """Read a number, exactly; where there is none, the default.

    Raises:
        Unmappable: There is none, and no default: a 0 that nobody asked for is a wrong figure in a metric.
    """
    if isinstance(value, int | Decimal):
        return Decimal(value)
    try:
        return number(scalar_text(value))
    except Unmappable:
        return _given(default)


def to_integer(value: Json, default: Json | UnsetType = UNSET, base: int = 10) -> Json:
    """Read a whole number, cutting off what is behind the point; where there is none, the default.

    Raises:
        Unmappable: As for `to_decimal`.
    """
    if isinstance(value, int | Decimal):
        return whole(value)
    try:
        found = scalar_text(value)
        return int(found, base) if base != 10 else whole(number(found))  # noqa: PLR2004  base ten is ours to read
    except (Unmappable, ValueError):
        return _given(default)


def _given(default: Json | UnsetType) -> Json:
    if default is UNSET:
        raise Unmappable("found what is no number; give the filter a default: none, or 0 where that is meant")
    return default


PLAIN: Final[dict[str, Callable[..., Any]]] = {
    "lower": lower,
    "upper": upper,
    "trim": trim,
    "string": text,
    "sha256": sha256,
    "uuid": uuid,
    "timestamp": timestamp,
    "fromjson": fromjson,
    "float": to_decimal,
    "int": to_integer,
}
"""The filters that need nothing but their value and arguments, and make nothing much larger than those."""
