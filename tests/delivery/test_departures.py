from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest

from target_applied_events.delivery.departures import MOST_ROWS_A_COMMIT, Departures
from target_applied_events.delivery.flight import Flight, Policy
from target_applied_events.delivery.pace import FIRST_LIMIT, Pace
from target_applied_events.delivery.retry import History
from target_applied_events.delivery.settlement import Settlement
from target_applied_events.delivery.unsettled import Unsettled
from target_applied_events.event import Event, Signal, Standing
from target_applied_events.handover import Job, Pending, RejectedRecord, Tally
from target_applied_events.summary import Summary
from tests import ledgers
from tests.delivery.delivery_world import ORDERS, LedgerFaultError, LedgerModel

if TYPE_CHECKING:
    from collections.abc import Sequence


class Leaving:
    """Departures with all their real parts, over a ledger that can be told to fail.

    Attributes:
        skipped: The positions that were left out.
        kept: The rejected records that were kept.
    """

    def __init__(self, *, in_doubt: Literal["resend", "reject"] = "resend", max_concurrency: int = 256) -> None:
        self.ledger, self.summary, self.flights = LedgerModel(), Summary(), Unsettled()
        self.pace = Pace(max_concurrency=max_concurrency, requests_per_second=None, now=0.0)
        self.kept: list[RejectedRecord] = []
        self.skipped: list[int] = []
        self.settlement = Settlement(self.ledger, self.kept.extend, lambda _: None, self.summary)
        policy = Policy(retry_timeout_seconds=300.0, in_doubt=in_doubt, max_rejected=0)
        parts = (self.flights, self.settlement, self.pace, self.summary, policy)
        self.departures = Departures(*parts, skip=self.skipped.append)

    def add(self, *events: Event, doubt: bool = False) -> None:
        for event in events:
            self.flights.add(self.settlement.issue(), Flight(Pending(event, ORDERS, Tally()), 0.0, doubt=doubt))

    def depart(self) -> list[int]:
        """Take what may depart and note it; gives the positions."""
        jobs = self.departures.take(0.0)
        self.departures.note(jobs)
        return positions(jobs)

    def widen(self) -> None:
        """Let the endpoint answer until a commit's worth may be in flight and more."""
        while self.pace.limit <= MOST_ROWS_A_COMMIT:
            assert self.pace.admit(0.0)
            self.pace.answered(0.0, 0.0, Signal.SUCCESS)


def positions(jobs: Sequence[Job]) -> list[int]:
    return [job.position for job in jobs]


def test_the_oldest_depart_first_as_many_as_the_pace_admits() -> None:
    leaving = Leaving()
    leaving.add(*ledgers.events(range(20)))
    assert leaving.depart() == list(range(FIRST_LIMIT))
    assert leaving.depart() == []
    leaving.pace.answered(0.0, 0.0, Signal.NEUTRAL)
    assert leaving.depart() == [FIRST_LIMIT]
    assert leaving.pace.in_flight == FIRST_LIMIT


def test_no_more_depart_at_once_than_one_commit_notes() -> None:
    leaving = Leaving()
    leaving.widen()
    leaving.add(*ledgers.events(range(100)))
    assert leaving.depart() == list(range(64))
    assert leaving.depart() == [64]


def test_what_departs_is_noted_together_with_what_has_ended() -> None:
    leaving = Leaving(max_concurrency=1)
    first, second = ledgers.events([1, 2])
    leaving.add(first, second)
    leaving.depart()
    leaving.ledger.taken[first.key] += 1
    leaving.pace.answered(0.0, 0.0, Signal.SUCCESS)
    leaving.settlement.deliver(0, first)
    assert leaving.depart() == [1]
    assert (leaving.ledger.delivered, set(leaving.ledger.intents)) == ({first.key}, {second.key})


def test_a_second_event_of_a_key_departs_if_the_first_was_refused() -> None:
    leaving = Leaving(in_doubt="reject")
    leaving.add(ledgers.event(1), ledgers.event(1))
    assert leaving.depart() == [0]
    leaving.flights.settle(0, delivered=False)
    assert leaving.depart() == [1]
    assert not leaving.skipped
    assert not leaving.kept


def test_a_second_event_of_a_key_is_left_out_if_the_first_was_delivered() -> None:
    leaving = Leaving()
    leaving.add(ledgers.event(1), ledgers.event(1), ledgers.event(2))
    assert leaving.depart() == [0, 2]
    leaving.flights.settle(0, delivered=True)
    assert leaving.depart() == []
    assert leaving.skipped == [1]
    assert leaving.pace.in_flight == 2


@pytest.mark.parametrize("in_doubt", ["resend", "reject"])
def test_a_second_event_of_a_key_whose_first_is_in_doubt_gets_what_the_policy_says(
    in_doubt: Literal["resend", "reject"],
) -> None:
    leaving = Leaving(in_doubt=in_doubt)
    leaving.add(ledgers.event(1), doubt=True)
    leaving.add(ledgers.event(1))
    assert leaving.depart() == [0]
    leaving.flights.settle(0, delivered=False)
    departed = leaving.depart()
    leaving.settlement.settle()
    reasons = [record.rejection.reason for record in leaving.kept]
    assert (departed, reasons) == (([1], []) if in_doubt == "resend" else ([], ["in_doubt"]))
    assert leaving.summary.resent_in_doubt == 1 + len(departed)


def test_an_event_in_doubt_that_departs_again_and_again_counts_once_as_resent_and_each_time_as_retried() -> None:
    leaving = Leaving()
    leaving.add(ledgers.event(1), doubt=True)
    for _ in range(3):
        assert leaving.depart() == [0]
        leaving.pace.answered(0.0, 0.0, Signal.FAILURE)
        leaving.flights[0].history = History(first_at=0.0)
        leaving.flights.lanes.park(0, 0.0)
        leaving.flights.lanes.wake(0.0)
    assert (leaving.summary.resent_in_doubt, leaving.summary.retried) == (1, 2)


def test_an_intent_that_stands_is_not_noted_again() -> None:
    leaving = Leaving()
    leaving.add(ledgers.event(1))
    leaving.depart()
    leaving.ledger.failing = "commit, for good"
    leaving.departures.note([Job(0, ledgers.event(1))])
    assert leaving.settlement.standing([ledgers.key(1)]) == {ledgers.key(1): Standing.IN_DOUBT}


def test_what_cannot_be_noted_is_put_back_where_it_was_and_counts_neither_as_sent_nor_as_noted() -> None:
    leaving = Leaving()
    leaving.add(*ledgers.events(range(20)))
    leaving.add(ledgers.event(20), doubt=True)
    jobs = leaving.departures.take(0.0)
    leaving.ledger.failing = "commit"
    with pytest.raises(LedgerFaultError):
        leaving.departures.note(jobs)
    leaving.departures.put_back(jobs, 0.0)
    assert (leaving.pace.in_flight, leaving.flights.lanes.ready) == (0, 21)
    assert not any(leaving.flights[position].noted for position in range(21))
    assert leaving.depart() == positions(jobs)
    assert leaving.ledger.intents.keys() == {job.event.key for job in jobs}
    assert leaving.summary.resent_in_doubt == 0
