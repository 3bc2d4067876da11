from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from target_applied_events.delivery.pace import Pace
from target_applied_events.errors import InternalError
from target_applied_events.event import Signal
from tests.planted_bugs import ORDINARY_RUN, assert_found

EVER = 1e6
RATE_SLACK_SECONDS = 0.01
ROUNDING = 1e-6
ROWS = [(signal,) * 14 for signal in Signal] + [
    (Signal.SUCCESS, Signal.RATE_LIMITED) * 7,
    (*(Signal.SUCCESS,) * 5, Signal.RATE_LIMITED, Signal.SUCCESS),
    (Signal.FAILURE, Signal.PUSH_BACK) * 7,
    (*(Signal.FAILURE,) * 9, Signal.NEUTRAL, Signal.FAILURE),
]


class AgainstItsWholePast(RuleBasedStateMachine):
    """Holds pace against all that ever was started, answered and asked for."""

    pace_class: type[Pace] = Pace

    @initialize(max_concurrency=st.integers(1, 40), cap=st.none() | st.sampled_from([0.5, 10.0, 1_000.0]))
    def begin(self, max_concurrency: int, cap: float | None) -> None:
        self.now = 50.0
        self.max_concurrency = max_concurrency
        self.cap = cap
        self.pace = self.pace_class(max_concurrency=max_concurrency, requests_per_second=cap, now=self.now)
        self.in_flight: list[float] = []
        self.most = 0
        self.due_at = 0.0
        self.held_until = 0.0
        self.failures = 0
        self.closed_at: float | None = None

    def hold_to_its_promise(self, start: float) -> None:
        """Hold one more start against the class's first sentence."""
        assert len(self.in_flight) < self.pace.limit
        assert start >= self.held_until
        assert start >= self.due_at - RATE_SLACK_SECONDS - ROUNDING
        if self.closed_at is not None:
            assert not [started for started in self.in_flight if started > self.closed_at], "two probes"

    def try_to_start(self) -> bool:
        rate = self.pace.rate
        admitted = self.pace.admit(self.now)
        if admitted:
            self.hold_to_its_promise(self.now)
            self.in_flight.append(self.now)
            self.most = max(self.most, len(self.in_flight))
            if rate is not None:
                self.due_at = max(self.due_at, self.now) + 1 / rate
        return admitted

    @rule(times=st.sampled_from([1, 5, 40]))
    def start_some(self, times: int) -> None:
        for _ in range(times):
            admissible_at = self.pace.next_admit(self.now)
            assert self.try_to_start() == (admissible_at == self.now)

    @rule()
    def start_when_it_says(self) -> None:
        admissible_at = self.pace.next_admit(self.now)
        if admissible_at is None:
            assert not self.pace.admit(self.now + EVER)
            return
        if admissible_at > self.now:
            assert not self.pace.admit((self.now + admissible_at) / 2 - RATE_SLACK_SECONDS)
        self.now = max(self.now, admissible_at)
        assert self.try_to_start()

    @rule(seconds=st.sampled_from([0.001, 0.05, 0.3, 1.0, 5.0]))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds

    @precondition(lambda self: self.in_flight)
    @rule(which=st.sampled_from([0, -1]), signal=st.sampled_from(Signal))
    def answer(self, which: int, signal: Signal) -> None:
        self.learn(self.in_flight.pop(which), signal)

    @precondition(lambda self: self.in_flight)
    @rule(signal=st.sampled_from(Signal))
    def answer_all(self, signal: Signal) -> None:
        for started in self.in_flight.copy():
            self.in_flight.remove(started)
            self.learn(started, signal)

    @rule(signals=st.sampled_from(ROWS), stragglers=st.integers(0, 2))
    def answer_in_a_row(self, signals: tuple[Signal, ...], stragglers: int) -> None:
        for signal in signals:
            self.now = max(self.now, self.pace.next_admit(self.now) or self.now)
            self.try_to_start()
            if len(self.in_flight) > min(stragglers, self.pace.limit - 1) and self.closed_at is None:
                self.learn(self.in_flight.pop(), signal)
        if stragglers and self.in_flight:
            self.learn(self.in_flight.pop(0), signals[-1])

    def learn(self, started: float, signal: Signal) -> None:
        self.pace.answered(self.now, started, signal)
        match signal:
            case Signal.FAILURE | Signal.PUSH_BACK:
                self.failures += 1
            case _:
                self.failures = 0
        if signal is Signal.SUCCESS:
            self.closed_at = None
        elif self.failures >= 10 and self.closed_at is None:
            self.closed_at = self.now

    @precondition(lambda self: self.in_flight)
    @rule()
    def withdraw(self) -> None:
        self.pace.withdraw(self.now, self.in_flight.pop())

    @precondition(lambda self: not self.in_flight)
    @rule(signal=st.sampled_from(Signal))
    def answer_what_is_not_in_flight(self, signal: Signal) -> None:
        with pytest.raises(InternalError):
            self.pace.answered(self.now, self.now, signal)

    @rule(seconds=st.sampled_from([0.1, 3.0, 60.0]))
    def hold(self, seconds: float) -> None:
        self.pace.hold(self.now + seconds)
        self.held_until = max(self.held_until, self.now + seconds)

    @invariant()
    def it_promises_no_start_that_is_too_much_or_too_early(self) -> None:
        admissible_at = self.pace.next_admit(self.now)
        if admissible_at is not None:
            self.hold_to_its_promise(admissible_at)

    @invariant()
    def it_counts_what_is_in_flight(self) -> None:
        assert self.pace.in_flight == len(self.in_flight)
        assert self.pace.most_in_flight == self.most

    @invariant()
    def its_bounds_stay_within_the_settings(self) -> None:
        assert 1 <= self.pace.limit <= self.max_concurrency
        assert self.cap is None or (self.pace.rate is not None and 0 < self.pace.rate <= self.cap)

    @invariant()
    def the_gate_is_closed_from_ten_failures_in_a_row_to_a_success(self) -> None:
        assert self.pace.gate_closed == (self.closed_at is not None)

    @invariant()
    def with_nothing_in_flight_it_lets_one_start_some_time(self) -> None:
        if not self.in_flight:
            assert self.pace.next_admit(self.now) is not None

    @invariant()
    def with_nothing_against_it_one_starts_at_once(self) -> None:
        free = self.closed_at is None and self.pace.rate is None and self.now >= self.held_until
        if free and len(self.in_flight) < self.pace.limit:
            assert self.pace.next_admit(self.now) == self.now


