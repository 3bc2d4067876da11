"""How many requests may be in flight, and how many a second.

What loses packets decides, not round trips: the limit grows with successes and shrinks with push-back, and an endpoint
that counts requests a second is met by a rate that is learned from its refusals.
"""

from __future__ import annotations

from collections import deque
from math import cbrt, inf

from target_applied_events.errors import InternalError
from target_applied_events.event import Signal

FIRST_LIMIT = 8
LIMIT_CUT = 0.7
CUT_INTERVAL_SECONDS = 0.25
GATE_FAILURES = 10
MEASURED_SECONDS = 2.0
RATE_CUT = 0.85
RATE_GROWTH = 0.4
LOWEST_RATE = 0.5
RATE_SLACK_SECONDS = 0.01
"""Starts that come late may be made up for by this much, so that a late timer costs no throughput."""
SMOOTHING = 0.125


class Pace:
    """No start puts more than the limit in flight, or makes more starts a second than the rate in force allows.

    Starts are spaced by the rate in force at each of them, with `RATE_SLACK_SECONDS` of slack. The limit may fall below
    what is in flight; nothing starts then until enough is answered. While the gate is closed one probe at a time is
    out, and the next comes `CUT_INTERVAL_SECONDS` after the last one's failure.
    """

    def __init__(self, *, max_concurrency: int, requests_per_second: float | None, now: float) -> None:
        """Start with few in flight.

        Args:
            max_concurrency: The most that may ever be in flight.
            requests_per_second: The user's own cap; None: no cap.
            now: Monotonic seconds, as in all methods.
        """
        self._max_concurrency = max_concurrency
        self._limit = float(min(FIRST_LIMIT, max_concurrency))
        self._cap = requests_per_second
        self._learned = _LearnedRate(now)
        self._in_flight = 0
        self._most_in_flight = 0
        self._is_full = False
        self._pushed_back = False
        self._cut_at = -inf
        self._round_trip_seconds = 0.0
        self._next_permit_at = -inf
        self._held_until = -inf
        self._failures = 0
        self._gate_closed = False
        self._probe_started: float | None = None
        self._next_probe_at = -inf

    def __repr__(self) -> str:
        """Tell what may be sent."""
        gate = "closed" if self._gate_closed else "open"
        return f"<Pace in_flight={self._in_flight} limit={self._limit:.1f} rate={self.rate} gate={gate}>"

    @property
    def limit(self) -> int:
        """How many may be in flight now."""
        return int(self._limit)

    @property
    def in_flight(self) -> int:
        """How many are started and not answered."""
        return self._in_flight

    @property
    def most_in_flight(self) -> int:
        """The most that ever were in flight."""
        return self._most_in_flight

    @property
    def rate(self) -> float | None:
        """How many may start a second: the user's cap or what was learned, whichever is lower; None: no bound."""
        rates = [rate for rate in (self._cap, self._learned.per_second) if rate is not None]
        return min(rates, default=None)

    @property
    def gate_closed(self) -> bool:
        """Whether the endpoint seems to be down, so that it's only probed."""
        return self._gate_closed

    def admit(self, now: float) -> bool:
        """Tell whether one more may be sent now; if so, it counts as started."""
        admitted_at = self.next_admit(now)
        if admitted_at is None or admitted_at > now:
            return False
        self._in_flight += 1
        self._most_in_flight = max(self._most_in_flight, self._in_flight)
        self._is_full = self._in_flight >= self.limit
        if self.rate is not None:
            self._next_permit_at = max(self._next_permit_at, now) + 1 / self.rate
        if self._gate_closed:
            self._probe_started = now
        return True

    def next_admit(self, now: float) -> float | None:
        """Tell when one more may be sent though nothing is answered until then; None: only an answer helps."""
        if self._in_flight >= self.limit or self._probe_started is not None:
            return None
        permit_at = -inf if self.rate is None else self._next_permit_at - RATE_SLACK_SECONDS
        probe_at = self._next_probe_at if self._gate_closed else -inf
        return max(now, self._held_until, permit_at, probe_at)

    def answered(self, now: float, started: float, signal: Signal) -> None:
        """Learn from the reply to an attempt.

        Args:
            now: When it was answered, or given up.
            started: When it was begun, not before it was admitted.
            signal: What the reply says about the endpoint's load.

        Raises:
            InternalError: Nothing is in flight.
        """
        self._come_back(now, started)
        match signal:
            case Signal.SUCCESS:
                self._succeed(now, started)
            case Signal.RATE_LIMITED:
                self._failures = 0
                self._cut(now)
                self._learned.cut(now, self._cut_interval_seconds)
            case Signal.PUSH_BACK:
                self._cut(now)
                self._fail(now)
            case Signal.FAILURE:
                self._fail(now)
            case Signal.NEUTRAL:
                self._failures = 0

    def withdraw(self, now: float, started: float) -> None:
        """Take back an admission that nothing was sent on; its permit is used all the same.

        Raises:
            InternalError: Nothing is in flight.
        """
        self._come_back(now, started)

    def hold(self, until: float) -> None:
        """Let nothing start before `until`, since the endpoint asked for it."""
        self._held_until = max(self._held_until, until)
        self._learned.pass_over(self._held_until)

    @property
    def _cut_interval_seconds(self) -> float:
        return max(CUT_INTERVAL_SECONDS, self._round_trip_seconds)

    def _come_back(self, now: float, started: float) -> None:
        if not self._in_flight:
            raise InternalError(f"an attempt was answered and none is in flight ({self!r})")
        self._in_flight -= 1
        # A probe starts a pause after the gate closed: whatever was in flight then is told from it by its start.
        if self._probe_started is not None and started >= self._probe_started:
            self._probe_started = None
            self._next_probe_at = now + CUT_INTERVAL_SECONDS

    def _succeed(self, now: float, started: float) -> None:
        self._failures = 0
        if self._gate_closed:
            self._gate_closed = False
            self._probe_started = None
            self._learned.pass_over(now)
        took = now - started
        self._round_trip_seconds += (took - self._round_trip_seconds) * (SMOOTHING if self._round_trip_seconds else 1)
        self._learned.succeed(now)
        if not self._pushed_back:
            self._grow(1)
        elif self._is_full:
            self._grow(1 / self._limit)

    def _grow(self, by: float) -> None:
        self._limit = min(self._limit + by, float(self._max_concurrency))

    def _cut(self, now: float) -> None:
        self._pushed_back = True
        # A closed gate lets one through at a time, which tells nothing of how many the endpoint could take.
        if not self._gate_closed and now - self._cut_at >= self._cut_interval_seconds:
            self._limit = max(1.0, self._limit * LIMIT_CUT)
            self._is_full = False
            self._cut_at = now

    def _fail(self, now: float) -> None:
        self._failures += 1
        if self._failures >= GATE_FAILURES and not self._gate_closed:
            self._gate_closed = True
            self._next_probe_at = now + CUT_INTERVAL_SECONDS


