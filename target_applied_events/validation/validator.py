"""Hold a record against the JSON Schema of its stream, and say which rules it breaks without saying its values."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

import jsonschema
from referencing.exceptions import Unresolvable

from target_applied_events.errors import SchemaError
from target_applied_events.event import Record, Violation
from target_applied_events.validation.json_schema import Draft, Schema, drafts_of, exact

if TYPE_CHECKING:
    import jsonschema_rs
    from jsonschema.exceptions import ValidationError

    _Error: TypeAlias = ValidationError | jsonschema.SchemaError

MAX_VIOLATIONS = 8
"""So many are listed of one record; the rest is likely more of the same."""

_ADVICE = "Check the tap, or deselect there what is at fault."
_DROP_HINT = "; a column that no mapping needs can be dropped with stream_maps"
_MAX_SHOWN_CHARACTERS = 60


class Validator:
    """Tell a stream's good records from its bad ones.

    jsonschema-rs passes the good ones, fast. What it doesn't pass is looked at again by jsonschema, whose word is
    final: a record that it accepts is good, and otherwise its errors are the explanation.
    """

    def __init__(self, stream: str, schema: Mapping[str, Any], key_properties: Sequence[str]) -> None:
        """Compile a schema.

        Args:
            stream: The stream's name, for errors.
            schema: The schema as the tap sent it: draft 4, 6, 7, 2019-09 or 2020-12.
            key_properties: The columns that every record must have.

        Raises:
            SchemaError: The schema is itself invalid.
        """
        self._stream = stream
        self._key_properties, self._keys = tuple(key_properties), frozenset(key_properties)
        try:
            whole = exact(dict(schema))
            self._rules = _compile(stream, whole)
            self._rules_of_deleted = _compile(stream, {k: v for k, v in whole.items() if k != "required"})
        except RecursionError:
            raise SchemaError(f"The SCHEMA of the stream {stream} is nested too deeply to be read. {_ADVICE}") from None

    def __repr__(self) -> str:
        """Name the stream."""
        return f"<Validator of {self._stream!r}>"

    def violations(self, record: Record, *, deleted: bool = False) -> tuple[Violation, ...]:
        """List the rules that a record breaks; none where it is valid.

        Args:
            record: The record as it was read.
            deleted: It tells of a deleted row, which may have lost all but its key: the schema's outermost `required`
                isn't asked. Within nested objects it still is.
        """
        rules = self._rules_of_deleted if deleted else self._rules
        if record.keys() >= self._keys and rules.accept(record):
            return ()
        missing = [name for name in self._key_properties if name not in record]
        keys = [Violation(_path([name]), "is missing, and it is a key property") for name in missing]
        told = {violation.path for violation in keys}
        others = (violation for violation in rules.explain(record) if violation.path not in told)
        return tuple(itertools.islice(itertools.chain(keys, _hinting(others)), MAX_VIOLATIONS))


@dataclass(frozen=True, slots=True)
class _Rules:
    """One schema, compiled twice."""

    quick: jsonschema_rs.Validator
    thorough: Any

    def accept(self, record: Record) -> bool:
        """Whether the quick one passes a record."""
        try:
            return self.quick.is_valid(record if isinstance(record, dict) else dict(record))
        except ValueError:  # no value of JSON, or nested too deeply
            return False

    def explain(self, record: Record) -> Iterator[Violation]:
        """Yield what the thorough one finds; nothing where it accepts the record."""
        try:
            for error in self.thorough.iter_errors(record):
                for cause in _causes(error):
                    yield Violation(_path(cause.absolute_path), _message(cause))
        except RecursionError:
            yield Violation("$", "is nested too deeply to be checked")
        except Unresolvable:
            yield Violation("$", "meets a $ref of the schema that leads nowhere")


def _compile(stream: str, schema: Schema) -> _Rules:
    problem: ValueError | None = None
    drafts = drafts_of(schema)
    for draft in drafts:
        try:
            return _Rules(*draft.compile(schema))
        except ValueError as error:
            problem = problem or error
    raise SchemaError(f"The SCHEMA of the stream {stream} is invalid{_fault(schema, drafts[0], problem)}. {_ADVICE}")


def _fault(schema: Schema, draft: Draft, problem: ValueError | None) -> str:
    """Say what is wrong with a schema, and where."""
    try:
        draft.thorough.check_schema(schema)
    except jsonschema.SchemaError as error:
        cause = next(_causes(error))
        return f" at {_path(cause.absolute_path)}, which {_message(cause)}"
    except (ArithmeticError, TypeError, ValueError):
        return ": it holds what is no value of JSON"
    return f": {str(problem).partition(chr(10))[0]}"


def _hinting(violations: Iterator[Violation]) -> Iterator[Violation]:
    """Name the way to drop a column, once, with the first violation in one."""
    for first in violations:
        yield first if first.path == "$" else Violation(first.path, first.message + _DROP_HINT)
        yield from violations


# --- words ---------------------------------------------------------------------------------------------------------


def _causes(error: _Error) -> Iterator[_Error]:
    """Yield the errors that explain one: where a single alternative has the value's type, those within it."""
    alternatives: dict[object, list[_Error]] = {}
    for inner in error.context or ():
        alternatives.setdefault(inner.relative_schema_path[0], []).append(inner)
    fitting = [errors for errors in alternatives.values() if not any(map(_is_of_wrong_type, errors))]
    if len(fitting) == 1:
        for cause in fitting[0]:
            yield from _causes(cause)
    else:
        yield error


