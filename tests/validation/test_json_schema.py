from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_applied_events.validation.json_schema import FORMATS, Draft, drafts_of, exact

BEGUN = "http://json-schema.org/"
URIS = {
    "4": f"{BEGUN}draft-04/schema#",
    "6": f"{BEGUN}draft-06/schema#",
    "7": f"{BEGUN}draft-07/schema#",
    "2019-09": "https://json-schema.org/draft/2019-09/schema",
    "2020-12": "https://json-schema.org/draft/2020-12/schema",
}
DRAFTS = {name: drafts_of({"$schema": uri})[0] for name, uri in URIS.items()}
every_draft = pytest.mark.parametrize("draft", DRAFTS.values(), ids=DRAFTS)


def words(draft: Draft, schema: dict[str, Any], value: Any) -> tuple[bool, bool]:  # noqa: ANN401 - any JSON
    """What the quick one and the thorough one say."""
    quick, thorough = draft.compile(schema)
    return quick.is_valid(value), thorough.is_valid(value)


# --- drafts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("uri", URIS.values())
def test_a_draft_is_known_by_its_address_however_it_begins_and_ends(uri: str) -> None:
    (named,) = drafts_of({"$schema": uri})
    place = uri.partition("://")[2].rstrip("#")
    written = [f"{begun}{place}{end}" for begun in ("http://", "https://", "") for end in ("", "#", "/", "/#")]
    assert all(drafts_of({"$schema": other}) == (named,) for other in written)
    assert list(DRAFTS.values()).count(named) == 1


@pytest.mark.parametrize("schema", [{}, {"$schema": None}, {"$schema": 7}, {"$schema": "https://example.com/own"}])
def test_a_schema_that_names_no_draft_is_tried_as_the_latest_first(schema: dict[str, Any]) -> None:
    assert drafts_of(schema) == (DRAFTS["2020-12"], DRAFTS["7"], DRAFTS["4"])


@pytest.mark.parametrize(
    ("schema", "read_by"),
    [
        ({"maximum": 5, "exclusiveMaximum": True}, {"4"}),
        ({"exclusiveMaximum": 5}, {"6", "7", "2019-09", "2020-12"}),
        ({"items": [{}]}, {"4", "6", "7", "2019-09"}),
        ({"type": "objekt"}, set()),
        ({"$ref": "http://127.0.0.1:1/schema"}, set()),
        ({"$ref": "#/definitions/none"}, set()),
    ],
)
def test_a_schema_that_is_none_of_a_draft_raises_a_value_error(schema: dict[str, Any], read_by: set[str]) -> None:
    found = set()
    for name, draft in DRAFTS.items():
        try:
            draft.compile(schema)
        except ValueError:
            continue
        found.add(name)
    assert found == read_by


@every_draft
@pytest.mark.parametrize("said", [*URIS.values(), "https://example.com/own", None, 7])
def test_a_draft_is_what_it_is_whatever_the_schema_says(draft: Draft, said: object) -> None:
    assert words(draft, {"$schema": said, "minimum": 5}, 4) == (False, False)


# --- the rules of this project -------------------------------------------------------------------------------------


@every_draft
@pytest.mark.parametrize(
    ("rule", "good", "bad"),
    [
        ({"items": {"type": "string"}}, [None, "a"], [None, 1]),
        ({"items": {"items": {"type": "string"}}}, [None, [None]], [[1]]),
        ({"properties": {"items": {"type": "string"}}}, {"items": "a"}, {"items": None}),
        ({"properties": {"a": {"items": {"enum": [1]}}}}, {"a": [None]}, {"a": [2]}),
        ({"anyOf": [{"items": {"type": "string"}}, {"type": "null"}]}, [None], [1]),
        ({"additionalProperties": {"items": {"type": "string"}}}, {"x": [None]}, {"x": [1]}),
        ({"patternProperties": {"^x": {"items": {"type": "string"}}}}, {"x": [None]}, {"x": [1]}),
        ({"not": {"items": {"type": "string"}}}, [1], [None]),
        ({"format": "date-time"}, "2026-04-07 14:30:00", "yesterday"),
        ({"format": "date-time"}, 5, "2026-02-30T00:00:00Z"),
        ({"format": "date"}, "2026-04-07", "2026-04-07T00:00:00Z"),
        ({"format": "uuid"}, "66E4B3A0-5B0E-4F57-9D2A-1C2D3E4F5A6B", "66e4b3a05b0e4f579d2a1c2d3e4f5a6b"),
        ({"format": "email", "type": "string"}, "nobody", 5),
        ({"multipleOf": Decimal("0.01")}, Decimal("1E+30"), Decimal("0.001")),
        ({"multipleOf": 1}, 2**64, Decimal("9007199254740993.5")),
        ({"multipleOf": 1, "allOf": [{"minimum": 5}]}, 6, 4),
    ],
)
def test_the_quick_one_and_the_thorough_one_read_a_rule_alike(
    draft: Draft,
    rule: dict[str, Any],
    good: Any,  # noqa: ANN401 - any JSON
    bad: Any,  # noqa: ANN401 - any JSON
) -> None:
    assert words(draft, rule, good) == (True, True)
    assert words(draft, rule, bad) == (False, False)


