from __future__ import annotations

import datetime as dt
import operator
from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_applied_events.mapping.template.notation import Unmappable
from target_applied_events.mapping.template.order import ordered, reads_as_number

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

Comparing = Callable[[Any, Any], Any]

COMPARISONS: Final[list[Comparing]] = [operator.lt, operator.le, operator.gt, operator.ge]
NUMBERS = st.integers() | st.decimals(allow_nan=False, allow_infinity=False)
HOURS_BEHIND: Final[Mapping[str, Fraction]] = {
    **dict.fromkeys(("", "Z", "+00:00"), Fraction(0)),
    "+02:00": Fraction(-2),
    "+01": Fraction(-1),
    "-0130": Fraction(3, 2),
}
"""How far a clock is behind UTC."""


def refusal(left: object, right: object) -> str:
    said = set()
    for compare in COMPARISONS:
        for one, other in ((left, right), (right, left)):
            with pytest.raises(Unmappable) as refused:
                ordered(compare, one, other)
            said.add(str(refused.value))
    return min(said)


@pytest.mark.parametrize("compare", COMPARISONS)
@given(NUMBERS, NUMBERS)
def test_numbers_are_compared_as_numbers(compare: Comparing, left: int | Decimal, right: int | Decimal) -> None:
    assert ordered(compare, left, right) is compare(left, right)


# --- times ---------------------------------------------------------------------------------------------------------


@st.composite
def moments(draw: st.DrawFn) -> tuple[str, Fraction]:
    """Draw a time as a database may write it, and how many seconds after a midnight in UTC it is."""
    hour, second, fraction = draw(st.integers(12, 15)), draw(st.integers(0, 1)), draw(st.text("0129", max_size=4))
    between, point, offset = (draw(st.sampled_from(signs)) for signs in ("T ", ".,", sorted(HOURS_BEHIND)))
    written = f"2026-04-07{between}{hour}:00:0{second}{fraction and point}{fraction}{offset}"
    return written, (hour + HOURS_BEHIND[offset]) * 3600 + second + Fraction(f"0.{fraction}0")


@pytest.mark.parametrize("compare", COMPARISONS)
@given(moments(), moments())
def test_times_are_compared_by_their_instant_to_the_last_digit(
    compare: Comparing, left: tuple[str, Fraction], right: tuple[str, Fraction]
) -> None:
    assert ordered(compare, left[0], right[0]) is compare(left[1], right[1])


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("2026-04-07T16:30:00+02:00", "2026-04-07T15:00:00Z"),
        ("2026-04-07T14:30:00Z", "2026-04-07T14:30:00.25Z"),
        ("2026-04-07T14:30:00.25Z", "2026-04-07T14:30:00.3Z"),
        ("2026-04-07T14:30:00.123456788Z", "2026-04-07T14:30:00.123456789Z"),
        ("2026-04-07", "2026-04-07 00:00:01"),
        ("2026-04-07T01:00:00+02:00", "2026-04-07"),
        ("2026-04-07 14:30", "2026-04-07T14:30:01Z"),
    ],
)
def test_an_earlier_time_is_less_however_the_two_are_written(earlier: str, later: str) -> None:
    assert [ordered(compare, earlier, later) for compare in COMPARISONS] == [True, True, False, False]
    assert [ordered(compare, later, earlier) for compare in COMPARISONS] == [False, False, True, True]


@given(moments(), moments())
def test_of_one_instant_neither_is_less(left: tuple[str, Fraction], right: tuple[str, Fraction]) -> None:
    same = left[1] == right[1]
    assert (ordered(operator.le, left[0], right[0]) and ordered(operator.ge, left[0], right[0])) is same


def test_a_date_is_its_midnight_in_utc() -> None:
    midnight = dt.datetime(2026, 4, 7, tzinfo=dt.UTC).isoformat()
    assert ordered(operator.le, "2026-04-07", midnight)
    assert ordered(operator.ge, "2026-04-07", midnight)


