from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment, nodes, pass_context, pass_environment, pass_eval_context

from target_applied_events.mapping.template.arguments import misfit

if TYPE_CHECKING:
    from collections.abc import Callable


def call(arguments: str) -> nodes.Filter:
    """Read a call as it stands in a template."""
    found = Environment(autoescape=True).parse(f"{{{{ value | f({arguments}) }}}}").find(nodes.Filter)
    assert found is not None
    return found


def takes_none(_value: object) -> None: ...


def takes_two(_value: object, _old: object, new: object, count: int = 1) -> None:
    del new, count


def takes_any(_value: object, *args: object, **kwargs: object) -> None:
    del args, kwargs


def takes_by_name(_value: object, *, zone: str = "UTC") -> None:
    del zone


FUNCTIONS: list[Callable[..., object]] = [takes_none, takes_two, takes_any, takes_by_name]


@given(
    function=st.sampled_from(FUNCTIONS),
    positional=st.integers(0, 4),
    named=st.lists(st.sampled_from(["new", "count", "zone", "other"]), unique=True),
)
def test_a_call_fits_just_when_python_would_make_it(
    function: Callable[..., object], positional: int, named: list[str]
) -> None:
    try:
        function("value", *range(positional), **dict.fromkeys(named))
        goes = True
    except TypeError:
        goes = False
    written = ", ".join([*map(str, range(positional)), *(f"{name}=1" for name in named)])
    assert (misfit(function, call(written)) is None) is goes


@pytest.mark.parametrize("passing", [pass_context, pass_eval_context, pass_environment])
def test_what_jinja_passes_itself_is_neither_missed_nor_shown(passing: Callable[[Any], Any]) -> None:
    @passing
    def joined(_passed: object, _value: object, d: str = "") -> None:
        del d

    assert misfit(joined, call("','")) is None
    assert misfit(joined, call("',', 'x'")) == "it takes (d='')"


def test_of_a_function_that_jinja_wrapped_it_is_told_what_the_inner_one_takes() -> None:
    outer = functools.wraps(takes_two)(pass_eval_context(lambda _passed, *args: takes_two(*args)))
    assert misfit(outer, call("1, 2")) is None
    assert misfit(outer, call("1")) == "it takes (_old, new, count=1)"


def test_what_a_function_takes_is_told_as_it_is_written_without_its_types() -> None:
    assert misfit(takes_none, call("1")) == "it takes no arguments"
    assert misfit(takes_two, call("1")) == "it takes (_old, new, count=1)"
    assert misfit(takes_by_name, call("'UTC'")) == "it takes (zone='UTC')"


def test_a_function_that_doesnt_tell_what_it_takes_is_taken_to_fit() -> None:
    with pytest.raises(ValueError, match="no signature found"):
        inspect.signature(max)
    assert misfit(max, call("1, 2, key=3")) is None


def test_a_test_is_held_against_its_arguments_as_a_filter_is() -> None:
    test = Environment(autoescape=True).parse("{{ value is f(1, 2) }}").find(nodes.Test)
    assert test is not None
    assert misfit(takes_two, test) is None
    assert misfit(takes_none, test) == "it takes no arguments"