def _is_of_wrong_type(error: _Error) -> bool:
    return error.validator == "type" and not error.relative_path


def _path(places: Iterable[object]) -> str:
    return "$" + "".join(map(_step, places))


def _step(place: object) -> str:
    if isinstance(place, int):
        return f"[{place}]"
    return f".{place}" if str(place).isidentifier() else f"[{_shown(place)}]"


def _shown(value: object) -> str:
    """Write a value of the schema, or a column's name, cut short."""
    if isinstance(value, Decimal):
        return str(value)
    try:
        text = json.dumps(value, default=str)
    except (RecursionError, TypeError, ValueError):
        return "…"
    return text if len(text) <= _MAX_SHOWN_CHARACTERS else text[:_MAX_SHOWN_CHARACTERS] + "…"


_FOUND: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (type(None), "null"),
    (bool, "a boolean"),
    (int, "an integer"),
    ((float, Decimal), "a number"),
    (str, "a string"),
    ((list, tuple), "an array"),
    (Mapping, "an object"),
)


def _found(value: object) -> str:
    return next((name for kind, name in _FOUND if isinstance(value, kind)), "no value of JSON")


def _wanted(error: _Error) -> str:
    """Join the types that an error's schema asks for."""
    rule: Any = error.validator_value
    return " or ".join([rule] if isinstance(rule, str) else map(str, rule))


def _message(error: _Error) -> str:  # noqa: PLR0911 - a return for each keyword reads as the table that it is
    """Say which rule is broken, by the type of what was found and the schema's own words."""
    found = _found(error.instance)
    keyword: Any = error.validator
    rule: Any = error.validator_value
    match keyword:
        case "type":
            return f"is {found} where {_wanted(error)} is wanted"
        case "format":
            return f"is a string that is no {rule}"
        case "required":
            return "is missing and required"
        case "additionalProperties" if rule is False:
            return "isn't listed, and nothing else is allowed"
        case "enum":
            return f"is {found} that isn't among the listed values"
        case "anyOf" | "oneOf" if error.context:
            return f"is {found} that fits none of the alternatives{_types(error.context)}"
        case "oneOf":
            return f"is {found} that fits more than one of the alternatives"
        case None:
            return "isn't allowed"
        case _:
            return f"is {found} that breaks the rule {keyword}: {_shown(rule)}"


def _types(errors: Iterable[_Error]) -> str:
    wanted = dict.fromkeys(_wanted(error) for error in errors if _is_of_wrong_type(error))
    return f" ({' or '.join(wanted)})" if wanted else ""
