from __future__ import annotations

from typing import Any

import pytest

from target_applied_events.mapping.columns import Columns

SCHEMA: dict[str, Any] = {
    "type": "object",
    "definitions": {"place": {"type": "object", "properties": {"city": {"type": "string"}}}, "loop": {"$ref": "#/x"}},
    "x": {"$ref": "#/definitions/loop"},
    "properties": {
        "email": {"type": ["null", "string"]},
        "order-id": {"type": "integer"},
        "open": {},
        "loose": {"type": ["null", "object"]},
        "customer": {
            "type": ["null", "object"],
            "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
        },
        "any_of": {"anyOf": [{"type": "null"}, {"type": "object", "properties": {"a": {"type": "number"}}}]},
        "one_of": {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "integer"}}]},
        "half": {"anyOf": [{"type": "object", "properties": {"a": {}}}, {"type": "object"}]},
        "lines": {"type": "array", "items": {"type": "object", "properties": {"price": {"type": "number"}}}},
        "place": {"$ref": "#/definitions/place"},
        "places": {"type": ["array", "null"], "items": {"anyOf": [{"$ref": "#/definitions/place"}, {"type": "null"}]}},
        "elsewhere": {"$ref": "https://example.com/schema#/a"},
        "dangling": {"$ref": "#/definitions/none"},
        "loop": {"$ref": "#/definitions/loop"},
        "never": {"type": "null"},
        "all_of": {"allOf": [{"type": "string"}]},
        "strange": {"type": {"not": "a type"}, "properties": [], "anyOf": "nothing"},
        "boolean": True,
        "free": {"type": ["object", "null"], "properties": {}, "additionalProperties": True},
        "listed": {"properties": {"e-mail": {}, "address1": {}}, "additionalProperties": {"type": "string"}},
        "closed": {"properties": {}, "additionalProperties": False},
    },
}
COLUMNS = Columns("orders", SCHEMA)


@pytest.mark.parametrize(
    "path",
    [
        ("email",),
        ("order-id",),
        ("_sdc_deleted_at",),
        ("open", "a", 0, "b"),
        ("loose", "a"),
        ("customer", "name"),
        ("any_of", "a"),
        ("one_of", 0),
        ("half", "b"),
        ("lines", 0, "price"),
        ("lines", -1, "price"),
        ("place", "city"),
        ("places", 3, "city"),
        ("elsewhere", "a"),
        ("dangling", "a"),
        ("loop", "a"),
        ("never", "a"),
        ("all_of", "a"),
        ("strange", "a"),
        ("boolean", "a"),
        ("free", "a"),
        ("listed", "phone"),
    ],
)
def test_a_path_that_a_record_may_have_is_no_mistake(path: tuple[str | int, ...]) -> None:
    assert COLUMNS.missing(path) is None


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (("emial",), 'the stream orders has no column "emial"; did you mean "email"?'),
        (("Email",), 'the stream orders has no column "Email"; did you mean "email"?'),
        (("null",), 'has no column "null"; what is empty is written none: {{ closed_at is none }}'),
        (("zzz",), 'the stream orders has no column "zzz"; it has email, order-id, open, '),
        (
            ("customer", "namx"),
            'the column "customer" of the stream orders has no property "namx"; did you mean "name"?',
        ),
        (("customer", "_sdc_x"), 'has no property "_sdc_x"'),
        (("any_of", "b"), 'has no property "b"'),
        (
            ("lines", 0, "prise"),
            'the column "lines.0" of the stream orders has no property "prise"; did you mean "price"?',
        ),
        (("place", "ctiy"), 'did you mean "city"?'),
        (("places", 0, "ctiy"), 'did you mean "city"?'),
        (("email", "x"), "is a string, no path leads into it; the filter fromjson reads JSON out of text"),
        (("order-id", "x"), "is an integer, no path leads into it"),
        (("closed", "a"), 'the column "closed" of the stream orders has no property "a"'),
        (
            ("listed", "adress1"),
            "did you mean \"address1\"? What the schema doesn't list is listed.get('adress1')",
        ),
        (("lines", "price"), "is an array, no path leads into it"),
        (("customer", 0), "is an object, no path leads into it"),
        (("customer", "name", "first"), 'the column "customer.name" of the stream orders is a string'),
    ],
)
def test_a_path_that_no_record_has_is_named_with_what_is_near(path: tuple[str | int, ...], said: str) -> None:
    assert said in (COLUMNS.missing(path) or "")


@pytest.mark.parametrize(
    ("path", "types"),
    [
        (("email",), {"string"}),
        (("open",), set()),
        (("customer",), {"object"}),
        (("customer", "age"), {"integer"}),
        (("one_of",), {"string", "array"}),
        (("one_of", 0), set()),
        (("any_of",), {"object"}),
        (("any_of", "a"), {"number"}),
        (("lines", 0, "price"), {"number"}),
        (("place",), {"object"}),
        (("elsewhere",), set()),
        (("loop",), set()),
        (("never",), set()),
        (("all_of",), set()),
        (("strange",), set()),
        (("absent",), set()),
    ],
)
def test_types_are_what_the_schema_says_and_nothing_where_it_does_not(
    path: tuple[str | int, ...], types: set[str]
) -> None:
    assert COLUMNS.types(path) == types


def test_a_schema_without_properties_names_no_column_and_may_have_any() -> None:
    assert Columns("s", {}).names() == ()
    assert Columns("s", {}).missing(("a",)) is None


def test_requirements_beside_properties_take_no_column_away() -> None:
    schema = {"properties": SCHEMA["properties"], "anyOf": [{"required": ["email"]}, {"required": ["order-id"]}]}
    assert Columns("s", schema).missing(("email",)) is None
    assert Columns("s", schema).names() == COLUMNS.names()
