from __future__ import annotations

import sys
from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from target_applied_events.delivery.delivery import Delivery
from target_applied_events.delivery.keys import Keys
from target_applied_events.delivery.lanes import Lanes
from target_applied_events.delivery.pace import Pace
from target_applied_events.errors import RejectedRecordsError, StopReading
from target_applied_events.event import Answer, Standing
from tests.delivery.delivery_world import KINDS, OK, Kind, Line, Options, Parts, World
from tests.planted_bugs import ORDINARY_RUN, assert_found

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from target_applied_events.delivery.flight import Flight
    from target_applied_events.delivery.settlement import Ledger
    from target_applied_events.event import Outcome
    from target_applied_events.handover import Job, Pending, RejectedRecord

TIED = [
    ("email:a",),
    ("phone:1",),
    ("email:a", "phone:1"),
    ("email:b", "phone:1"),
    ("email:b", "remote:x"),
]
FREE = [("email:c",), ("email:d",), ("email:e",), ("remote:f",), (), (), ()]
EVENTS = st.tuples(st.sampled_from(TIED + FREE), st.sampled_from([0, 0, 0, 0, 0, 1, 2, 5]))
LINES = EVENTS | EVENTS | EVENTS | st.sampled_from(["state", "state", "invalid"])
USUAL = [
    "200",
    "200",
    "200",
    "422",
    "429",
    "429, after 2 s",
    "429, after 30 s",
    "500",
    "503",
    "503, after 5 s",
    "reset",
]
BAD = ["500", "502", "503", "503, after 1 s", "time-out", "reset", "no connection", "200 with a page"]
LEDGER_FAULTS = ["standing", "commit", "commit, for good", "commit, though noted", "sync", "knows_delivery"]
FAILING = [
    *LEDGER_FAULTS,
    "crash",
    "crash",
    "crash",
    "SIGTERM",
    "SIGTERM",
    "SIGTERM",
    "the end",
    "keep",
    "standard output",
    "retry_timeout",
]
CALM_STEPS = 4


