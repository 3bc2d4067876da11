"""What a preview warns of in the events that it shows: those that a run would never send, fields that stay empty."""

from __future__ import annotations

import logging
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from target_applied_events.commands.preview_warnings import EventsSeen
from target_applied_events.event import Event
from target_applied_events.mapping import Declaration, compile_mappings, declare

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SHOP = "66e4c0de-0000-4000-8000-000000000001"
ORIGIN = "https://events.example.com:443"
ROW = {"stream": "rows", "name": "Row", "contact": {"remote_id": "{{ id }}"}}

SCHEMA: dict[str, Any] = {
    "properties": {name: {} for name in ("id", "status", "line", "total", "page", "at", "a", "all")}
}

Rows = list[dict[str, Any]]


def declared(*raws: dict[str, Any]) -> list[Declaration]:
    read = [declare({**ROW, **raw}, f"mappings[{number}]") for number, raw in enumerate(raws)]
    assert [problems for _, problems in read if problems] == []
    return [declaration for declaration, _ in read if declaration is not None]


def told(
    caplog: pytest.LogCaptureFixture,
    rows: Iterable[dict[str, Any]],
    *raws: dict[str, Any],
    keys: Sequence[str] = ("id",),
) -> list[str]:
    """What is said of the events that some mappings make of rows, each with its level's first letter."""
    declarations = declared(*(raws or ({},)))
    seen = EventsSeen(declarations)
    mappings = compile_mappings(
        declarations, stream="rows", schema=SCHEMA, key_properties=keys, shop_id=SHOP, origin=ORIGIN
    )
    for row in rows:
        for mapping in mappings:
            if isinstance(event := mapping.event(row), Event):
                seen.take(event, has_key=bool(keys))
    caplog.clear()
    with caplog.at_level(logging.INFO):
        seen.tell()
    return [f"{line.levelname[0]} {line.getMessage()}" for line in caplog.records]


def test_the_states_of_a_row_under_one_once_per_are_told_to_be_sent_once(caplog: pytest.LogCaptureFixture) -> None:
    rows: Rows = [{"id": 1, "status": status} for status in ("placed", "paid", "sent")]
    (said,) = told(caplog, rows, {"name": "Order {{ status }}", "once_per": "{{ id }}"})
    assert said.startswith(
        "W mappings[0]: 2 of its events have the once_per of an earlier one and another body: a run "
    )


def test_two_rows_that_once_per_takes_for_one_are_told(caplog: pytest.LogCaptureFixture) -> None:
    rows: Rows = [{"id": 1, "line": 11}, {"id": 11, "line": 1}]
    (said,) = told(caplog, rows, {"once_per": "{{ id * line }}"})
    assert said.startswith("W mappings[0]: 1 of its events has the once_per of an earlier one and another body: ")
    assert told(caplog, rows, {"once_per": "{{ id }}-{{ line }}"}) == []


