"""What counts as missing in a value that half of would stand for another: null, and blank text that a record holds."""

from __future__ import annotations


class Meant(str):
    """A blank text that the template itself has written, as in `{{ first }} {{ last }}` or `{{ a or '' }}`."""

    __slots__ = ()


def is_missing(value: object) -> bool:
    """Tell whether a part of a value makes the whole of it null where that is strict: `crm-` is no customer."""
    return value is None or (isinstance(value, str) and not value.strip() and not isinstance(value, Meant))


def joins_missing(operator: str, left: object, right: object) -> bool:
    """Tell whether `+` or `%` puts a text together of which a part is missing."""
    match operator, left, right:
        case "+", str(), str():
            return is_missing(left) or is_missing(right)
        case "%", str(), tuple():
            return any(map(is_missing, right))
        case "%", str(), _:
            return is_missing(right)
        case _:
            return False


def still_meant(value: object, before: object) -> object:
    """Keep in mind, of the text that a filter has made, that its template wrote it: `(a or '') | upper`."""
    return Meant(value) if isinstance(before, Meant) and isinstance(value, str) and not value.strip() else value