class InAHostileWorld(RuleBasedStateMachine):
    """Every promise of the delivery is checked by the world at each step."""

    delivery_class: type[Delivery] = Delivery
    pace_class: type[Pace] = Pace
    lanes_class: type[Lanes] = Lanes
    keys_class: type[Keys] = Keys

    @initialize(
        in_doubt=st.sampled_from(["resend", "reject"]),
        max_concurrency=st.sampled_from([1, 3, 32, 32]),
        requests_per_second=st.sampled_from([None, None, 2.0]),
        overlap=st.integers(0, 2),
    )
    def begin(self, **options: object) -> None:
        parts = Parts(delivery=self.delivery_class, pace=self.pace_class, lanes=self.lanes_class, keys=self.keys_class)
        self.calm = 0
        self.world = World(Options(**options), parts)  # type: ignore[arg-type] # as the strategies above have them

    def then(self, turn: bool) -> None:  # noqa: FBT001 - drawn by the rules
        if turn:
            self.world.turn()

    def line(self, drawn: str | tuple[tuple[str, ...], int], number: int) -> Line:
        """Make a line; an event's key may be that of an earlier line."""
        match drawn:
            case "state" | "invalid":
                return Line(drawn)
            case (identifiers, back):
                earlier = self.world.lines[-back].key if 0 < back <= len(self.world.lines) else b""
                return Line("event", identifiers, earlier or number.to_bytes(16, "big"))
        raise AssertionError

    def calmly(self) -> None:
        """Count the steps since something last broke: a run that never gets anywhere shows little."""
        self.calm += 1

    @rule(drawn=st.lists(LINES, min_size=1, max_size=12), turn=st.booleans())
    def read(self, drawn: Sequence[str | tuple[tuple[str, ...], int]], turn: bool) -> None:  # noqa: FBT001
        self.calmly()
        first = len(self.world.lines)
        self.world.read([self.line(one, first + number) for number, one in enumerate(drawn)])
        self.then(turn)

    @precondition(lambda self: self.world.flying)
    @rule(data=st.data(), kind=st.sampled_from(USUAL) | st.sampled_from(sorted(KINDS)), taken=st.booleans())
    def answer(self, data: st.DataObject, kind: str, taken: bool) -> None:  # noqa: FBT001
        self.calmly()
        position = data.draw(st.sampled_from(sorted(self.world.flying)))
        self.world.answer(position, KINDS[kind], taken=taken)

    @precondition(lambda self: self.world.flying)
    @rule(kind=st.sampled_from(USUAL), taken=st.booleans(), turn=st.booleans())
    def answer_the_oldest(self, kind: str, taken: bool, turn: bool) -> None:  # noqa: FBT001
        self.calmly()
        self.world.answer(min(self.world.flying), KINDS[kind], taken=taken)
        self.then(turn)

    @precondition(lambda self: self.world.flying)
    @rule(kind=st.sampled_from(["200", "200", "422", *BAD]), taken=st.booleans())
    def answer_all(self, kind: str, taken: bool) -> None:  # noqa: FBT001
        self.calmly()
        self.world.answer_all(KINDS[kind], taken=taken)

    @precondition(lambda self: self.world.flying)
    @rule(kinds=st.lists(st.sampled_from(BAD), min_size=2, max_size=8), taken=st.booleans())
    def nothing_succeeds(self, kinds: list[str], taken: bool) -> None:  # noqa: FBT001
        self.calmly()
        for kind in kinds:
            self.world.answer_all(KINDS[kind], taken=taken)
            self.time_passes_until_something_is_due()

    @rule()
    def an_outage_begins(self) -> None:
        self.calmly()
        first = len(self.world.lines)
        self.world.read([self.line(((), 0), first + number) for number in range(4)])
        for _ in range(12):
            self.world.answer_all(KINDS["no connection"], taken=False)
            self.time_passes_until_something_is_due()

    @rule(seconds=st.sampled_from([0.1, 0.25, 1.0, 2.0, 5.0, 31.0]))
    def time_passes(self, seconds: float) -> None:
        self.calmly()
        self.world.now += seconds
        self.world.turn()

    @rule()
    def time_passes_until_something_is_due(self) -> None:
        self.calmly()
        syncs = self.world.ledger.syncs
        self.to_the_next_moment()
        if self.world.ledger.syncs > syncs and not self.world.flying:  # it was the ledger's, which sends nothing
            self.to_the_next_moment()

    def to_the_next_moment(self) -> None:
        if self.world.delivery.wake_at(self.world.now) is not None:
            self.world.now = self.world.next_moment()
        self.world.turn()

    @precondition(lambda self: self.calm > CALM_STEPS)
    @rule(what=st.sampled_from(FAILING), taken=st.booleans())
    def something_breaks(self, what: str, taken: bool) -> None:  # noqa: FBT001
        self.calm = 0
        match what:
            case "crash":
                self.world.crash(taken=taken)
            case "SIGTERM":
                self.world.delivery.stop(StopReading("SIGTERM", exit_status=143))
                self.world.read([self.line(((), 0), len(self.world.lines))])  # was handed over before it was heard of
                self.world.turn()
            case "the end":
                self.world.finish()
            case "keep":
                self.world.is_keep_failing = True
            case "standard output":
                self.world.is_stdout_closed = True
            case "retry_timeout":
                self.world.now += 301
                self.world.turn()
            case operation:
                self.world.ledger.failing = operation

    def teardown(self) -> None:
        if hasattr(self, "world") and sys.exception() is None:
            self.world.finish()
            self.world.check_that_nothing_is_lost()


TestDelivery = pytest.mark.timeout(240)(InAHostileWorld.TestCase)
TestDelivery.settings = ORDINARY_RUN


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("round_", range(10))
def test_it_keeps_its_promises_for_long(round_: int) -> None:
    """What hypothesis knows of an example is kept until the round ends: a few rounds need less memory than one."""
    del round_
    thorough = settings(max_examples=400, stateful_step_count=100, deadline=None)
    run_state_machine_as_test(InAHostileWorld, settings=thorough)


# --- what the machine meets too seldom ------------------------------------------------------------------------------


def a_world(**options: Any) -> World:  # noqa: ANN401 - as Options has them
    return World(Options(**options), Parts())


def event(number: int, *identifiers: str, key: int | None = None) -> Line:
    return Line("event", identifiers, (number if key is None else key).to_bytes(16, "big"))


def keep_failing(world: World, kind: str, times: int) -> None:
    for _ in range(times):
        while not world.flying:
            world.now = world.next_moment()
            world.turn()
        for position in sorted(world.flying):
            world.answer(position, KINDS[kind], taken=False)
        world.turn()


