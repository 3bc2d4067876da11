"""A comparison that no record can meet is found at the schema, and none that a record may meet."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_applied_events.mapping.columns import Columns
from target_applied_events.mapping.comparisons import never_met
from target_applied_events.mapping.template import Template, why_not
from target_applied_events.mapping.template.notation import Unmappable
from target_applied_events.mapping.template.paths import Comparison, Constant
from tests.mapping.template.at_work import template

if TYPE_CHECKING:
    from target_applied_events.event import Json


@pytest.mark.parametrize(
    ("types", "constant", "said"),
    [
        ({"string"}, 1, "the column \"a\" is a string, which never meets 1; as text it is '1'"),
        ({"string"}, Decimal("1.50"), "; as text it is '1.50'"),
        ({"string"}, True, "; as text it is 'true'"),
        (
            {"integer", "number"},
            "7",
            "the column \"a\" is an integer or a number, which never meets the text '7'; without",
        ),
        ({"boolean"}, "true", "; without quotes it is no text: true"),
        ({"number"}, "", "the text ''; what is empty is none"),
        ({"number"}, "n/a", "which never meets the text 'n/a'"),
        ({"object"}, "x", 'the column "a" is an object, which never meets'),
        ({"array"}, 1, "which never meets 1"),
    ],
)
def test_what_never_meets_is_said_with_what_to_write(types: set[str], constant: Constant, said: str) -> None:
    assert said in (never_met(Comparison(("a",), constant), columns(a=types)) or "")


def test_a_text_column_that_is_ordered_by_a_number_is_to_be_read_as_one() -> None:
    said = never_met(Comparison(("a",), 1, is_order=True), columns(a={"string"}))
    assert said == 'the column "a" is a string, which never meets 1; a | float reads a number'


def test_two_columns_that_never_meet_are_named() -> None:
    compared = Comparison(("a",), ("b",))
    said = 'the column "a" is an integer, which never meets the column "b", a string'
    assert never_met(compared, columns(a={"integer"}, b={"string"})) == said
    assert never_met(compared, columns(a={"integer"}, b={"string", "number"})) is None
    assert never_met(compared, columns(a={"integer"}, b=set())) is None


def columns(**types: set[str]) -> Columns:
    return Columns(
        "s", {"properties": {name: {"type": sorted(found)} if found else {} for name, found in types.items()}}
    )


VALUES: dict[str, st.SearchStrategy[Json]] = {
    "string": st.text(max_size=3) | st.sampled_from(["1", "true"]),
    "integer": st.integers(-2, 2),
    "number": st.decimals(-2, 2, places=1),
    "boolean": st.booleans(),
    "array": st.lists(st.integers(), max_size=1),
    "object": st.dictionaries(st.text(max_size=1), st.integers(), max_size=1),
}
CONSTANTS: dict[str, Constant] = {
    "'1'": "1",
    "'true'": "true",
    "''": "",
    "1": 1,
    "-1.0": Decimal("-1.0"),
    "true": True,
    "0": 0,
}


@given(st.data(), st.sampled_from(sorted(CONSTANTS)), st.sampled_from(["a == {}", "a in [{}]", "{} == a", "a < {}"]))
def test_no_record_meets_what_is_said_never_to_be_met(data: st.DataObject, written: str, form: str) -> None:
    types = data.draw(st.sets(st.sampled_from(sorted(VALUES)), min_size=1))
    found = template("{{ %s }}" % form.format(written))  # noqa: UP031 - braces
    assert found.comparisons == (Comparison(("a",), CONSTANTS[written], is_order="<" in form),)
    if never_met(found.comparisons[0], columns(a=types)) is not None:
        value = data.draw(st.one_of([VALUES[name] for name in types]))
        assert outcome(found, value) is False or "<" in form


def outcome(found: Template, value: Json) -> Json:
    try:
        return found.reader("s", strict=False)({"a": value})
    except (Unmappable, TypeError) as error:
        return why_not(error)
