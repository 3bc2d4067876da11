from __future__ import annotations

import pytest
from jinja2 import Environment, nodes

from target_applied_events.mapping.template.conditions import TRUTH, ask_for_truth
from target_applied_events.mapping.template.expressions import SANDBOX
from target_applied_events.mapping.template.operators import OPERATORS
from target_applied_events.mapping.template.syntax import Tidier


def asked(source: str) -> list[str]:
    """List the names whose truth a template asks for, once for each time."""
    tree = Environment(autoescape=True).parse(source)
    ask_for_truth(tree)
    found = [item.node for item in tree.find_all(nodes.Filter) if item.name == TRUTH]
    return sorted(item.name for item in found if isinstance(item, nodes.Name))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{% if a %}x{% endif %}", "a"),
        ("{% if a %}x{% elif b %}y{% elif c %}z{% endif %}", "abc"),
        ("{{ 'x' if a }}", "a"),
        ("{{ b if a else c }}", "a"),
        ("{{ not a }}", "a"),
        ("{% if not a %}x{% endif %}", "a"),
        ("{% for a in b if c %}{{ a }}{% endfor %}", "c"),
        ("{% if a and b or c %}x{% endif %}", "abc"),
        ("{{ not (a or b) }}", "ab"),
        ("{{ a and b }}", "a"),
        ("{{ a and b and c }}", "ab"),
        ("{{ (a or b) and c > 1 }}", "ab"),
        ("{{ 'x' if b or (a and b) else c }}", "abb"),
    ],
)
def test_the_truth_of_a_value_is_asked_for_in_conditions_behind_not_and_before_and(source: str, expected: str) -> None:
    assert asked(source) == list(expected)


@pytest.mark.parametrize(
    "source",
    [
        "{{ a }}",
        "{{ a or b }}",
        "{{ a or b or 'none' }}",
        "{{ a | default(b, true) }}",
        "{% if a == 'x' %}y{% endif %}",
        "{{ not a is none }}",
        "{{ 'x' if a in b and not a != b }}",
        "{% for a in b %}{{ a }}{% endfor %}",
    ],
)
def test_what_chooses_a_value_or_compares_asks_for_no_truth(source: str) -> None:
    assert asked(source) == []


@pytest.mark.parametrize("source", ["{{ 'x' if a < 1 }}", "{{ 'x' if a in b and not 1 <= a < 5 }}"])
def test_what_the_sandbox_compares_isnt_asked_for_its_truth(source: str) -> None:
    tree = Tidier(SANDBOX).visit(SANDBOX.parse(source))
    ask_for_truth(tree)
    assert TRUTH not in {item.name for item in tree.find_all(nodes.Filter)}


def test_to_ask_twice_asks_no_more() -> None:
    tree = Environment(autoescape=True).parse("{{ 'x' if a and not b }}")
    ask_for_truth(tree)
    once = repr(tree)
    ask_for_truth(tree)
    assert repr(tree) == once


def test_there_is_such_an_operator() -> None:
    assert TRUTH in OPERATORS
