"""A record against its schema: who passes, what is said of those who don't, and that nothing raises."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_applied_events.errors import SchemaError
from target_applied_events.validation.json_schema import FORMATS
from target_applied_events.validation.validator import MAX_VIOLATIONS, Validator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_applied_events.event import Record

DRAFT_4 = "http://json-schema.org/draft-04/schema#"
DRAFT_7 = "http://json-schema.org/draft-07/schema#"
SECRET = "Rosa Luxemburg"


def validator(properties: Mapping[str, Any], **rules: object) -> Validator:
    return Validator("orders", {"type": "object", "properties": properties, **rules}, ["id"])


def broken(properties: Mapping[str, Any], record: Record, **rules: object) -> list[tuple[str, str]]:
    violations = validator(properties, **rules).violations({"id": 1, **record})
    return [(violation.path, violation.message.partition(";")[0]) for violation in violations]


def accepts(rule: Mapping[str, Any], value: Any, **rules: object) -> bool:  # noqa: ANN401 - any value of a record
    return not broken({"value": rule}, {"value": value}, **rules)


# --- what is said --------------------------------------------------------------------------------------------------


def test_a_valid_record_has_no_violations() -> None:
    assert broken({"id": {"type": "integer"}, "name": {"type": ["string", "null"]}}, {"name": None}) == []


def test_a_missing_key_property_is_a_violation_even_when_the_schema_does_not_require_it() -> None:
    (violation,) = validator({}).violations({"name": "x"})
    assert (violation.path, violation.message) == ("$.id", "is missing, and it is a key property")


def test_a_missing_key_property_is_told_once_when_the_schema_requires_it_too() -> None:
    assert len(validator({}, required=["id"]).violations({})) == 1


@pytest.mark.parametrize(
    ("rule", "value", "path", "message"),
    [
        ({"type": "string"}, 1, "$.value", "is an integer where string is wanted"),
        ({"type": ["string", "null"]}, True, "$.value", "is a boolean where string or null is wanted"),
        ({"format": "uuid"}, "x", "$.value", "is a string that is no uuid"),
        ({"enum": ["a", "b"]}, "c", "$.value", "is a string that isn't among the listed values"),
        ({"maximum": 3}, Decimal("3.5"), "$.value", "is a number that breaks the rule maximum: 3"),
        ({"multipleOf": 0.01}, Decimal("0.001"), "$.value", "is a number that breaks the rule multipleOf: 0.01"),
        ({"maxLength": 2}, "abc", "$.value", "is a string that breaks the rule maxLength: 2"),
        ({"pattern": "^a"}, "b", "$.value", 'is a string that breaks the rule pattern: "^a"'),
        (
            {"anyOf": [{"type": "string"}, {"type": "null"}]},
            1,
            "$.value",
            "is an integer that fits none of the alternatives (string or null)",
        ),
        ({"anyOf": [{"format": "date"}, {"type": "null"}]}, "x", "$.value", "is a string that is no date"),
        (
            {"oneOf": [{"minimum": 1}, {"minimum": 2}]},
            3,
            "$.value",
            "is an integer that fits more than one of the alternatives",
        ),
        ({"required": ["name"]}, {}, "$.value.name", "is missing and required"),
        ({"properties": {"in": {"type": "string"}}}, {"in": 1}, "$.value.in", "is an integer where string is wanted"),
        ({"items": {"type": "string"}}, ["a", 1], "$.value[1]", "is an integer where string is wanted"),
        ({"properties": {"a-b": {"type": "null"}}}, {"a-b": 1}, '$.value["a-b"]', "is an integer where null is wanted"),
        ({"additionalProperties": False}, {"x": 1}, "$.value.x", "isn't listed, and nothing else is allowed"),
    ],
)
def test_a_violation_tells_the_place_and_the_rule(rule: dict[str, Any], value: Any, path: str, message: str) -> None:  # noqa: ANN401 - any value
    assert broken({"value": rule}, {"value": value}) == [(path, message)]


@pytest.mark.parametrize(
    "rule",
    [
        {"type": "integer"},
        {"format": "date"},
        {"enum": [1]},
        {"const": 1},
        {"pattern": "^x"},
        {"maxLength": 1},
        {"minLength": 99},
        {"anyOf": [{"type": "null"}, {"maxLength": 3}]},
        {"oneOf": [True, {"type": "string"}]},
        {"not": {}},
        False,
    ],
)
def test_no_violation_holds_a_value(rule: Any) -> None:  # noqa: ANN401 - any rule
    rules = validator({"value": rule, "list": {"items": rule}, "object": {"properties": {"inner": rule}}})
    records: list[Record] = [{"value": SECRET}, {"list": [SECRET]}, {"object": {"inner": SECRET}}]
    for record in records:
        found = rules.violations({"id": 1, **record})
        assert found
        assert SECRET not in repr(found)


def test_the_first_violation_of_a_column_names_stream_maps_and_only_the_first() -> None:
    rules = {name: {"type": "string"} for name in "abc"}
    first, *others = validator(rules).violations({"id": 1, "a": 1, "b": 1, "c": 1})
    assert "can be dropped with stream_maps" in first.message
    assert all("stream_maps" not in violation.message for violation in others)


def test_a_column_that_nothing_maps_is_checked_like_any_other() -> None:
    assert broken({"id": {"type": "integer"}, "noise": {"type": "integer"}}, {"noise": "x"})


def test_no_more_than_some_violations_are_listed() -> None:
    record: dict[str, Any] = {"id": 1, "list": [1] * 100_000}
    assert len(validator({"list": {"items": {"type": "string"}}}).violations(record)) == MAX_VIOLATIONS


# --- deleted rows --------------------------------------------------------------------------------------------------


def test_a_deleted_row_needs_no_more_than_its_key() -> None:
    rules = validator({"name": {"type": "string"}}, required=["id", "name"])
    record: dict[str, Any] = {"id": 1, "_sdc_deleted_at": "2026-01-01T00:00:00Z"}
    assert rules.violations(record)
    assert not rules.violations(record, deleted=True)


def test_a_deleted_row_is_held_to_every_other_rule() -> None:
    rules = validator({"name": {"type": "string"}, "inner": {"required": ["x"]}}, required=["id", "name"])
    assert [v.path for v in rules.violations({"name": 1, "inner": {}}, deleted=True)] == ["$.id", "$.name", "$.inner.x"]


# --- nulls in arrays -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("draft", [DRAFT_4, DRAFT_7, None])
def test_null_is_allowed_as_an_item_of_any_array(draft: str | None) -> None:
    named = {"$schema": draft} if draft else {}
    nested = {"type": "array", "items": {"type": "array", "items": {"type": "string"}}}
    assert accepts(nested, [None, ["a", None]], **named)
    assert not accepts(nested, [None, ["a", 1]], **named)


def test_null_is_allowed_in_arrays_with_a_schema_for_each_place() -> None:
    rule = {"items": [{"type": "string"}], "additionalItems": {"type": "integer"}}
    assert accepts(rule, [None, None, 1], **{"$schema": DRAFT_7})
    assert not accepts(rule, [None, "x"], **{"$schema": DRAFT_7})
    assert accepts({"prefixItems": [{"type": "string"}]}, [None])


def test_null_is_not_allowed_where_a_schema_is_shared_by_an_array_and_a_column() -> None:
    rules = {"list": {"items": {"type": "string"}}, "one": {"$ref": "#/properties/list/items"}}
    assert not broken(rules, {"list": [None], "one": "a"})
    assert broken(rules, {"list": [None], "one": None})


def test_a_column_may_be_called_items() -> None:
    assert broken({"items": {"type": "string"}}, {"items": None})
    assert broken({"items": {"type": "array"}}, {"items": None})


# --- formats -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "value", "good"),
    [
        ("date-time", "2026-04-07T14:30:00Z", True),
        ("date-time", "2026-04-07T14:30:00.123456+02:00", True),
        ("date-time", "2026-04-07 14:30:00", True),
        ("date-time", "2026-04-07", True),
        ("date-time", "yesterday", False),
        ("date-time", "2026-02-30T00:00:00Z", False),
        ("date", "2026-04-07", True),
        ("date", "2026-04-07T00:00:00Z", False),
        ("uuid", "66e4b3a0-5b0e-4f57-9d2a-1c2d3e4f5a6b", True),
        ("uuid", "66E4B3A0-5B0E-4F57-9D2A-1C2D3E4F5A6B", True),
        ("uuid", "66e4b3a05b0e4f579d2a1c2d3e4f5a6b", False),
        ("uuid", "{66e4b3a0-5b0e-4f57-9d2a-1c2d3e4f5a6b}", False),
        ("email", "nobody", True),
        ("ipv4", "999", True),
        ("regex", "(", True),
    ],
)
@pytest.mark.parametrize("draft", [DRAFT_4, DRAFT_7, "https://json-schema.org/draft/2020-12/schema"])
def test_date_time_date_and_uuid_are_checked_and_no_other_format(draft: str, form: str, value: str, good: bool) -> None:  # noqa: FBT001 - a table's column
    assert accepts({"type": "string", "format": form}, value, **{"$schema": draft}) is good


# --- numbers -------------------------------------------------------------------------------------------------------

DIGITS_38 = "12345678901234567890123456789012345678"


@pytest.mark.parametrize("unit", [0.01, Decimal("0.01")])
def test_multiple_of_is_exact_to_38_digits(unit: float | Decimal) -> None:
    assert accepts({"multipleOf": unit}, Decimal("0.29"))
    assert accepts({"multipleOf": unit}, Decimal(DIGITS_38 + ".01"))
    assert not accepts({"multipleOf": unit}, Decimal(DIGITS_38 + ".001"))
    assert not accepts({"multipleOf": unit}, Decimal("0." + "0" * 37 + "1"))


def test_multiple_of_the_smallest_unit_of_38_digits_is_exact() -> None:
    assert accepts({"multipleOf": 1e-38}, Decimal("0." + DIGITS_38))
    assert not accepts({"multipleOf": 1e-38}, Decimal("0." + DIGITS_38 + "1"))


@pytest.mark.parametrize("unit", [1, 3, Decimal("1.0")])
@pytest.mark.parametrize("value", ["1190524078798134.875", "11905240787981340.875", "9007199254740993.5"])
def test_a_fraction_is_no_multiple_of_a_whole_number_however_long_it_is(unit: int | Decimal, value: str) -> None:
    assert not accepts({"multipleOf": unit}, Decimal(value))


exact_numbers = st.one_of(st.integers(), st.decimals(allow_nan=False, allow_infinity=False, places=6))


@given(exact_numbers, exact_numbers.filter(lambda number: number > 0))
def test_multiple_of_agrees_with_fractions(value: int | Decimal, unit: int | Decimal) -> None:
    assert accepts({"multipleOf": unit}, value) is ((Fraction(value) / Fraction(unit)).denominator == 1)


ODD_NUMBERS = [
    *map(Decimal, ("1E+400", "1E+999999", "1E-999999", "NaN", "sNaN", "Infinity")),
    *(10**400, 10**5000, -(10**5000), 1e308, float("nan")),
]


@pytest.mark.parametrize("value", ODD_NUMBERS, ids=[f"number {place}" for place in range(len(ODD_NUMBERS))])
@pytest.mark.parametrize(
    "rule",
    [
        {"type": "number", "multipleOf": 0.01},
        {"type": "integer"},
        {"maximum": 1e38, "minimum": -1e38},
        {"type": "string"},
        {"enum": [1]},
        {"const": Decimal("0.1")},
        {"anyOf": [{"type": "string"}, {"type": "null"}]},
        {"not": {"type": "number"}},
        {},
    ],
)
def test_no_number_makes_a_validator_raise(rule: dict[str, Any], value: Any) -> None:  # noqa: ANN401 - any number
    for draft in (DRAFT_4, DRAFT_7):
        violations = validator({"value": rule}, **{"$schema": draft}).violations({"id": 1, "value": value})
        assert all(violation.path == "$.value" for violation in violations)


def test_bounds_are_exact_beyond_what_a_float_can_tell_apart() -> None:
    bound = {"maximum": 2**53}
    assert accepts(bound, 2**53)
    assert not accepts(bound, 2**53 + 1)
    assert not accepts(bound, Decimal(2**53) + Decimal("1E-10"))


def test_a_whole_decimal_is_an_integer_except_in_draft_4() -> None:
    assert accepts({"type": "integer"}, Decimal("1.0"))
    assert not accepts({"type": "integer"}, Decimal("1.5"))
    assert not accepts({"type": "integer"}, Decimal("1.0"), **{"$schema": DRAFT_4})


# --- odd records ---------------------------------------------------------------------------------------------------


def nested(depth: int) -> Any:  # noqa: ANN401 - an array in an array in an array
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def test_nesting_never_makes_a_validator_raise() -> None:
    assert accepts({}, nested(100_000))
    assert not accepts({"type": "string"}, nested(100_000))
    assert not accepts({"items": {"items": {"type": "string"}}}, nested(100_000))


def test_nesting_that_a_schema_follows_all_the_way_never_makes_a_validator_raise() -> None:
    lists = {"$defs": {"list": {"type": ["array", "string"], "items": {"$ref": "#/$defs/list"}}}}
    deep = nested(9_000)  # ten times what any reader of JSON lets through
    assert broken({"value": {"$ref": "#/$defs/list"}}, {"value": deep}, **lists) == [
        ("$", "is nested too deeply to be checked")
    ]


@pytest.mark.parametrize("value", ["\ud800", {"\ud800": 1}, {1, 2}, b"x", object()])
def test_what_is_no_json_never_makes_a_validator_raise(value: Any) -> None:  # noqa: ANN401 - any value
    assert not accepts({"type": "integer"}, value)


def test_a_pattern_that_only_one_of_both_can_read_is_still_checked() -> None:
    assert accepts({"pattern": r"^\p{L}+$"}, "Straße")
    assert not accepts({"pattern": r"^\p{L}+$"}, "1")


# --- drafts and invalid schemas ------------------------------------------------------------------------------------


def test_draft_4_is_understood_whether_the_schema_names_it_or_not() -> None:
    rule = {"maximum": 10, "exclusiveMaximum": True}
    for named in ({"$schema": DRAFT_4}, {"$schema": "https://example.com/own"}, {}):
        assert accepts(rule, Decimal("9.99"), **named)
        assert not accepts(rule, 10, **named)


def test_a_schema_for_each_item_is_understood_without_a_draft() -> None:
    assert not accepts({"items": [{"type": "string"}]}, [1])


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "objekt"}, "at $.type"),
        ({"properties": {"name": {"type": ["strin"]}}}, "at $.properties.name.type"),
        ({"properties": {"name": {"multipleOf": 0}}}, "at $.properties.name.multipleOf"),
        ({"properties": {"name": {"pattern": "("}}}, "at $.properties.name.pattern"),
        ({"properties": []}, "at $.properties,"),
        ({"required": "id"}, "at $.required"),
        ({"$schema": DRAFT_7, "properties": {"a": {"exclusiveMaximum": True}}}, "at $.properties.a.exclusiveMaximum"),
        ({"properties": {"name": {"$ref": "#/definitions/none"}}}, "/definitions/none"),
        ({"properties": {"name": {"$ref": "http://127.0.0.1:1/schema"}}}, "http://127.0.0.1:1/schema"),
    ],
)
def test_an_invalid_schema_is_named_with_its_stream_and_the_place(schema: dict[str, Any], said: str) -> None:
    with pytest.raises(SchemaError, match="the stream orders is invalid") as raised:
        Validator("orders", schema, [])
    assert said in str(raised.value)


def test_a_schema_nested_beyond_reason_is_an_invalid_one() -> None:
    schema: dict[str, Any] = {}
    for _ in range(10_000):
        schema = {"properties": {"a": schema}}
    with pytest.raises(SchemaError, match="too deeply"):
        Validator("orders", schema, [])


def test_the_schema_given_is_left_as_it_was() -> None:
    schema = {"properties": {"a": {"type": "array", "items": {"type": "string", "format": "email", "multipleOf": 0.1}}}}
    before = json.dumps(schema)
    Validator("orders", schema, []).violations({"a": [1]})
    assert json.dumps(schema) == before


# --- one word with jsonschema --------------------------------------------------------------------------------------

names = st.sampled_from(["a", "b", "items"])
numbers = st.one_of(st.integers(-3, 3), st.integers(-3, 3).map(lambda tenths: Decimal(tenths) / 2))
scalars = st.one_of(
    st.none(), st.booleans(), numbers, st.sampled_from(["", "a", "ab", "2026-01-01", "2026-01-01T00:00:00Z"])
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner.filter(lambda item: item is not None), max_size=3) | st.dictionaries(names, inner, max_size=3)
    ),
    max_leaves=6,
)
types = st.sampled_from(["null", "boolean", "integer", "number", "string", "array", "object"])
rules = st.one_of(
    st.fixed_dictionaries({"type": st.one_of(types, st.lists(types, min_size=1, max_size=3, unique=True))}),
    st.fixed_dictionaries({"enum": st.lists(scalars, min_size=1, max_size=4)}),
    st.fixed_dictionaries({"format": st.sampled_from(["date-time", "date", "uuid"])}),
    st.fixed_dictionaries({"minimum": numbers}),
    st.fixed_dictionaries({"exclusiveMaximum": numbers}),
    st.fixed_dictionaries({"multipleOf": st.sampled_from([1, 2, Decimal("0.5"), Decimal("1.5")])}),
    st.fixed_dictionaries({"maxLength": st.integers(0, 2)}),
    st.fixed_dictionaries({"minItems": st.integers(0, 2), "uniqueItems": st.booleans()}),
    st.fixed_dictionaries({"pattern": st.sampled_from(["^a", "b$", "^$"])}),
    st.fixed_dictionaries({"required": st.lists(names, unique=True, max_size=2)}),
)
schemas = st.recursive(
    rules,
    lambda inner: st.one_of(
        st.fixed_dictionaries(
            {"properties": st.dictionaries(names, inner), "additionalProperties": st.booleans() | inner}
        ),
        st.fixed_dictionaries({"items": inner}),
        st.fixed_dictionaries({"anyOf": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"oneOf": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"allOf": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"not": inner}),
        st.builds(lambda left, right: left | right, inner, inner),
    ),
    max_leaves=6,
)


def whole(_: object, value: object) -> bool:
    return (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, Decimal) and value % 1 == 0)


def reference(draft: Any, schema: dict[str, Any]) -> Any:  # noqa: ANN401 - jsonschema's classes
    checker = jsonschema.FormatChecker(formats=())
    for name, check in FORMATS.items():
        checker.checks(name)(lambda value, check=check: not isinstance(value, str) or bool(check(value)))
    with_decimals: Any = jsonschema.validators.extend  # type: ignore[no-untyped-call,unused-ignore]
    return with_decimals(draft, type_checker=draft.TYPE_CHECKER.redefine("integer", whole))(
        schema, format_checker=checker
    )


@pytest.mark.parametrize("draft", [jsonschema.Draft7Validator, jsonschema.Draft202012Validator])
@given(properties=st.dictionaries(names, schemas, min_size=1), record=st.dictionaries(names, values))
def test_good_and_bad_are_what_jsonschema_says(draft: Any, properties: dict[str, Any], record: dict[str, Any]) -> None:  # noqa: ANN401 - jsonschema's classes
    schema = {"$schema": draft.META_SCHEMA["$id"], "type": "object", "properties": properties}
    good = reference(draft, schema).is_valid(record)
    assert (Validator("orders", schema, []).violations(record) == ()) is good
