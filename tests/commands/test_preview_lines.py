"""A line of a preview says all of an event, and a comparison names each field that differs."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from target_applied_events.commands.preview_lines import Expectation, Shown, line_of
from target_applied_events.event import Event, Rejection, Violation
from target_applied_events.handover import Pending, RejectedRecord, Stream, Tally

ROWS = Stream("rows", {}, ("id",))


def event(number: int, body: str) -> str:
    made = Event("rows", "mappings[0]", "", body.encode(), b"k" * 16, (), {"id": number}, {"id": number})
    return line_of(Pending(made, ROWS, Tally()))


def test_an_event_is_shown_with_its_body_to_the_last_digit() -> None:
    line = event(1, '{"name":"ü","metric":{"value":0.10}}')
    assert line.endswith('"event": {"name":"ü","metric":{"value":0.10}}}')
    assert json.loads(line)["key"] == {"id": 1}


def test_a_rejection_is_shown_with_its_reason_and_without_the_record() -> None:
    rejection = Rejection("unmappable", (Violation("$.name", "is empty"),), "mappings[1]")
    line = line_of(RejectedRecord(ROWS, {"id": Decimal("1.0"), "secret": "s"}, rejection, Tally()))
    assert line == (
        '{"stream": "rows", "mapping": "mappings[1]", "key": {"id": 1.0}, "rejection": '
        '{"reason": "unmappable", "errors": [{"path": "$.name", "message": "is empty"}]}}'
    )


def test_what_only_some_parsers_read_is_shown_so_that_all_do() -> None:
    record: dict[str, Any] = {"id": float("nan"), "text": "\ud800"}
    line = line_of(RejectedRecord(ROWS, record, Rejection("invalid"), Tally()))
    assert '"key": {"id": null}' in line


def test_what_is_the_same_makes_no_difference_in_whatever_order_it_comes() -> None:
    lines = [event(1, '{"name":"a"}'), event(2, '{"name":"b"}')]
    expectation = Expectation(lines)
    assert [expectation.differences(Shown.read(line)) for line in reversed(lines)] == [[], []]
    assert expectation.missing() == []


@pytest.mark.parametrize(
    ("expected", "found", "said"),
    [
        ('{"name":"a"}', '{"name":"b"}', 'event.name: expected "a", found "b"'),
        ('{"name":1}', '{"name":1.0}', "event.name: expected 1, found 1.0"),
        ('{"name":"1"}', '{"name":1}', 'event.name: expected "1", found 1'),
        ('{"contact":{"email":"a"}}', '{"contact":{}}', 'event.contact.email: expected "a", found nothing'),
        ("{}", '{"a":[null]}', "event.a[0]: expected nothing, found null"),
    ],
)
def test_each_field_that_differs_is_named(expected: str, found: str, said: str) -> None:
    differences = Expectation([event(7, expected)]).differences(Shown.read(event(7, found)))
    assert f"rows mappings[0] id=7: {said}" in differences


def test_what_is_new_and_what_is_missing_is_named() -> None:
    expectation = Expectation([event(1, "{}"), event(1, "{}")])
    assert expectation.differences(Shown.read(event(2, "{}"))) == ["rows mappings[0] id=2: is new"]
    assert expectation.differences(Shown.read(event(1, "{}"))) == []
    assert expectation.missing() == ["rows mappings[0] id=1: is missing"]


@pytest.mark.parametrize("line", ["", "nonsense", "[]", '{"type": "RECORD"}', '{"stream": 1, "mapping": 2, "key": 3}'])
def test_what_is_no_line_of_a_preview_is_refused_by_its_number(line: str) -> None:
    with pytest.raises(ValueError, match="line 2 is no line of a preview"):
        Expectation([event(1, "{}"), line])
