"""Times as the endpoint wants them: in UTC, as RFC 3339 has it, to the last digit."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

from target_applied_events.mapping.template.notation import Unmappable

_IN_UTC: Final = re.compile(r"(\d{4}-\d\d-\d\d)[T ](?!24)(\d\d:\d\d:\d\d)(?:Z|\+00:00)", re.ASCII)
_TIME: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d)(?:(:\d\d)(?:[.,](\d+))?)? ?([Zz]|[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII,
)
_NO_SUCH_TIME: Final = "found a time that the calendar doesn't have"


def utc(found: str, zone: dt.tzinfo = dt.UTC) -> str:
    """Write a time in UTC as RFC 3339 has it, with its fraction to the last digit; a date is its midnight.

    Args:
        found: Date and time as databases and ISO 8601 write them.
        zone: Where a time without a zone of its own was read from a clock.

    Raises:
        Unmappable: The text is no time.
    """
    if (parts := _IN_UTC.fullmatch(found)) is None:
        return _converted(found, zone)
    day, clock = parts.groups()  # as most taps write it: there is nothing to convert
    moment = f"{day}T{clock}"
    try:
        dt.datetime.fromisoformat(moment)
    except ValueError:
        raise Unmappable(_NO_SUCH_TIME) from None
    return f"{moment}Z"


def _converted(found: str, zone: dt.tzinfo) -> str:
    if (parts := _TIME.fullmatch(found.strip())) is None:
        if found.strip().isdecimal():
            raise Unmappable(
                "found digits, which are no time: timestamp('s'), timestamp('ms') or timestamp('%Y%m%d') reads them"
            )
        raise Unmappable(
            "found text that is no time as 2026-04-07T14:30:00Z; the filter timestamp reads other forms: "
            "timestamp('%d.%m.%Y %H:%M')"
        )
    day, clock, seconds, fraction, offset = parts.groups()
    try:
        moment = dt.datetime.fromisoformat(f"{day}T{clock or '00:00'}{seconds or ':00'}{_offset(offset)}")
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone)
        return rfc3339(moment, (fraction or "").rstrip("0"))
    except (ValueError, OverflowError):
        raise Unmappable(_NO_SUCH_TIME) from None


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