@every_draft
@pytest.mark.parametrize("keyword", ["default", "examples", "enum", "const"])
def test_what_only_looks_like_a_schema_is_left_as_it_is(draft: Draft, keyword: str) -> None:
    looks = {"items": {"format": "email", "multipleOf": 1}}
    value = [looks] if keyword in ("examples", "enum") else looks
    quick, thorough = draft.compile({keyword: value})
    assert (quick.is_valid(looks), thorough.is_valid(looks)) == (True, True)


@every_draft
def test_a_schema_for_items_that_is_pointed_to_stays_where_it_is(draft: Draft) -> None:
    shared = {"properties": {"list": {"items": {"type": "string"}}, "one": {"$ref": "#/properties/list/items"}}}
    assert words(draft, shared, {"list": ["a"], "one": "a"}) == (True, True)
    assert words(draft, shared, {"one": None}) == (False, False)


def test_a_whole_decimal_is_an_integer_except_in_draft_4() -> None:
    for name, draft in DRAFTS.items():
        _, thorough = draft.compile({"type": "integer"})
        assert thorough.is_valid(Decimal("1.0")) is (name != "4")
        assert not any(map(thorough.is_valid, (True, Decimal("1.5"), Decimal("NaN"))))


@pytest.mark.parametrize("name", FORMATS)
@given(value=st.none() | st.booleans() | st.integers() | st.lists(st.text()))
def test_what_is_no_text_has_every_format(name: str, value: object) -> None:
    for draft in DRAFTS.values():
        assert words(draft, {"format": name}, value) == (True, True)


# --- any schema ----------------------------------------------------------------------------------------------------

NAMES = st.sampled_from(["a", "b", "items"])
NUMBERS = st.integers(-3, 3) | st.integers(-3, 3).map(lambda halves: Decimal(halves) / 2)
SCALARS = st.none() | st.booleans() | NUMBERS | st.sampled_from(["", "a", "2026-01-01", "2026-01-01T00:00:00Z"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
TYPES = st.sampled_from(["null", "boolean", "integer", "number", "string", "array", "object"])
RULES = st.one_of(
    st.fixed_dictionaries({"type": TYPES}),
    st.fixed_dictionaries({"enum": st.lists(SCALARS, min_size=1, max_size=4)}),
    st.fixed_dictionaries({"format": st.sampled_from(["date-time", "date", "uuid", "email"])}),
    st.fixed_dictionaries({"minimum": NUMBERS}),
    st.fixed_dictionaries({"multipleOf": st.sampled_from([1, 2, Decimal("0.5"), Decimal("1.0")])}),
    st.fixed_dictionaries({"minItems": st.integers(0, 2), "uniqueItems": st.booleans()}),
    st.fixed_dictionaries({"required": st.lists(NAMES, min_size=1, unique=True, max_size=2)}),
)
SCHEMAS = st.recursive(
    RULES,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"properties": st.dictionaries(NAMES, inner), "additionalProperties": inner}),
        st.fixed_dictionaries({"items": inner}),
        st.fixed_dictionaries({"patternProperties": st.dictionaries(NAMES, inner)}),
        st.fixed_dictionaries({"anyOf": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"oneOf": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"not": inner}),
        st.builds(lambda left, right: left | right, inner, inner),
    ),
    max_leaves=6,
)


@pytest.mark.parametrize("name", DRAFTS)
@given(schema=SCHEMAS, value=VALUES)
def test_both_say_the_same_of_any_value_but_that_draft_4_has_whole_decimals_looked_at_twice(
    name: str, schema: dict[str, Any], value: object
) -> None:
    quick, thorough = words(DRAFTS[name], schema, value)
    assert quick is thorough or (name, quick) == ("4", False)


@given(schema=SCHEMAS)
def test_the_schema_given_is_left_as_it_was(schema: dict[str, Any]) -> None:
    before = json.dumps(schema, default=str)
    DRAFTS["7"].compile(schema)
    assert json.dumps(schema, default=str) == before


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    )
)
def test_a_schemas_floats_are_the_numbers_that_were_written_and_all_else_is_kept(schema: object) -> None:
    written = json.dumps(schema)
    assert exact(json.loads(written)) == json.loads(written, parse_float=Decimal)