TestPace = AgainstItsWholePast.TestCase
TestPace.settings = ORDINARY_RUN


class OneMoreThanTheLimit(Pace):
    def next_admit(self, now: float) -> float | None:
        self._in_flight -= 1
        admitted_at = super().next_admit(now)
        self._in_flight += 1
        return admitted_at


class TheGateIsIgnored(Pace):
    def next_admit(self, now: float) -> float | None:
        closed, self._gate_closed = self._gate_closed, False
        probe, self._probe_started = self._probe_started, None
        admitted_at = super().next_admit(now)
        self._gate_closed, self._probe_started = closed, probe
        return admitted_at


class AnyAnswerLetsTheNextProbeOut(Pace):
    def _come_back(self, now: float, started: float) -> None:
        super()._come_back(now, started)
        self._probe_started = None


class AFailedProbeIsTheLast(Pace):
    def _come_back(self, now: float, started: float) -> None:
        super()._come_back(now, min(started, -1.0))


class AnyAnswerOpensTheGate(Pace):
    def answered(self, now: float, started: float, signal: Signal) -> None:
        super().answered(now, started, signal)
        if signal is Signal.NEUTRAL:
            self._gate_closed = False


class ARefusalCountsAsFailure(Pace):
    def answered(self, now: float, started: float, signal: Signal) -> None:
        super().answered(now, started, Signal.PUSH_BACK if signal is Signal.RATE_LIMITED else signal)


