"""Columns that a template compares with what they never are: such a `when` would pass over every record."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from target_applied_events.mapping.columns import named
from target_applied_events.mapping.template.notation import text
from target_applied_events.mapping.template.paths import written

if TYPE_CHECKING:
    from collections.abc import Collection

    from target_applied_events.mapping.columns import Columns
    from target_applied_events.mapping.template.paths import Comparison

_TEXT: Final = frozenset({"string"})
_NUMBERS: Final = frozenset({"integer", "number", "boolean"})
"""What can be equal though the types differ: true is 1 to Jinja."""
_NO_TEXT: Final = re.compile(r"-?\d+(\.\d+)?|true|false", re.ASCII)


def never_met(comparison: Comparison, columns: Columns) -> str | None:
    """Say why the two never meet by what a schema says of its columns; None where they may, or it says nothing."""
    column, types = written(comparison.path), columns.types(comparison.path)
    match comparison.other:
        case tuple(path):
            others, hint = columns.types(path), ""
            met = f'the column "{written(path)}", {named(others)}'
        case str(constant):
            others, hint = _TEXT, _hint(constant)
            met = f"the text '{constant}'"
        case constant:
            others, met = _NUMBERS, text(constant)
            hint = "" if "string" not in types else f"; {column} | float reads a number"
            hint = f"; as text it is '{met}'" if hint and not comparison.is_order else hint
    if not types or not others or not _kinds(types).isdisjoint(_kinds(others)):
        return None
    return f'the column "{column}" is {named(types)}, which never meets {met}{hint}'


def _kinds(types: Collection[str]) -> set[str]:
    return {"number" if name in _NUMBERS else name for name in types}


def _hint(constant: str) -> str:
    if not constant.strip():
        return "; what is empty is none"
    return f"; without quotes it is no text: {constant}" if _NO_TEXT.fullmatch(constant) else ""
