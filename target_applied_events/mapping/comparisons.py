"""Columns that a template compares with constants of another type: such a `when` would pass over every record."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final, TypeAlias

from target_applied_events.mapping.columns import named
from target_applied_events.mapping.notation import text

if TYPE_CHECKING:
    from collections.abc import Collection

    from target_applied_events.mapping.syntax import Path

Constant: TypeAlias = str | bool | int | Decimal

_TEXT: Final = frozenset({"string"})
_NUMBERS: Final = frozenset({"integer", "number", "boolean"})  # true is 1 to Jinja
_NO_TEXT: Final = re.compile(r"-?\d+(\.\d+)?|true|false", re.ASCII)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A column compared with a constant, by `==`, `<`, `in` or the like.

    Attributes:
        path: The column, and what is reached for in it.
        constant: What it's compared with.
    """

    path: Path
    constant: Constant

    def problem(self, column: str, types: Collection[str]) -> str | None:
        """Say why the two never meet; None where they may.

        Args:
            column: How the column is called.
            types: What a value of it may be, null aside; none where nothing says.
        """
        wanted = _TEXT if isinstance(self.constant, str) else _NUMBERS
        if not types or not wanted.isdisjoint(types):
            return None
        written = text(self.constant)
        if isinstance(self.constant, str):
            written, hint = f"the text '{written}'", _hint(self.constant)
        else:
            read = "" if isinstance(self.constant, bool) else f", and {column} | float reads a number"
            hint = f"; as text it is '{written}'{read}" if "string" in types else ""
        return f'the column "{column}" is {named(frozenset(types))}, which never meets {written}{hint}'


def _hint(constant: str) -> str:
    if not constant.strip():
        return "; what is empty is none"
    return f"; without quotes it is no text: {constant}" if _NO_TEXT.fullmatch(constant) else ""