class ARetryAfterIsIgnored(Pace):
    def hold(self, until: float) -> None:
        self._learned.pass_over(until)


class AShorterRetryAfterReplacesALonger(Pace):
    def hold(self, until: float) -> None:
        self._held_until = until


class TheLearnedRateIsIgnored(Pace):
    def next_admit(self, now: float) -> float | None:
        if self._cap is None:
            self._next_permit_at = now
        return super().next_admit(now)


class IdleTimeIsMadeUpFor(Pace):
    def admit(self, now: float) -> bool:
        owed = self._next_permit_at
        admitted = super().admit(now)
        if admitted and self.rate and owed > 0:
            self._next_permit_at = owed + 1 / self.rate
        return admitted


@pytest.mark.parametrize(
    "planted",
    [
        OneMoreThanTheLimit,
        TheGateIsIgnored,
        AnyAnswerLetsTheNextProbeOut,
        AFailedProbeIsTheLast,
        AnyAnswerOpensTheGate,
        ARefusalCountsAsFailure,
        ARetryAfterIsIgnored,
        AShorterRetryAfterReplacesALonger,
        TheLearnedRateIsIgnored,
        IdleTimeIsMadeUpFor,
    ],
)
def test_the_machine_finds_a_planted_bug(planted: type[Pace]) -> None:
    assert_found(AgainstItsWholePast, pace_class=planted)


def make(*, max_concurrency: int = 256, requests_per_second: float | None = None) -> Pace:
    return Pace(max_concurrency=max_concurrency, requests_per_second=requests_per_second, now=0.0)


def fill(pace: Pace, now: float) -> int:
    """Start all that may be."""
    started = 0
    while pace.admit(now):
        started += 1
    return started


def go_around(pace: Pace, now: float, signal: Signal = Signal.SUCCESS, took: float = 0.1) -> int:
    """Start all that may be, and have all of it answered."""
    fill(pace, now)
    answers = pace.in_flight
    for _ in range(answers):
        pace.answered(now + took, now, signal)
    return answers


def test_it_starts_with_eight_and_grows_by_one_a_success() -> None:
    pace = make()
    assert fill(pace, 0.0) == 8
    pace.answered(0.1, 0.0, Signal.SUCCESS)
    assert pace.limit == 9


def test_it_starts_with_the_cap_where_that_is_below_eight() -> None:
    pace = make(max_concurrency=3)
    assert fill(pace, 0.0) == 3
    for _ in range(3):
        pace.answered(0.1, 0.0, Signal.SUCCESS)
    assert pace.limit == 3


def test_a_push_back_takes_it_to_seven_tenths() -> None:
    pace = make()
    fill(pace, 0.0)
    pace.answered(0.1, 0.0, Signal.PUSH_BACK)
    assert pace.limit == 5
    assert pace.next_admit(0.1) is None


@pytest.mark.parametrize(("round_trip", "again_after"), [(0.1, 0.25), (2.0, 2.0)])
def test_it_is_cut_once_a_round_trip_or_quarter_of_a_second(round_trip: float, again_after: float) -> None:
    pace = make()
    fill(pace, 0.0)
    pace.answered(round_trip, 0.0, Signal.SUCCESS)
    assert pace.limit == 9
    for _ in range(3):
        pace.answered(round_trip, 0.0, Signal.PUSH_BACK)
    assert pace.limit == 6
    pace.answered(round_trip + again_after - 0.01, 0.0, Signal.PUSH_BACK)
    assert pace.limit == 6
    pace.answered(round_trip + again_after + 0.01, 0.0, Signal.PUSH_BACK)
    assert pace.limit == 4


def test_one_slow_answer_moves_the_round_trip_by_an_eighth() -> None:
    pace = make()
    fill(pace, 10.0)
    pace.answered(11.0, 10.0, Signal.SUCCESS)
    pace.answered(19.0, 10.0, Signal.SUCCESS)
    pace.answered(20.0, 10.0, Signal.PUSH_BACK)
    assert pace.limit == 7
    pace.answered(21.9, 10.0, Signal.PUSH_BACK)
    assert pace.limit == 7
    pace.answered(22.1, 10.0, Signal.PUSH_BACK)
    assert pace.limit == 4


