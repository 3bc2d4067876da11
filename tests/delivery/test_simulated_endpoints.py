"""Lanes, judgement and pace together against each kind of endpoint, on a virtual clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import TYPE_CHECKING

import pytest

from target_applied_events.delivery.lanes import Lanes
from target_applied_events.delivery.pace import Pace
from target_applied_events.delivery.reply import signal
from target_applied_events.delivery.retry import History, Retry, Settle, Stop, judge
from target_applied_events.event import Answer, Delivered, Failure, NoAnswer, Reply, Signal
from tests.delivery.simulated_endpoints import (
    Constant,
    Endpoint,
    HardLimit,
    Outage,
    PerSecond,
    Queue,
    all_kinds,
    chance,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

EVENTS = 20_000
CONTACTS = 5_000
WINDOW = 10_000
CONCURRENCY = 32
REQUEST_TIMEOUT_SECONDS = 30.0
WORKER_LATENCY_SECONDS = 0.0005


@dataclass(order=True, slots=True)
class Attempt:
    """A request in flight, ordered by when it's answered."""

    answered_at: float
    number: int
    position: int
    started: float
    reply: Reply = field(compare=False)


class Delivery:
    """Delivers events of random contacts; time goes on from one answer, permit or wake to the next."""

    def __init__(self, endpoint: Endpoint, pace: Pace) -> None:
        """Hand nothing over yet."""
        self.endpoint = endpoint
        self.pace = pace
        self.rng = chance(1)
        self.now = 0.0
        self.lanes = Lanes()
        self.contacts = [f"contact {self.rng.randrange(CONTACTS)}" for _ in range(EVENTS)]
        self.read = self.requests = self.refused = 0
        self.in_flight: list[Attempt] = []
        self.histories: dict[int, History] = {}
        self.delivered_at_last_attempt: dict[int, int] = {}
        self.order: list[int] = []

    @property
    def ideal_seconds(self) -> float:
        return self.endpoint.ideal_seconds(EVENTS, CONCURRENCY)

    @property
    def of_ideal(self) -> float:
        return self.ideal_seconds / self.now

    @property
    def share_refused(self) -> float:
        return self.refused / self.requests

    def run(self) -> None:
        """Go on until all is settled."""
        self.fill()
        while len(self.lanes):
            self.send_what_may_be_sent()
            self.now = min(self.moments())
            while self.in_flight and self.in_flight[0].answered_at <= self.now:
                self.take_answer(heappop(self.in_flight))
            self.lanes.wake(self.now)
            self.fill()

    def moments(self) -> Iterator[float]:
        """Tell when something can happen next."""
        admitted_at = self.pace.next_admit(self.now) if self.lanes.ready else None
        answered_at = self.in_flight[0].answered_at if self.in_flight else None
        yield from (at for at in (answered_at, self.lanes.next_wake(), admitted_at) if at is not None)

    def fill(self) -> None:
        while len(self.lanes) < WINDOW and self.read < EVENTS:
            self.lanes.add(self.read, (self.contacts[self.read],))
            self.read += 1

    def send_what_may_be_sent(self) -> None:
        while self.lanes.ready and self.pace.admit(self.now):
            position = self.lanes.take()
            assert position is not None
            self.requests += 1
            answered_at, reply = self.endpoint.receive(self.now)
            if answered_at > self.now + REQUEST_TIMEOUT_SECONDS:
                answered_at, reply = self.now + REQUEST_TIMEOUT_SECONDS, NoAnswer(Failure.TIMED_OUT)
            self.histories.setdefault(position, History(first_at=self.now))
            started = self.now + WORKER_LATENCY_SECONDS
            heappush(self.in_flight, Attempt(answered_at, self.requests, position, started, reply))

    def take_answer(self, attempt: Attempt) -> None:
        position = attempt.position
        self.pace.answered(self.now, attempt.started, signal(attempt.reply))
        self.refused += isinstance(attempt.reply, Answer) and attempt.reply.status in {429, 503}
        decision = judge(
            attempt.reply,
            self.histories[position],
            now=self.now,
            wall_now=self.now,
            known_good=True,
            delivered_since_last=len(self.order) > self.delivered_at_last_attempt.get(position, EVENTS),
            retry_timeout_seconds=300,
            rng=self.rng,
        )
        self.delivered_at_last_attempt[position] = len(self.order)
        match decision:
            case Settle(Delivered()):
                self.order.append(position)
                self.lanes.settle(position)
                del self.histories[position], self.delivered_at_last_attempt[position]
            case Retry(until=until, hold_all=hold_all):
                self.lanes.park(position, until)
                if hold_all:
                    self.pace.hold(until)
            case Settle() | Stop():
                pytest.fail(f"{self.endpoint.name}: {decision}")


