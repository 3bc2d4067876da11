"""What a template does without naming a filter: comparisons, `~`, loops, tests; each knows null for itself."""

from __future__ import annotations

import operator
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from jinja2 import pass_context
from jinja2.utils import Namespace

from target_applied_events.mapping.notation import Unmappable, kind, text
from target_applied_events.mapping.operations import STEP, Account, Function, weight

if TYPE_CHECKING:
    from collections.abc import Mapping

_NULL_IS_FALSE: Final = frozenset(
    {"odd", "even", "divisibleby", "in", ">", "gt", "greaterthan", "ge", ">=", "<", "lt", "lessthan", "<=", "le"}
)


def _contained(_: Account, item: Any, container: Any) -> bool | None:  # noqa: ANN401  a template's operands may be anything
    if container is None or (item is None and isinstance(container, str)):
        return None
    return item in container


def _not_contained(context: Account, item: Any, container: Any) -> bool | None:  # noqa: ANN401  as _contained
    found = _contained(context, item, container)
    return None if found is None else not found


def _concatenated(context: Account, parts: list[Any]) -> str | None:
    """Write values one after another, as `~` does; in an identifier a null makes null."""
    if context.strict and any(part is None for part in parts):
        return None
    texts = [text(part) for part in parts]
    context.spend(STEP + sum(map(len, texts)))
    return "".join(texts)


def _each(context: Account, value: Any) -> list[Any]:  # noqa: ANN401  a template may loop over anything
    """Give what a loop goes over; null has nothing in it."""
    if value is None:
        return []
    if not isinstance(value, list | tuple | dict):
        raise Unmappable(f"a loop goes over {kind(value)}")
    context.spend(STEP * len(value))
    return list(value)


def _range(context: Account, bounds: list[Any]) -> list[int] | None:
    if any(item is None for item in bounds):
        return None
    numbers = range(*bounds)
    context.spend(STEP * max(0, (numbers.stop - numbers.start) // numbers.step + 1))
    return list(numbers)


def _made(context: Account, value: Any) -> Any:  # noqa: ANN401  an array or object
    """Count an array or object that a template has put together."""
    context.spend(weight(value))
    return value


def _namespace(_: Account, value: Any, **names: Any) -> Namespace:  # noqa: ANN401  a template's values
    return Namespace(value, **names)


def _ordering(compare: Function) -> Function:
    def ordered(_: Account, left: Any, right: Any) -> bool | None:  # noqa: ANN401  as _contained
        if left is None or right is None:
            return None
        try:
            return bool(compare(left, right))
        except TypeError:
            raise Unmappable(f"{kind(left)} is neither more nor less than {kind(right)}") from None

    return pass_context(ordered)


OPERATORS: Final[dict[str, Function]] = {
    ".in": pass_context(_contained),
    ".notin": pass_context(_not_contained),  # codespell:ignore notin
    ".~": pass_context(_concatenated),
    ".each": pass_context(_each),
    ".range": pass_context(_range),
    ".made": pass_context(_made),
    ".namespace": pass_context(_namespace),
    ".lt": _ordering(operator.lt),
    ".lteq": _ordering(operator.le),
    ".gt": _ordering(operator.gt),
    ".gteq": _ordering(operator.ge),
}
"""What takes null for itself. No template can name them: a filter's name doesn't begin with a point."""


def tests(jinja: Mapping[str, Any]) -> dict[str, Function]:
    """Put together the tests: null is neither odd nor less than anything."""
    kept = {name: _without_null(test) if name in _NULL_IS_FALSE else test for name, test in jinja.items()}
    return kept | {"float": lambda value: isinstance(value, Decimal)}


def _without_null(test: Function) -> Function:
    return lambda value, *args: value is not None and all(arg is not None for arg in args) and test(value, *args)
