from __future__ import annotations

import datetime as dt
import zoneinfo
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_applied_events.mapping.contract import Want, fit, properties
from target_applied_events.mapping.notation import Unmappable
from target_applied_events.mapping.times import utc

UUID = "0B7f0a52-3c55-4a4e-9d0e-6f2a7f6f9a01"


@pytest.mark.parametrize(
    ("want", "value", "expected"),
    [
        (Want.TEXT, "x ", "x "),
        (Want.TEXT, 5, "5"),
        (Want.TEXT, Decimal("1E+3"), "1000"),
        (Want.TEXT, Decimal("0.000000001"), "0.000000001"),
        (Want.TEXT, True, "true"),
        (Want.TEXT, "", None),
        (Want.TEXT, " \n", None),
        (Want.TEXT, None, None),
        (Want.IDENTIFIER, " a\t", "a"),
        (Want.IDENTIFIER, " ", None),
        (Want.IDENTIFIER, 7, "7"),
        (Want.UUID, f" {UUID} ", UUID),
        (Want.UUID, "", None),
        (Want.UUID, None, None),
        (Want.NUMBER, 5, 5),
        (Want.NUMBER, Decimal("1.50"), Decimal("1.50")),
        (Want.NUMBER, " -1.50e3 ", Decimal("-1.50e3")),
        (Want.NUMBER, "+.5", Decimal("0.5")),
        (Want.NUMBER, " ", None),
        (Want.NUMBER, None, None),
        (Want.NUMBER, Decimal("1.7e308"), Decimal("1.7e308")),
        (Want.NUMBER, Decimal("1E-400"), Decimal("1E-400")),
        (Want.NUMBER, 10**308, 10**308),
        (Want.CONDITION, True, True),
        (Want.CONDITION, False, False),
        (Want.CONDITION, None, None),
    ],
)
def test_a_value_is_made_what_its_field_wants(want: Want, value: object, expected: object) -> None:
    found = fit(want, value)  # type: ignore[arg-type]  # any value of JSON
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("want", "value"),
    [
        (Want.TEXT, ["a"]),
        (Want.TEXT, {}),
        (Want.TEXT, Decimal("Infinity")),
        (Want.IDENTIFIER, []),
        (Want.UUID, "7"),
        (Want.UUID, 7),
        (Want.UUID, UUID.replace("-", "")),
        (Want.UUID, f"{{{UUID}}}"),
        (Want.UUID, "٣" * 8 + UUID[8:]),
        (Want.NUMBER, "1,5"),
        (Want.NUMBER, "0x10"),
        (Want.NUMBER, "1_000"),
        (Want.NUMBER, "Infinity"),
        (Want.NUMBER, "٣"),
        (Want.NUMBER, "1e99999999999999999999"),
        (Want.NUMBER, True),
        (Want.NUMBER, []),
        (Want.NUMBER, Decimal("NaN")),
        (Want.NUMBER, Decimal("1E+400")),
        (Want.NUMBER, "-1e309"),
        (Want.NUMBER, 10**309),
        (Want.TIME, 5),
        (Want.TIME, True),
        (Want.TIME, {}),
        (Want.CONDITION, 1),
        (Want.CONDITION, "true"),
        (Want.CONDITION, []),
    ],
)
def test_what_does_not_fit_its_field_is_unmappable(want: Want, value: object) -> None:
    with pytest.raises(Unmappable, match="found"):
        fit(want, value)  # type: ignore[arg-type]  # any value of JSON


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
        ("2026-04-07T16:30:00.123456789+02:00", "2026-04-07T14:30:00.123456789Z"),
        ("2026-12-31T23:30:00-01:00", "2027-01-01T00:30:00Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("now", "now"),
        (" now ", "now"),
        ("  ", None),
    ],
)
def test_a_time_is_written_in_utc_to_its_last_digit(found: str, expected: str | None) -> None:
    assert fit(Want.TIME, found) == expected


@pytest.mark.parametrize(
    "found",
    [
        "yesterday",
        "NOW",
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
    ],
)
def test_what_is_no_time_is_unmappable(found: str) -> None:
    with pytest.raises(Unmappable, match="time"):
        fit(Want.TIME, found)


@given(st.datetimes(dt.datetime(2, 1, 1), dt.datetime(9998, 1, 1)), st.integers(-1439, 1439))  # noqa: DTZ001  drawn next
def test_any_time_keeps_its_moment(moment: dt.datetime, offset_minutes: int) -> None:
    aware = moment.replace(tzinfo=dt.timezone(dt.timedelta(minutes=offset_minutes)))
    assert dt.datetime.fromisoformat(utc(aware.isoformat())) == aware


@given(st.from_regex(r"[12]\d{3}-[01]\d-[0-3]\d[T ][0-2]\d:[0-6]\d:[0-6]\d(Z|\+00:00)?", fullmatch=True))
def test_a_time_is_read_alike_with_space_around_it_and_without(found: str) -> None:
    def read(written: str) -> str:
        try:
            return utc(written)
        except Unmappable as refused:
            return str(refused)

    assert read(found) == read(f" {found}")


def test_a_time_without_zone_is_read_where_its_clock_hung() -> None:
    assert utc("2026-07-01 12:00", zoneinfo.ZoneInfo("Europe/Berlin")) == "2026-07-01T10:00:00Z"


def test_properties_are_texts_and_empty_ones_go() -> None:
    value = {"a": 1, "b": None, "c": "", "d": [1, Decimal("1.50")], "e": False, "f": "x"}
    assert properties(value) == {"a": "1", "d": "[1,1.50]", "e": "false", "f": "x"}  # type: ignore[arg-type]
    assert properties(None) == {}
    with pytest.raises(Unmappable, match="found text; the endpoint wants an object of texts; the filter fromjson"):
        properties("{}")
