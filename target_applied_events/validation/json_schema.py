"""JSON Schema as taps write it: each draft in a quick and in a thorough implementation, with the rules of this project.

Both allow null as an array's item, which tap-postgres sends against its own schema, and check the same few formats.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

import jsonschema
import jsonschema_rs
import referencing

from target_applied_events.validation.keywords import OF_ITEMS, is_multiple, redefined

if TYPE_CHECKING:
    from collections.abc import Callable

Schema: TypeAlias = dict[str, Any]

_UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")

# Where schemas lie within a schema: `properties` may hold a column named `items`, and `default` may look like a schema.
_ONE_SCHEMA = {"additionalProperties", "contains", "else", "if", "not", "propertyNames", "then"}
_LISTED_SCHEMAS = {"allOf", "anyOf", "oneOf"}
_NO_FRACTION = {"anyOf": [{"not": {"type": "number"}}, {"type": "integer"}]}
_NAMED_SCHEMAS = {"$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties"}


@dataclass(frozen=True, slots=True)
class Draft:
    """One draft of JSON Schema.

    Attributes:
        quick: The class of jsonschema-rs that says yes or no.
        thorough: The class of jsonschema that explains.
    """

    quick: Any
    thorough: Any

    def compile(self, schema: Schema) -> tuple[jsonschema_rs.Validator, Any]:
        """Compile a schema twice: the quick validator, the thorough one.

        Raises:
            ValueError: The schema is no schema of this draft.
        """
        widened = _widened(schema, nullable_items=not _refers_to_items(schema))
        widened.pop("$schema", None)  # this class is the draft, whatever the schema says
        quick = self.quick(widened, formats=FORMATS, validate_formats=True, offline=True)
        return quick, self.thorough(schema, registry=referencing.Registry(), format_checker=_FORMAT_CHECKER)


def drafts_of(schema: Schema) -> tuple[Draft, ...]:
    """Return the draft that a schema names, else those that may be able to read it, likeliest first."""
    named = _DRAFT_BY_URI.get(_bare(str(schema.get("$schema"))))
    return (named,) if named else (_DRAFT_2020_12, _DRAFT_7, _DRAFT_4)


def exact(schema: Any) -> Any:  # noqa: ANN401 - any JSON
    """Copy a schema with its floats as the Decimals that they were written as."""
    match schema:
        case dict():
            return {name: exact(value) for name, value in schema.items()}
        case list():
            return [exact(value) for value in schema]
        case float():
            return Decimal(repr(schema))
        case _:
            return schema


# --- what the quick one gets ---------------------------------------------------------------------------------------


def _widened(schema: Any, *, nullable_items: bool) -> Any:  # noqa: ANN401 - a schema, or what stands in its place
    """Copy a schema with null allowed as array items, no other formats than ours, and exact multiples."""
    if not isinstance(schema, dict):
        return schema
    copy = {name: _widened_below(name, value, nullable_items=nullable_items) for name, value in schema.items()}
    if copy.get("format") not in FORMATS:
        copy.pop("format", None)
    return _strict_of_multiples(copy)


def _strict_of_multiples(schema: Schema) -> Schema:
    """Say where `multipleOf` is whole that no fraction is one: jsonschema-rs holds a float of it against the rule."""
    unit, others = schema.get("multipleOf"), schema.get("allOf", [])
    if isinstance(unit, int | Decimal) and is_multiple(unit, 1) and isinstance(others, list):
        return {**schema, "allOf": [*others, _NO_FRACTION]}
    return schema


def _widened_below(keyword: str, value: Any, *, nullable_items: bool) -> Any:  # noqa: ANN401 - any keyword's value
    def widened(schema: Any) -> Any:  # noqa: ANN401 - as above
        copy = _widened(schema, nullable_items=nullable_items)
        lift = nullable_items and keyword in OF_ITEMS and isinstance(schema, dict)
        return {"anyOf": [{"type": "null"}, copy]} if lift else copy

    match value:
        case dict() if keyword in _NAMED_SCHEMAS:
            return {name: widened(schema) for name, schema in value.items()}
        case dict() if keyword in _ONE_SCHEMA | OF_ITEMS:
            return widened(value)
        case list() if keyword in _LISTED_SCHEMAS | OF_ITEMS:
            return [widened(schema) for schema in value]
        case _:
            return value


def _refers_to_items(schema: Any) -> bool:  # noqa: ANN401 - any JSON
    """Whether a `$ref` leads into an array's items, where widening would move what it points to."""
    match schema:
        case {"$ref": str(ref)} if any(f"/{keyword}" in ref for keyword in OF_ITEMS):
            return True
        case dict():
            return any(map(_refers_to_items, schema.values()))
        case list():
            return any(map(_refers_to_items, schema))
        case _:
            return False


# --- formats -------------------------------------------------------------------------------------------------------


def _is_date_time(found: str) -> bool:
    try:
        datetime.fromisoformat(found)
    except ValueError:
        return False
    return True


def _is_date(found: str) -> bool:
    try:
        date.fromisoformat(found)
    except ValueError:
        return False
    return True


FORMATS: dict[str, Callable[[str], object]] = {"date-time": _is_date_time, "date": _is_date, "uuid": _UUID.fullmatch}
"""The formats that are checked, each a test of a string. Times with a zone and without are both a date-time."""


def _of_strings(check: Callable[[str], object]) -> Callable[[object], bool]:
    """Let what is no string have every format, as JSON Schema does."""
    return lambda value: not isinstance(value, str) or bool(check(value))


def _format_checker() -> jsonschema.FormatChecker:
    checker = jsonschema.FormatChecker(formats=())
    for name, check in FORMATS.items():
        checker.checks(name)(_of_strings(check))
    return checker


_FORMAT_CHECKER = _format_checker()


# --- drafts --------------------------------------------------------------------------------------------------------


def _is_integer(_checker: object, value: object) -> bool:
    match value:
        case bool():
            return False
        case Decimal():
            return value.is_finite() and value == value.to_integral_value()
        case float():
            return value.is_integer()
        case _:
            return isinstance(value, int)


def _thorough(draft: Any) -> Any:  # noqa: ANN401 - a class that jsonschema makes
    # In draft 4 alone 1.0 is no integer.
    decimals = draft is not jsonschema.Draft4Validator
    checker = draft.TYPE_CHECKER.redefine("integer", _is_integer) if decimals else draft.TYPE_CHECKER
    extend: Callable[..., Any] = jsonschema.validators.extend
    return extend(draft, redefined(draft.VALIDATORS), type_checker=checker)


def _bare(uri: str) -> str:
    return uri.removeprefix("http://").removeprefix("https://").rstrip("#/")


_DRAFT_4 = Draft(jsonschema_rs.Draft4Validator, _thorough(jsonschema.Draft4Validator))
_DRAFT_7 = Draft(jsonschema_rs.Draft7Validator, _thorough(jsonschema.Draft7Validator))
_DRAFT_2020_12 = Draft(jsonschema_rs.Draft202012Validator, _thorough(jsonschema.Draft202012Validator))

_DRAFT_BY_URI = {
    "json-schema.org/draft-04/schema": _DRAFT_4,
    "json-schema.org/draft-06/schema": Draft(jsonschema_rs.Draft6Validator, _thorough(jsonschema.Draft6Validator)),
    "json-schema.org/draft-07/schema": _DRAFT_7,
    "json-schema.org/draft/2019-09/schema": Draft(
        jsonschema_rs.Draft201909Validator, _thorough(jsonschema.Draft201909Validator)
    ),
    "json-schema.org/draft/2020-12/schema": _DRAFT_2020_12,
}