@pytest.mark.parametrize(
    "other", ["01.06.2026", "2026", "2026-06", "1775572200", "yesterday", "infinity", "0000-00-00 00:00:00", "14:30"]
)
def test_a_time_and_text_that_is_none_have_no_order(other: str) -> None:
    said = refusal("2026-04-07T14:30:00Z", other)
    assert said.startswith("a time is compared with text that is no time as 2026-04-07T14:30:00Z; the filter timestamp")


@pytest.mark.parametrize("blank", ["", "  "])
@pytest.mark.parametrize("compare", COMPARISONS)
def test_blank_text_beside_a_time_is_as_good_as_null(compare: Comparing, blank: str) -> None:
    assert ordered(compare, "2026-04-07T14:30:00Z", blank) is None
    assert ordered(compare, blank, "2026-04-07") is None


# --- text ----------------------------------------------------------------------------------------------------------


@given(st.text("abcXYZ -_", max_size=5), st.text("abcXYZ -_", max_size=5))
def test_other_text_is_compared_as_text(left: str, right: str) -> None:
    for compare in COMPARISONS:
        assert ordered(compare, left, right) is compare(left, right)


@pytest.mark.parametrize(
    ("less", "more"),
    [
        ("B-100", "B-99"),
        ("10115 Berlin", "9000 St. Gallen"),
        ("100", "M"),
        ("", "100"),
        ("09:30", "18:00"),
        ("10115", "10115-1234"),
        ("20260101", "20260407"),
        ("007", "010"),
        ("2026/04/07", "2026/06/01 12:00"),
        ("100,00", "100,50"),
        ("-", "100"),
        ("2026-W15", "2026-W16"),
    ],
)
def test_text_whose_order_may_be_meant_is_compared_as_text(less: str, more: str) -> None:
    assert [ordered(compare, less, more) for compare in COMPARISONS] == [True, True, False, False]


@pytest.mark.parametrize(("left", "right"), [("90.5", "100"), ("9", "10"), (" 5", "-6"), ("1e3", "7"), (".5", "+0")])
def test_two_texts_that_read_as_numbers_have_no_order(left: str, right: str) -> None:
    assert refusal(left, right).startswith("two texts that read as numbers are compared; the filter float")


@pytest.mark.parametrize(
    ("left", "right"), [("07.04.2026", "01.06.2026"), ("4/7/2026 14:30", "06/01/2026"), ("07-04-2026", "01-06-2026")]
)
def test_two_dates_that_end_with_the_year_have_no_order(left: str, right: str) -> None:
    assert refusal(left, right).startswith(
        "two dates that end with the year are compared as text; the filter timestamp"
    )


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("9,50", "10,00"),
        ("90,50", "100"),
        ("$9", "$10"),
        ("9:30", "18:00"),
        ("1.2.3", "1.10.0"),
        ("1.200,00", "900,00"),
    ],
)
def test_two_texts_whose_digits_dont_stand_below_each_other_have_no_order(left: str, right: str) -> None:
    assert refusal(left, right).startswith("two texts are compared whose digits don't stand below each other")


@pytest.mark.parametrize(
    ("left", "right", "said"),
    [
        ("5", 5, "text is neither more nor less than a number"),
        (5, [5], "a number is neither more nor less than an array"),
        (None, 5, "null is neither more nor less than a number"),
    ],
)
def test_values_of_two_types_have_no_order(left: object, right: object, said: str) -> None:
    with pytest.raises(Unmappable) as refused:
        ordered(operator.lt, left, right)
    assert str(refused.value) == said


@given(st.decimals(allow_nan=False, allow_infinity=False, places=3).map(str) | st.integers().map(str))
def test_what_is_written_as_a_number_reads_as_one(written: str) -> None:
    assert reads_as_number(written)
    assert reads_as_number(f" {written}\n")


@pytest.mark.parametrize(
    "written", ["", " ", "-", ".", "12,50", "1 000", "0x10", "NaN", "١٢", "5%", "1" * 100_000 + "x"]
)
def test_what_isnt_doesnt_and_long_text_is_told_at_once(written: str) -> None:
    assert not reads_as_number(written)