def test_a_second_event_of_a_key_is_not_sent_while_the_first_is_in_doubt_and_doubt_is_to_be_rejected() -> None:
    world = a_world(in_doubt="reject")
    world.read([event(0), event(1, key=0)])
    world.turn()
    world.answer(0, KINDS["time-out"], taken=True)
    world.turn()
    world.turn()
    world.read([event(2, key=0)])
    world.turn()
    assert world.kept == {0: 1, 1: 1, 2: 1}
    assert world.summary.rejected == {"in_doubt": 3}
    assert not world.flying


def test_a_second_event_of_a_key_waits_for_the_first_and_is_not_in_doubt_itself() -> None:
    world = a_world(in_doubt="reject")
    world.read([event(0)])
    world.turn()
    world.read([event(1, key=0)])
    world.turn()
    assert world.kept == {}
    world.answer(0, OK, taken=True)
    world.turn()
    world.turn()
    assert (world.summary.delivered, world.summary.skipped_by_ledger) == (1, 1)


def test_a_retry_after_holds_all_even_where_its_event_is_given_up() -> None:
    world = a_world(in_doubt="reject")
    asking = Kind(Answer(500, retry_after="30"), taken=None, retry_after_seconds=30.0)
    world.read([event(0)])
    world.turn()
    world.answer(0, asking, taken=False)
    world.read([event(1)])
    world.turn()
    assert world.kept == {0: 1}
    assert not world.flying
    world.now += 30
    world.turn()
    assert list(world.flying) == [1]


def test_what_an_earlier_run_left_in_doubt_is_noted_as_this_run_s_before_it_is_sent_again() -> None:
    world = a_world()
    world.read([event(0)])
    world.turn()
    world.crash(taken=True)
    world.hand_over(1)
    world.turn()
    assert world.ledger.intents == {event(0).key: 2}
    assert world.summary.resent_in_doubt == 1


def test_an_event_that_fails_alone_is_given_up_and_stays_in_doubt() -> None:
    world = a_world()
    world.read([event(0, "email:a")])
    for number in range(1, 6):
        keep_failing(world, "500", 1)
        world.read([event(number)])
        world.turn()
        world.answer(number, OK, taken=True)
        world.turn()
    assert world.kept == {}
    keep_failing(world, "500", 1)
    assert world.kept == {0: 1}
    assert world.ledger.intents.keys() == {event(0).key}


def test_an_event_that_fails_while_nothing_else_is_delivered_is_not_given_up() -> None:
    world = a_world()
    world.read([event(0), event(1)])
    world.turn()
    world.answer(0, OK, taken=True)
    world.answer(1, KINDS["500"], taken=False)
    world.turn()
    keep_failing(world, "500", 7)
    assert world.attempts[1] == 8
    assert world.kept == {}


def test_a_hundred_rejected_records_in_a_row_stop_the_run() -> None:
    world = a_world()
    world.read([Line("invalid")] * 99)
    assert world.delivery.stopped is None
    world.read([Line("invalid")])
    assert isinstance(world.delivery.stopped, RejectedRecordsError)


def test_rejected_records_with_events_between_do_not_stop_the_run() -> None:
    world = a_world()
    world.read([line for number in range(150) for line in (event(number), Line("invalid"))])
    world.turn()
    assert world.kept.total() == 150
    assert world.delivery.stopped is None


def test_a_hundred_refused_events_with_none_delivered_between_stop_the_run() -> None:
    world = a_world()
    world.read([event(0)])
    world.turn()
    world.answer(0, OK, taken=True)
    world.read([event(number) for number in range(1, 200)])
    world.turn()
    run = world.ledger.run
    while world.ledger.run == run:
        assert world.kept.total() < 100
        world.answer_all(KINDS["422"], taken=False)
    assert len(world.ever_kept) >= 100


def test_events_delivered_between_keep_refusals_from_stopping_the_run() -> None:
    world = a_world(max_concurrency=1)
    world.read([event(number) for number in range(300)])
    world.turn()
    for number in range(300):
        world.answer(number, OK if number % 60 == 0 else KINDS["422"], taken=True)
        world.turn()
        world.turn()
    assert world.kept.total() == 295
    assert world.delivery.stopped is None


