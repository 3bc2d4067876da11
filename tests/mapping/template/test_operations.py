from __future__ import annotations

import contextlib
import copy
import itertools
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jinja2 import pass_context, pass_environment, pass_eval_context
from jinja2.filters import FILTERS

from target_applied_events.mapping.template.blanks import is_missing
from target_applied_events.mapping.template.expressions import WORK
from target_applied_events.mapping.template.notation import Unmappable, compact
from target_applied_events.mapping.template.operations import LEFT_OUT, METHODS, STEP, bound, combined, filters, weight
from tests.mapping.template.at_work import at_work, spent

if TYPE_CHECKING:
    from collections.abc import Callable

ALL = filters()
SHORT = st.text("ab.", max_size=6)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text("ab"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=3),
)


def called(name: str, value: object, *args: object, strict: bool = False, **kwargs: object) -> Any:  # noqa: ANN401 - what a filter gives
    return ALL[name](at_work(strict=strict), value, *args, **kwargs)


# --- which there are -----------------------------------------------------------------------------------------------


def test_every_filter_of_jinja_is_there_or_is_named_as_left_out() -> None:
    there = {name for name in ALL if not name.startswith(".")}
    assert LEFT_OUT <= FILTERS.keys() <= there | LEFT_OUT
    assert there.isdisjoint(LEFT_OUT)


@pytest.mark.parametrize(
    ("passing", "attribute"),
    [(pass_context, None), (pass_eval_context, "eval_ctx"), (pass_environment, "environment")],
)
def test_a_function_is_given_what_it_asks_to_be_passed(passing: Callable[[Any], Any], attribute: str | None) -> None:
    evaluation = at_work()
    found = bound(passing(lambda *given, **named: (given, named)))(evaluation, "value", 1, d=2)
    assert found == ((evaluation if attribute is None else getattr(evaluation, attribute), "value", 1), {"d": 2})


def test_a_function_that_asks_for_nothing_is_passed_nothing() -> None:
    assert bound(lambda *given: given)(at_work(), "value", 1) == ("value", 1)


# --- how much they may do ------------------------------------------------------------------------------------------


@example("ab" * 40, None)
@example({"ab" * 40: None}, None)
@given(JSON, JSON)
def test_a_value_weighs_no_less_than_it_takes_to_write_out_and_shared_parts_as_often_as_they_occur(
    value: Any,  # noqa: ANN401 - any JSON
    other: Any,  # noqa: ANN401 - as above
) -> None:
    assert weight(value) >= len(compact(value))
    assert weight([value, value, other]) == weight([]) + 2 * weight(value) + weight(other)


def test_to_weigh_a_value_that_shares_its_parts_without_end_takes_an_end() -> None:
    value: list[Any] = ["a"]
    for _ in range(200):
        value = [value, value]
    assert weight(value) > WORK


@pytest.mark.parametrize(
    ("name", "value", "args"),
    [
        ("batch", [1], ["x"]),
        ("center", "a", []),
        ("indent", "a\nb", []),
        ("slice", [1], ["x"]),
        ("wordwrap", "a", []),
        (".zfill", "a", []),
    ],
)
def test_a_width_or_a_number_of_parts_is_a_thousand_at_most(name: str, value: object, args: list[object]) -> None:
    list(called(name, value, 1000, *args))
    for too_large in (1001, -1001, Decimal(1001)):
        with pytest.raises(Unmappable, match="1000 at most"):
            called(name, value, too_large, *args)


def test_a_width_given_by_its_name_is_held_to_the_same() -> None:
    with pytest.raises(Unmappable, match="1000 at most"):
        called("center", "a", width=1001)


@given(SHORT, SHORT, SHORT, st.none() | st.integers(-1, 3))
def test_what_is_replaced_is_pythons_and_all_that_is_made_is_counted(
    value: str, old: str, new: str, count: int | None
) -> None:
    for name in ("replace", ".replace"):
        evaluation = at_work()
        made = ALL[name](evaluation, value, old, new, *([] if count is None else [count]))
        assert made == value.replace(old, new, -1 if count is None else count)
        assert spent(evaluation) >= len(made) - len(value)


@given(st.lists(st.none() | st.integers(0, 99) | SHORT, max_size=4), SHORT)
def test_items_are_joined_without_the_nulls_or_in_an_identifier_not_at_all(items: list[Any], between: str) -> None:
    for name, args in (("join", (items, between)), (".join", (between, items))):
        evaluation = at_work()
        made = ALL[name](evaluation, *args)
        assert made == between.join(str(item) for item in items if item is not None)
        assert spent(evaluation) >= len(made)
        assert called(name, *args, strict=True) == (None if any(map(is_missing, items)) else made)


@given(st.lists(st.integers() | st.decimals(-(10**9), 10**9, places=6), max_size=5), st.integers(-9, 9))
def test_a_sum_is_exact_from_where_it_starts_and_each_step_is_counted(numbers: list[Any], start: int) -> None:
    evaluation = at_work()
    assert Fraction(ALL["sum"](evaluation, numbers, start=start)) == sum(map(Fraction, numbers), Fraction(start))
    assert Fraction(called("sum", [{"n": number} for number in numbers], "n")) == sum(map(Fraction, numbers))
    assert spent(evaluation) == STEP * len(numbers)


def test_markup_that_never_closes_is_counted_before_it_is_looked_through() -> None:
    with pytest.raises(Unmappable, match="more work than one value may take"):
        called("striptags", "<!--" * 2**17)


