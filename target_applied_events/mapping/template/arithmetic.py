"""Arithmetic as mappings do it: exact to 76 digits, null with null, and bounded in what it can make."""

from __future__ import annotations

import decimal
import math
import operator as operators
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from target_applied_events.mapping.template.formats import allow, formatted
from target_applied_events.mapping.template.notation import Unmappable, kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DIGITS: Final = 76
"""How many digits a result keeps: the numerics of databases end at 38, a product of two needs twice that."""

READS_NUMBERS: Final = "; where text holds a number, the filter float reads it"
"""What is said where numbers are wanted and text is found."""

_DIVISIONS: Final = ("/", "//", "%")
_BITS: Final = 1 << 16
_EXACT: Final = decimal.Context(
    prec=DIGITS,
    rounding=decimal.ROUND_HALF_EVEN,
    traps=[decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow],
)
_TOO_LONG: Final = "a template may make numbers of about 20,000 digits at most"
_ON_INTEGERS: Final[Mapping[str, Callable[[int, int], int]]] = {
    "+": operators.add,
    "-": operators.sub,
    "*": operators.mul,
    "//": operators.floordiv,
    "%": operators.mod,
    "**": operators.pow,
}
_ON_DECIMALS: Final[Mapping[str, Callable[[Decimal, Decimal], Decimal]]] = {
    "+": _EXACT.add,
    "-": _EXACT.subtract,
    "*": _EXACT.multiply,
    "/": _EXACT.divide,
    "**": _EXACT.power,
}


def binary(operator: str, left: Any, right: Any) -> Any:  # noqa: ANN401  a template's operands may be anything
    """Apply one of `+ - * / // % **`; null where either side is null.

    Raises:
        Unmappable: The two don't go together, or the result would be too large.
    """
    if left is None or right is None:
        return None
    if isinstance(left, int | Decimal) and isinstance(right, int | Decimal):
        return _numbers(operator, left, right)
    match operator, left, right:
        case "%", str(), _ if "%" in left:
            return formatted(left, right)
        case "+", str(), str():
            allow(len(left) + len(right))
            return left + right
        case "+", list(), list():
            allow(len(left) + len(right))
            return left + right
        case ("*", str() as repeated, int() as times) | ("*", int() as times, str() as repeated) if _is_mark(repeated):
            allow(len(repeated) * times)
            return repeated * times
        case _:
            hint = READS_NUMBERS if isinstance(left, str) or isinstance(right, str) else ""
            raise Unmappable(f"{operator} doesn't go between {kind(left)} and {kind(right)}{hint}")


def _is_mark(repeated: str) -> bool:
    """Whether a text can't be meant as a number: a star, a dash."""
    return not any(map(str.isalnum, repeated))


def _numbers(operator: str, left: int | Decimal, right: int | Decimal) -> int | Decimal:
    if operator in _DIVISIONS and not right:
        raise Unmappable("a division by zero")
    if isinstance(left, int) and isinstance(right, int) and operator != "/" and not (operator == "**" and right < 0):
        return _integers(operator, left, right)
    try:
        result = _decimals(operator, Decimal(left), Decimal(right))
    except decimal.DecimalException:
        result = None
    if result is None or not result.is_finite():
        raise Unmappable(f"{operator} has no result for these two numbers, or one out of bounds")
    return result


def _integers(operator: str, left: int, right: int) -> int:
    if operator == "*" and left.bit_length() + right.bit_length() > _BITS:
        raise Unmappable(_TOO_LONG)
    if operator == "**" and left.bit_length() * right > _BITS:
        raise Unmappable(_TOO_LONG)
    return int(_ON_INTEGERS[operator](left, right))


def _decimals(operator: str, left: Decimal, right: Decimal) -> Decimal:
    if operator in _ON_DECIMALS:
        return _ON_DECIMALS[operator](left, right)
    quotient, rest = _floored(left, right)
    return quotient if operator == "//" else rest


def _floored(left: Decimal, right: Decimal) -> tuple[Decimal, Decimal]:
    """Divide as integers do, towards minus infinity; Decimal's own operators divide towards zero."""
    quotient, rest = _EXACT.divmod(left, right)
    if rest and (rest < 0) != (right < 0):
        return _EXACT.subtract(quotient, 1), _EXACT.add(rest, right)
    return quotient, rest


def unary(operator: str, value: Any) -> Any:  # noqa: ANN401  as binary
    """Apply a sign; null stays null.

    Raises:
        Unmappable: The value is no number.
    """
    if value is None:
        return None
    if not isinstance(value, int | Decimal):
        hint = READS_NUMBERS if isinstance(value, str) else ""
        raise Unmappable(f"a sign doesn't go before {kind(value)}{hint}")
    return binary("*", value, -1 if operator == "-" else 1)


def absolute(value: Any) -> Any:  # noqa: ANN401  as binary
    """Take a number without its sign, to its last digit.

    Raises:
        Unmappable: The value is no number.
    """
    if not isinstance(value, int | Decimal):
        raise Unmappable(f"abs works on numbers, found {kind(value)}")
    return value.copy_abs() if isinstance(value, Decimal) else abs(value)


def rounded(value: Any, precision: Any, method: Any) -> int | Decimal:  # noqa: ANN401  as binary
    """Round to so many digits after the point: `common` (halves away from zero, as SQL does), `ceil` or `floor`.

    Raises:
        Unmappable: The value is no number, or there is no such method.
    """
    modes = {"common": decimal.ROUND_HALF_UP, "ceil": decimal.ROUND_CEILING, "floor": decimal.ROUND_FLOOR}
    if not isinstance(value, int | Decimal) or not isinstance(precision, int) or method not in modes:
        raise Unmappable("round takes a number, a whole number of digits, and common, ceil or floor")
    if isinstance(value, int) and precision >= 0:
        return value
    try:
        unit = Decimal(1).scaleb(-precision, _EXACT)
        result = Decimal(value).quantize(unit, modes[method], _EXACT)
    except decimal.DecimalException:
        raise Unmappable(f"round has no result of {DIGITS} digits for this number") from None
    return result if precision >= 0 else whole(result)


def whole(value: int | Decimal) -> int:
    """Cut off what is behind the point.

    Raises:
        Unmappable: The number isn't finite, or has more than about 20,000 digits.
    """
    if isinstance(value, int):
        return int(value)
    if not value.is_finite() or value.adjusted() > _BITS * math.log10(2):
        raise Unmappable(_TOO_LONG)
    return int(value)
