from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from target_applied_events.mapping.declaration import declare

GOOD: dict[str, Any] = {"stream": "orders", "name": "Order placed", "contact": {"email": "{{ email }}"}}


def problems(**changes: object) -> list[str]:
    declaration, found = declare({**GOOD, **changes}, "mappings[0]")
    assert (declaration is None) == bool(found)
    return list(found)


def metric(**changes: object) -> list[str]:
    return problems(metric={"metric_name": "m", **changes})


def test_a_mapping_is_known_by_its_label_and_stream() -> None:
    declaration, found = declare({**GOOD, "stream": "public-*", "ordered": False}, "mappings[3]")
    assert declaration is not None
    assert found == ()
    assert (declaration.label, declaration.stream, declaration.ordered) == ("mappings[3]", "public-*", False)
    assert list(declaration.fields) == ["name", "contact.email"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"stream": None}, "mappings[0].stream: is missing"),
        ({"stream": 5}, "mappings[0].stream: found a number"),
        ({"name": None}, "mappings[0].name: is missing"),
        ({"name": ""}, "mappings[0].name: is empty"),
        ({"name": " {# only a remark #} "}, "mappings[0].name: is empty"),
        (
            {"contact": None, "metric": {"metric_name": "m"}},
            "mappings[0].contact: is empty: write what it holds, or leave it out",
        ),
        ({"when": None}, "mappings[0].when: is empty: write what it holds"),
        ({"once_per": None}, "mappings[0].once_per: is empty"),
        ({"metric": None}, "mappings[0].metric: is empty"),
        ({"contact": {"email": "{{ email }}", "phone": None}}, "mappings[0].contact.phone: is empty"),
        (
            {"metric": {"metric_name": "m", "additional_properties": {"a": None}}},
            "mappings[0].metric.additional_properties.a: is empty",
        ),
        ({"once_per": "{{ id }}{{ line }}"}, "mappings[0].once_per: has nothing between two values, so 1 and 11 pass"),
        ({"once_per": "{{ stream }}"}, "mappings[0].once_per: is a constant, the same for all records; a column"),
        ({"contact": {"email": "{{ stream }}@example.com"}}, 'a column is written "{{ record.stream }}"'),
        ({"description": "half \ud800"}, "mappings[0].description: holds half a surrogate pair"),
        (
            {"metric": {"metric_name": "m", "additional_properties": {"\ud800": "x"}}},
            "holds half a surrogate pair, which UTF-8 can't hold",
        ),
        ({"contact": "{{ email }}"}, "mappings[0].contact: found text; it's an object of templates"),
        ({"contact": {"name": "{{ name }}"}}, "mappings[0].contact: needs one of email, phone, remote_id"),
        ({"contact": {"emial": "{{ x }}"}}, 'mappings[0].contact.emial: is not known; did you mean "email"?'),
        ({"contcat": {}}, 'mappings[0].contcat: is not known; did you mean "contact"?'),
        ({"zzz": 1}, "mappings[0].zzz: is not known; known are stream, "),
        (
            {"contact": {"email": "email"}},
            'mappings[0].contact.email: is a constant, the same for all records; a column is written "{{ email }}"',
        ),
        ({"contact": {"phone": "+49 30 1"}}, 'a column is written "{{ column }}"'),
        ({"contact": {"remote_id": 5}}, "is a constant"),
        ({"contact": {"email": "{{ 'a@b.c' }}"}}, "is a constant"),
        (
            {"once_per": "id"},
            'mappings[0].once_per: is a constant, the same for all records; a column is written "{{ id }}"',
        ),
        ({"shard_by": "id"}, "mappings[0].shard_by: is a constant"),
        ({"shop_id": "my shop"}, "mappings[0].shop_id: found text that is no uuid"),
        ({"shop_id": ""}, "mappings[0].shop_id: is empty"),
        ({"event_time": "yesterday"}, "mappings[0].event_time: found text that is no time"),
        ({"event_time": "paid_at"}, 'a column is written "{{ paid_at }}"'),
        ({"event_time": "${paid_at}"}, 'a column is written "{{ paid_at }}"'),
        ({"event_time": ""}, "mappings[0].event_time: is empty"),
        ({"event_time": 5}, "mappings[0].event_time: found a number"),
        ({"when": "status == 'paid'"}, "mappings[0].when: is one expression and nothing else"),
        ({"when": "{{ a }} {{ b }}"}, "mappings[0].when: is one expression and nothing else"),
        ({"when": "{% if a %}true{% endif %}"}, "mappings[0].when: is one expression and nothing else"),
        ({"when": 1}, "mappings[0].when: is one expression and nothing else"),
        ({"ordered": "false"}, "mappings[0].ordered: found text; it's true or false"),
        ({"description": ["x"]}, "mappings[0].description: found an array; it's a template, a number or a boolean"),
        ({"description": {"{'total': None}": None}}, 'a value that begins with {{ needs quotes: "{{ column }}"'),
        ({"description": float("nan")}, "mappings[0].description: found"),
        (
            {"description": "{{ a | lowr }}"},
            'mappings[0].description: there is no filter "lowr"; did you mean "lower"?',
        ),
        ({"description": "{{ a"}, "mappings[0].description: unexpected end of template"),
        ({"description": "{{ '-' * 10**9 }}"}, "mappings[0].description: never works: a template may make 16,777,216"),
        (
            {"description": "{{ range(10**9) | list }}"},
            "mappings[0].description: never works: the template does more work",
        ),
        ({"description": "{{ 1 / 0 }}"}, "mappings[0].description: never works: a division by zero"),
    ],
)
def test_a_mistake_that_needs_no_schema_is_named_with_its_field(changes: dict[str, object], said: str) -> None:
    found = problems(**changes)
    assert len(found) == 1
    assert said in found[0]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"metric_name": None}, "mappings[0].metric.metric_name: is missing"),
        ({"metric_name": ""}, "mappings[0].metric.metric_name: is empty"),
        ({"value": "abc"}, "mappings[0].metric.value: found text that is no number"),
        ({"value": True}, "mappings[0].metric.value: found a boolean"),
        ({"value": " "}, "mappings[0].metric.value: is empty"),
        ({"deduping_key": "id"}, "mappings[0].metric.deduping_key: is a constant"),
        ({"metric_object_id": "id"}, "mappings[0].metric.metric_object_id: found text that is no uuid"),
        ({"context_object_id": 7}, "mappings[0].metric.context_object_id: found a number; the endpoint wants a uuid"),
        ({"valux": 1}, 'mappings[0].metric.valux: is not known; did you mean "value"?'),
        ({"additional_properties": "x {{ a }}"}, "metric.additional_properties: is an object of templates, or one"),
        ({"additional_properties": ["a"]}, "metric.additional_properties: found an array"),
        ({"additional_properties": {"a": {"b": 1}}}, "metric.additional_properties.a: found an object"),
        ({"additional_properties": {"a": "{{ b | lowr }}"}}, "metric.additional_properties.a: there is no filter"),
    ],
)
def test_a_mistake_in_a_metric_is_named_with_its_field(changes: dict[str, object], said: str) -> None:
    found = metric(**changes)
    assert len(found) == 1
    assert said in found[0]


