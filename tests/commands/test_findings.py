"""What `check` says of mappings and of the endpoint's answer."""

from __future__ import annotations

from typing import Any

import pytest

from target_applied_events.commands.findings import Finding, Sign, of_mappings, of_reply, of_streams
from target_applied_events.event import Answer, Failure, NoAnswer, Reply
from target_applied_events.mapping import Declaration, declare

CONTACT = {"contact": {"remote_id": "{{ id }}"}}
METRIC = {"metric": {"metric_name": "m"}}
ORIGIN = "https://events.example.com:443"
SHOP = "66e4c0de-0000-4000-8000-000000000001"


def declared(raw: dict[str, Any]) -> Declaration:
    declaration, problems = declare({"stream": "rows", "name": "n", **raw}, "mappings[0]")
    assert declaration is not None, problems
    return declaration


def warnings(raw: dict[str, Any], *columns: str, adds: bool = False) -> list[str]:
    found = list(of_mappings([declared(raw)], columns, adds=adds))
    assert all(finding.sign is Sign.WARNING for finding in found)
    return [finding.text.removeprefix("mappings[0]: ") for finding in found]


def of_endpoint(reply: Reply, shop_id: str | None = SHOP) -> list[Finding]:
    return list(of_reply(reply, origin=ORIGIN, shop_id=shop_id))


def test_a_mapping_with_time_and_occasion_gets_no_warning() -> None:
    assert warnings({**CONTACT, **METRIC, "event_time": "{{ at }}", "once_per": "{{ id }}"}) == []


def test_a_mapping_without_event_time_is_told_what_is_taken_for_it() -> None:
    (said,) = warnings({**CONTACT, "once_per": "{{ id }}"})
    assert said == "has no event_time, so the time of arrival is taken for it."


def test_with_neither_time_nor_occasion_a_return_to_earlier_values_looks_like_a_repeat() -> None:
    (said,) = warnings(CONTACT)
    assert "a row that returns to earlier values makes no event" in said


def test_a_metric_without_occasion_is_warned_of() -> None:
    (said,) = warnings({**METRIC, "event_time": "{{ at }}"})
    assert said.startswith("has a metric and no once_per")


AT = {**CONTACT, "event_time": "{{ at }}"}


@pytest.mark.parametrize(
    ("name", "once_per", "columns"),
    [
        ("Order {{ status }}", "{{ id }}", "status"),
        ("Order {{ number }} {{ record.status }}", "{{ id }}-{{ number }}", "status"),
        ("{{ a.b }} of {{ items[0].name }}", "{{ a.c }}", "a.b, items.0.name"),
        ("{{ order }}", "{{ order.id }}", "order"),
        ("{{ record | tojson }}", "{{ id }}", "record"),
    ],
)
def test_a_name_that_reads_what_once_per_does_not_is_warned_of(name: str, once_per: str, columns: str) -> None:
    (said,) = warnings({**AT, "name": name, "once_per": once_per})
    assert said.startswith(f"its name reads {columns}, which once_per doesn't: the event happens once for once_per, ")


@pytest.mark.parametrize(
    ("name", "once_per"),
    [
        ("Order paid", "{{ id }}"),
        ("Order {{ number }}", "{{ record['number'] }}"),
        ("Order {{ order.number }}", "{{ order | tojson }}"),
        ("{{ stream }} {{ id }}", "{{ id }}"),
        ("Order {{ status }}", "{{ record | tojson | sha256 }}"),
        ("Order {{ status }}", None),
    ],
)
def test_a_name_that_once_per_settles_is_not_warned_of(name: str, once_per: str | None) -> None:
    mapping = {**AT, "name": name}
    assert warnings(mapping if once_per is None else {**mapping, "once_per": once_per}) == []


def of_keyless(*raws: dict[str, Any], streams: list[str]) -> list[str]:
    found = list(of_streams([declared({**CONTACT, **raw}) for raw in raws], streams))
    assert all(finding.sign is Sign.WARNING for finding in found)
    return [finding.text for finding in found]


