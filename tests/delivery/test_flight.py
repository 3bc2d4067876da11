from __future__ import annotations

from target_applied_events.delivery.flight import rejected, rejected_in_doubt, stopped_by
from target_applied_events.delivery.retry import Stop
from target_applied_events.event import Event, Rejection, Violation
from target_applied_events.handover import Pending, Stream, Tally

ORDERS = Stream("orders", {}, ("n",))
EVENT = Event("orders", "mappings[0]", "shop", b'{"name":"x"}', bytes(16), ("email:a",), {"n": 1}, {"n": 1, "m": 2})


def test_a_rejection_is_kept_with_its_mapping_and_with_what_was_sent() -> None:
    refused = Rejection("refused", (Violation("$", "no"),), status=422, response="no")
    tally = Tally()
    record = rejected(Pending(EVENT, ORDERS, tally), refused)
    assert (record.stream, record.record, record.tally) == (ORDERS, {"n": 1, "m": 2}, tally)
    assert record.rejection == Rejection("refused", (Violation("$", "no"),), "mappings[0]", 422, "no", EVENT.body)


def test_what_is_in_doubt_is_kept_under_that_reason() -> None:
    record = rejected_in_doubt(Pending(EVENT, ORDERS, Tally()), "nobody can tell")
    assert record.rejection.reason == "in_doubt"
    assert record.rejection.errors == (Violation("$", "nobody can tell"),)
    assert record.rejection.event == EVENT.body


def test_the_error_that_ends_a_run_names_the_event_beside_its_message_and_not_in_it() -> None:
    error = stopped_by(EVENT, Stop("key refused", status=401, response="secret"))
    assert str(error) == "key refused"
    assert error.details == {"stream": "orders", "key_properties": {"n": 1}, "status": 401, "response": "secret"}
