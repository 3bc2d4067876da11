from __future__ import annotations

import datetime as dt
import zoneinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_applied_events.mapping.template.notation import Unmappable
from target_applied_events.mapping.template.times import rfc3339, utc

BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
MOMENTS = st.datetimes(dt.datetime(2, 1, 1), dt.datetime(9998, 1, 1))  # noqa: DTZ001 - an offset is drawn with each
OFFSETS = st.integers(-1439, 1439).map(lambda minutes: dt.timezone(dt.timedelta(minutes=minutes)))


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ("2026-04-07T14:30:00Z", "2026-04-07T14:30:00Z"),
        ("2026-04-07t14:30:00z", "2026-04-07T14:30:00Z"),
        ("2026-04-07 14:30:00", "2026-04-07T14:30:00Z"),
        ("2026-04-07T14:30", "2026-04-07T14:30:00Z"),
        ("2026-04-07", "2026-04-07T00:00:00Z"),
        (" 2026-04-07T16:30:00+02:00 ", "2026-04-07T14:30:00Z"),
        ("2026-04-07 16:30:00+02", "2026-04-07T14:30:00Z"),
        ("2026-04-07 16:30:00 +0200", "2026-04-07T14:30:00Z"),
        ("2026-04-07T00:30:00-0530", "2026-04-07T06:00:00Z"),
        ("2026-04-07T14:30:00.000000+00:00", "2026-04-07T14:30:00Z"),
        ("2026-04-07T14:30:00.120", "2026-04-07T14:30:00.12Z"),
        ("2026-04-07T14:30:00,120Z", "2026-04-07T14:30:00.12Z"),
        ("2026-04-07T16:30:00.123456789+02:00", "2026-04-07T14:30:00.123456789Z"),
        ("2026-12-31T23:30:00-01:00", "2027-01-01T00:30:00Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
    ],
)
def test_a_time_is_written_in_utc_to_its_last_digit(found: str, expected: str) -> None:
    assert utc(found) == expected


@pytest.mark.parametrize(
    "found",
    [
        "",
        "yesterday",
        "2026-13-01",
        "2026-02-30T00:00:00Z",
        "2026-04-07T24:00:00Z",
        "2026-04-07T14:30:61Z",
        "2026-04-07T14:30:00+25:00",
        "2026-04-07T14",
        "07.04.2026",
        "1775572200",
        "20260407T143000Z",
        "2026-W15-2",
        "infinity",
        "0044-03-15 BC",
        "0001-01-01T00:00:00+02:00",
        "9999-12-31T23:59:59-01:00",
        "2026-04-07T14:30:00Z\n2026",
        "٢٠٢٦-04-07",
        "2026-04-07T14:30:0٣Z",
    ],
)
def test_what_is_no_time_is_unmappable(found: str) -> None:
    with pytest.raises(Unmappable, match=r"no time( as|:)|the calendar doesn't have"):
        utc(found)


@given(MOMENTS, OFFSETS)
def test_any_time_keeps_its_moment_and_is_written_once_and_for_all(moment: dt.datetime, zone: dt.timezone) -> None:
    aware = moment.replace(tzinfo=zone)
    written = utc(aware.isoformat())
    assert dt.datetime.fromisoformat(written) == aware
    assert written.endswith("Z")
    assert utc(written) == written


@given(MOMENTS, st.text("0123456789", min_size=1, max_size=30))
def test_a_fraction_is_kept_however_long_it_is_but_for_the_zeros_at_its_end(moment: dt.datetime, digits: str) -> None:
    second = moment.replace(microsecond=0).isoformat()
    kept = digits.rstrip("0")
    assert utc(f"{second}.{digits}Z") == (f"{second}.{kept}Z" if kept else f"{second}Z")


@given(st.from_regex(r"[12]\d{3}-[01]\d-[0-3]\d[T ][0-2]\d:[0-6]\d:[0-6]\d(Z|\+00:00)?", fullmatch=True))
def test_a_time_is_read_alike_with_space_around_it_and_without(found: str) -> None:
    def read(written: str) -> str:
        try:
            return utc(written)
        except Unmappable as refused:
            return str(refused)

    assert read(found) == read(f" {found}")


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ("2026-07-01 12:00", "2026-07-01T10:00:00Z"),
        ("2026-01-01 12:00", "2026-01-01T11:00:00Z"),
        ("2026-07-01", "2026-06-30T22:00:00Z"),
        ("2026-10-25 02:30", "2026-10-25T00:30:00Z"),  # twice on that clock: the first time
        ("2026-07-01 12:00Z", "2026-07-01T12:00:00Z"),
        ("2026-07-01T12:00:00+00:00", "2026-07-01T12:00:00Z"),
        ("2026-07-01 12:00-04", "2026-07-01T16:00:00Z"),
    ],
)
def test_a_time_without_a_zone_is_read_where_its_clock_hung_and_one_with_a_zone_isnt(found: str, expected: str) -> None:
    assert utc(found, BERLIN) == expected


def test_the_digits_after_the_second_are_those_given_and_no_others() -> None:
    moment = dt.datetime(2026, 4, 7, 16, 30, 0, 999_999, tzinfo=BERLIN)
    assert rfc3339(moment) == "2026-04-07T14:30:00Z"
    assert rfc3339(moment, "120000001") == "2026-04-07T14:30:00.120000001Z"


@pytest.mark.parametrize("found", ["0001-01-01T00:30:00+01:00", "9999-12-31T23:30:00-01:00"])
def test_a_moment_that_is_outside_the_calendar_in_utc_overflows(found: str) -> None:
    with pytest.raises(OverflowError):
        rfc3339(dt.datetime.fromisoformat(found))
