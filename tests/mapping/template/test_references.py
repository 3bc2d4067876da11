"""The columns that a template refers to are known, however it comes to them, and what it compares them with."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from target_applied_events.mapping.template.paths import Comparison
from target_applied_events.mapping.template.template import parse
from tests.mapping.template.at_work import template

if TYPE_CHECKING:
    from target_applied_events.mapping.template.paths import Path


def test_the_columns_that_a_template_names_are_known() -> None:
    source = "{{ a.b['c'][0].d }} {{ record['x-y'].z }} {% for l in lines %}{{ l.price }}{{ loop.index }}{% endfor %}"
    assert template(source).paths >= {("a", "b", "c", 0, "d"), ("record", "x-y", "z"), ("lines",)}
    assert not [path for path in template(source).paths if path[0] in ("l", "loop")]


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ("{% for l in lines %}{{ l.a.b }}{% endfor %}", ("lines", 0, "a", "b")),
        ("{% for l in lines | sort(attribute='n') | list if l.a %}x{% endfor %}", ("lines", 0, "a")),
        ("{% for l in lines %}{% for p in l.parts %}{{ p.a }}{% endfor %}{% endfor %}", ("lines", 0, "parts", 0, "a")),
        ("{{ (lines | first).a }}", ("lines", 0, "a")),
        ("{{ (lines | selectattr('x') | last).a }}", ("lines", 0, "a")),
        ("{{ lines[-1].a }}", ("lines", 1, "a")),
        ("{{ lines | map(attribute='a.b') | join(', ') }}", ("lines", 0, "a", "b")),
        ("{{ lines | sum(attribute='a') }}", ("lines", 0, "a")),
        ("{{ lines | sum('a') }}", ("lines", 0, "a")),
        ("{{ lines | join(', ', 'a') }}", ("lines", 0, "a")),
        ("{{ lines | rejectattr('a', 'eq', 1) | list | length }}", ("lines", 0, "a")),
        ("{{ lines | sort(attribute='n,a.0') | length }}", ("lines", 0, "a", 0)),
        ("{{ lines | groupby('a') | length }}", ("lines", 0, "a")),
        ("{% set c = customer %}{{ c.a }}", ("customer", "a")),
        ("{% with c = customer %}{{ c.a }}{% endwith %}", ("customer", "a")),
        ("{% set a = a | upper %}{{ a }}", ("a",)),
        ("{% for a in a %}{{ a }}{% endfor %}", ("a",)),
        ("{% for x in b %}{% endfor %}{{ x }}", ("x",)),
        ("{% with x = b %}{% endwith %}{{ x }}", ("x",)),
        ("{{ a.items() | list }}", ("a",)),
    ],
)
def test_a_column_is_known_through_loops_filters_and_names_of_the_template_s_own(source: str, path: Path) -> None:
    assert path in template(source).paths


@pytest.mark.parametrize(
    ("source", "paths"),
    [
        ("{% set x = 1 %}{{ x }}", set()),
        ("{% set x = a %}{% set x = b %}{{ x.y }}", {("a",), ("b",)}),
        ("{% for k, v in a.items() %}{{ v.y }}{% endfor %}", {("a",)}),
        ("{% for x in a | map(attribute='b') %}{{ x.y }}{% endfor %}", {("a",), ("a", 0, "b")}),
        ("{% for x in a | batch(2) %}{{ x.y }}{% endfor %}", {("a",)}),
        ("{% set all = namespace(t=0) %}{% for x in a %}{% set all.t = all.t + x %}{% endfor %}{{ all.t }}", {("a",)}),
        ("{{ a | map('upper') | join }}", {("a",)}),
        ("{{ a | sum(attribute=b) }}", {("a",), ("b",)}),
    ],
)
def test_what_is_no_column_or_of_no_known_one_is_left_out(source: str, paths: set[Path]) -> None:
    assert template(source).paths >= paths
    assert {path for path in template(source).paths if path[0] != "all"} == paths


@pytest.mark.parametrize(
    ("source", "compared"),
    [
        ("{{ a == 1 }}", [Comparison(("a",), 1)]),
        ("{{ 'x' != a.b['c'][0] }}", [Comparison(("a", "b", "c", 0), "x")]),
        ("{{ record['a-b'] < -1.50 }}", [Comparison(("a-b",), Decimal("-1.50"), is_order=True)]),
        ("{{ 0 < a <= 9 }}", [Comparison(("a",), 0, is_order=True), Comparison(("a",), 9, is_order=True)]),
        ("{{ a in ('x', 2) or a not in [true] }}", [Comparison(("a",), item) for item in ("x", 2, True)]),
        ("{% if a == 'x' %}y{% endif %}", [Comparison(("a",), "x")]),
        ("{{ a == record.b.c }}", [Comparison(("a",), ("b", "c"))]),
        (
            "{{ a == none }} {{ a == stream }} {{ a == record }} {{ a | lower == 'x' }} {{ a is none }} {{ 'x' in a }}",
            [],
        ),
        ("{% for a in b %}{{ a == 1 }}{{ loop.index == 'x' }}{% endfor %}", [Comparison(("b", 0), 1)]),
    ],
)
def test_the_columns_that_are_compared_with_constants_are_found(source: str, compared: list[Comparison]) -> None:
    assert sorted(template(source).comparisons, key=str) == sorted(compared, key=str)


@pytest.mark.parametrize(
    ("source", "compared"),
    [
        ("{% for l in lines if l.a == 1 %}{% endfor %}", Comparison(("lines", 0, "a"), 1)),
        ("{{ lines | selectattr('a', 'equalto', 'x') | list | length }}", Comparison(("lines", 0, "a"), "x")),
        ("{% set s = status %}{{ s == 'x' }}", Comparison(("status",), "x")),
    ],
)
def test_what_is_compared_is_known_through_loops_and_filters_too(source: str, compared: Comparison) -> None:
    assert template(source).comparisons == (compared,)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (
            "{% set t = 0 %}{% for l in lines %}{% set t = t + l.price %}{% endfor %}{{ t }}",
            (
                '"t" is set inside a loop, and what is set there ends with each round; a namespace keeps it: '
                "{% set all = namespace() %} before the loop, {% set all.t = … %} inside"
            ),
        ),
        (
            "{% set f = 'no' %}{% for l in lines %}{% if l.ref %}{% set f = 'yes' %}{% endif %}{% endfor %}{{ f }}",
            '"f" is set inside a loop',
        ),
        ("{{ a is defined }}", '"is defined" tells nothing of a column, since each is defined; write "is not none"'),
        ("{% for l in lines %}{{ l.a is undefined }}{% endfor %}", 'write "is none"'),
        ("{{ a in ('paid') }}", "in 'paid' asks for a part of it; a list of one is ['paid'], a part: is in 'paid'"),
        ("{{ lines | selectattr('a', 'defined') | list }}", "write selectattr(…, 'none')"),
        ("{% set s = '' %}{% for l in lines %}{{ s }}{% set s = ', ' %}{% endfor %}", '"s" is set inside a loop'),
        ("{{ a not in 'paid' }}", "a list of one is ['paid']"),
        ("{{ a | map(attribute='b', default=0) | sum }}", "map has no default here"),
    ],
)
def test_what_never_does_what_it_seems_to_is_a_mistake(source: str, said: str) -> None:
    found, problems = parse(source)
    assert found is None
    assert said in "\n".join(problems)


@pytest.mark.parametrize(
    "source",
    [
        "{% for c in phone if c in '+0123456789' %}{{ c }}{% endfor %}",
        "{{ zip[:1] in '0123' and zip[0] in '0123' and a is in 'paid' }}",
        "{% set t = 0 %}{% for l in lines %}{% if l %}{% set t = 1 %}{% endif %}{% endfor %}",
        "{% set t = 0 %}{% for l in lines %}{% set t = l.price %}{{ t }}{% endfor %}",
        "{% set t = 0 %}{% for l in lines %}{% set t = l.price %}{% endfor %}{% set t = 1 %}{{ t }}",
        "{% for l in lines %}{% set t = 0 %}{% for p in l.parts %}{% set t = p %}{% endfor %}{% endfor %}{{ t }}",
        "{% for l in lines %}{{ loop.nextitem is defined }}{% endfor %}",
        "{{ 'vip' in tags and 'a' in email and a in b }}",
    ],
)
def test_what_looks_alike_and_does_what_it_says_is_none(source: str) -> None:
    assert parse(source)[1] == ()
