from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from target_applied_events.mapping.template.arithmetic import absolute, binary, rounded, unary, whole
from target_applied_events.mapping.template.notation import Unmappable

INTEGERS = st.integers(-(10**30), 10**30)
DECIMALS = st.decimals(-(10**20), 10**20, allow_nan=False, allow_infinity=False, places=10)
NUMBERS = INTEGERS | DECIMALS


@given(NUMBERS, NUMBERS)
def test_sums_differences_and_products_are_exact(left: int | Decimal, right: int | Decimal) -> None:
    one, other = Fraction(left), Fraction(right)
    assert Fraction(binary("+", left, right)) == one + other
    assert Fraction(binary("-", left, right)) == one - other
    assert Fraction(binary("*", left, right)) == one * other


@given(NUMBERS, NUMBERS)
def test_a_quotient_is_right_to_76_digits(left: int | Decimal, right: int | Decimal) -> None:
    assume(right)
    exact, found = Fraction(left) / Fraction(right), binary("/", left, right)
    assert isinstance(found, Decimal)
    assert abs(Fraction(found) - exact) <= abs(exact) / 10**75


@given(NUMBERS, NUMBERS)
def test_whole_divisions_round_down_whatever_the_signs_and_types(left: int | Decimal, right: int | Decimal) -> None:
    assume(right)
    exact = Fraction(left) / Fraction(right)
    assert binary("//", left, right) == math.floor(exact)
    assert Fraction(binary("%", left, right)) == Fraction(left) - math.floor(exact) * Fraction(right)


@given(DECIMALS, st.integers(0, 9))
def test_rounding_takes_the_nearest_and_halves_away_from_zero(value: Decimal, digits: int) -> None:
    scaled = abs(Fraction(value)) * 10**digits
    nearest = math.floor(scaled + Fraction(1, 2))
    assert abs(Fraction(rounded(value, digits, "common"))) * 10**digits == nearest
    assert Fraction(rounded(value, digits, "floor")) <= Fraction(value) <= Fraction(rounded(value, digits, "ceil"))


@pytest.mark.parametrize("operator", ["+", "-", "*", "/", "//", "%", "**"])
def test_null_with_anything_is_null(operator: str) -> None:
    others: tuple[object, ...] = (None, 1, Decimal(1), "a", [], {})
    for other in others:
        assert binary(operator, None, other) is None
        assert binary(operator, other, None) is None
    assert unary("-", None) is None


@pytest.mark.parametrize(
    ("operator", "left", "right", "said"),
    [
        ("/", 1, 0, "division by zero"),
        ("//", 1, 0, "division by zero"),
        ("//", Decimal(1), 0, "division by zero"),
        ("%", 1, 0, "division by zero"),
        ("**", Decimal(-1), Decimal("0.5"), "no result"),
        ("**", 0, -1, "no result"),
        ("**", 10, 10**10, "20,000 digits"),
        ("**", Decimal(10), 10**10, "out of bounds"),
        ("%", Decimal("1E+100"), 7, "no result"),
        ("+", "a", 1, r"\+ doesn't go between text and a number"),
        ("-", "a", "b", "- doesn't go between text and text"),
        ("*", "-", 2**25, "16,777,216 characters"),
        ("*", "3", 2, r"\* doesn't go between text and a number; where text holds a number, the filter float reads it"),
        ("*", 100, "3", r"\* doesn't go between a number and text; where text holds"),
        ("*", "n/a", 2, r"\* doesn't go between text and a number; where text holds"),
        ("-", "1200", "90", "- doesn't go between text and text; where text holds a number"),
        ("%", "3", 2, "% doesn't go between text and a number; where text holds a number"),
        ("*", [], 2, r"\* doesn't go between an array and a number"),
        ("+", {}, {}, r"\+ doesn't go between an object and an object"),
    ],
)
def test_what_has_no_result_or_too_large_a_one_is_unmappable(
    operator: str, left: object, right: object, said: str
) -> None:
    with pytest.raises(Unmappable, match=said):
        binary(operator, left, right)


def test_a_product_of_more_than_20000_digits_is_unmappable() -> None:
    with pytest.raises(Unmappable, match="20,000 digits"):
        binary("*", 10**15_000, 10**15_000)


def test_text_and_arrays_are_put_together() -> None:
    assert binary("+", "a", "b") == "ab"
    assert binary("%", "%s-", "a") == "a-"
    assert binary("+", [1], [2]) == [1, 2]
    assert binary("**", 2, -1) == Decimal("0.5")


def test_a_mark_is_repeated_and_a_text_of_letters_or_digits_isnt() -> None:
    assert binary("*", "★", 3) == binary("*", 3, "★") == "★★★"
    assert binary("*", "", 3) == binary("*", "★", 0) == ""
    for text in ("ab", "7", "½", "-5", "five stars"):
        with pytest.raises(Unmappable, match="the filter float"):
            binary("*", text, 2)


def test_signs_and_whole_parts_keep_every_digit() -> None:
    long = Decimal("-12345678901234567890123456789012345678.5")
    assert unary("-", long) == absolute(long) == Decimal("12345678901234567890123456789012345678.5")
    assert whole(long) == -12345678901234567890123456789012345678
    assert absolute(-5) == 5
    for wrong in ("a", None):
        with pytest.raises(Unmappable):
            absolute(wrong)
    with pytest.raises(Unmappable, match="a sign doesn't go before text; where text holds"):
        unary("-", "5")
    for huge in (Decimal("1E+30000"), Decimal("NaN")):
        with pytest.raises(Unmappable):
            whole(huge)
