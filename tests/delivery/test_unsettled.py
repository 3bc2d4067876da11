from __future__ import annotations

import pytest

from target_applied_events.delivery.flight import Flight
from target_applied_events.delivery.retry import Decision, Retry, Settle
from target_applied_events.delivery.unsettled import MOST_FAILING, Failing, Unsettled
from target_applied_events.event import Delivered, Event, Refused, Rejection, Standing
from target_applied_events.handover import Pending, Tally
from tests.delivery.delivery_world import ORDERS, SHOP

KEY = bytes(16)
DELIVERED, FAILED = Settle(Delivered(200)), Retry(0.0, hold_all=False)


def flight(*, body: bytes = b"{}", record_bytes: int = 0, accepted_at: float = 0.0, doubt: bool = False) -> Flight:
    event = Event("orders", "mappings[0]", SHOP, body, KEY, (), {}, {})
    return Flight(Pending(event, ORDERS, Tally(), record_bytes), accepted_at, doubt=doubt)


def test_what_is_settled_leaves_nothing_behind() -> None:
    events = Unsettled()
    events.add(0, flight(body=b"{}", record_bytes=40))
    assert (len(events), events.size_bytes, events.has_key(KEY)) == (1, 42, True)
    assert events.lanes.take() == 0
    events.settle(0, delivered=True)
    assert (len(events), events.size_bytes, events.has_key(KEY), len(events.lanes)) == (0, 0, False, 0)


def test_events_of_one_key_go_one_after_another() -> None:
    events = Unsettled()
    events.add(0, flight())
    events.add(1, flight())
    assert events.lanes.take() == 0
    assert events.lanes.take() is None
    events.settle(0, delivered=True)
    assert events.lanes.take() == 1


@pytest.mark.parametrize(
    ("doubt", "delivered", "known"),
    [(False, True, Standing.DELIVERED), (True, True, Standing.DELIVERED), (True, False, Standing.IN_DOUBT)],
)
def test_what_became_of_one_is_known_to_the_others_of_its_key(*, doubt: bool, delivered: bool, known: Standing) -> None:
    events, second = Unsettled(), flight()
    events.add(0, flight(doubt=doubt))
    events.add(1, second)
    assert events.standing(second) is None
    events.lanes.take()
    events.settle(0, delivered=delivered)
    assert events.standing(second) is known


def test_a_record_that_never_was_an_event_is_settled_without_a_word() -> None:
    events = Unsettled()
    events.settle(7, delivered=False)
    assert len(events) == 0


def test_the_oldest_tells_how_long_it_has_been_on_its_way() -> None:
    events = Unsettled()
    assert events.oldest_seconds(None, now=5.0) == 0.0
    events.add(3, flight(accepted_at=2.0))
    assert events.oldest_seconds(3, now=5.0) == 3.0


def failing(*decisions: tuple[int, Decision]) -> Failing:
    """Let attempts end, each of which was started when the one before had ended."""
    failing = Failing()
    for started, (position, decision) in enumerate(decisions):
        failing.see(position, decision, started)
    return failing


def test_others_are_well_once_one_is_taken_that_was_sent_after_the_first_attempt_of_each_that_fails() -> None:
    assert not failing().others_are_well
    assert not failing((0, DELIVERED), (1, FAILED)).others_are_well
    assert failing((1, FAILED), (0, DELIVERED)).others_are_well
    assert failing((1, FAILED), (0, DELIVERED), (1, FAILED)).others_are_well
    assert not failing((1, FAILED), (0, DELIVERED), (2, FAILED)).others_are_well


def test_what_was_sent_when_decides_and_not_what_was_answered_when() -> None:
    late, early = Failing(), Failing()
    late.see(0, DELIVERED, started=1.0)
    late.see(1, FAILED, started=0.0)
    assert late.others_are_well
    early.see(1, FAILED, started=1.0)
    early.see(0, DELIVERED, started=0.0)
    assert not early.others_are_well


def test_others_are_not_well_while_many_fail() -> None:
    many = failing(*((position, FAILED) for position in range(MOST_FAILING + 1)), (99, DELIVERED))
    assert repr(many) == "<Failing 6, others may not be well>"
    many.see(0, Settle(Refused(Rejection("refused"))), started=100.0)
    assert repr(many) == "<Failing 5, others may not be well>"
    many.see(98, DELIVERED, started=101.0)
    assert repr(many) == "<Failing 5, others are well>"


def test_a_delivery_is_seen_by_those_that_failed_before_it_until_they_fail_again() -> None:
    events = failing((1, FAILED), (0, DELIVERED))
    assert events.has_seen_a_delivery(1)
    events.see(1, FAILED, started=2.0)
    assert not events.has_seen_a_delivery(1)


def test_what_is_settled_fails_no_more() -> None:
    events = Unsettled()
    events.add(0, flight())
    events.lanes.take()
    events.failing.see(0, FAILED, started=0.0)
    events.settle(0, delivered=False)
    assert len(events.failing) == 0
