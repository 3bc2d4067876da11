from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_applied_events.validation.keywords import is_multiple, redefined

DRAFTS = [
    jsonschema.Draft4Validator,
    jsonschema.Draft6Validator,
    jsonschema.Draft7Validator,
    jsonschema.Draft201909Validator,
    jsonschema.Draft202012Validator,
]
SECRET = "Rosa Luxemburg"
EXACT = st.integers() | st.decimals(allow_nan=False, allow_infinity=False, places=6)
WORDS = st.text("abé1", max_size=3)


def errors(schema: dict[str, Any], instance: Any, draft: Any = jsonschema.Draft202012Validator) -> list[Any]:  # noqa: ANN401 - any JSON, a class of jsonschema's
    extend: Any = jsonschema.validators.extend
    return list(extend(draft, redefined(draft.VALIDATORS))(schema).iter_errors(instance))


def paths(schema: dict[str, Any], instance: Any) -> list[list[object]]:  # noqa: ANN401 - any JSON
    return [list(error.absolute_path) for error in errors(schema, instance)]


@pytest.mark.parametrize("draft", DRAFTS)
def test_every_draft_keeps_its_keywords(draft: Any) -> None:  # noqa: ANN401 - a class of jsonschema's
    assert redefined(draft.VALIDATORS).keys() == draft.VALIDATORS.keys()


@pytest.mark.parametrize("draft", DRAFTS)
@pytest.mark.parametrize(
    ("schema", "instance"),
    [
        ({"required": ["name"]}, {"x": SECRET}),
        ({"additionalProperties": False}, {"x": SECRET}),
        ({"pattern": "^x"}, SECRET),
        ({"multipleOf": 5}, 7),
    ],
)
def test_an_error_made_here_holds_no_value(schema: dict[str, Any], instance: object, draft: object) -> None:
    (error,) = errors(schema, instance, draft)
    assert (error.message, error.validator) == ("", next(iter(schema)))


def test_what_is_missing_and_what_isnt_allowed_is_placed_at_its_name() -> None:
    assert paths({"required": ["a", "b", "c"]}, {"b": 1}) == [["a"], ["c"]]
    schema = {"properties": {"a": {}}, "patternProperties": {"^x": {}}, "additionalProperties": False}
    assert paths({"items": schema}, [{"b": 1, "a": 1, "x1": 1, "c": 1}]) == [[0, "b"], [0, "c"]]


@pytest.mark.parametrize("pattern", [r"^\p{Lu}", "^[A-ZÀ-Þ]"])
def test_a_pattern_that_python_cant_read_is_held_against_text_and_names_like_any_other(pattern: str) -> None:
    assert not errors({"pattern": pattern}, "École")
    assert errors({"pattern": pattern}, "école")
    named = {"patternProperties": {pattern: {"type": "string"}}, "additionalProperties": {"type": "integer"}}
    assert not errors(named, {"École": "x", "école": 1})
    assert paths(named, {"École": 1, "école": "x"}) == [["École"], ["école"]]


@given(
    listed=st.dictionaries(WORDS, st.booleans()),
    patterns=st.dictionaries(st.sampled_from(["a", "^b", "1$", "[ab]é"]), st.booleans()),
    others=st.booleans() | st.just({"type": "integer"}),
    instance=st.dictionaries(WORDS, st.integers() | st.text()),
)
def test_properties_are_allowed_just_where_jsonschema_allows_them(
    listed: dict[str, bool], patterns: dict[str, bool], *, others: object, instance: dict[str, object]
) -> None:
    schema = {"properties": listed, "patternProperties": patterns, "additionalProperties": others}
    assert bool(errors(schema, instance)) is not jsonschema.Draft202012Validator(schema).is_valid(instance)


@pytest.mark.parametrize(
    ("draft", "schema"),
    [
        *((draft, {"items": {"type": "string"}}) for draft in DRAFTS),
        *((draft, {"items": [{"type": "string"}], "additionalItems": {"type": "string"}}) for draft in DRAFTS[:-1]),
        (DRAFTS[-1], {"prefixItems": [{"type": "string"}], "items": {"type": "string"}}),
    ],
)
def test_null_is_allowed_as_an_arrays_item_and_within_an_item_it_isnt(draft: object, schema: dict[str, Any]) -> None:
    assert not errors(schema, ["a", None, None], draft)
    assert [error.absolute_path[0] for error in errors(schema, [None, 1, None, 2], draft)] == [1, 3]
    of_objects = {"items": {"properties": {"a": {"type": "string"}}}}
    assert [list(error.absolute_path) for error in errors(of_objects, [None, {"a": None}], draft)] == [[1, "a"]]


@pytest.mark.parametrize("value", [10**5000, Decimal("sNaN"), Decimal("1E+999999")], ids=["long", "NaN", "large"])
@pytest.mark.parametrize("rule", [{"maximum": 5}, {"type": "string"}, {"enum": [1]}, {"multipleOf": 7}])
def test_a_number_that_cant_be_compared_or_shown_is_an_error_and_raises_none(
    rule: dict[str, Any], value: int | Decimal
) -> None:
    assert len(errors(rule, value)) == 1


@given(EXACT, EXACT.filter(lambda number: number > 0))
def test_a_multiple_is_what_fractions_say_it_is(value: int | Decimal, unit: int | Decimal) -> None:
    assert is_multiple(value, unit) is ((Fraction(value) / Fraction(unit)).denominator == 1)


@given(st.integers(), st.integers(1), st.integers(-400, 400), st.integers(0, 400))
def test_a_number_times_another_is_its_multiple_at_any_exponent(times: int, unit: int, power: int, more: int) -> None:
    assert is_multiple(Decimal(f"{times * unit}E{power + more}"), Decimal(f"{unit}E{power}"))


@pytest.mark.parametrize(
    ("value", "unit"),
    [(0.3, 0.1), (1e22, 1e-300), (Decimal("1E+999999999"), 1), (10**5000, 10**4999)],
    ids=range(4),
)
def test_a_multiple_is_found_where_a_float_would_round_and_digits_dont_end(value: float | Decimal, unit: float) -> None:
    assert is_multiple(value, unit)


@pytest.mark.parametrize(
    ("value", "unit"), [(Decimal("NaN"), 1), (Decimal("Infinity"), 1), (1, float("inf")), (100, 0), (1e-300, 1)]
)
def test_what_has_no_quotient_is_no_multiple(value: float | Decimal, unit: float) -> None:
    assert not is_multiple(value, unit)