def test_the_learned_rate_never_falls_below_one_in_two_seconds() -> None:
    pace = make()
    go_around(pace, 0.0)
    rates = []
    for second in range(1, 60):
        now = 2.0 * second - 1
        assert pace.admit(now)
        pace.answered(now + 0.1, now, Signal.RATE_LIMITED)
        rates.append(pace.rate)
    assert rates[-1] == 0.5


def test_after_a_push_back_it_grows_by_one_a_round_trip() -> None:
    pace = make()
    fill(pace, 0.0)
    pace.answered(0.1, 0.0, Signal.PUSH_BACK)
    for _ in range(7):
        pace.answered(0.1, 0.0, Signal.NEUTRAL)
    limits = [pace.limit]
    for second in range(1, 6):
        go_around(pace, float(second))
        limits.append(pace.limit)
    assert limits == [5, 6, 7, 8, 9, 10]


def test_after_a_push_back_it_grows_only_where_it_was_reached() -> None:
    pace = make()
    fill(pace, 0.0)
    pace.answered(0.1, 0.0, Signal.PUSH_BACK)
    for _ in range(7):
        pace.answered(0.1, 0.0, Signal.NEUTRAL)
    for second in range(1, 100):
        assert pace.admit(float(second))
        pace.answered(second + 0.1, float(second), Signal.SUCCESS)
    assert pace.limit == 5


def test_it_grows_though_workers_begin_later_than_they_are_let() -> None:
    pace = make()
    fill(pace, 0.0)
    pace.answered(0.1, 0.0, Signal.PUSH_BACK)
    for _ in range(7):
        pace.answered(0.1, 0.0, Signal.NEUTRAL)
    for second in range(1, 6):
        for _ in range(fill(pace, float(second))):
            pace.answered(second + 0.2, second + 0.1, Signal.SUCCESS)
    assert pace.limit == 10


def test_successes_of_what_was_in_flight_at_a_cut_do_not_undo_it() -> None:
    pace = make()
    fill(pace, 0.0)
    pace.answered(0.1, 0.0, Signal.PUSH_BACK)
    for _ in range(7):
        pace.answered(0.1, 0.0, Signal.SUCCESS)
    assert pace.limit == 5


def test_it_never_falls_below_one() -> None:
    pace = make()
    for second in range(100):
        if pace.admit(float(second)):
            pace.answered(second + 0.1, float(second), Signal.RATE_LIMITED)
    assert pace.limit == 1


def test_no_rate_is_learned_from_overload_or_failure() -> None:
    pace = make()
    go_around(pace, 0.0)
    go_around(pace, 1.0, Signal.PUSH_BACK)
    assert pace.rate is None


def test_the_first_refusal_teaches_a_rate_below_what_was_delivered_in_two_seconds() -> None:
    pace = make(max_concurrency=8)
    for tick in range(10):
        go_around(pace, tick * 0.5)
    assert pace.admit(5.0)
    pace.answered(5.0, 5.0, Signal.RATE_LIMITED)
    # 3.1, 3.6, 4.1 and 4.6 lie within two seconds: 8 each.
    assert pace.rate == pytest.approx(0.85 * 32 / 2)


def test_a_refusal_before_anything_was_delivered_teaches_no_rate() -> None:
    pace = make()
    go_around(pace, 0.0, Signal.RATE_LIMITED)
    assert pace.rate is None


