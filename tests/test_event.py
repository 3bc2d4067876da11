from __future__ import annotations

from typing import Any

import pytest

from target_applied_events.delivery.retry import Settle, Stop
from target_applied_events.event import (
    Answer,
    Delivered,
    Event,
    Failure,
    NoAnswer,
    Refused,
    Rejection,
    Violation,
)
from target_applied_events.handover import RejectedRecord, Returned, Stream, Tally

SHOP = "66e4b3a0-5b0e-4f57-9d2a-1c2d3e4f5a6b"
FIELDS: dict[str, Any] = {
    "stream": "orders",
    "mapping": "mappings[0]",
    "shop_id": SHOP,
    "body": b'{"contact":{"email":"body@example.com"}}',
    "key": bytes(16),
    "identifiers": (f"{SHOP}\x1femail\x1fidentifiers@example.com",),
    "key_properties": {"id": 1001},
    "record": {"id": 1001, "email": "record@example.com"},
}
OTHERS: dict[str, Any] = {
    **dict.fromkeys(("stream", "mapping", "shop_id"), "x"),
    **dict.fromkeys(("body", "key"), b"x"),
    "identifiers": (),
    "key_properties": {},
    "record": {},
}
REJECTION = Rejection("refused", (Violation("$.name", "is missing"),), "mappings[0]", 400, "no", b"{}")


def test_the_repr_of_an_event_names_its_row_and_shows_nothing_of_its_contact() -> None:
    shown = repr(Event(**FIELDS))
    for wanted in ("orders", "mappings[0]", SHOP, "'id': 1001"):
        assert wanted in shown
    assert "@example.com" not in shown


@pytest.mark.parametrize(
    "value",
    [
        Answer(200, b"secret"),
        Rejection("refused", (), "mappings[0]", 400, "secret", b"secret"),
        Refused(Rejection("refused", response="secret")),
        RejectedRecord(Stream("orders", {}, ()), {"a": "secret"}, REJECTION, Tally()),
        Returned(1, Answer(200, b"secret"), 0.0),
        Stop("wrong", 401, "secret"),
        Settle(Refused(Rejection("refused", event=b"secret"))),
    ],
)
def test_the_repr_of_what_travels_shows_nothing_of_a_record_or_an_answer(value: object) -> None:
    assert repr(value).startswith(f"{type(value).__name__}(")
    assert "secret" not in repr(value)


@pytest.mark.parametrize("name", FIELDS)
def test_events_are_equal_just_when_all_that_they_hold_is(name: str) -> None:
    assert Event(**FIELDS) == Event(**FIELDS)
    assert Event(**{**FIELDS, name: OTHERS[name]}) != Event(**FIELDS)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        *((Event(**FIELDS), name) for name in FIELDS),
        (REJECTION, "reason"),
        (REJECTION.errors[0], "message"),
        (Answer(200), "status"),
        (NoAnswer(Failure.BROKEN), "failure"),
        (Delivered(200), "status"),
        (Refused(REJECTION), "rejection"),
    ],
)
def test_what_travels_never_changes_on_its_way_and_has_room_for_no_more(value: object, name: str) -> None:
    before = repr(value)
    with pytest.raises(AttributeError):
        setattr(value, name, OTHERS.get(name))
    assert repr(value) == before
    assert not hasattr(value, "__dict__")