class _LearnedRate:
    """The rate follows the last refusal: below what was delivered then, back up to it, and past it with care (CUBIC).

    There is none before the first refusal, nor before something was delivered that it could be learned from.
    """

    def __init__(self, now: float) -> None:
        """Measure from now on."""
        self.per_second: float | None = None
        self._successes: deque[float] = deque()
        self._measured_from = now
        self._delivered = 0.0
        self._cut_at = -inf

    def pass_over(self, until: float) -> None:
        """Neither measure nor grow over a time in which nothing can be delivered."""
        self._measured_from = max(self._measured_from, until)
        self._cut_at = max(self._cut_at, until)

    def succeed(self, now: float) -> None:
        """Count a delivery, and grow: to at most twice what is delivered, or was at the last refusal."""
        self._successes.append(now)
        measured = self._measure(now)
        if self.per_second is not None:
            turn = cbrt(self._delivered * (1 - RATE_CUT) / RATE_GROWTH)
            grown = self._delivered + RATE_GROWTH * (max(0.0, now - self._cut_at) - turn) ** 3
            self.per_second = max(LOWEST_RATE, min(grown, 2 * max(measured, self._delivered)))

    def cut(self, now: float, interval_seconds: float) -> None:
        """Fall below what is delivered, at most once in an interval."""
        if now - self._cut_at < interval_seconds:
            return
        delivered = self._measure(now) or self.per_second
        if delivered is not None:
            self._delivered = delivered
            self._cut_at = now
            self.per_second = max(LOWEST_RATE, RATE_CUT * delivered)

    def _measure(self, now: float) -> float:
        """Measure the successes a second, over less than `MEASURED_SECONDS` where there was less time."""
        since = max(self._measured_from, now - MEASURED_SECONDS)
        while self._successes and self._successes[0] < since:
            self._successes.popleft()
        return len(self._successes) / max(now - since, CUT_INTERVAL_SECONDS)