def test_what_a_crash_left_in_doubt_does_not_stop_the_next_run_by_its_number() -> None:
    world = a_world(in_doubt="reject", max_concurrency=256)
    warm_up = [event(number) for number in range(500)]
    world.read(warm_up)
    world.turn()
    while len(world.flying) < 150:
        world.answer(min(world.flying), OK, taken=True)
        world.turn()
        world.turn()
    in_flight = len(world.flying)
    world.crash(taken=True)
    world.hand_over(len(warm_up))
    world.turn()
    assert world.summary.rejected == {"in_doubt": in_flight}
    assert world.delivery.stopped is None


def test_a_state_that_only_time_holds_back_is_told_by_wake_at() -> None:
    world = a_world()
    world.read([Line("state")])
    world.turn()
    world.now += 0.25
    world.read([Line("state")])
    world.turn()
    assert world.written == 0
    assert world.delivery.wake_at(world.now) == world.now + 0.75
    world.now += 0.75
    world.turn()
    assert world.written == 1
    assert world.delivery.wake_at(world.now) is None


def test_a_stop_lets_what_is_in_flight_end_and_its_state_leave() -> None:
    world = a_world()
    world.read([event(0, "email:a"), Line("state"), event(1, "email:a"), Line("state")])
    world.turn()
    world.delivery.stop(StopReading("SIGTERM", exit_status=143))
    world.turn()
    world.answer(0, OK, taken=True)
    world.turn()
    assert world.written == 1
    assert world.ledger.run == 2


def test_nothing_is_due_after_a_stop_but_the_ledger_s_sync_and_what_has_ended() -> None:
    world = a_world(max_concurrency=2)
    world.read([event(0), event(1), event(2)])
    world.turn()
    world.answer(0, KINDS["503"], taken=False)
    world.turn()
    world.delivery.stop(StopReading("SIGTERM", exit_status=143))
    assert world.delivery.wake_at(world.now) == world.now + 1
    world.now += 1
    world.turn()
    assert world.delivery.wake_at(world.now) is None


def test_what_stopped_a_run_first_is_what_it_ends_with() -> None:
    world = a_world()
    first = StopReading("SIGTERM", exit_status=143)
    world.read([event(0), event(1)])
    world.turn()
    world.delivery.stop(first)
    world.answer(0, KINDS["401"], taken=False)
    assert world.delivery.stopped is first


def test_a_404_is_a_refusal_as_soon_as_another_event_was_delivered() -> None:
    world = a_world()
    world.read([event(0), event(1)])
    world.turn()
    world.answer(0, OK, taken=True)
    world.answer(1, KINDS["404"], taken=False)
    world.turn()
    assert world.kept == {1: 1}
    assert world.delivery.stopped is None


def test_its_repr_tells_where_it_stands_and_no_value() -> None:
    world = a_world(max_concurrency=1)
    world.read([event(0, "email:secret"), event(1, "email:secret"), event(2)])
    world.turn()
    assert repr(world.delivery) == (
        "<Delivery unsettled=3 in_flight=1 <Lanes ready=1 out=1 parked=0 waiting=1> "
        "<Watermark issued=3 unsettled=3 oldest=0, no state may leave>>"
    )
    assert world.delivery.crowd == 1


# --- planted bugs: the ordinary run finds each ---------------------------------------------------------------------


class Late:
    """A ledger that notes one kind of thing with the next commit only."""

    def __init__(self, ledger: Ledger, late: str | None) -> None:
        self.standing, self.sync, self.knows_delivery = ledger.standing, ledger.sync, ledger.knows_delivery
        self.ledger, self.late = ledger, late
        self.waiting: Sequence[Any] = ()

    def commit(self, **notes: Any) -> None:  # noqa: ANN401 - as the ledger has them
        if self.late is not None:
            notes[self.late], self.waiting = self.waiting, notes[self.late]
        self.ledger.commit(**notes)


class StateLeavesBeforeTheCommit(Delivery):
    def __init__(self, *, ledger: Ledger, **parts: Any) -> None:  # noqa: ANN401 - as the delivery has them
        self.late = Late(ledger, "delivered")
        super().__init__(ledger=self.late, **parts)

    def release(self, now: float, *, final: bool = False) -> None:
        super().release(now, final=final)
        self.late.commit(intents=(), delivered=(), withdrawn=())


