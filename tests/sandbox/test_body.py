from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_applied_events.sandbox.body import read_body
from target_applied_events.sandbox.contract import Refusal, Rules

SHOP = "66e4a5f0-0000-4000-8000-000000000001"
DOCUMENTED: dict[str, Any] = {
    "name": "Order placed",
    "description": "Order 1001",
    "event_time": "2026-04-07T14:30:00Z",
    "contact": {"email": "ada@example.com", "name": "Ada", "phone": "+44 20 7946 0018", "remote_id": "1001"},
    "metric": {
        "metric_name": "order_value",
        "value": 1,
        "deduping_key": "order-1001",
        "metric_object_id": SHOP,
        "metric_object_type": "order",
        "context_object_id": SHOP,
        "context_object_type": "cart",
        "additional_properties": {"currency": "EUR"},
    },
}
OPTIONAL = [
    ("description",),
    ("event_time",),
    ("contact",),
    ("contact", "name"),
    ("contact", "phone"),
    ("contact", "remote_id"),
    *(("metric", name) for name in DOCUMENTED["metric"] if name != "metric_name"),
]
FIELDS = [(name,) for name in DOCUMENTED] + [
    (part, name) for part in ("contact", "metric") for name in DOCUMENTED[part]
]


def read(body: object, rules: Rules | None = None) -> dict[str, Any] | Refusal:
    return read_body(json.dumps(body).encode(), rules or Rules())


def with_field(path: tuple[str, ...], value: object) -> dict[str, Any]:
    body = copy.deepcopy(DOCUMENTED)
    place = body
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    return body


def refused_fields(outcome: dict[str, Any] | Refusal) -> list[str]:
    assert isinstance(outcome, Refusal)
    return [problem.field for problem in outcome.problems]


def test_the_documented_example_is_taken() -> None:
    assert read(DOCUMENTED) == DOCUMENTED


@given(st.sets(st.sampled_from(OPTIONAL)))
def test_any_optional_field_may_be_missing(missing: set[tuple[str, ...]]) -> None:
    body = copy.deepcopy(DOCUMENTED)
    for path in sorted(missing, key=len, reverse=True):
        place = body
        for name in path[:-1]:
            place = place[name]
        del place[path[-1]]
    assert read(body) == body


@given(st.sampled_from(FIELDS), st.sampled_from([None, True, [], [1], {"x": {}}]))
def test_a_field_of_the_wrong_type_is_refused_and_named(path: tuple[str, ...], value: object) -> None:
    assert refused_fields(read(with_field(path, value)))[0].startswith(".".join(path))


@pytest.mark.parametrize(
    ("path", "good", "bad"),
    [
        (("name",), "x", ""),
        (("name",), "x", " "),
        (("name",), "0", 0),
        (("description",), "", 1),
        (("event_time",), "2026-04-07T14:30:00.123456+02:00", "2026-04-07T14:30:00"),
        (("event_time",), "2026-04-07t14:30:00z", "2026-04-07"),
        (("event_time",), "2024-02-29T00:00:00Z", "2023-02-29T00:00:00Z"),
        (("event_time",), "0001-01-01T00:00:00Z", "yesterday"),
        (("event_time",), "2026-04-07 14:30:00Z", 1775572200),
        (("contact", "email"), "not checked further", 7),
        (("contact", "name"), "", ["Ada"]),
        (("contact", "phone"), "112", 112),
        (("contact", "remote_id"), "1001", 1001),
        (("metric", "metric_name"), "x", ""),
        (("metric", "value"), 10.25, "10.25"),
        (("metric", "value"), -1, True),
        (("metric", "value"), 10**300, 10**400),
        (("metric", "deduping_key"), "x", 1),
        (("metric", "metric_object_id"), SHOP.upper(), SHOP.replace("-", "")),
        (("metric", "metric_object_type"), "order", 1),
        (("metric", "context_object_id"), SHOP, "1001"),
        (("metric", "context_object_type"), "", None),
        (("metric", "additional_properties"), {}, {"vip": True}),
        (("metric", "additional_properties"), {"a": ""}, {"a": None}),
    ],
)
def test_each_rule_takes_the_good_and_refuses_the_bad(path: tuple[str, ...], good: object, bad: object) -> None:
    assert not isinstance(read(with_field(path, good)), Refusal)
    outcome = read(with_field(path, bad))
    assert refused_fields(outcome) == [".".join(path)]
    assert isinstance(outcome, Refusal)
    assert outcome.status == 422


def test_an_event_needs_a_name_and_a_contact_or_a_metric() -> None:
    assert refused_fields(read({})) == ["name", "body"]
    assert not isinstance(read({"name": "x", "metric": {"metric_name": "y"}}), Refusal)
    assert not isinstance(read({"name": "x", "contact": {"phone": "1"}}), Refusal)


def test_a_metric_needs_its_name() -> None:
    assert refused_fields(read({"name": "x", "metric": {"value": 1}})) == ["metric.metric_name"]


def test_a_contact_that_nothing_identifies_is_refused_unless_allowed() -> None:
    body = {"name": "x", "contact": {"name": "Ada", "email": " "}}
    assert refused_fields(read(body)) == ["contact"]
    assert read(body, Rules(allow_anonymous=True)) == body


def test_an_unknown_field_is_refused_unless_allowed() -> None:
    body = with_field(("contact", "nick"), "a") | {"tag": 1}
    assert refused_fields(read(body)) == ["tag", "contact.nick"]
    assert read(body, Rules(allow_unknown_fields=True)) == body


def test_null_is_refused_unless_allowed_and_then_as_good_as_missing() -> None:
    body = with_field(("contact", "phone"), None) | {"description": None}
    assert refused_fields(read(body)) == ["description", "contact.phone"]
    taken = read(body, Rules(allow_nulls=True))
    assert isinstance(taken, dict)
    assert "description" not in taken
    assert "phone" not in taken["contact"]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b'{"name": NaN}',
        b'{"name": Infinity}',
        b'{"name": "\xff"}',
        b'{"name": "\\ud800", "contact": {"email": "a"}}',
        b'{"name": ' + b"[" * 100_000,
        b'{"name": ' + b"9" * 5000 + b"}",
        b"\xef\xbb\xbf{}",
    ],
)
def test_what_is_no_json_is_refused_with_400(raw: bytes) -> None:
    outcome = read_body(raw, Rules())
    assert isinstance(outcome, Refusal)
    assert (outcome.status, outcome.problems[0].field) == (400, "body")


@pytest.mark.parametrize("raw", [b"[]", b"1", b"null", b'"x"'])
def test_what_is_no_object_is_refused(raw: bytes) -> None:
    assert refused_fields(read_body(raw, Rules())) == ["body"]


def test_a_surrogate_pair_is_a_character() -> None:
    raw = b'{"name": "\\ud83d\\ude00", "contact": {"email": "a"}}'
    taken = read_body(raw, Rules())
    assert isinstance(taken, dict)
    assert taken["name"] == "\N{GRINNING FACE}"