def test_the_learned_rate_comes_back_to_what_was_delivered_and_goes_beyond_to_twice_that() -> None:
    pace = make(max_concurrency=1)
    for tick in range(40):
        go_around(pace, tick * 0.1)
    assert pace.admit(4.0)
    pace.answered(4.0, 4.0, Signal.RATE_LIMITED)
    assert pace.rate == pytest.approx(0.85 * 10, rel=0.06)
    rates: dict[int, float] = {}
    now = 4.0
    while now < 30.0:
        now = pace.next_admit(now) or now
        assert pace.admit(now)
        pace.answered(now + 0.04, now, Signal.SUCCESS)
        now += 0.04
        rates[int(now)] = pace.rate or 0.0
    turn = (10 * 0.15 / 0.4) ** (1 / 3)
    assert rates[int(4 + turn)] == pytest.approx(10, rel=0.1)
    assert rates[4] < rates[5] < rates[7] < rates[9]
    assert max(rates.values()) == pytest.approx(2 * 25, rel=0.05)  # what 40 ms a request allow is 25 a second


def test_the_learned_rate_falls_once_in_an_interval_however_many_are_refused() -> None:
    pace = make()
    for tick in range(4):
        go_around(pace, tick * 0.5)
    fill(pace, 2.0)
    pace.answered(2.1, 2.0, Signal.RATE_LIMITED)
    rate = pace.rate
    for _ in range(20):
        pace.answered(2.2, 2.0, Signal.RATE_LIMITED)
    assert pace.rate == rate


def test_a_wait_that_was_asked_for_neither_lowers_nor_lifts_the_learned_rate() -> None:
    pace = make(max_concurrency=8)
    for tick in range(10):
        go_around(pace, tick * 0.5)
    assert pace.admit(5.0)
    pace.answered(5.0, 5.0, Signal.RATE_LIMITED)
    rate = pace.rate
    pace.hold(65.0)
    assert pace.next_admit(5.0) == 65.0
    assert pace.admit(65.0)
    pace.answered(65.1, 65.0, Signal.SUCCESS)
    assert pace.rate == pytest.approx(rate, rel=0.05)


def test_the_users_cap_spaces_starts_from_the_first() -> None:
    pace = make(requests_per_second=4.0)
    starts = []
    now: float | None = 0.0
    while now is not None and pace.admit(now):
        starts.append(now)
        pace.answered(now, now, Signal.SUCCESS)
        now = pace.next_admit(now) if len(starts) < 9 else None
    assert starts[-1] - starts[0] == pytest.approx(8 / 4.0, abs=RATE_SLACK_SECONDS + ROUNDING)


def fail_in_a_row(pace: Pace, times: int, now: float) -> None:
    for _ in range(times):
        assert pace.admit(now)
        pace.answered(now, now, Signal.FAILURE)


def test_nine_failures_in_a_row_leave_the_gate_open_and_ten_close_it() -> None:
    pace = make()
    fail_in_a_row(pace, 9, 0.0)
    assert not pace.gate_closed
    fail_in_a_row(pace, 1, 0.0)
    assert pace.gate_closed


def test_a_closed_gate_lets_one_probe_out_until_one_succeeds() -> None:
    pace = make()
    fail_in_a_row(pace, 10, 0.0)
    assert pace.next_admit(0.0) == 0.25
    assert fill(pace, 0.25) == 1
    assert pace.next_admit(10.0) is None
    pace.answered(10.0, 0.25, Signal.FAILURE)
    assert pace.next_admit(10.0) == 10.25
    assert fill(pace, 10.25) == 1
    pace.answered(10.3, 10.25, Signal.SUCCESS)
    assert not pace.gate_closed
    assert fill(pace, 10.3) == pace.limit


def test_failed_probes_leave_the_limit_as_it_was() -> None:
    pace = make()
    fail_in_a_row(pace, 10, 0.0)
    for second in range(1, 20):
        assert pace.admit(float(second))
        pace.answered(second + 0.5, float(second), Signal.PUSH_BACK)
    assert pace.limit == 8


def test_its_repr_tells_what_may_be_sent() -> None:
    pace = make(requests_per_second=5)
    pace.admit(0.0)
    assert repr(pace) == "<Pace in_flight=1 limit=8.0 rate=5 gate=open>"
