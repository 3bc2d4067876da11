"""The whole delivery against each kind of endpoint, on a virtual clock: the contracts are those of its parts."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from target_applied_events.delivery.delivery import Delivery
from target_applied_events.delivery.flight import Policy
from target_applied_events.delivery.pace import Pace
from target_applied_events.event import Answer, Event, Failure, NoAnswer, Reply
from target_applied_events.handover import HeldState, Item, Job, Pending, Returned, Tally
from target_applied_events.summary import Summary
from tests.delivery.delivery_world import ORDERS, SHOP, LedgerModel
from tests.delivery.simulated_endpoints import Endpoint, Outage, all_kinds, chance
from tests.delivery.test_simulated_endpoints import CONCURRENCY, CONTACTS, CONTRACTS, EVENTS, LINE

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.timeout(240)  # seconds of work, on a machine that may be busy with more

BATCH = 1_000
MOST_UNSETTLED = 10_000
HOUR_SECONDS = 3_600.0


@dataclass(order=True, slots=True)
class Request:
    """A request in flight, ordered by when it's answered."""

    answered_at: float
    number: int
    job: Job = field(compare=False)
    reply: Reply = field(compare=False)
    started: float = field(compare=False)


class Simulation:
    """A run over one endpoint; time goes on from one answer to the next thing that is due."""

    def __init__(self, endpoint: Endpoint, *, events: int = EVENTS, retry_timeout_seconds: float = 300.0) -> None:
        self.endpoint, self.events = endpoint, events
        self.now = 0.0
        self.read = self.requests = self.refused = 0
        self.in_flight: list[Request] = []
        self.arrived: list[Event] = []
        self.written: list[tuple[float, int]] = []
        self.contacts = chance(1)
        self.ledger = LedgerModel(run=1)
        self.summary = Summary()
        self.pace = Pace(max_concurrency=CONCURRENCY, requests_per_second=None, now=0.0)
        self.delivery = Delivery(
            ledger=self.ledger,
            keep=self.keep,
            write_state=lambda value: self.written.append((self.now, value)),
            pace=self.pace,
            policy=Policy(retry_timeout_seconds=retry_timeout_seconds, in_doubt="resend", max_rejected=0),
            summary=self.summary,
            rng=random.Random(1),  # noqa: S311 - the same run each time
            wall_clock=lambda: self.now,
        )

    def keep(self, records: Sequence[object]) -> None:
        pytest.fail(f"{self.endpoint.name}: {len(records)} rejected")

    @property
    def of_ideal(self) -> float:
        return self.endpoint.ideal_seconds(self.events, CONCURRENCY) / self.now

    @property
    def share_refused(self) -> float:
        return self.refused / self.requests

    def run(self) -> None:
        """Go on until all is settled."""
        while self.read < self.events or self.delivery.unsettled:
            self.read_on()
            for job in self.delivery.turn(self.now):
                self.send(job)
            assert self.delivery.stopped is None, self.delivery.stopped
            if self.delivery.unsettled:
                self.now = self.next_moment()
            while self.in_flight and self.in_flight[0].answered_at <= self.now:
                self.take_answer(heappop(self.in_flight))
        self.delivery.release(self.now, final=True)

    def read_on(self) -> None:
        while self.read < self.events and self.delivery.unsettled + BATCH <= MOST_UNSETTLED:
            size = min(BATCH, self.events - self.read)
            batch: list[Item] = [Pending(self.event(self.read + n), ORDERS, Tally()) for n in range(size)]
            self.read += size
            self.delivery.accept([*batch, HeldState(self.read)], self.now)

    def event(self, number: int) -> Event:
        contact = (f"contact {self.contacts.randrange(CONTACTS)}",)
        return Event("orders", "mappings[0]", SHOP, b"{}", number.to_bytes(16, "big"), contact, {"n": number}, {})

    def send(self, job: Job) -> None:
        self.requests += 1
        answered_at, reply = self.endpoint.receive(self.now)
        heappush(self.in_flight, Request(answered_at, self.requests, job, reply, self.now))

    def take_answer(self, request: Request) -> None:
        match request.reply:
            case Answer(status=200):
                self.arrived.append(request.job.event)
                self.ledger.taken[request.job.event.key] += 1
            case Answer(status=429 | 503):
                self.refused += 1
            case _:
                pass
        self.delivery.replied(Returned(request.job.position, request.reply, request.started), self.now)

    def next_moment(self) -> float:
        due = self.delivery.wake_at(self.now)
        answered = self.in_flight[0].answered_at if self.in_flight else None
        return min(moment for moment in (due, answered) if moment is not None)

    def line(self) -> str:
        ideal = f"{self.endpoint.ideal_seconds(self.events, CONCURRENCY):.1f}"
        shares = (f"{self.of_ideal:.1%}", f"{self.share_refused:.2%}")
        return LINE.format(self.endpoint.name, f"{self.now:.1f}", ideal, *shares, self.pace.most_in_flight)


