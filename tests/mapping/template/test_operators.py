from __future__ import annotations

import operator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2.tests import TESTS

from target_applied_events.mapping.template import operators
from target_applied_events.mapping.template.blanks import is_missing
from target_applied_events.mapping.template.notation import Unmappable, text
from target_applied_events.mapping.template.operations import STEP, weight
from target_applied_events.mapping.template.operators import OPERATORS
from target_applied_events.mapping.template.template import parse
from tests.mapping.template.at_work import at_work, spent

ORDERS = {".lt": operator.lt, ".lteq": operator.le, ".gt": operator.gt, ".gteq": operator.ge}
NUMBERS = st.integers() | st.decimals(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | NUMBERS | st.text("ab", max_size=3)
AS_MAPPINGS_HAVE_THEM = operators.tests(TESTS)


def applied(name: str, value: object, *args: object, strict: bool = False) -> Any:  # noqa: ANN401 - what an operator gives
    return OPERATORS[name](at_work(strict=strict), value, *args)


@pytest.mark.parametrize("name", OPERATORS)
def test_no_template_can_name_what_stands_for_an_operator(name: str) -> None:
    for source in (f"{{{{ a | {name} }}}}", f"{{{{ [a] | map('{name}') | list }}}}"):
        template, problems = parse(source)
        assert template is None
        assert problems


# --- null ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ORDERS)
@given(NUMBERS, NUMBERS)
def test_numbers_have_an_order_and_null_has_none(name: str, left: int | Decimal, right: int | Decimal) -> None:
    assert applied(name, left, right) is ORDERS[name](left, right)
    assert [applied(name, *pair) for pair in ((left, None), (None, right), (None, None))] == [None] * 3


@pytest.mark.parametrize("name", ORDERS)
def test_an_order_goes_by_the_instants_of_times_and_blank_text_beside_one_is_null(name: str) -> None:
    early, late = "2026-04-07T16:30:00+02:00", "2026-04-07T15:00:00Z"
    assert applied(name, early, late) is ORDERS[name](1, 2)
    assert applied(name, early, "") is None


@pytest.mark.parametrize(
    ("name", "compare"),
    [
        *(("<", operator.lt), ("lt", operator.lt), ("lessthan", operator.lt), ("<=", operator.le), ("le", operator.le)),
        *(
            (">", operator.gt),
            ("gt", operator.gt),
            ("greaterthan", operator.gt),
            (">=", operator.ge),
            ("ge", operator.ge),
        ),
    ],
)
def test_the_tests_of_an_order_go_by_what_the_operators_do(name: str, compare: Any) -> None:  # noqa: ANN401 - Python's
    test = AS_MAPPINGS_HAVE_THEM[name]
    assert test("2026-04-07T16:30:00+02:00", "2026-04-07T15:00:00Z") is compare(1, 2)
    assert test("2026-04-07T16:30:00+02:00", "2026-04-07T14:30:00Z") is compare(1, 1)
    assert test("2026-04-07", "") is False
    for wrong in (("90.5", "100"), ("5", 5)):
        with pytest.raises(Unmappable):
            test(*wrong)


@pytest.mark.parametrize("name", ORDERS)
@pytest.mark.parametrize(
    ("left", "right", "said"),
    [
        ("5", 5, "text is neither more nor less than a number"),
        (5, [5], "a number is neither more nor less than an array"),
        ({}, {}, "an object is neither more nor less than an object"),
    ],
)
def test_what_has_no_order_is_unmappable_by_its_types(name: str, left: object, right: object, said: str) -> None:
    with pytest.raises(Unmappable) as refused:
        applied(name, left, right)
    assert str(refused.value) == said


@pytest.mark.parametrize(
    ("item", "container", "found"),
    [
        ("a", ["a", "b"], True),
        ("c", ["a", "b"], False),
        (Decimal("1.0"), [1], True),
        (None, ["a", None], True),
        (None, ["a"], False),
        ("a", {"a": 1}, True),
        ("b", "abc", True),
        ("a", None, None),
        (None, None, None),
        (None, "abc", None),
    ],
)
def test_what_is_in_something_isnt_not_in_it_and_in_null_it_is_neither(
    item: object, container: object, *, found: bool | None
) -> None:
    assert applied(".in", item, container) is found
    assert applied(".notin", item, container) is (None if found is None else not found)  # codespell:ignore notin


@pytest.mark.parametrize("name", ["in", ">", "gt", "greaterthan", "ge", ">=", "<", "lt", "lessthan", "<=", "le"])
def test_null_is_in_nothing_neither_more_nor_less_than_anything_and_nothing_than_null(name: str) -> None:
    test = AS_MAPPINGS_HAVE_THEM[name]
    assert [test(None, [None] if name == "in" else 1), test(1, None), test(None, None)] == [False] * 3


def test_null_is_neither_odd_nor_even_nor_divisible() -> None:
    found = [
        AS_MAPPINGS_HAVE_THEM[name](None, *args) for name, args in (("odd", ()), ("even", ()), ("divisibleby", (2,)))
    ]
    assert found == [False] * 3


def test_a_test_that_null_may_pass_is_jinjas_own() -> None:
    own = {name for name, test in AS_MAPPINGS_HAVE_THEM.items() if test is TESTS[name]}
    assert own >= {"none", "defined", "eq", "==", "equalto", "ne", "!=", "sameas", "string", "number", "mapping"}
    assert AS_MAPPINGS_HAVE_THEM.keys() == TESTS.keys()


def test_a_number_with_a_point_is_a_float_to_a_test() -> None:
    is_float = AS_MAPPINGS_HAVE_THEM["float"]
    assert [is_float(value) for value in (Decimal("1.5"), 1, "1.5", None)] == [True, False, False, False]


# --- truth ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value", ["false", "False", "FALSE", "0", "0.00", " 0 ", ".00", "no", "No", "off", "Off", "f", "n", "N", "N   "]
)
def test_text_that_says_no_isnt_taken_for_true(value: str) -> None:
    with pytest.raises(Unmappable) as refused:
        applied(".truth", value)
    assert str(refused.value) == (
        "a condition takes text for true even where it says no: compare it, == 'true'; "
        "where any text will do, ask for its length, | length"
    )


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        False,
        0,
        1,
        Decimal("0.0"),
        "",
        " ",
        "true",
        "1",
        "yes",
        "t",
        "y",
        "NO",
        "F",
        "00000",
        "none",
        "0 EUR",
        [],
        [0],
    ],
)
def test_all_else_is_as_true_as_it_is(value: object) -> None:
    assert applied(".truth", value) is value