@dataclass(frozen=True, slots=True)
class Contract:
    """Between which bounds an endpoint is delivered to; to widen one takes a reason beside it.

    Attributes:
        of_ideal: The best sender's time as a share of ours.
        refused: The share of requests that were answered 429 or 503.
        most_requests: How many requests there may be for each event.
    """

    of_ideal: tuple[float, float]
    refused: tuple[float, float]
    most_requests: float


CONTRACTS = {
    "constant 100 ms": Contract((0.99, 1.0), (0.0, 0.0), 1.0),
    # The last slow answers are waited for with nothing else to send.
    "heavy-tailed jitter": Contract((0.92, 1.0), (0.0, 0.0), 1.0),
    # The learned rate lies below the limit for four seconds after each refusal.
    "hard limit of 20 concurrent": Contract((0.88, 0.95), (0.0005, 0.005), 1.005),
    "100 a second, no Retry-After": Contract((0.95, 1.0), (0.001, 0.02), 1.02),
    "3,000 a minute, Retry-After": Contract((0.99, 1.0), (0.0005, 0.005), 1.005),
    "queue of 24 workers": Contract((0.97, 1.0), (0.001, 0.02), 1.02),
    # Four probes a second, and what was in flight when it began.
    "60 s outage": Contract((0.98, 1.0), (0.0, 0.0), 1.0 + (4 * 60 + CONCURRENCY) / EVENTS),
    # The last failed events are waited for with nothing else to send.
    "500s at 1 %": Contract((0.97, 1.0), (0.0, 0.0), 1.015),
}
LINE = "{:30} {:>9} {:>9} {:>9} {:>9} {:>10}"


def keeps(contract: Contract, delivery: Delivery) -> bool:
    used_well = contract.of_ideal[0] <= delivery.of_ideal <= contract.of_ideal[1]
    refused = contract.refused[0] <= delivery.share_refused <= contract.refused[1]
    return used_well and refused and delivery.requests <= contract.most_requests * EVENTS


def show(deliveries: list[Delivery]) -> str:
    """Make the table of results."""
    lines = [LINE.format("endpoint", "seconds", "ideal", "of ideal", "refused", "in flight")]
    for delivery in deliveries:
        figures = (f"{delivery.now:.1f}", f"{delivery.ideal_seconds:.1f}", f"{delivery.of_ideal:.1%}")
        rest = (f"{delivery.share_refused:.2%}", delivery.pace.most_in_flight)
        lines.append(LINE.format(delivery.endpoint.name, *figures, *rest))
    return "\n".join(lines)


def deliver(endpoint: Endpoint, pace: Pace | None = None) -> Delivery:
    delivery = Delivery(endpoint, pace or Pace(max_concurrency=CONCURRENCY, requests_per_second=None, now=0.0))
    delivery.run()
    return delivery


@pytest.fixture(scope="module")
def deliveries() -> list[Delivery]:
    return [deliver(endpoint) for endpoint in all_kinds(chance(1))]


def test_each_kind_of_endpoint_is_used_well_and_not_pushed(deliveries: list[Delivery]) -> None:
    table = show(deliveries)
    print(f"\n{table}")  # noqa: T201 - the table is a result of its own
    assert {delivery.endpoint.name for delivery in deliveries} == set(CONTRACTS)
    broken = [d.endpoint.name for d in deliveries if not keeps(CONTRACTS[d.endpoint.name], d)]
    assert not broken, table


def test_each_event_is_delivered_once_and_in_its_contacts_order(deliveries: list[Delivery]) -> None:
    for delivery in deliveries:
        assert sorted(delivery.order) == list(range(EVENTS))
        last: dict[str, int] = {}
        for position in delivery.order:
            contact = delivery.contacts[position]
            assert last.get(contact, -1) < position
            last[contact] = position


class NoRateIsLearned(Pace):
    def answered(self, now: float, started: float, signal: Signal) -> None:
        super().answered(now, started, Signal.PUSH_BACK if signal is Signal.RATE_LIMITED else signal)


class TheGateStaysOpen(Pace):
    def answered(self, now: float, started: float, signal: Signal) -> None:
        super().answered(now, started, Signal.NEUTRAL if signal is Signal.FAILURE else signal)


class TheLimitNeverFalls(Pace):
    def _cut(self, now: float) -> None:
        """Do nothing."""


class TheLimitNeverGrows(Pace):
    def _grow(self, by: float) -> None:
        """Do nothing."""


@pytest.mark.parametrize(
    ("planted", "endpoint"),
    [
        (NoRateIsLearned, HardLimit()),
        (NoRateIsLearned, PerSecond()),
        (TheGateStaysOpen, Outage()),
        (TheLimitNeverFalls, Queue(chance(1))),
        (TheLimitNeverGrows, Constant()),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else value.name,
)
def test_a_planted_bug_breaks_the_contract(planted: type[Pace], endpoint: Endpoint) -> None:
    delivery = deliver(endpoint, planted(max_concurrency=CONCURRENCY, requests_per_second=None, now=0.0))
    assert not keeps(CONTRACTS[endpoint.name], delivery), show([delivery])
