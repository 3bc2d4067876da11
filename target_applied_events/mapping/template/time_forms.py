"""The forms of times that users write for `timestamp`: whether what is read by one is the time that was written."""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache
from typing import Final

from target_applied_events.mapping.template.notation import Unmappable

EPOCH_UNITS: Final = {"s": 0, "ms": 3, "us": 6, "ns": 9}
"""How many digits of an epoch are behind the second, by its unit."""

_FORMS: Final = "formats are as '%d.%m.%Y %H:%M', or an epoch's unit: s, ms, us, ns"
_MOMENT: Final = dt.datetime(2011, 6, 15, 14, 37, 48, 123456, tzinfo=dt.UTC)
_CUT_OFF: Final = tuple(
    map(
        dt.datetime.fromisoformat,
        (
            "2011-01-01",
            "2011-06-01",
            "2011-06-15",
            "2011-06-15T14",
            "2011-06-15T14:37",
            "2011-06-15T14:37:48",
            "2011-06-15T14:37:48.123456",
        ),
    )
)
"""The moment down to its year, to its month, and so on."""

_OTHERS: Final = (
    _MOMENT.replace(month=11),
    _MOMENT.replace(day=4),
    _MOMENT.replace(hour=2),
    _MOMENT.replace(minute=36),
    _MOMENT.replace(second=47),
    _MOMENT.replace(microsecond=1),
)
"""Moments of the same year, each in one unit another; that day is in another week too, that hour before noon."""


@lru_cache
def check_form(form: str) -> None:
    """See that a time that is written by a format is read by it as the same, down to some unit.

    Raises:
        Unmappable: It isn't, or no time is read by it, or no year.
    """
    if form in EPOCH_UNITS:
        return
    parts = set(re.findall("%(.)", form, re.DOTALL))
    if "Z" in parts and "z" not in parts:
        raise Unmappable("%Z reads no zone; it's named by zone='Europe/Berlin', and offsets as +02:00 are read by %z")
    if {"H", "p"} <= parts:
        raise Unmappable("%p has no effect beside %H; hours with AM and PM are %I")
    try:
        _check_reading(form)
    except (ValueError, re.error):
        raise Unmappable(f"that is no format of times; {_FORMS}") from None


def _check_reading(form: str) -> None:
    read = _read_back(form, _MOMENT)
    if read.year != _MOMENT.year:
        raise Unmappable(f"that format reads no year; {_FORMS}")
    if read not in _CUT_OFF:
        raise Unmappable(
            f"what that format writes for {_MOMENT:%Y-%m-%d %H:%M:%S.%f} it reads as {read}: a part is missing or is "
            "another's; months are %m, days %d, hours %H, or %I with %p, minutes %M, seconds %S"
        )
    written = _MOMENT.strftime(form)
    if any(other.strftime(form) != written and _read_back(form, other) == read for other in _OTHERS):
        raise Unmappable(
            "that format holds a part that isn't read: %p needs %I, and a week needs its day and year, %G-W%V-%u"
        )


def _read_back(form: str, moment: dt.datetime) -> dt.datetime:
    return dt.datetime.strptime(moment.strftime(form), form).replace(tzinfo=None)  # noqa: DTZ007  it's UTC in and out