# --- how much they may make ----------------------------------------------------------------------------------------


@given(st.lists(SCALARS, max_size=4))
def test_values_are_written_one_after_another_as_text_has_them_and_in_an_identifier_null_or_blank_makes_null(
    parts: list[Any],
) -> None:
    evaluation = at_work()
    made = OPERATORS[".~"](evaluation, parts)
    assert made == "".join(map(text, parts))
    assert spent(evaluation) == STEP + len(made)
    assert applied(".~", parts, strict=True) == (None if any(map(is_missing, parts)) else made)


@given(st.integers(-50, 50), st.integers(-50, 50), st.sampled_from([-7, -1, 1, 2, 9]))
def test_a_range_is_pythons_and_every_number_of_it_is_counted(start: int, stop: int, step: int) -> None:
    evaluation = at_work()
    made = OPERATORS[".range"](evaluation, [start, stop, step])
    assert made == list(range(start, stop, step))
    assert spent(evaluation) >= STEP * len(made)
    assert applied(".range", [start, None]) is None


@pytest.mark.parametrize("bounds", [[10**9], [-(10**30), 10**30], [10**30, 0, -1]])
def test_a_range_that_is_too_long_is_refused_before_it_is_made(bounds: list[int]) -> None:
    with pytest.raises(Unmappable, match="more work than one value may take"):
        applied(".range", bounds)


def test_a_loop_goes_over_arrays_and_keys_and_each_round_is_counted() -> None:
    for value in (["a", "b"], ("a", "b"), {"a": 1, "b": 2}):
        evaluation = at_work()
        assert OPERATORS[".each"](evaluation, value) == ["a", "b"]
        assert spent(evaluation) == 2 * STEP
    assert applied(".each", None) == []


def test_a_loop_goes_over_what_was_there_when_it_began() -> None:
    items = [1, 2]
    each = applied(".each", items)
    items.append(3)
    assert each == [1, 2]


@pytest.mark.parametrize(
    ("value", "seen"), [("ab", r"text; \| list gives its characters"), (5, "a number$"), (True, "a boolean$")]
)
def test_a_loop_over_anything_else_is_unmappable(value: object, seen: str) -> None:
    with pytest.raises(Unmappable, match=f"^a loop goes over {seen}"):
        applied(".each", value)


@given(st.lists(SCALARS, max_size=4))
def test_what_a_template_puts_together_is_what_it_is_and_weighs_what_it_weighs(value: list[Any]) -> None:
    evaluation = at_work()
    assert OPERATORS[".made"](evaluation, value) is value
    assert spent(evaluation) == weight(value)