# --- text that holds numbers and times -----------------------------------------------------------------------------


@pytest.mark.parametrize(("left", "right"), [("1200", "90"), (" 5", "-6"), ("1.5", ".5")])
def test_two_texts_that_read_as_numbers_arent_put_together(left: str, right: str) -> None:
    with pytest.raises(Unmappable) as refused:
        combined("+", left, right)
    assert str(refused.value) == (
        "+ stands between two texts that read as numbers; where text holds a number, the filter float reads it, "
        "and ~ joins text"
    )
    with pytest.raises(Unmappable, match="two texts that read as numbers"):
        called("sum", [left, right], start="0")


@pytest.mark.parametrize(
    ("left", "right"),
    [("A-", "90"), ("90", " EUR"), ("12", "."), ("12.", "50"), ("+", "49"), ("", "5"), ("49", "0170"), ("+49", "170")],
)
def test_other_texts_are_put_together(left: str, right: str) -> None:
    assert combined("+", left, right) == left + right


def test_all_else_is_combined_as_arithmetic_has_it() -> None:
    assert combined("+", 1, Decimal("0.5")) == Decimal("1.5")
    assert combined("+", "5", None) is None
    with pytest.raises(Unmappable, match="doesn't go between text and a number"):
        combined("+", "5", 5)


def test_the_most_and_the_least_of_times_are_those_by_their_instant() -> None:
    early, late = "2026-04-07T16:30:00+02:00", "2026-04-07T15:00:00Z"
    for items in ([early, late], [late, early]):
        assert called("max", items) == late
        assert called("min", items) == early
        assert called("min", [{"at": item} for item in items], attribute="at") == {"at": early}


@given(st.lists(st.integers() | st.decimals(allow_nan=False, allow_infinity=False), min_size=1))
def test_the_most_and_the_least_of_numbers_are_pythons_and_each_step_is_counted(numbers: list[Any]) -> None:
    for name, choose in (("max", max), ("min", min)):
        evaluation = at_work()
        assert ALL[name](evaluation, numbers) is choose(numbers)
        assert spent(evaluation) == STEP * len(numbers)


@given(st.lists(st.text("abAB", max_size=3), min_size=1), st.booleans())
def test_the_most_and_the_least_of_texts_are_jinjas(texts: list[str], case_sensitive: bool) -> None:  # noqa: FBT001 - drawn
    for name in ("max", "min"):
        assert called(name, texts, case_sensitive) == FILTERS[name](at_work().environment, texts, case_sensitive)
    assert called("max", []) is called("min", []) is None


@pytest.mark.parametrize("name", ["max", "min"])
@pytest.mark.parametrize(
    ("items", "said"),
    [
        (["9", "10"], "two texts that read as numbers are compared"),
        (["2026-04-07", ""], "a time is neither more nor less than blank text"),
        (["2026-04-07", "yesterday"], "a time is compared with text that is no time"),
        ([1, None], "null is neither more nor less than a number|a number is neither more nor less than null"),
    ],
)
def test_of_what_has_no_order_there_is_no_most_and_no_least(name: str, items: list[Any], said: str) -> None:
    for given_so in (items, items[::-1]):
        with pytest.raises(Unmappable, match=said):
            called(name, given_so)


# --- what they work on ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["capitalize", "center", "title", "truncate", "urlencode", "escape", "replace"])
def test_a_filter_on_text_takes_a_number_as_it_is_written_and_no_array(name: str) -> None:
    args = ("x", "y") if name == "replace" else ()
    assert str(called(name, Decimal("1E+1"), *args)).strip() == "10"
    with pytest.raises(Unmappable, match="found an array"):
        called(name, [1], *args)


@pytest.mark.parametrize("name", sorted(METHODS))
def test_no_method_changes_what_it_is_called_on(name: str) -> None:
    record = {"object": {"a": [1]}, "array": [2, 1, "a"]}
    before = copy.deepcopy(record)
    for value, args in itertools.product(record.values(), [(), ("a",), (0,), ({"b": 1},)]):
        with contextlib.suppress(Unmappable, LookupError, TypeError, ValueError):
            called(f".{name}", value, *args)
    assert record == before


@pytest.mark.parametrize(
    ("name", "value", "seen"),
    [
        (".lower", ["a"], "an array has no lower()"),
        (".get", "a", "text has no get()"),
        (".items", [1], "an array has no items()"),
        (".count", {}, "an object has no count()"),
        (".split", Decimal(5), "a number has no split()"),
        (".strip", True, "a boolean has no strip()"),
    ],
)
def test_a_method_that_another_type_has_is_none_of_a_values(name: str, value: object, seen: str) -> None:
    with pytest.raises(Unmappable) as refused:
        called(name, value)
    assert str(refused.value) == seen


def test_a_method_takes_all_that_it_is_given_or_refuses_it() -> None:
    assert called(".replace", "aaa", "a", "b", count=1) == "baa"
    with pytest.raises(TypeError):
        called(".join", "-", ["a"], 1)


def test_what_an_object_holds_comes_as_lists_that_keep_their_order() -> None:
    value = {"b": 1, "a": 2}
    found = [called(f".{name}", value) for name in ("keys", "values", "items")]
    assert found == [["b", "a"], [1, 2], [("b", 1), ("a", 2)]]


def test_numbers_are_written_as_json_to_their_last_digit() -> None:
    assert called("tojson", {"a": [Decimal("1.10"), 2**64 + 1, None]}) == '{"a":[1.10,18446744073709551617,null]}'
