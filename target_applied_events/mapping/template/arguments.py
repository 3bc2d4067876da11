"""Whether a filter or a test can be called as a template calls it, seen before it's called."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from jinja2.utils import _PassArg

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jinja2 import nodes


def misfit(function: Any, call: nodes.Filter | nodes.Test) -> str | None:  # noqa: ANN401  mypy has two minds of what Jinja's tables hold
    """Say what a function takes, where a call gives it something else; None where they go together."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except ValueError:  # some of Python's own don't tell
        return None
    taken = [parameter.replace(annotation=parameter.empty) for parameter in parameters[_passed(function) :]]
    signature = inspect.Signature(taken)
    given = [str(argument.key) for argument in call.kwargs]
    try:
        signature.bind(None, *call.args, **dict.fromkeys(given))
    except TypeError:
        return f"it takes {_listed(taken[1:])}"
    return None


def _passed(function: Callable[..., object]) -> int:
    """Count what Jinja passes before the value."""
    return 0 if _PassArg.from_obj(inspect.unwrap(function)) is None else 1


def _listed(parameters: Sequence[inspect.Parameter]) -> str:
    return f"({', '.join(map(str, parameters))})" if parameters else "no arguments"
