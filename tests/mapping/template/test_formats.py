from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_applied_events.mapping.template.arithmetic import rounded
from target_applied_events.mapping.template.formats import formatted
from target_applied_events.mapping.template.notation import Unmappable


@pytest.mark.parametrize(
    ("pattern", "arguments", "expected"),
    [
        ("x", (), "x"),
        ("%s", "a", "a"),
        ("%s-%s", ("a", 5), "a-5"),
        ("%s", Decimal("1E+3"), "1000"),
        ("%s", True, "true"),
        ("%5s|%-5s|%.2s", ("a", "b", "cde"), "    a|b    |cd"),
        ("%d%%", Decimal("12.9"), "12%"),
        ("%05d", 42, "00042"),
        ("%+d", 42, "+42"),
        ("%x", 255, "ff"),
        ("%.2f", Decimal("12345678901234567890123456789.125"), "12345678901234567890123456789.13"),
        ("%.2f|%.2f", (Decimal("0.125"), Decimal("-0.125")), "0.13|-0.13"),
        ("%.2f", Decimal("0.1249"), "0.12"),
        ("%.3f", 1, "1.000"),
        ("%08.2f", Decimal("-1.5"), "-0001.50"),
        ("%-8.2f|", Decimal("1.5"), "1.50    |"),
        ("%e", Decimal(1500), "1.500000e+3"),
        ("%s", (None,), None),
        ("%s-%s", ("a", None), None),
        ("%s", None, None),
    ],
)
def test_a_format_is_filled_in(pattern: str, arguments: object, expected: str | None) -> None:
    assert formatted(pattern, arguments) == expected


@given(st.decimals(-(10**20), 10**20, allow_nan=False, allow_infinity=False, places=6), st.integers(0, 6))
def test_a_format_rounds_as_the_filter_round_does(value: Decimal, digits: int) -> None:
    assert Decimal(str(formatted(f"%.{digits}f", value))) == rounded(value, digits, "common")


@pytest.mark.parametrize(
    ("pattern", "arguments"),
    [
        ("%d", "5"),
        ("%s", ("a", "b")),
        ("%s %s", ("a",)),
        ("%", "a"),
        ("%q", "a"),
        ("%r", "a"),
        ("%c", 65),
        ("%(a)s", {"a": 1}),
        ("%*d", (5, 1)),
        ("%1000d", 1),
        ("%.1000f", 1),
        ("%d", Decimal("1E+999999999")),
        ("%f", Decimal("1E+999999999")),
        ("%s" * 20, ("a" * 2**20,) * 20),
    ],
)
def test_what_does_not_go_together_or_is_too_long_is_unmappable(pattern: str, arguments: object) -> None:
    with pytest.raises(Unmappable):
        formatted(pattern, arguments)


@given(st.text("%sd.f1-+ 0", max_size=8), st.lists(st.integers(-99, 99) | st.text("ab", max_size=2), max_size=3))
def test_a_format_comes_to_what_python_makes_or_is_refused(pattern: str, arguments: list[int | str]) -> None:
    try:
        found = formatted(pattern, tuple(arguments))
    except Unmappable:
        return
    assert found == pattern % tuple(arguments)
