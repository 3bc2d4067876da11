"""What a template can do to values beside arithmetic: filters, comparisons, methods, tests; each bounded."""

from __future__ import annotations

import functools
import operator as operators
import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Protocol

from jinja2 import pass_context
from jinja2.filters import FILTERS, ignore_case, make_attrgetter
from jinja2.utils import _PassArg

from target_applied_events.mapping.template.arithmetic import READS_NUMBERS, absolute, binary, rounded
from target_applied_events.mapping.template.blanks import is_missing
from target_applied_events.mapping.template.filters import PLAIN, scalar_text
from target_applied_events.mapping.template.formats import formatted
from target_applied_events.mapping.template.notation import Unmappable, compact, kind, text
from target_applied_events.mapping.template.order import ordered, reads_as_number

if TYPE_CHECKING:
    from jinja2 import Environment

    from target_applied_events.event import Json

Function = Callable[..., Any]

STEP: Final = 100
"""What a step costs, a character being 1."""

_NODE: Final = 30
_CODE: Final = re.compile(r"^\+|^0\d|\.$")
_HEAVIEST: Final = 1 << 25


class Account(Protocol):
    """Where a template's work is counted."""

    strict: bool
    environment: Environment

    def spend(self, units: int) -> None:
        """Take work off what is left."""


LEFT_OUT: Final = frozenset({"attr", "pprint", "random", "safe", "urlize", "xmlattr"})
"""Jinja's filters that mappings have no use for: chance, HTML, and Python's own objects."""

_TEXTUAL: Final = frozenset(
    {"capitalize", "center", "e", "escape", "forceescape", "indent", "striptags", "title", "truncate", "urlencode"}
    | {"wordcount", "wordwrap"}
)
_SIZED: Final = frozenset({"batch", "center", "indent", "slice", "wordwrap", "zfill"})
_LARGEST_SIZE: Final = 1000
_METHODS: Final[Mapping[type, frozenset[str]]] = {
    str: frozenset(
        {"capitalize", "casefold", "count", "endswith", "find", "isalnum", "isalpha", "isdigit", "islower", "isupper"}
        | {"join", "lower", "lstrip", "partition", "removeprefix", "removesuffix", "replace", "rfind", "rpartition"}
        | {"rsplit", "rstrip", "split", "splitlines", "startswith", "strip", "swapcase", "title", "upper", "zfill"}
    ),
    dict: frozenset({"get", "items", "keys", "values"}),
    list: frozenset({"count", "index"}),
}
METHODS: Final = frozenset[str]().union(*_METHODS.values())


def weight(value: object) -> int:
    """Count what a value would take to write out, shared parts as often as they occur."""
    total, waiting = 0, [value]
    while waiting:
        item = waiting.pop()
        total += _NODE + (len(item) if isinstance(item, str) else 0)
        if isinstance(item, dict):
            waiting.extend((*item, *item.values()))
        elif isinstance(item, list | tuple):
            waiting.extend(item)
        if total > _HEAVIEST:
            break
    return total


def combined(operator: str, left: Any, right: Any) -> Any:  # noqa: ANN401  a template's operands may be anything
    """Apply an operator of arithmetic; null where either side is null.

    Raises:
        Unmappable: As for `binary`, and where `+` stands between texts that hold numbers: 1200 and 90 aren't 120090.
    """
    if operator == "+" and _is_number(left) and _is_number(right):
        raise Unmappable(f"+ stands between two texts that read as numbers{READS_NUMBERS}, and ~ joins text")
    return binary(operator, left, right)


def _is_number(value: object) -> bool:
    """Whether a text may hold an amount: not with a point last, and not a code or a prefix such as +49 or 007."""
    return isinstance(value, str) and not _CODE.search(value) and reads_as_number(value)


def filters() -> dict[str, Function]:
    """Put together the filters, each called with the evaluation first: ours before Jinja's, none that is left out."""
    kept = {name: _measured(name, bound(function)) for name, function in FILTERS.items() if name not in LEFT_OUT}
    ours = {name: bound(function) for name, function in (PLAIN | _OWN).items()}
    methods = {f".{name}": _method(name) for name in METHODS}
    return kept | ours | methods


def named(name: str) -> Function:
    """Find the function behind a filter's name."""
    return PLAIN.get(name) or _OWN.get(name) or FILTERS[name]


def bound(function: Function) -> Function:
    """Give a function what it asks to be passed, out of the evaluation that it is called with."""
    match _PassArg.from_obj(function):
        case _PassArg.context:
            return function
        case _PassArg.eval_context:
            return lambda context, *args, **kwargs: function(context.eval_ctx, *args, **kwargs)
        case _PassArg.environment:
            return lambda context, *args, **kwargs: function(context.environment, *args, **kwargs)
        case _:
            return lambda _, *args, **kwargs: function(*args, **kwargs)


