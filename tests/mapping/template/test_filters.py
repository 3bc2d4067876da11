from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from target_applied_events.mapping.template.filters import fromjson, sha256, timestamp, to_decimal, to_integer, uuid
from target_applied_events.mapping.template.notation import Unmappable

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_applied_events.event import Json

UUID = "0b7f0a52-3c55-4a4e-9d0e-6f2a7f6f9a01"


def test_the_uuids_of_keys_never_change_from_release_to_release() -> None:
    assert uuid(7, "order") == "31119776-fde4-57c3-9f30-d1afc6c48576"
    assert uuid("Zürich", "") == "ca28206d-a123-55a9-8e48-606bfcb12b1a"


def test_one_key_has_one_uuid_however_its_number_is_written() -> None:
    assert uuid(7, "order") == uuid("7", "order") == uuid(Decimal("7.00"), "order") == uuid(" 7 ", "order")
    assert uuid(2**70, "order") == uuid(Decimal(2**70), "order")


def test_keys_of_different_kinds_have_different_uuids() -> None:
    assert len({uuid(7, "order"), uuid(7, "refund"), uuid(7), uuid(8, "order"), uuid("07", "order")}) == 5


def test_a_uuid_passes_in_lower_case_so_that_one_object_stays_one() -> None:
    assert uuid(f" {UUID} ", "order") == uuid(UUID.upper(), "order") == UUID


@pytest.mark.parametrize("value", ["", " ", [], {}, "\ud800"])
def test_what_is_no_key_has_no_uuid(value: Json) -> None:
    with pytest.raises(Unmappable):
        uuid(value, "order")


def test_sha256_is_the_one_that_databases_make() -> None:
    assert sha256("ann@example.com") == hashlib.sha256(b"ann@example.com").hexdigest()
    assert sha256(Decimal("7.0")) == sha256(7) == hashlib.sha256(b"7").hexdigest()
    assert sha256(" a") == hashlib.sha256(b" a").hexdigest()


@pytest.mark.parametrize("value", ["", "  ", "\t\n"])
def test_all_who_have_no_email_do_not_share_the_hash_of_nothing(value: str) -> None:
    assert sha256(value) is None


@pytest.mark.parametrize(
    ("value", "form", "zone", "expected"),
    [
        ("07/04/2026 16:30", "%d/%m/%Y %H:%M", "Europe/Berlin", "2026-04-07T14:30:00Z"),
        ("07/01/2026 16:30", "%d/%m/%Y %H:%M", "Europe/Berlin", "2026-01-07T15:30:00Z"),
        ("07/04/2026 16:30 +0500", "%d/%m/%Y %H:%M %z", "Europe/Berlin", "2026-04-07T11:30:00Z"),
        (" 07/04/2026 ", "%d/%m/%Y", "UTC", "2026-04-07T00:00:00Z"),
        ("20260407 16:30:00.1200", "%Y%m%d %H:%M:%S.%f", "UTC", "2026-04-07T16:30:00.12Z"),
        (20260407, "%Y%m%d", "UTC", "2026-04-07T00:00:00Z"),
        (Decimal("2026.097"), "%Y.%j", "Europe/Berlin", "2026-04-06T22:00:00Z"),
        ("2026-04-07 16:30", None, "Europe/Berlin", "2026-04-07T14:30:00Z"),
        ("2026-04-07T16:30Z", None, "Europe/Berlin", "2026-04-07T16:30:00Z"),
        (1775572200, None, "UTC", "2026-04-07T14:30:00Z"),
        (Decimal("1775572200.250"), None, "UTC", "2026-04-07T14:30:00.25Z"),
        (1775572200123, None, "UTC", "2026-04-07T14:30:00.123Z"),
        (1775572200123456, None, "UTC", "2026-04-07T14:30:00.123456Z"),
        (1775572200123456789, None, "UTC", "2026-04-07T14:30:00.123456789Z"),
        ("1775572200", "s", "UTC", "2026-04-07T14:30:00Z"),
        ("1775572200123", "ms", "UTC", "2026-04-07T14:30:00.123Z"),
        (5, "ms", "UTC", "1970-01-01T00:00:00.005Z"),
        (-1, "s", "UTC", "1969-12-31T23:59:59Z"),
        (Decimal("-0.25"), "s", "UTC", "1969-12-31T23:59:59.75Z"),
        (0, "s", "UTC", "1970-01-01T00:00:00Z"),
        (86400000000, "s", "UTC", "4707-11-29T00:00:00Z"),
    ],
)
def test_a_timestamp_is_read_by_its_format_and_zone(value: Json, form: str | None, zone: str, expected: str) -> None:
    assert timestamp(value, form, zone) == expected