class StateLeavesBeforeItsRecordIsKept(Delivery):
    def __init__(self, *, keep: Callable[[Sequence[RejectedRecord]], None], **parts: Any) -> None:  # noqa: ANN401
        self.late: list[RejectedRecord] = []
        self.keep = keep
        super().__init__(keep=self.late.extend, **parts)

    def release(self, now: float, *, final: bool = False) -> None:
        super().release(now, final=final)
        self.keep(self.late)
        self.late.clear()


class StateLeavesAheadOfTheDisk(Delivery):
    def __init__(self, *, ledger: Ledger, **parts: Any) -> None:  # noqa: ANN401 - as the delivery has them
        hasty = Late(ledger, None)
        hasty.sync = lambda: None
        super().__init__(ledger=hasty, **parts)


class StateWaitsForTheNextTurn(Delivery):
    def turn(self, now: float) -> list[Job]:
        self.release(now)
        release, self.release = self.release, lambda *_, **__: None  # type: ignore[method-assign]
        try:
            return super().turn(now)
        finally:
            self.release = release  # type: ignore[method-assign]


class StateLeavesWithEveryTurn(Delivery):
    def release(self, now: float, *, final: bool = False) -> None:
        del final
        super().release(now, final=True)


class TheLedgerIsNotHeard(Delivery):
    def _place(self, pending: Pending, standing: Standing | None, now: float) -> None:
        super()._place(pending, None if standing is Standing.DELIVERED else standing, now)


class DoubtOfEarlierRunsIsNotHeard(Delivery):
    def _place(self, pending: Pending, standing: Standing | None, now: float) -> None:
        super()._place(pending, None if standing is Standing.IN_DOUBT else standing, now)


class AnIntentFollowsTheSend(Delivery):
    def __init__(self, *, ledger: Ledger, **parts: Any) -> None:  # noqa: ANN401 - as the delivery has them
        super().__init__(ledger=Late(ledger, "intents"), **parts)


class AnIntentIsTakenBackThoughInDoubt(Delivery):
    def _take_back(self, flight: Flight) -> None:
        doubt, flight.doubt = flight.doubt, False
        super()._take_back(flight)
        flight.doubt = doubt


class AnIntentIsNeverTakenBack(Delivery):
    def _take_back(self, flight: Flight) -> None:
        pass


class AnEarlierRunKeepsItsIntent(Delivery):
    def _place(self, pending: Pending, standing: Standing | None, now: float) -> None:
        super()._place(pending, standing, now)
        for flight in self._flights._flights.values():  # noqa: SLF001 - a bug that is put in
            flight.noted = flight.noted or (flight.doubt and flight.history is None)


class EqualKeysAreSentTwice(Delivery):
    def __init__(self, **parts: Any) -> None:  # noqa: ANN401 - as the delivery has them
        super().__init__(**parts)
        self._departures.is_settled_by_another = lambda position: False  # type: ignore[method-assign]  # noqa: ARG005


class WhatIsInDoubtIsSentThoughItIsToBeRejected(Delivery):
    def _retry(self, position: int, flight: Flight, until: float, *, hold_all: bool) -> None:
        policy, self._policy = self._policy, replace(self._policy, in_doubt="resend")
        super()._retry(position, flight, until, hold_all=hold_all)
        self._policy = policy


class ALongRetryAfterIsNotHeard(Pace):
    def hold(self, until: float) -> None:
        pass


class AShortRetryAfterIsNotHeard(Lanes):
    def park(self, position: int, until: float) -> None:
        super().park(position, until - 1)


class TheGateIsIgnored(Pace):
    def _fail(self, now: float) -> None:
        super()._fail(now)
        self._gate_closed = False


class TheGateLetsManyThrough(Pace):
    def admit(self, now: float) -> bool:
        admitted = super().admit(now)
        self._probe_started = None
        return admitted


class TheLimitIsIgnored(Pace):
    def next_admit(self, now: float) -> float | None:
        in_flight, self._in_flight = self._in_flight, 0
        try:
            return super().next_admit(now)
        finally:
            self._in_flight = in_flight


class TheRateIsIgnored(Pace):
    def admit(self, now: float) -> bool:
        self._next_permit_at = 0.0
        return super().admit(now)


