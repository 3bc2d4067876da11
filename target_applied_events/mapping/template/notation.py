"""How JSON values are written: inside text, as compact JSON, in the one form that equal values share; and read."""

from __future__ import annotations

import decimal
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from target_applied_events.event import Json

_UUID: Final = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
_NUMBER: Final = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,9})?", re.ASCII)
LONGEST_NUMBER_DIGITS: Final = 20_000
"""A number that takes more digits than this in plain notation isn't written out."""

_COMPACT: Final = msgspec.json.Encoder(decimal_format="number")
_SORTED: Final = msgspec.json.Encoder(decimal_format="number", order="sorted")
_UNWRITTEN: Final = (TypeError, ValueError, OverflowError, RecursionError)
"""What the encoders raise: for no JSON value, for no valid Unicode, for a large integer, for what is nested deeply."""

_UNROUNDED: Final = decimal.Context(prec=decimal.MAX_PREC, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN, traps=[])
_SMALL_DIGITS: Final = 18
_SMALL: Final = 10**_SMALL_DIGITS
_LONGEST_NUMBER_BITS: Final = LONGEST_NUMBER_DIGITS * 3


class Unmappable(Exception):  # noqa: N818  it's what the record is, and it never leaves the mapping
    """A record's value can't become what a mapping asks; the message never holds the value."""


def kind(value: object) -> str:  # noqa: PLR0911  a return for each type
    """Name the type of a value for people, as JSON calls it."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | Decimal():
            return "a number"
        case str():
            return "text"
        case dict():
            return "an object"
        case list() | tuple():
            return "an array"
        case _:
            return "something that is no JSON value"


def text(value: Json) -> str:
    """Write a value as it reads inside text: null is empty, numbers are plain, objects and arrays compact JSON.

    Raises:
        Unmappable: A number is too long to be written out.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if -_SMALL < value < _SMALL else _plain(_decimal(value))
    if isinstance(value, Decimal):
        return _plain(value)
    return "" if value is None else compact(value).decode()


def is_unicode(text: str) -> bool:
    """Tell whether a text can be written in UTF-8: JSON may hold half a surrogate pair, which can't."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _decimal(number: int) -> Decimal:
    """Give an integer as one of the numbers that can be written whatever their length."""
    if number.bit_length() > _LONGEST_NUMBER_BITS:
        raise Unmappable(f"found a number of more than {LONGEST_NUMBER_DIGITS:,} digits, where text is made")
    return Decimal(number)  # str() of an int refuses more than 4,300 digits


def _plain(number: Decimal) -> str:
    written = str(number)
    if "E" not in written and len(written) <= LONGEST_NUMBER_DIGITS and number.is_finite():
        return written
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int):
        raise Unmappable("found a number that isn't finite")
    if abs(exponent) > LONGEST_NUMBER_DIGITS or abs(number.adjusted()) > LONGEST_NUMBER_DIGITS:
        raise Unmappable(f"found a number of more than {LONGEST_NUMBER_DIGITS:,} digits, where text is made")
    return format(number, "f")


def compact(value: Json | dict[str, object]) -> bytes:
    """Write a value as compact JSON in UTF-8, every number to its last digit, keys in the order given.

    Raises:
        Unmappable: The text in it is no valid Unicode, or it isn't made of JSON values.
    """
    try:
        return _COMPACT.encode(value)
    except _UNWRITTEN:
        return _encode_widened(_COMPACT, value)


def _encode_widened(encoder: msgspec.json.Encoder, value: object) -> bytes:
    """Write what wasn't written because of a value in it that the encoder doesn't take; or say what it was."""
    try:
        return encoder.encode(_widen(value))
    except UnicodeEncodeError:
        raise Unmappable("found text with half a surrogate pair, which UTF-8 can't hold") from None
    except _UNWRITTEN:
        raise Unmappable("found something that can't be written as JSON") from None


def _widen(value: object) -> object:
    """Turn into what the encoder writes what it may refuse: large integers, and texts of a class of their own."""
    match value:
        case bool():
            return value
        case int():
            return value if -_SMALL < value < _SMALL else Decimal(value)
        case dict():
            return {_widen(key): _widen(item) for key, item in value.items()}
        case list() | tuple():
            return [_widen(item) for item in value]
        case str():
            return str(value)
        case _:
            return value


def canonical(value: Json) -> Json:
    """Give equal numbers one form, at any depth: `1`, `1.0` and `1E0` come out the same."""
    if isinstance(value, str):
        return value
    if isinstance(value, Decimal):
        return _canonical_decimal(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if -_SMALL < value < _SMALL else _UNROUNDED.normalize(Decimal(value))
    if isinstance(value, dict):
        return {key: canonical(item) for key, item in value.items()}
    return [canonical(item) for item in value]


def _canonical_decimal(value: Decimal) -> int | Decimal:
    written = str(value)
    if "." in written and written[-1] != "0" and "E" not in written:
        return value  # nearly always: a fraction that ends in a digit
    reduced = _UNROUNDED.normalize(value)
    if not reduced.is_finite():
        return reduced
    if reduced == reduced.to_integral_value() and reduced.adjusted() < _SMALL_DIGITS:
        return int(reduced)
    return value if reduced.same_quantum(value) else reduced


def canonical_bytes(value: object) -> bytes:
    """Write a value whose numbers are canonical with its keys sorted: equal values give equal bytes.

    Raises:
        Unmappable: The text in it is no valid Unicode, or it isn't made of JSON values.
    """
    try:
        return _SORTED.encode(value)
    except _UNWRITTEN:
        return _encode_widened(_SORTED, value)


def number(found: str) -> Decimal:
    """Read a number out of text, exactly.

    Raises:
        Unmappable: The text is no number.
    """
    if _NUMBER.fullmatch(found.strip()) is None:
        raise Unmappable("found text that is no number; the filter replace takes out what isn't one: replace('€', '')")
    return Decimal(found.strip())


def is_uuid(found: str) -> bool:
    """Tell whether a text is a uuid in its usual form, with hyphens."""
    return _UUID.fullmatch(found) is not None
