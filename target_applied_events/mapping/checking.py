"""A declaration held against a stream's schema: columns that aren't there, types that can never fit."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from target_applied_events.mapping.columns import RESERVED, Columns, named
from target_applied_events.mapping.comparisons import never_met
from target_applied_events.mapping.contract import Want
from target_applied_events.mapping.template import Template
from target_applied_events.mapping.template.paths import column_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_applied_events.mapping.declaration import Declaration
    from target_applied_events.mapping.template.paths import Path

_SCALARS: Final = frozenset({"string", "number", "integer", "boolean"})
_FITS: Final = {
    Want.TEXT: _SCALARS,
    Want.IDENTIFIER: _SCALARS,
    Want.UUID: frozenset({"string"}),
    Want.NUMBER: frozenset({"string", "number", "integer"}),
    Want.TIME: frozenset({"string"}),
    Want.CONDITION: frozenset({"boolean"}),
}
_ADVICE: Final = {
    Want.UUID: "the filter uuid makes a stable one: {{{{ {column} | uuid('kind of object') }}}}",
    Want.TIME: "the filter timestamp reads epochs: {{{{ {column} | timestamp }}}}",
    Want.CONDITION: "compare it with something: {{{{ {column} == … }}}}",
}

_BRACES: Final = re.compile(r"\{([^{}]+)\}")
_OFTEN_COLUMNS: Final = ("description", "contact.name", "metric.additional_properties.")


def mistakes(declaration: Declaration, stream: str, schema: dict[str, Any]) -> Iterator[str]:
    """Go through all that the schema shows wrong with a mapping, each a sentence that says where and what to do."""
    columns = Columns(stream, schema)
    for field, template in _templates(declaration):
        problems = [*_missing(columns, template), *_never_met(columns, template)]
        yield from (f"{declaration.label}.{field}: {problem}" for problem in dict.fromkeys(problems))
    for field, want, template in declaration.wants():
        if (problem := _unfit(columns, template, want)) is not None:
            yield f"{declaration.label}.{field}: {problem}"
    if isinstance(declaration.properties, Template):
        types = _types(columns, declaration.properties)
        if types and "object" not in types:
            hint = "; the filter fromjson reads JSON out of text" if "string" in types else ""
            yield f"{declaration.label}.metric.additional_properties: the column is {named(types)}, no object{hint}"


def _templates(declaration: Declaration) -> Iterator[tuple[str, Template]]:
    yield from declaration.fields.items()
    yield from declaration.others()


def _missing(columns: Columns, template: Template) -> Iterator[str]:
    for path in sorted(template.paths, key=str):
        if (problem := columns.missing(column_path(path))) is not None:
            yield problem


def _never_met(columns: Columns, template: Template) -> Iterator[str]:
    """Say what columns are compared with and never are; `id == 7 or id == '7'` is for streams of either kind."""
    by_column: dict[Path, list[str | None]] = defaultdict(list)
    for comparison in template.comparisons:
        by_column[comparison.path].append(never_met(comparison, columns))
    for problems in by_column.values():
        if all(problems):
            yield from filter(None, problems)


def _types(columns: Columns, template: Template) -> frozenset[str]:
    path = column_path(template.column) if template.column else ()
    return columns.types(path) if path else frozenset()


def _unfit(columns: Columns, template: Template, want: Want) -> str | None:
    types = _types(columns, template)
    if not types or types & _FITS[want]:
        return None
    column = str(template.source).strip("{} ")
    advice = "" if types & {"array", "object", "boolean"} and want is not Want.CONDITION else _ADVICE.get(want, "")
    said = f'the column "{column}" is {named(types)}, which never is {want.value}'
    return f"{said}; {advice.format(column=column)}" if advice else said


def notes(declaration: Declaration, stream: str, schema: dict[str, Any]) -> tuple[str, ...]:
    """Say where a name means something else than the column of that name, and text may be meant for a column."""
    names = Columns(stream, schema).names()
    if not names:
        return (
            f"{declaration.label}: the schema of the stream {stream} lists no column, so no name is looked up in it",
        )
    return tuple(
        f"{declaration.label}.{field}: {note}"
        for field, template in _templates(declaration)
        for note in (*_reserved(template, stream, names), *_literal(field, template, stream, names))
    )


def _reserved(template: Template, stream: str, names: tuple[str, ...]) -> Iterator[str]:
    for name in RESERVED:
        if name in names and any(path[0] == name for path in template.paths):
            meant = f"the column of that name of the stream {stream} is record['{name}']"
            yield f'"{name}" means {_meaning(name)} here; {meant}'


def _literal(field: str, template: Template, stream: str, names: tuple[str, ...]) -> Iterator[str]:
    """Find constants that read as if a column were meant: its bare name, or its name in braces of another kind."""
    if not template.is_constant or not isinstance(template.source, str):
        return
    source = template.source.strip()
    inside = [found.strip() for found in _BRACES.findall(source)]
    if field.startswith(_OFTEN_COLUMNS):
        inside.append(source)
    for name in dict.fromkeys(inside):
        if name in names:
            yield (
                f'is the text "{source}", the same for all records; the column of the stream {stream} is written '
                f'"{{{{ {name} }}}}"'
            )


def _meaning(name: str) -> str:
    return "the whole record" if name == "record" else "the stream's name"
