"""Formats as `%` and the filter `format` fill them in: to the last digit, and bounded in what they can make."""

from __future__ import annotations

import decimal
import re
from decimal import Decimal
from typing import Any, Final

from target_applied_events.mapping.template.notation import Unmappable, kind, text

LONGEST_TEXT: Final = 1 << 24
"""The longest text, in characters, that an operation may make."""

_CONVERSION: Final = re.compile(
    r"%(?:(?P<percent>%)|(?P<flags>[-+ 0#]*)(?P<width>\d{0,3})(?:\.(?P<digits>\d{1,3}))?(?P<type>[a-zA-Z])|)"
)
_WHOLE: Final = "diuoxX"
_EXACT: Final = "eEfFgG"


def allow(length: int) -> None:
    """Refuse what would be too long.

    Raises:
        Unmappable: It's longer than the longest text.
    """
    if length > LONGEST_TEXT:
        raise Unmappable(f"a template may make {LONGEST_TEXT:,} characters at most")


def formatted(pattern: str, arguments: Any) -> str | None:  # noqa: ANN401  a template's operands may be anything
    """Fill in a pattern as `%` does; null where an argument is null.

    Raises:
        Unmappable: Pattern and arguments don't go together, or the result would be too long.
    """
    waiting = list(arguments) if isinstance(arguments, tuple) else [arguments]
    if any(argument is None for argument in waiting):
        return None
    written, length, end = [], len(pattern), 0
    for found in _CONVERSION.finditer(pattern):
        written += [pattern[end : found.start()], _converted(found, waiting)]
        length, end = length + len(written[-1]), found.end()
        allow(length)
    if waiting:
        raise Unmappable("a format has fewer places than values")
    return "".join([*written, pattern[end:]])


def _converted(found: re.Match[str], waiting: list[Any]) -> str:
    if found["percent"]:
        return "%"
    if found["type"] is None:
        raise Unmappable("a format has a % that begins nothing; widths have three digits at most")
    if not waiting:
        raise Unmappable("a format has more places than values")
    value = waiting.pop(0)
    if found["type"] == "s":
        return str(found[0] % text(value))
    if not isinstance(value, int | Decimal) or found["type"] not in _WHOLE + _EXACT:
        raise Unmappable(f"%{found['type']} in a format doesn't go with {kind(value)}")
    text(value)  # refuses what is too long to be written
    return str(found[0] % int(value)) if found["type"] in _WHOLE else _decimal(found, Decimal(value))


def _decimal(found: re.Match[str], value: Decimal) -> str:
    """Format a number without making it a float, as `%` would; halves are rounded away from zero, as by `round`."""
    flags = found["flags"]
    align = "<" if "-" in flags else ""
    sign = "+" if "+" in flags else " " if " " in flags else ""
    zeros = "0" if "0" in flags and not align else ""
    with decimal.localcontext(rounding=decimal.ROUND_HALF_UP):
        return format(value, f"{align}{sign}{zeros}{found['width']}.{found['digits'] or 6}{found['type']}")