@pytest.mark.parametrize("raw", [None, "x", 5, ["stream"], True])
def test_what_is_no_mapping_at_all_is_said_so(raw: object) -> None:
    assert "a mapping is an object with stream, name and contact or metric" in declare(raw, "mappings[0]")[1][0]


def test_all_mistakes_are_said_at_once() -> None:
    found = problems(stream=None, contact={"email": "email"}, metric={"value": "x"}, when="yes", foo=1)
    assert len(found) == 6


@pytest.mark.parametrize(
    "changes",
    [
        {"when": True},
        {"when": "\n  {{ paid }}\n"},
        {"event_time": "now"},
        {"event_time": dt.date(2026, 4, 7)},
        {"event_time": dt.datetime(2026, 4, 7, 14, 30, tzinfo=dt.UTC)},
        {"shop_id": "66e4b0f0-8c1f-4d8e-9d43-0d5f2a1c7e11"},
        {"name": 5},
        {"description": ""},
        {
            "metric": {
                "metric_name": "m",
                "value": 0.1,
                "additional_properties": {"a": Decimal("0.1"), 7: "x"},
            }
        },
        {"metric": {"metric_name": "m", "additional_properties": {}}},
        {"metric": {"metric_name": "{{ kind }}", "value": "1.5"}},
        {"metric": {"metric_name": "m", "additional_properties": "{{ attributes }}"}},
        {"name": "{% raw %}{{ }}{% endraw %}"},
        {"once_per": "{{ stream }}-{{ id }}"},
    ],
)
def test_what_is_right_is_no_mistake(changes: dict[str, object]) -> None:
    assert problems(**changes) == []