class ALaneIsFreedAtARetry(Lanes):
    def park(self, position: int, until: float) -> None:
        super().park(position, until)
        waiter = self._waiters[position]
        for follower in waiter.followers:
            follower.ahead -= 1
            if not follower.ahead:
                self._make_ready(follower)
        waiter.followers = ()


class OnlyTheFirstIdentifierTies(Lanes):
    def add(self, position: int, identifiers: tuple[str, ...]) -> None:  # type: ignore[override]
        super().add(position, identifiers[:1])


class AStopIsIgnored(Delivery):
    def _take(self, now: float) -> list[Job]:
        stopped, self.stopped = self.stopped, None
        jobs = super()._take(now)
        self.stopped = stopped
        return jobs


class ARejectedRecordIsKeptTwice(Delivery):
    def __init__(self, *, keep: Callable[[Sequence[RejectedRecord]], None], **parts: Any) -> None:  # noqa: ANN401
        super().__init__(keep=lambda records: keep([*records, records[-1]]), **parts)


class ADeliveryIsSettledTwice(Delivery):
    def _end(self, position: int, flight: Flight, outcome: Outcome) -> None:
        super()._end(position, flight, outcome)
        super()._end(position, flight, outcome)


class ASkipIsNotCounted(Delivery):
    def _settle(self) -> None:
        super()._settle()
        self._settlement._summary.skipped_by_ledger = 0  # noqa: SLF001 - as above


class KeysAreKeptForEver(Keys):
    def settle(self, key: bytes, standing: Standing | None) -> None:
        self.add(key)
        super().settle(key, standing)


class WhatIsSettledTakesRoomForEver(Delivery):
    most_bytes = 0

    @property
    def unsettled_bytes(self) -> int:
        self.most_bytes = max(self.most_bytes, super().unsettled_bytes)
        return self.most_bytes


class TheLedgerIsSyncedForStatesAlone(Delivery):
    def release(self, now: float, *, final: bool = False) -> None:
        self._settlement._is_synced = True  # noqa: SLF001 - where the bug is put in
        super().release(now, final=final)


class NothingWakesTheRunToSync(Delivery):
    def wake_at(self, now: float) -> float | None:
        self._settlement._sync_at, kept = None, self._settlement._sync_at  # noqa: SLF001 - where the bug is put in
        try:
            return super().wake_at(now)
        finally:
            self._settlement._sync_at = kept  # noqa: SLF001 - as above


class AnEventIsForgotten(Delivery):
    def _retry(self, position: int, flight: Flight, until: float, *, hold_all: bool) -> None:
        super()._retry(position, flight, until if hold_all else inf, hold_all=hold_all)


PLANTED = [
    StateLeavesBeforeTheCommit,
    StateLeavesBeforeItsRecordIsKept,
    StateLeavesAheadOfTheDisk,
    StateWaitsForTheNextTurn,
    StateLeavesWithEveryTurn,
    TheLedgerIsNotHeard,
    DoubtOfEarlierRunsIsNotHeard,
    AnIntentFollowsTheSend,
    AnIntentIsTakenBackThoughInDoubt,
    AnIntentIsNeverTakenBack,
    AnEarlierRunKeepsItsIntent,
    EqualKeysAreSentTwice,
    WhatIsInDoubtIsSentThoughItIsToBeRejected,
    ALongRetryAfterIsNotHeard,
    AShortRetryAfterIsNotHeard,
    TheGateIsIgnored,
    TheGateLetsManyThrough,
    TheLimitIsIgnored,
    TheRateIsIgnored,
    ALaneIsFreedAtARetry,
    OnlyTheFirstIdentifierTies,
    AStopIsIgnored,
    ARejectedRecordIsKeptTwice,
    ADeliveryIsSettledTwice,
    ASkipIsNotCounted,
    KeysAreKeptForEver,
    WhatIsSettledTakesRoomForEver,
    TheLedgerIsSyncedForStatesAlone,
    NothingWakesTheRunToSync,
    AnEventIsForgotten,
]


@pytest.mark.parametrize("planted", PLANTED)
def test_the_machine_finds_a_planted_bug(planted: type[Delivery | Pace | Lanes | Keys]) -> None:
    part = f"{planted.__base__.__name__.lower()}_class"  # type: ignore[union-attr] # each has one
    assert_found(InAHostileWorld, **{part: planted})
