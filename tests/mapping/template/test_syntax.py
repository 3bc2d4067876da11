from __future__ import annotations

import pytest

from target_applied_events.mapping.template.template import parse
from tests.mapping.template.at_work import template


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{{ email", "unexpected end of template, expected '}}' (at character 9)"),
        ("{{ email }", "unexpected '}'; an expression ends with }} (at character 10)"),
        ("{{ state = 'paid' }}", "expected token '}}', got '='; what is equal is written == (at character 10)"),
        ("{{ email | }}", "(at character 12)"),
        ("{{ email $ }}", "unexpected char '$' (at character 10)"),
        ("{% if paid %}x", "(at character"),
        ("{{ email | lowr }}", 'there is no filter "lowr"; did you mean "lower"?'),
        ("{{ tags | map('lowr') }}", 'there is no filter "lowr"; did you mean "lower"?'),
        ("{{ tags | select('equaltoo', 1) }}", 'there is no test "equaltoo"; did you mean "equalto"?'),
        ("{{ email is strinx }}", 'there is no test "strinx"; did you mean "string"?'),
        ("{{ tags | random }}", 'the filter "random" isn\'t available'),
        ("{{ now() }}", "only range(), namespace() and methods"),
        ("{{ email.lowr() }}", '"lowr()" is nothing that can be called here; did you mean "lower"?'),
        (
            "{{ d | timestamp('%d.%Q.%Y') }}",
            '"%d.%Q.%Y": that is no format of times; formats are as \'%d.%m.%Y',
        ),
        ("{{ d | timestamp('%Y %Y') }}", '"%Y %Y": that is no format of times'),
        ("{{ d | timestamp(form='%d.%m.') }}", '"%d.%m.": that format reads no year'),
        ("{{ d | timestamp('millis') }}", "or an epoch's unit: s, ms, us, ns"),
        ("{{ d | timestamp('%Y', 'Europe/Berlni') }}", '"Europe/Berlni": there is no such time zone'),
        ("{{ d | timestamp(zone='Mars') }}", '"Mars": there is no such time zone'),
        (
            "{{ email | lower('x') }}",
            'the filter "lower" is given other arguments than it takes; it takes no arguments',
        ),
        ("{{ email | replace('x') }}", "it takes (old, new, count=None)"),
        ("{{ email | timestamp(tz='x') }}", "it takes (form=None, zone='UTC')"),
        ("{{ tags | slice }}", "it takes (slices, fill_with=None)"),
        ("{{ tags | length(1) }}", "it takes no arguments"),
        ("{{ email is divisibleby }}", 'the test "divisibleby" is given other arguments than it takes; it takes (num)'),
        ("{% macro m() %}{% endmacro %}", "a mapping has no {% macro %}"),
        ("{% include 'x' %}", "a mapping has no {% include %}"),
        ("{% import 'x' as y %}", "a mapping has no {% import %}"),
        ("{% extends 'x' %}", "a mapping has no {% extends %}"),
        ("{% set x %}a{% endset %}", "a mapping has no {% set … %}…{% endset %};"),
        ("{% for x in tags recursive %}{{ loop(x) }}{% endfor %}", "a loop can't be recursive"),
        ("{{ email.lower(*tags) }}", "stars in arguments"),
        ("{{ email | lower(**customer) }}", "stars in arguments"),
        ("{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}", "nested too deeply"),
    ],
)
def test_a_mistake_in_a_template_is_named_with_its_place(source: str, said: str) -> None:
    found, problems = parse(source)
    assert found is None
    assert said in "\n".join(problems)


def test_all_the_mistakes_of_a_template_are_said_at_once() -> None:
    _, problems = parse("{{ a | lowr }} {{ b is strinx }} {{ c.__class__ }}")
    assert len(problems) == 3


@pytest.mark.parametrize(
    "source",
    [
        "{{ a | default('x', boolean=true) | d(1) }}",
        "{{ a | join(',', attribute='b') }}",
        "{{ a | map(attribute='b') | map('upper') | map('replace', 'a', 'b') | list }}",
        "{{ a | round(2, method='floor') | abs | float }}",
        "{{ a | timestamp('%Y', zone='UTC') | string | sha256 }}",
        "{{ a | sum(attribute='x', start=1) }}",
        "{{ a | format(1, 2, 3) | center(20) | truncate(9, true, '…') }}",
        "{{ a | groupby('x') | first | list | sort(reverse=true) | unique | reverse | batch(2) | list }}",
        "{{ a | selectattr('x', 'gt', 5) | rejectattr('y') | list }}",
        "{{ a is gt(5) and a is gt 5 and a is none and a is in [1] }}",
        "{{ a.strip().split(',', 1)[0].replace('a', 'b', 1) }}",
    ],
)
def test_arguments_that_a_filter_or_a_test_takes_are_no_mistake(source: str) -> None:
    assert parse(source)[1] == ()


@pytest.mark.parametrize(("one", "other"), [("\ufb01", "fi"), ("\u017f", "s"), ("\u00b5", "\u03bc"), ("\u00aa", "a")])
def test_columns_that_python_would_read_as_one_name_are_two(one: str, other: str) -> None:
    source = f"{{{{ {one} ~ '' }}}}{{{{ {other} ~ '' }}}}{{% for i in [1] %}}{{{{ {one} }}}}{{% endfor %}}"
    assert template(source).reader("s", strict=False)({one: "1", other: "2"}) == "121"


def test_a_name_that_python_would_read_as_another_cannot_be_set() -> None:
    for source in ("{% set \ufb01 = 1 %}{{ fi }}", "{% for \ufb01 in a %}{{ fi }}{% endfor %}"):
        assert parse(source)[1] == ('"\ufb01" can\'t be set, since it reads as "fi": take that name',)