def test_without_a_key_and_once_per_rows_that_are_alike_are_warned_of() -> None:
    (said,) = of_keyless({}, streams=["others", "rows"])
    assert said.startswith("mappings[0]: the stream rows has no key_properties and the mapping no once_per, so rows ")
    (said,) = of_keyless({"stream": "*"}, streams=["others", "rows"])
    assert said.startswith("mappings[0]: the streams others, rows have no key_properties and ")


def test_with_once_per_or_for_other_streams_no_key_is_needed() -> None:
    assert of_keyless({"once_per": "{{ id }}"}, streams=["rows"]) == []
    assert of_keyless({}, streams=[]) == of_keyless({}, streams=["others"]) == []
    (said,) = of_keyless({"stream": "*"}, {"once_per": "{{ id }}"}, streams=["others", "rows"])
    assert said.startswith("mappings[0]: the stream others has ")


@pytest.mark.parametrize(
    "column", ["{{ _sdc_sequence }}", "{{ record['_sdc_sequence'] }}", "{{ record._sdc_sequence }}"]
)
def test_a_metadata_column_that_nothing_adds_is_warned_of(column: str) -> None:
    mapping = {**CONTACT, "event_time": "{{ at }}", "description": column}
    (said,) = warnings(mapping)
    assert said.startswith("names _sdc_sequence, which is null unless")
    assert warnings(mapping, adds=True) == []
    assert warnings(mapping, "_sdc_sequence") == []


def test_a_metadata_column_that_the_tap_sends_is_not_warned_of_whatever_else_is() -> None:
    raw = {**AT, "name": "Seen {{ status }}", "description": "{{ _sdc_extracted_at }}", "once_per": "{{ id }}"}
    (said,) = warnings(raw, "_sdc_extracted_at")
    assert said.startswith("its name reads status")


def test_the_column_by_which_taps_tell_deleted_rows_is_not_warned_of() -> None:
    assert warnings({**CONTACT, "event_time": "{{ at }}", "when": "{{ _sdc_deleted_at is not none }}"}) == []


@pytest.mark.parametrize(
    ("answer", "sign", "named"),
    [
        (Answer(200, b'{"contacts":[]}'), Sign.GOOD, "api_key and shop_id"),
        (Answer(200, b"<html>hello", "text/html"), Sign.WRONG, "api_url"),
        (Answer(302), Sign.WRONG, "api_url"),
        (Answer(401), Sign.WRONG, "api_key"),
        (Answer(403), Sign.WRONG, "api_key or shop_id"),
        (Answer(404), Sign.NOT_TRIED, "api_key and shop_id"),
        (Answer(405), Sign.NOT_TRIED, "api_key and shop_id"),
        (Answer(422), Sign.WRONG, "shop_id"),
        (Answer(429), Sign.NOT_TRIED, "api_key and shop_id"),
        (Answer(503), Sign.WRONG, "api_url"),
    ],
)
def test_an_answer_names_the_setting_that_it_speaks_of(answer: Answer, sign: Sign, named: str) -> None:
    reached, found = of_endpoint(answer)
    assert (reached.sign, reached.text) == (Sign.GOOD, f"api_url: {ORIGIN} answers, its certificate verifies.")
    assert found.sign is sign
    assert found.text.startswith(f"{named}: ")


@pytest.mark.parametrize("answer", [Answer(200), Answer(403), Answer(422)])
def test_a_shop_that_comes_out_of_the_records_is_not_tried(answer: Answer) -> None:
    assert of_endpoint(answer, None)[1].sign is Sign.NOT_TRIED


@pytest.mark.parametrize("failure", Failure)
def test_silence_is_the_address_and_leaves_key_and_shop_untried(failure: Failure) -> None:
    wrong, untried = of_endpoint(NoAnswer(failure, "the system's words"))
    assert wrong.sign is Sign.WRONG
    assert "the system's words" in wrong.text
    assert untried.sign is Sign.NOT_TRIED
