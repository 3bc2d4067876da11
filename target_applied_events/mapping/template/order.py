"""Which of two values is more: times by their instant, text as text, and no text that is sure to be meant otherwise."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from target_applied_events.mapping.template.notation import Unmappable, kind, number
from target_applied_events.mapping.template.times import utc

if TYPE_CHECKING:
    from collections.abc import Callable

_LONGEST_NUMBER: Final = 400  # characters: a 64-bit float, written plainly, has 309 before its point
_YEAR_LAST: Final = re.compile(r"\s*\d\d?([./-])\d\d?\1\d{4}(?!\d)")


def ordered(compare: Callable[[Any, Any], Any], left: Any, right: Any) -> bool | None:  # noqa: ANN401  a template's operands may be anything
    """Compare two values; null between a time and blank text.

    Args:
        compare: One of Python's four.
        left: Any value but null.
        right: As left.

    Raises:
        Unmappable: They have no order, or are texts that say something else than they would be compared by.
    """
    if isinstance(left, str) and isinstance(right, str):
        pair = _comparable(left, right)
        return None if pair is None else bool(compare(*pair))
    try:
        return bool(compare(left, right))
    except TypeError:
        raise Unmappable(f"{kind(left)} is neither more nor less than {kind(right)}") from None


def reads_as_number(found: str) -> bool:
    """Tell whether a text reads as a number where one is wanted."""
    if len(found) > _LONGEST_NUMBER:
        return False
    try:
        number(found)
    except Unmappable:
        return False
    return True


def _comparable(left: str, right: str) -> tuple[str, str] | None:
    """Give two texts, or the instants that they name, as they sort; None for a time and blank text."""
    instants = _instant(left), _instant(right)
    match instants:
        case str() as one, str() as other:
            return one, other
        case None, None:
            _check(left, right)
            return left, right
        case _ if not left.strip() or not right.strip():
            return None
        case _:
            raise Unmappable(
                "a time is compared with text that is no time as 2026-04-07T14:30:00Z; "
                "the filter timestamp reads other forms: timestamp('%d.%m.%Y %H:%M')"
            )


def _instant(found: str) -> str | None:
    """Write a time so that it sorts as text does, to the last digit of its fraction; None where there is no time."""
    try:
        return utc(found).removesuffix("Z")
    except Unmappable:
        return None


def _check(left: str, right: str) -> None:
    """Refuse to compare as text what would come out by chance; digits of one length come out as their numbers do."""
    if len(left) == len(right) and left.isdecimal() and right.isdecimal():
        return
    if reads_as_number(left) and reads_as_number(right):
        raise Unmappable("two texts that read as numbers are compared; the filter float reads a number out of text")
    if _YEAR_LAST.match(left) and _YEAR_LAST.match(right):
        raise Unmappable("two dates that end with the year are compared as text; the filter timestamp reads them")
    if not _is_aligned(left.strip(), right.strip()):
        raise Unmappable(
            "two texts are compared whose digits don't stand below each other, such as 9,50 and 10,00; "
            "the filter float reads a number out of text, timestamp a time"
        )


def _is_aligned(left: str, right: str) -> bool:
    """Whether two texts sort by what their digits say, as 09:30 and 18:00 do; true where there are letters."""
    shorter, longer = sorted((re.sub(r"\d", "9", left), re.sub(r"\d", "9", right)), key=len)
    if "9" not in shorter or any(map(str.isalpha, shorter + longer)):
        return True
    return longer.startswith(shorter) and not longer[len(shorter) :].startswith("9")
