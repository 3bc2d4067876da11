"""An event that always fails, told from an outage; the world holds each reply against the rule."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from math import inf

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from target_applied_events.delivery.unsettled import Failing
from tests.delivery.delivery_world import KINDS, MOST_GIVEN_UP_IN_AN_OUTAGE, OK, Kind, Line, Options, Parts, World

POISONS = ["500", "502", "time-out", "reset"]
OUTAGES = [*POISONS, "503", "no connection", "200 with a page", "429"]
HOUR_SECONDS = 3_600.0
MOST_STEPS = 20_000
SUCCESS_SECONDS = 0.01


@dataclass(kw_only=True)
class Endpoint:
    """What the endpoint does, to which events, and when these come.

    Attributes:
        batches: How many events come at once; the next come when nothing is to be done, or at random.
        poison: Those that fail each time, each with how.
        passing: Those that fail a few times, each with how often.
        failure_seconds: How long one lasts, as a time-out does.
        down_after: So many deliveries before it is down for good; None: it never is.
    """

    batches: list[int]
    poison: dict[int, str] = field(default_factory=dict)
    passing: dict[int, int] = field(default_factory=dict)
    failure_seconds: float = 0.0
    down_after: int | None = None
    outage: str = "500"
    max_concurrency: int = 32
    seed: int = 0

    def reply(self, number: int, attempt: int, deliveries: int) -> Kind:
        if self.down_after is not None and deliveries >= self.down_after:
            return KINDS[self.outage]
        if number in self.poison:
            return KINDS[self.poison[number]]
        return KINDS["500"] if attempt <= self.passing.get(number, 0) else OK


@dataclass
class Ended:
    """How a run ended."""

    kept: set[int]
    delivered: int
    is_stopped: bool
    seconds: float


def run_against(endpoint: Endpoint, failing: type[Failing] = Failing) -> Ended:
    """Run until all is settled or the run is stopped; the order of answers is the seed's."""
    world = World(Options(max_concurrency=endpoint.max_concurrency), Parts(failing=failing))
    dice = random.Random(endpoint.seed)  # noqa: S311 - each example must run the same way again
    delivery, began, left = world.delivery, world.now, list(endpoint.batches)
    for _ in range(MOST_STEPS):
        deliveries = world.deliveries
        if left and (not delivery.unsettled or dice.random() < 0.05):
            first = len(world.lines)
            world.read([Line("event", (), (first + n).to_bytes(16, "big")) for n in range(left.pop(0))])
        world.turn()
        if world.delivery is not delivery or not (left or delivery.unsettled):
            return Ended(world.ever_kept, deliveries, delivery.stopped is not None, world.now - began)
        due, answers = answers_of(endpoint, world)
        if answers:
            position = dice.choice(sorted(answers))
            world.answer(position, answers[position], taken=False)
        elif delivery.unsettled:
            wake_at = delivery.wake_at(world.now)
            world.now = min(due, inf if wake_at is None else wake_at)
    raise AssertionError(f"it never ends: {delivery!r}")


def answers_of(endpoint: Endpoint, world: World) -> tuple[float, dict[int, Kind]]:
    """Give when the next answer is due, and those that are due now."""
    replies = {n: endpoint.reply(n, world.attempts[n], world.deliveries) for n in world.flying}
    took = {n: SUCCESS_SECONDS if reply.taken else endpoint.failure_seconds for n, reply in replies.items()}
    due = {n: attempt.started + took[n] for n, attempt in world.flying.items()}
    return min(due.values(), default=inf), {n: replies[n] for n, moment in due.items() if moment <= world.now}


NUMBERS = st.integers(0, 59)
ENDPOINTS = st.builds(
    Endpoint,
    batches=st.lists(st.integers(1, 20), min_size=1, max_size=3),
    poison=st.dictionaries(NUMBERS, st.sampled_from(POISONS), max_size=8),
    passing=st.dictionaries(NUMBERS, st.integers(1, 3), max_size=20),
    failure_seconds=st.sampled_from([0.0, 0.0, 1.0, 30.0]),
    max_concurrency=st.sampled_from([1, 3, 32]),
    seed=st.integers(0, 1_000),
)
OUTAGE = st.tuples(st.integers(0, 40), st.sampled_from(OUTAGES))


@given(ENDPOINTS)
@settings(deadline=None)
def test_a_run_over_events_that_always_fail_comes_to_an_end_and_gives_up_no_other(endpoint: Endpoint) -> None:
    ended = run_against(endpoint)
    assert ended.kept <= endpoint.poison.keys()
    assert ended.is_stopped or ended.delivered + len(ended.kept) == sum(endpoint.batches)
    assert ended.seconds < HOUR_SECONDS


@given(ENDPOINTS, OUTAGE)
@settings(deadline=None)
def test_an_outage_at_any_moment_rejects_five_others_at_most(endpoint: Endpoint, outage: tuple[int, str]) -> None:
    endpoint.down_after, endpoint.outage = outage
    ended = run_against(endpoint)
    assert len(ended.kept - endpoint.poison.keys()) <= MOST_GIVEN_UP_IN_AN_OUTAGE
    assert ended.seconds < HOUR_SECONDS