def _measured(name: str, function: Function) -> Function:
    """Refuse sizes that make a small value huge, and give filters on text their value as text."""

    def measured(context: Account, value: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  a filter's values
        if name in _SIZED:
            _check_sizes(context, value, (*args, *kwargs.values()))
        if name in _TEXTUAL:
            value = scalar_text(value)
        if name == "striptags":
            context.spend(len(value) * value.count("<") >> 10)  # Jinja copies the text for each comment
        return function(context, value, *args, **kwargs)

    return measured


def _check_sizes(context: Account, value: Any, arguments: Iterable[Any]) -> None:  # noqa: ANN401  a filter's values
    for argument in arguments:
        if isinstance(argument, int | Decimal) and not -_LARGEST_SIZE <= argument <= _LARGEST_SIZE:
            raise Unmappable(f"a width or a number of parts is {_LARGEST_SIZE} at most")
        if isinstance(argument, str):
            context.spend(len(argument) * (len(value) if isinstance(value, str) else 1))
    if isinstance(value, str):
        context.spend(_LARGEST_SIZE * (1 + value.count("\n")))


def _join(context: Account, value: Any, d: str = "", attribute: str | int | None = None) -> str | None:  # noqa: ANN401
    """Write items one after another; nulls are left out, or make an identifier null, as blank text does."""
    items = list(value)
    if attribute is not None:
        items = [make_attrgetter(context.environment, attribute)(item) for item in items]
    if context.strict and any(map(is_missing, items)):
        return None
    texts = [text(item) for item in items if item is not None]
    context.spend(sum(map(len, texts)) + len(d) * len(texts))
    return d.join(texts)


def _joined(context: Account, separator: str, items: Any, /) -> str | None:  # noqa: ANN401  a method's arguments
    return _join(context, items, separator)


def _sum(context: Account, iterable: Any, attribute: str | int | None = None, start: Json = 0) -> Json:  # noqa: ANN401
    items = list(iterable)
    if attribute is not None:
        items = [make_attrgetter(context.environment, attribute)(item) for item in items]
    context.spend(STEP * len(items))
    total: Json = functools.reduce(functools.partial(combined, "+"), items, start)
    return total


def _extreme(compare: Function) -> Function:
    """Choose the first or last by the order that `<` goes by."""

    def extreme(context: Account, value: Any, case_sensitive: bool = False, attribute: str | int | None = None) -> Any:  # noqa: ANN401, FBT001, FBT002  as Jinja has it
        key = make_attrgetter(context.environment, attribute, None if case_sensitive else ignore_case)

        def chosen(best: Any, item: Any) -> Any:  # noqa: ANN401  a filter's values
            if (found := ordered(compare, key(item), key(best))) is None:
                raise Unmappable("a time is neither more nor less than blank text")
            return item if found else best

        items = list(value)
        context.spend(STEP * len(items))
        return functools.reduce(chosen, items) if items else None

    return pass_context(extreme)


def _replace(context: Account, s: Any, old: str, new: str, count: int | None = None) -> str:  # noqa: ANN401
    found = scalar_text(s)
    context.spend(found.count(old) * len(new))
    return found.replace(old, new, -1 if count is None else count)


def _format(context: Account, value: Any, *args: Any) -> str | None:  # noqa: ANN401  a filter's values
    if context.strict and any(map(is_missing, args)):
        return None
    return formatted(scalar_text(value), args)


def _round(_: Account, value: Any, precision: int = 0, method: str = "common") -> int | Decimal:  # noqa: ANN401
    return rounded(value, precision, method)


def _tojson(_: Account, value: Any) -> str:  # noqa: ANN401  a filter's values
    return compact(value).decode()


_OWN: Final[dict[str, Function]] = {
    "abs": absolute,
    "format": pass_context(_format),
    "join": pass_context(_join),
    "max": _extreme(operators.gt),
    "min": _extreme(operators.lt),
    "replace": pass_context(_replace),
    "round": pass_context(_round),
    "sum": pass_context(_sum),
    "tojson": pass_context(_tojson),
}


def _method(name: str) -> Function:
    """Make a filter of a method, so that nothing in a template is ever called."""

    def method(context: Account, value: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  a filter's values
        if name not in _METHODS.get(type(value), ()):
            raise Unmappable(f"{kind(value)} has no {name}()")
        match name:
            case "join":
                return _joined(context, value, *args, **kwargs)
            case "replace":
                return _replace(context, value, *args, **kwargs)
            case "zfill":
                _check_sizes(context, value, args)
        found = getattr(value, name)(*args, **kwargs)
        return list(found) if name in ("items", "keys", "values") else found

    return method
