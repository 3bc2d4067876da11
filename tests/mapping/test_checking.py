from __future__ import annotations

from typing import Any

import pytest

from target_applied_events.mapping.checking import mistakes, notes
from target_applied_events.mapping.declaration import declare

TYPES = ("string", "integer", "number", "boolean", "array", "object")
SCHEMA: dict[str, Any] = {
    "properties": {
        **{name: {"type": ["null", name]} for name in TYPES},
        "nested": {"type": "object", "properties": {name: {"type": name} for name in TYPES}},
        "either": {"type": ["integer", "string"]},
        "record": {},
        "stream": {},
    }
}


def found(raw: dict[str, Any], schema: dict[str, Any] = SCHEMA) -> list[str]:
    declaration, problems = declare({"stream": "orders", "name": "x", "contact": {"email": "{{ string }}"}, **raw}, "m")
    assert declaration is not None, problems
    return list(mistakes(declaration, "orders", schema))


def field(name: str, template: str) -> dict[str, Any]:
    section, _, key = name.rpartition(".")
    inner = {key: template, **({"metric_name": "m"} if section == "metric" else {})}
    return {section: inner} if section else inner


@pytest.mark.parametrize(
    ("name", "fitting"),
    [
        ("description", {"string", "integer", "number", "boolean"}),
        ("contact.email", {"string", "integer", "number", "boolean"}),
        ("once_per", {"string", "integer", "number", "boolean"}),
        ("metric.deduping_key", {"string", "integer", "number", "boolean"}),
        ("metric.value", {"string", "integer", "number"}),
        ("metric.metric_object_id", {"string"}),
        ("shop_id", {"string"}),
        ("event_time", {"string"}),
        ("when", {"boolean"}),
        ("metric.additional_properties", {"object"}),
    ],
)
@pytest.mark.parametrize("path", ["{}", "nested.{}", "record.{}", "record['{}']"])
def test_a_type_that_can_never_fit_is_a_mistake_and_one_that_can_is_none(
    name: str, fitting: set[str], path: str
) -> None:
    for kind in TYPES:
        problems = found(field(name, f"{{{{ {path.format(kind)} }}}}"))
        assert bool(problems) == (kind not in fitting), (kind, problems)
        assert all(problem.startswith(f"m.{name}: the column ") for problem in problems)


@pytest.mark.parametrize(
    ("raw", "advice"),
    [
        (field("metric.metric_object_id", "{{ integer }}"), "{{ integer | uuid('kind of object') }}"),
        (field("event_time", "{{ nested.integer }}"), "{{ nested.integer | timestamp }}"),
        (field("when", "{{ string }}"), "{{ string == … }}"),
        (field("metric.additional_properties", "{{ string }}"), "the filter fromjson reads JSON out of text"),
    ],
)
def test_a_mistake_says_what_to_do(raw: dict[str, Any], advice: str) -> None:
    (said,) = found(raw)
    assert said.endswith(advice)


@pytest.mark.parametrize(
    "raw",
    [
        field("metric.metric_object_id", "{{ integer | uuid('order') }}"),
        field("metric.metric_object_id", "{{ either }}"),
        field("event_time", "{{ integer | timestamp }}"),
        field("when", "{{ string == 'paid' }}"),
        field("metric.additional_properties", "{{ string | fromjson }}"),
        field("description", "{{ array }} {{ object }}"),
        field("description", "{{ _sdc_extracted_at }}"),
    ],
)
def test_what_the_advice_says_is_no_mistake(raw: dict[str, Any]) -> None:
    assert found(raw) == []


@pytest.mark.parametrize(
    ("name", "template"),
    [
        ("description", "{{ strinx }}"),
        ("description", "{{ record['strinx'] }}"),
        ("description", "{% if strinx %}x{% endif %}"),
        ("description", "{% for x in strinx %}{{ x.y }}{% endfor %}"),
        ("description", "{{ integer if strinx else integer }}"),
        ("description", "{{ integer | default(strinx) }}"),
        ("description", "{{ strinx.lower() }}"),
        ("description", "{{ [strinx, {'a': strinx}] | join }}"),
        ("description", "{{ 'a' ~ strinx ~ (1 < strinx < 2) }}"),
        ("when", "{{ strinx == 'x' }}"),
        ("metric.additional_properties", "{{ {'a': strinx} }}"),
    ],
)
def test_a_column_that_is_not_there_is_found_wherever_a_template_names_it(name: str, template: str) -> None:
    assert found(field(name, template)) == [
        f'm.{name}: the stream orders has no column "strinx"; did you mean "string"?'
    ]


@pytest.mark.parametrize("name", ["when", "description", "contact.email", "once_per", "metric.value"])
def test_a_comparison_that_is_never_met_is_found_wherever_it_stands(name: str) -> None:
    said = f'm.{name}: the column "string" is a string, which never meets 1; '
    mistakes = found(field(name, "{{ integer == 2 and (string == 1 or record.string in [1]) }}"))
    assert [mistake.startswith(said) for mistake in mistakes].count(True) == 1


@pytest.mark.parametrize(
    "condition", ["integer == 1 or integer == '1'", "string in (1, '1')", "stream == 1", "record.stream == 1"]
)
def test_a_comparison_that_may_be_met_in_some_stream_is_no_mistake(condition: str) -> None:
    assert found(field("when", "{{ %s }}" % condition)) == []  # noqa: UP031 - braces


def test_properties_are_checked_by_their_names() -> None:
    raw = {"metric": {"metric_name": "m", "additional_properties": {"a-b": "{{ strinx }}"}}}
    assert found(raw) == [
        'm.metric.additional_properties.a-b: the stream orders has no column "strinx"; did you mean "string"?'
    ]


def test_a_reserved_name_that_is_a_column_too_is_noted_where_it_is_used() -> None:
    raw = {"stream": "orders", "name": "{{ stream }}", "contact": {"email": "{{ string }}"}}
    declaration, _ = declare(raw, "m")
    assert declaration is not None
    (said,) = notes(declaration, "orders", SCHEMA)
    assert said.startswith('m.name: "stream" means the stream\'s name here; ')
    assert said.endswith("the column of that name of the stream orders is record['stream']")


@pytest.mark.parametrize(
    ("name", "text", "column"),
    [
        ("contact.name", "string", "string"),
        ("description", " string ", "string"),
        ("metric.additional_properties.currency", "string", "string"),
        ("name", "Order {integer}", "integer"),
        ("description", "for ${ number }", "number"),
    ],
)
def test_text_that_reads_as_if_a_column_were_meant_is_noted(name: str, text: str, column: str) -> None:
    (said,) = noted(name, text)
    assert said == (
        f'm.{name}: is the text "{text.strip()}", the same for all records; the column of the stream orders is written '
        f'"{{{{ {column} }}}}"'
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("name", "string"),
        ("metric.metric_object_type", "string"),
        ("description", "A string"),
        ("description", "{other}"),
        ("description", "{{ '{string}' }}"),
        ("contact.name", "Guest"),
    ],
)
def test_other_text_is_not(name: str, text: str) -> None:
    assert noted(name, text) == ()


def noted(name: str, text: str) -> tuple[str, ...]:
    raw: dict[str, Any] = {"stream": "orders", "name": "x", "contact": {"email": "{{ string }}"}}
    *sections, key = name.split(".")
    inner = raw
    for section in sections:
        inner = inner.setdefault(section, {"metric_name": "m"} if section == "metric" else {})
    inner[key] = text
    declaration, problems = declare(raw, "m")
    assert declaration is not None, problems
    return notes(declaration, "orders", SCHEMA)
