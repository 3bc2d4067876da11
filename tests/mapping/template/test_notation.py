from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_applied_events.mapping.template.notation import (
    Unmappable,
    canonical,
    canonical_bytes,
    compact,
    kind,
    number,
    text,
)

NUMBERS = st.integers() | st.decimals(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_what_is_written_reads_back_exactly(value: Any) -> None:  # noqa: ANN401  any JSON
    assert json.loads(compact(value), parse_float=Decimal) == value


@given(NUMBERS)
def test_a_number_in_text_is_plain_and_exact(number: int | Decimal) -> None:
    assert "E" not in text(number)
    assert Decimal(text(number)) == number


@given(JSON)
def test_the_canonical_form_is_equal_and_stable(value: Any) -> None:  # noqa: ANN401  any JSON
    assert canonical(value) == value
    assert canonical_bytes(canonical(canonical(value))) == canonical_bytes(canonical(value))


@given(one=NUMBERS, other=NUMBERS)
def test_numbers_have_one_canonical_form_just_when_they_are_equal(one: int | Decimal, other: int | Decimal) -> None:
    for first, second in ((one, other), (one, Decimal(one)), (one, Decimal(one).scaleb(0))):
        same = canonical_bytes(canonical(first)) == canonical_bytes(canonical(second))
        assert same == (first == second)


def test_a_text_of_a_class_of_its_own_is_written_as_any_text() -> None:
    class Marked(str):
        __slots__ = ()

    value: dict[str, Any] = {Marked("a"): [Marked(" "), {"b": Marked("c")}]}
    assert compact(value) == canonical_bytes(value) == b'{"a":[" ",{"b":"c"}]}'


def test_keys_are_sorted_in_the_canonical_form_and_kept_in_the_compact_one() -> None:
    value = {"b": 1, "a": {"d": 1, "c": 2}}
    assert canonical_bytes(value) == b'{"a":{"c":2,"d":1},"b":1}'
    assert compact(value) == b'{"b":1,"a":{"d":1,"c":2}}'


@pytest.mark.parametrize("number", [10**5000, -(10**5000), Decimal(10) ** 5000], ids=["int", "negative", "decimal"])
def test_a_long_number_is_written_to_its_last_digit(number: int | Decimal) -> None:
    assert text(number).lstrip("-") == "1" + "0" * 5000
    assert compact([number, 2**64]).endswith(b",18446744073709551616]")


@pytest.mark.parametrize(
    "number",
    [10**50_000, Decimal("1E+999999999"), Decimal("1E-999999999"), Decimal("NaN"), Decimal("-Infinity")],
    ids=["int", "large", "small", "nan", "infinite"],
)
def test_a_number_too_long_for_text_is_unmappable(number: int | Decimal) -> None:
    with pytest.raises(Unmappable):
        text(number)


@pytest.mark.parametrize(
    "value", ["\ud800", ["\udfff"], {"\ud800": 1}, [2**70, "\ud800"], [10**5000, "\ud800"]], ids=range(5)
)
def test_half_a_surrogate_pair_is_unmappable(value: Any) -> None:  # noqa: ANN401  any JSON
    with pytest.raises(Unmappable, match="surrogate"):
        compact(value)


def test_what_is_no_json_is_unmappable() -> None:
    deep: list[Any] = []
    deep.append(deep)
    for value in (object(), {1, 2.5j}, deep):
        with pytest.raises(Unmappable):
            compact(value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (None, "null"),
        (True, "a boolean"),
        (1, "a number"),
        (Decimal(1), "a number"),
        ("", "text"),
        ({}, "an object"),
        ([], "an array"),
        ((), "an array"),
        (object(), "something that is no JSON value"),
    ],
)
def test_types_are_called_as_json_calls_them(value: object, name: str) -> None:
    assert kind(value) == name


def test_a_long_text_is_found_to_be_no_number_in_a_time_that_grows_with_its_length() -> None:
    with pytest.raises(Unmappable):
        number("1" * 1_000_000 + "x")  # at the square of its length this would take hours