# --- what stands at the end of a small run ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", POISONS)
@pytest.mark.parametrize("max_concurrency", [1, 32])
def test_one_of_twenty_that_always_fails_is_given_up_and_the_run_goes_on(kind: str, max_concurrency: int) -> None:
    ended = run_against(Endpoint(batches=[20], poison={3: kind}, max_concurrency=max_concurrency))
    assert (ended.kept, ended.delivered, ended.is_stopped) == ({3}, 19, False)


@pytest.mark.parametrize("kind", sorted(set(OUTAGES) - set(POISONS)))
def test_one_that_always_fails_as_poison_does_not_stops_the_run(kind: str) -> None:
    ended = run_against(Endpoint(batches=[20], poison={3: kind}))
    assert (ended.kept, ended.delivered, ended.is_stopped) == (set(), 19, True)


@pytest.mark.parametrize(("number", "is_stopped"), [(5, False), (6, True)])
def test_five_that_always_fail_are_given_up_and_six_may_be_an_outage(number: int, *, is_stopped: bool) -> None:
    ended = run_against(Endpoint(batches=[20], poison=dict.fromkeys(range(number), "500")))
    assert (len(ended.kept), ended.delivered) == (0 if is_stopped else number, 20 - number)
    assert ended.is_stopped is is_stopped


@pytest.mark.parametrize("outage", OUTAGES)
@pytest.mark.parametrize("delivered", [0, 1, 15, 19])
def test_an_outage_that_new_events_meet_rejects_nothing(outage: str, delivered: int) -> None:
    ended = run_against(Endpoint(batches=[20], down_after=delivered, outage=outage))
    assert (ended.kept, ended.delivered, ended.is_stopped) == (set(), delivered, True)


def test_where_nothing_is_delivered_what_always_fails_stops_the_run() -> None:
    ended = run_against(Endpoint(batches=[1], poison={0: "500"}))
    assert (ended.kept, ended.is_stopped) == (set(), True)


def test_the_last_to_be_tried_is_given_up_by_the_run_that_has_others_after_it() -> None:
    last = run_against(Endpoint(batches=[20], poison={19: "500"}, max_concurrency=1))
    assert (last.kept, last.is_stopped) == (set(), True)
    followed = run_against(Endpoint(batches=[2], poison={0: "500"}, max_concurrency=1, failure_seconds=1.0))
    assert (followed.kept, followed.is_stopped) == ({0}, False)


def test_an_outage_at_the_end_rejects_those_alone_that_had_failed_before_the_last_delivery() -> None:
    """To them it looks as poison does: there's nothing new left that could fail too."""
    ended = run_against(Endpoint(batches=[20], passing=dict.fromkeys(range(3), 3), down_after=17, outage="500"))
    assert (ended.kept, ended.is_stopped) == ({0, 1, 2}, False)


def test_others_are_tried_and_delivered_though_the_one_that_always_fails_has_closed_the_gate() -> None:
    world = World(Options(), Parts())
    world.read([Line("event", (), bytes([number])) for number in range(2)])
    world.turn()
    world.answer(0, KINDS["500"], taken=False)
    world.answer(1, OK, taken=True)
    while not world.pace.gate_closed:
        fail_the_first(world)
    world.read([Line("event", (), bytes([number])) for number in range(2, 5)])
    world.turn()
    while not set(world.flying) - {0}:
        fail_the_first(world)
    world.answer(2, OK, taken=True)
    world.turn()
    assert {3, 4} <= set(world.flying)
    assert world.kept == {}


def fail_the_first(world: World) -> None:
    if 0 in world.flying:
        world.answer(0, KINDS["500"], taken=False)
    world.now = world.next_moment()
    world.turn()


def test_others_wait_for_slow_time_outs_until_these_are_given_up_at_most() -> None:
    slow = Endpoint(batches=[4, 20], poison={0: "time-out", 1: "time-out"}, failure_seconds=30.0)
    ended = run_against(slow)
    assert (ended.kept, ended.delivered, ended.is_stopped) == ({0, 1}, 22, False)
    assert ended.seconds < 400


# --- planted bugs: the runs above find each ---------------------------------------------------------------------------


class AnOutageIsNotSeen(Failing):
    @property
    def others_are_well(self) -> bool:
        return True


class PoisonIsNotSeen(Failing):
    @property
    def others_are_well(self) -> bool:
        return False


class ManyMayFail(Failing):
    @property
    def others_are_well(self) -> bool:
        return self._newest_taken > self._newest_failing


class NewOnesMayFail(Failing):
    @property
    def others_are_well(self) -> bool:
        return self._deliveries > 0 and len(self) + self._gone <= MOST_GIVEN_UP_IN_AN_OUTAGE


class WhatIsSettledIsCountedForEver(Failing):
    def forget(self, position: int) -> None:
        pass


@pytest.mark.parametrize(
    "planted",
    [
        AnOutageIsNotSeen,
        PoisonIsNotSeen,
        ManyMayFail,
        NewOnesMayFail,
        WhatIsSettledIsCountedForEver,
    ],
)
def test_any_endpoint_finds_a_planted_bug(planted: type[Failing]) -> None:
    @given(ENDPOINTS, OUTAGE | st.just((None, "500")))
    @settings(deadline=None, max_examples=1_000, phases=[Phase.generate], database=None, print_blob=False)
    def run(endpoint: Endpoint, outage: tuple[int | None, str]) -> None:
        endpoint.down_after, endpoint.outage = outage
        run_against(endpoint, planted)

    with pytest.raises(AssertionError):
        run()