def test_an_event_under_once_per_that_returns_to_an_earlier_body_is_counted_with_what_it_is_like(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rows: Rows = [{"id": 1, "status": status} for status in ("placed", "paid", "placed")]
    changed, repeated = told(caplog, rows, {"name": "Order {{ status }}", "once_per": "{{ id }}"})
    assert changed.startswith("W mappings[0]: 1 of its events has the once_per")
    assert repeated == "I mappings[0]: 1 of its events is the same as an earlier one: a run sends each once."


@pytest.mark.parametrize("mapping", [{}, {"once_per": "{{ id }}"}], ids=["by its content", "by once_per"])
def test_a_repeated_row_is_a_plain_sentence(caplog: pytest.LogCaptureFixture, mapping: dict[str, Any]) -> None:
    rows: Rows = [{"id": 1}, {"id": 1}, {"id": 1}, {"id": 2}]
    expected = "I mappings[0]: 2 of its events are the same as an earlier one: a run sends each once."
    assert told(caplog, rows, mapping) == [expected]


def test_equal_numbers_are_no_other_body(caplog: pytest.LogCaptureFixture) -> None:
    rows: Rows = [{"id": 1, "total": total} for total in (Decimal("7.50"), Decimal("7.5"))]
    (said,) = told(caplog, rows, {"metric": {"metric_name": "m", "value": "{{ total }}"}, "once_per": "{{ id }}"})
    assert said.startswith("I mappings[0]: 1 of its events is the same")


def test_alike_rows_without_a_key_are_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    rows: Rows = [{"id": 7, "page": "/"}] * 3
    (said,) = told(caplog, rows, keys=())
    assert said.startswith("W mappings[0]: 2 of its events are the same as an earlier one: a run sends each once. Its ")
    assert "no key_properties" in said


def test_with_once_per_alike_rows_without_a_key_are_what_was_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    (said,) = told(caplog, [{"id": 7}] * 2, {"once_per": "{{ id }}"}, keys=())
    assert said.startswith("I ")


def test_events_that_differ_are_not_spoken_of(caplog: pytest.LogCaptureFixture) -> None:
    rows: Rows = [{"id": 1, "status": "placed"}, {"id": 1, "status": "paid"}, {"id": 2, "status": "paid"}]
    assert told(caplog, rows, {"name": "{{ status }}"}, {"once_per": "{{ id }}-{{ status }}"}) == []


FULL = {
    "name": "Row {{ id }}",
    "description": "{{ a }}",
    "event_time": "{{ record.at or 'now' }}",
    "contact": {"remote_id": "{{ id }}", "phone": "{{ a }}"},
    "metric": {"metric_name": "m", "metric_object_type": "{{ a }}", "additional_properties": {"x.y": "{{ a }}"}},
    "once_per": "{{ id }}",
    "when": "{{ id > 0 }}",
    "shard_by": "{{ id }}",
    "shop_id": SHOP,
}


def test_each_field_that_no_event_has_is_told(caplog: pytest.LogCaptureFixture) -> None:
    assert told(caplog, [{"id": 1}, {"id": 2}], FULL) == [
        "W mappings[0].contact.phone came out empty in all 2 events.",
        "W mappings[0].description came out empty in all 2 events.",
        "W mappings[0].metric.additional_properties.x.y came out empty in all 2 events.",
        "W mappings[0].metric.metric_object_type came out empty in all 2 events.",
    ]


def test_a_field_that_one_event_has_is_not_told(caplog: pytest.LogCaptureFixture) -> None:
    assert told(caplog, [{"id": 1}, {"id": 2, "a": "here"}, {"id": 3}], FULL) == []


def test_properties_in_one_are_told_where_they_stay_empty(caplog: pytest.LogCaptureFixture) -> None:
    mapping = {"metric": {"metric_name": "m", "additional_properties": "{{ all }}"}}
    assert told(caplog, [{"id": 1}], mapping) == [
        "W mappings[0].metric.additional_properties came out empty in its one event."
    ]


def test_a_deduping_key_that_the_event_s_own_always_stands_in_for_is_told(caplog: pytest.LogCaptureFixture) -> None:
    mapping = {"metric": {"metric_name": "m", "deduping_key": "o-{{ a }}"}}
    assert told(caplog, [{"id": 1}, {"id": 2}], mapping) == [
        "W mappings[0].metric.deduping_key came out empty in all 2 events."
    ]
    assert told(caplog, [{"id": 1}, {"id": 2, "a": 7}, {"id": 3}], mapping) == []


def test_a_contact_without_identifier_is_told_as_a_whole(caplog: pytest.LogCaptureFixture) -> None:
    mapping = {"contact": {"email": "{{ a }}", "name": "{{ id }}"}, "metric": {"metric_name": "m"}}
    assert told(caplog, [{"id": 1}, {"id": 2}], mapping) == ["W mappings[0].contact came out empty in all 2 events."]


def test_what_is_meant_to_be_empty_is_not_told(caplog: pytest.LogCaptureFixture) -> None:
    assert told(caplog, [{"id": 1}], {"event_time": "now", "description": ""}) == []
    assert told(caplog, [{"id": 1}], {"event_time": "{{ at or 'now' }}"}) == []


def test_a_mapping_without_events_is_not_spoken_of(caplog: pytest.LogCaptureFixture) -> None:
    assert told(caplog, [{"id": 1}], {"when": "{{ id > 1 }}", "description": "{{ a }}"}) == []