@pytest.mark.parametrize(
    ("value", "form", "zone"),
    [
        ("07/04/2026", "%Y", "UTC"),
        ("x", "s", "UTC"),
        ("x", None, "UTC"),
        ([], None, "UTC"),
        (True, None, "UTC"),
        ("2026", "%Y", "Mars/Olympus"),
        ("2026", "%Y", "../../etc/passwd"),
        (10**30, None, "UTC"),
        (Decimal("1E+999999999"), None, "UTC"),
        (Decimal("NaN"), None, "UTC"),
        ("2026", "%", "UTC"),
        ("2026", "%Q", "UTC"),
        ("2026 2026", "%Y %Y", "UTC"),
        ("16:30", "%H:%M", "UTC"),
        ("04/07/2026 02:30", "%m/%d/%Y %I:%M", "UTC"),
        ("millis", "millis", "UTC"),
        (1775572200123, "millis", "UTC"),
    ],
)
def test_what_is_no_timestamp_is_unmappable(value: Json, form: str | None, zone: str) -> None:
    with pytest.raises(Unmappable):
        timestamp(value, form, zone)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_a_number_is_taken_for_an_epoch_where_it_lies_between_1980_and_2100(unit: str) -> None:
    first, last = 315_532_800, 4_102_444_799
    size = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    assert timestamp(first * size) == timestamp(first * size, unit) == "1980-01-01T00:00:00Z"
    assert timestamp(last * size) == timestamp(last * size, unit) == "2099-12-31T23:59:59Z"
    for outside in (first * size - 1, (last + 1) * size):
        with pytest.raises(Unmappable, match=r"is no epoch of 1980 to 2100; say what it is: timestamp\('s'\)"):
            timestamp(outside)


@pytest.mark.parametrize(
    "value",
    [20260407, 20260407143000, 202604071430, 260407, 2026097, 0, -1, 2026, 46119, Decimal("46119.6"), 86400000000],
)
def test_a_date_written_as_a_number_is_not_taken_for_an_epoch(value: Json) -> None:
    with pytest.raises(Unmappable, match="found a number that is no epoch"):
        timestamp(value)


def test_json_in_text_is_read_with_exact_numbers() -> None:
    assert fromjson('{"a": [1.10, 18446744073709551617, null]}') == {"a": [Decimal("1.10"), 2**64 + 1, None]}
    assert fromjson({"a": 1}) == {"a": 1}


@pytest.mark.parametrize("value", ["", "{", "NaN", "Infinity", "[" * 100_000, "9" * 5000])
def test_what_is_no_json_is_unmappable(value: str) -> None:
    with pytest.raises(Unmappable):
        fromjson(value)


@pytest.mark.parametrize(("value", "expected"), [(" 1.10", Decimal("1.10")), (5, Decimal(5)), (True, Decimal(1))])
def test_float_reads_exactly(value: Json, expected: Decimal) -> None:
    assert to_decimal(value) == expected
    assert isinstance(to_decimal(value), Decimal)


@pytest.mark.parametrize(("value", "expected"), [("12.9", 12), (Decimal("-1.9"), -1), (True, 1)])
def test_int_cuts_off_what_is_behind_the_point(value: Json, expected: int) -> None:
    assert to_integer(value) == expected
    assert type(to_integer(value)) is int
    assert to_integer("ff", base=16) == 255


@pytest.mark.parametrize("value", ["x", "12,50", "NaN", "", [], {}])
@pytest.mark.parametrize("read", [to_decimal, to_integer])
def test_what_is_no_number_is_the_default_that_is_given_and_else_unmappable(
    read: Callable[..., Json], value: Json
) -> None:
    assert read(value, None) is None
    assert read(value, 0) == 0
    with pytest.raises(Unmappable, match="found what is no number"):
        read(value)
