"""What a template does without naming a filter: comparisons, truth, `~`, loops, tests; each knows null for itself."""

from __future__ import annotations

import functools
import operator
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from jinja2 import pass_context
from jinja2.utils import Namespace

from target_applied_events.mapping.template.blanks import is_missing
from target_applied_events.mapping.template.conditions import TRUTH
from target_applied_events.mapping.template.notation import Unmappable, kind, text
from target_applied_events.mapping.template.operations import STEP, Account, Function, weight
from target_applied_events.mapping.template.order import ordered

if TYPE_CHECKING:
    from collections.abc import Mapping

_NULL_IS_FALSE: Final = frozenset({"odd", "even", "divisibleby", "in"})
_ORDERS: Final[frozenset[Function]] = frozenset({operator.lt, operator.le, operator.gt, operator.ge})
_NO: Final = re.compile(r"(?i:false|off|n)|no|No|f|[+-]?(?:0(?:\.0*)?|\.0+)")
"""Text that says no, as databases write it; not NO, which is Norway, nor F, which is a gender."""


def _contained(_: Account, item: Any, container: Any) -> bool | None:  # noqa: ANN401  a template's operands may be anything
    if container is None or (item is None and isinstance(container, str)):
        return None
    return item in container


def _not_contained(context: Account, item: Any, container: Any) -> bool | None:  # noqa: ANN401  as _contained
    found = _contained(context, item, container)
    return None if found is None else not found


def _concatenated(context: Account, parts: list[Any]) -> str | None:
    """Write values one after another, as `~` does; in an identifier a null or blank text makes null."""
    if context.strict and any(map(is_missing, parts)):
        return None
    texts = [text(part) for part in parts]
    context.spend(STEP + sum(map(len, texts)))
    return "".join(texts)


def _each(context: Account, value: Any) -> list[Any]:  # noqa: ANN401  a template may loop over anything
    """Give what a loop goes over; null has nothing in it."""
    if value is None:
        return []
    if not isinstance(value, list | tuple | dict):
        hint = "; | list gives its characters, | fromjson what JSON in it holds" if isinstance(value, str) else ""
        raise Unmappable(f"a loop goes over {kind(value)}{hint}")
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


def _truth(_: Account, value: Any) -> Any:  # noqa: ANN401  as _contained
    """Give a value whose truth is asked for: text that says no would count as true."""
    if isinstance(value, str) and _NO.fullmatch(value.strip()):
        raise Unmappable(
            "a condition takes text for true even where it says no: compare it, == 'true'; "
            "where any text will do, ask for its length, | length"
        )
    return value


def _ordering(compare: Function) -> Function:
    def compared(_: Account, left: Any, right: Any) -> bool | None:  # noqa: ANN401  as _contained
        return None if left is None or right is None else ordered(compare, left, right)

    return pass_context(compared)


OPERATORS: Final[dict[str, Function]] = {
    ".in": pass_context(_contained),
    ".notin": pass_context(_not_contained),  # codespell:ignore notin
    ".~": pass_context(_concatenated),
    ".each": pass_context(_each),
    ".range": pass_context(_range),
    ".made": pass_context(_made),
    ".namespace": pass_context(_namespace),
    TRUTH: pass_context(_truth),
    ".lt": _ordering(operator.lt),
    ".lteq": _ordering(operator.le),
    ".gt": _ordering(operator.gt),
    ".gteq": _ordering(operator.ge),
}
"""What takes null for itself. No template can name them: a filter's name doesn't begin with a point."""


def tests(jinja: Mapping[str, Any]) -> dict[str, Function]:
    """Put together the tests: null is neither odd nor less than anything."""
    orders = {name: functools.partial(ordered, test) for name, test in jinja.items() if test in _ORDERS}
    false_for_null = orders | {name: jinja[name] for name in _NULL_IS_FALSE}
    ours = {name: _without_null(test) for name, test in false_for_null.items()}
    return {**jinja, **ours, "float": lambda value: isinstance(value, Decimal)}


def _without_null(test: Function) -> Function:
    return lambda value, *args: value is not None and all(arg is not None for arg in args) and bool(test(value, *args))