@pytest.fixture(scope="module")
def simulations() -> list[Simulation]:
    """A run over each kind of endpoint."""
    simulations = [Simulation(endpoint) for endpoint in all_kinds(chance(1))]
    for simulation in simulations:
        simulation.run()
    return simulations


def test_the_whole_delivery_keeps_the_contract_of_each_kind_of_endpoint(simulations: list[Simulation]) -> None:
    header = LINE.format("endpoint", "seconds", "ideal", "of ideal", "refused", "in flight")
    table = "\n".join([header, *(simulation.line() for simulation in simulations)])
    print(f"\n{table}")  # noqa: T201 - the table is a result of its own
    for simulation in simulations:
        contract = CONTRACTS[simulation.endpoint.name]
        assert contract.of_ideal[0] <= simulation.of_ideal <= contract.of_ideal[1], table
        assert contract.refused[0] <= simulation.share_refused <= contract.refused[1], table
        assert simulation.requests <= contract.most_requests * EVENTS, table


def test_each_event_arrives_once_and_in_its_contact_s_order(simulations: list[Simulation]) -> None:
    for simulation in simulations:
        assert simulation.summary.delivered == len(simulation.arrived) == EVENTS
        last: dict[str, int] = {}
        for event in simulation.arrived:
            number, [contact] = int.from_bytes(event.key, "big"), event.identifiers
            assert last.get(contact, -1) < number
            last[contact] = number


def test_state_follows_what_is_delivered(simulations: list[Simulation]) -> None:
    for simulation in simulations:
        moments = [moment for moment, _ in simulation.written]
        assert simulation.written[-1][1] == EVENTS
        before_the_end = pairwise(moments[:-1])
        assert all(later - earlier >= 1 for earlier, later in before_the_end)


def test_an_outage_of_three_hours_loses_nothing_where_retry_timeout_allows_it() -> None:
    outage = Outage(begins=1.0, seconds=3 * HOUR_SECONDS)
    simulation = Simulation(outage, events=2_000, retry_timeout_seconds=4 * HOUR_SECONDS)
    simulation.run()
    assert simulation.summary.delivered == 2_000
    assert simulation.now < 3 * HOUR_SECONDS + 60
    probes = simulation.requests - 2_000
    assert probes < 4 * 3 * HOUR_SECONDS + CONCURRENCY


def test_an_endpoint_that_never_answers_stops_the_run_and_state_stays_behind() -> None:
    class Silent(Endpoint):
        name = "silent"

        def receive(self, now: float) -> tuple[float, Reply]:
            return now + 30, NoAnswer(Failure.TIMED_OUT)

        def ideal_seconds(self, events: int, concurrency: int) -> float:
            raise NotImplementedError

    simulation = Simulation(Silent(), events=100)
    with pytest.raises(AssertionError, match="retry_timeout"):
        simulation.run()
    assert 300 <= simulation.now < 400
    assert simulation.written == []
