"""The world that a delivery runs in, with all that it promises to that world: a tap, a ledger, an endpoint, crashes."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from target_applied_events.delivery.delivery import Delivery
from target_applied_events.delivery.flight import Policy
from target_applied_events.delivery.keys import Keys
from target_applied_events.delivery.lanes import Lanes
from target_applied_events.delivery.pace import Pace
from target_applied_events.delivery.unsettled import Failing
from target_applied_events.delivery.window import Window
from target_applied_events.errors import EndpointError, LedgerError, RejectedRecordsError, StopReading
from target_applied_events.event import Answer, Event, Failure, NoAnswer, Rejection, Reply, Standing
from target_applied_events.handover import HeldState, Item, Job, Pending, RejectedRecord, Returned, Stream, Tally
from target_applied_events.summary import Summary

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

SHOP = "66e4c3a8-6a8b-4a53-9d64-4e2f7f3d8c11"
ORDERS = Stream("orders", {}, ("n",))
RETRY_TIMEOUT_SECONDS = 300.0
FAILURES_THAT_CLOSE_THE_GATE = 10
ATTEMPTS_OF_POISON = 6
MOST_GIVEN_UP_IN_AN_OUTAGE = 5
SIZES_BYTES = (1 << 20, 20 << 20, 100 << 20)
"""How long lines are: three of them fill the window, one is larger than it."""


class LedgerFaultError(LedgerError):
    """The ledger was told to fail."""


class KeepFaultError(RejectedRecordsError):
    """What keeps rejected records was told to fail."""


FAULTS = (LedgerFaultError, KeepFaultError)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of reply.

    Attributes:
        taken: Whether the endpoint took the event; None: nobody can tell from the reply.
        retry_after_seconds: How long it asks to wait.
    """

    reply: Reply
    taken: bool | None
    retry_after_seconds: float = 0.0

    @property
    def fails(self) -> bool:
        """Whether it counts towards an outage."""
        return not isinstance(self.reply, Answer) or self.reply.status >= 500 or self.is_page

    @property
    def is_poisons(self) -> bool:
        """Whether an event that is the matter itself may end so."""
        match self.reply:
            case Answer(status=status):
                return status in {500, 502, 504}
            case NoAnswer(failure=failure):
                return failure in {Failure.TIMED_OUT, Failure.BROKEN}

    @property
    def is_tried_again(self) -> bool:
        match self.reply:
            case Answer(status=status):
                return status == 429 or self.is_page or (status >= 500 and status != 501)
            case NoAnswer(failure=failure):
                return failure is not Failure.UNTRUSTED

    @property
    def is_page(self) -> bool:
        return isinstance(self.reply, Answer) and self.reply.content_type == "text/html"


OK = Kind(Answer(200, b"{}", "application/json"), taken=True)
KINDS = {
    "200": OK,
    "201 without JSON": Kind(Answer(201, b"ok", "text/plain"), taken=True),
    "204": Kind(Answer(204), taken=True),
    "200 with a page": Kind(Answer(200, b"<html>", "text/html"), taken=None),
    "302": Kind(Answer(302), taken=False),
    "401": Kind(Answer(401), taken=False),
    "404": Kind(Answer(404), taken=False),
    "409": Kind(Answer(409), taken=False),
    "422": Kind(Answer(422), taken=False),
    "429": Kind(Answer(429), taken=False),
    "429, after 2 s": Kind(Answer(429, retry_after="2"), taken=False, retry_after_seconds=2.0),
    "429, after 30 s": Kind(Answer(429, retry_after="30"), taken=False, retry_after_seconds=30.0),
    "429, after a day": Kind(Answer(429, retry_after="86400"), taken=False, retry_after_seconds=86_400.0),
    "429, soon": Kind(Answer(429, retry_after="soon"), taken=False),
    "500": Kind(Answer(500), taken=None),
    "502": Kind(Answer(502), taken=None),
    "503": Kind(Answer(503), taken=False),
    "503, after 1 s": Kind(Answer(503, retry_after="1"), taken=False, retry_after_seconds=1.0),
    "503, after 5 s": Kind(Answer(503, retry_after="5"), taken=False, retry_after_seconds=5.0),
    "501": Kind(Answer(501), taken=None),
    "time-out": Kind(NoAnswer(Failure.TIMED_OUT), taken=None),
    "reset": Kind(NoAnswer(Failure.BROKEN), taken=None),
    "no connection": Kind(NoAnswer(Failure.UNREACHABLE), taken=False),
    "bad certificate": Kind(NoAnswer(Failure.UNTRUSTED), taken=False),
}


@dataclass(frozen=True, slots=True)
class Line:
    """What the tap has at one place: a record with an event, an invalid record, or a STATE."""

    kind: Literal["event", "invalid", "state"]
    identifiers: tuple[str, ...] = ()
    key: bytes = b""


@dataclass
class LedgerModel:
    """A ledger that outlives crashes, and fails when it's told to."""

    delivered: set[bytes] = field(default_factory=set)
    intents: dict[bytes, int] = field(default_factory=dict)
    synced: frozenset[bytes] = frozenset()
    is_synced: bool = True
    syncs: int = 0
    run: int = 0
    taken: Counter[bytes] = field(default_factory=Counter)
    failing: str | None = None
    unsure: set[bytes] = field(default_factory=set)  # noted as intents, though the ledger said that it failed

    def standing(self, keys: Sequence[bytes]) -> Mapping[bytes, Standing]:
        self.fail_if("standing")
        in_doubt = {key: Standing.IN_DOUBT for key in keys if key in self.intents}
        return in_doubt | {key: Standing.DELIVERED for key in keys if key in self.delivered}

    def commit(self, *, intents: Sequence[Event], delivered: Sequence[bytes], withdrawn: Sequence[bytes]) -> None:
        self.fail_if("commit")
        self.is_synced = False
        assert self.taken.keys() >= set(delivered), "what is noted as delivered was taken"
        for key in delivered:
            self.intents.pop(key, None)
        self.delivered.update(delivered)
        for key in withdrawn:
            if self.intents.get(key) == self.run:
                del self.intents[key]
                self.unsure.discard(key)  # never sent, and now that's noted
        self.intents.update((event.key, self.run) for event in intents)
        try:
            self.fail_if("commit, though noted")
        except LedgerFaultError:
            self.unsure |= {event.key for event in intents}
            raise

    def sync(self) -> None:
        self.fail_if("sync")
        self.synced = frozenset(self.delivered)
        self.is_synced = True
        self.syncs += 1

    def knows_delivery(self, shop_id: str) -> bool:
        self.fail_if("knows_delivery")
        return shop_id == SHOP and bool(self.delivered)

    def fail_if(self, operation: str) -> None:
        if self.failing == f"{operation}, for good":
            raise LedgerFaultError(operation)
        if self.failing == operation:
            self.failing = None
            raise LedgerFaultError(operation)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A request in flight."""

    job: Job
    started: float
    is_probe: bool


@dataclass(slots=True)
class Failures:
    """How an event failed so far: for each attempt whether poison fails so, and how many were delivered before it."""

    since: float
    seen: list[tuple[bool, int]] = field(default_factory=list)

    @property
    def is_poisons(self) -> bool:
        return len(self.seen) >= ATTEMPTS_OF_POISON and all(poisons for poisons, _ in self.seen)

    @property
    def are_alone(self) -> bool:
        """Whether enough of the latest are poison's, each with a delivery before the next."""
        others = [number for number, (poisons, _) in enumerate(self.seen) if not poisons]
        latest = [deliveries for _, deliveries in self.seen[max(others, default=-1) + 1 :]]
        apart = sum(earlier < later for earlier, later in pairwise(latest))
        return apart + 1 >= ATTEMPTS_OF_POISON


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the delivery is made of; a test may put a bug into each."""

    delivery: type[Delivery] = Delivery
    pace: type[Pace] = Pace
    lanes: type[Lanes] = Lanes
    keys: type[Keys] = Keys
    failing: type[Failing] = Failing


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a world is set up."""

    in_doubt: Literal["resend", "reject"] = "resend"
    max_concurrency: int = 32
    requests_per_second: float | None = None
    overlap: int = 0


class World:
    """Runs of one pipeline, one after another, on one ledger and one endpoint; each step checks the promises.

    A run that ends, however it ends, is followed by the next, which starts from the last STATE written.
    """

    def __init__(self, options: Options, parts: Parts) -> None:
        self.options, self.parts = options, parts
        self.now = 1_000.0
        self.lines: list[Line] = []
        self.ledger = LedgerModel()
        self.written = 0
        self.ever_kept: set[int] = set()
        self.doubtful: set[bytes] = set()
        self.begin()

    # --- runs ----------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Start a run from the last STATE; incremental taps read a few lines before it again."""
        self.ledger.run += 1
        self.ledger.failing = None
        self.ledger.is_synced, self.noted_at = True, float("inf")
        self.cursor = max(0, self.written - self.options.overlap)
        self.indices: list[int] = []  # of what was read in this run, by position
        self.states: list[int] = []
        self.flying: dict[int, Attempt] = {}
        self.attempts: Counter[int] = Counter()
        self.sent_in_doubt: set[int] = set()
        self.uncommitted: set[bytes] = set()
        self.kept: Counter[int] = Counter()
        self.answered_ok: Counter[int] = Counter()
        self.is_keep_failing = self.is_stdout_closed = self.is_final = False
        self.state_written_at: float | None = None
        self.run_written = 0
        self.starts: list[float] = []
        self.failures = 0
        self.is_gate_closed = False
        self.held_until = 0.0
        self.parked_until: dict[int, float] = {}
        self.failing: dict[int, Failures] = {}
        self.poison: set[int] = set()
        self.deliveries = self.given_up_since_delivery = self.gone_since_delivery = 0
        self.newest_taken = self.newest_failing = 0.0
        self.summary = Summary()
        self.pace = self.parts.pace(
            max_concurrency=self.options.max_concurrency,
            requests_per_second=self.options.requests_per_second,
            now=self.now,
        )
        self.window = Window()
        self.delivery = self.parts.delivery(
            ledger=self.ledger,
            keep=self.keep,
            write_state=self.write_state,
            pace=self.pace,
            policy=Policy(retry_timeout_seconds=RETRY_TIMEOUT_SECONDS, in_doubt=self.options.in_doubt, max_rejected=0),
            summary=self.summary,
            rng=random.Random(self.ledger.run),  # noqa: S311 - each example must run the same way again
            wall_clock=lambda: self.now,
        )
        self.delivery._flights.lanes = self.parts.lanes()  # noqa: SLF001 - where a test puts a bug in
        self.delivery._flights._keys = self.parts.keys()  # noqa: SLF001 - as above
        self.delivery._flights.failing = self.parts.failing()  # noqa: SLF001 - as above

    def crash(self, *, taken: bool) -> None:
        """Kill the run; the endpoint has taken all that was in flight, or nothing of it."""
        in_flight = {attempt.job.event.key for attempt in self.flying.values()} | self.uncommitted
        assert self.ledger.intents.keys() - self.doubtful <= in_flight, "what may double was in flight"
        self.die(taken=taken)

    def die(self, *, taken: bool = True) -> None:
        if taken:
            self.ledger.taken.update(attempt.job.event.key for attempt in self.flying.values())
        self.check_that_doubts_are_noted()
        self.doubtful |= self.ledger.intents.keys()
        self.begin()

    def end(self) -> None:
        """End the run as it ends when all is settled, or when it was stopped and nothing is in flight."""
        self.is_final = True
        try:
            self.delivery.release(self.now, final=True)
        except FAULTS:
            self.die()
            return
        self.check_accounts()
        if self.delivery.stopped is None:
            self.check_that_all_is_in_one_place()
        self.doubtful |= self.ledger.intents.keys()
        self.begin()

    # --- steps ---------------------------------------------------------------------------------------------------

    def read(self, lines: Iterable[Line]) -> None:
        """Hand over what the tap has next: what it had before the last crash comes first."""
        again = len(self.lines) - self.cursor
        lines = list(lines)
        self.lines += lines[again:] if again < len(lines) else []
        self.hand_over(len(lines))

    def hand_over(self, count: int) -> None:
        batch: list[Item] = []
        for index in range(self.cursor, min(self.cursor + count, len(self.lines))):
            batch.append(self.item(index))
            if self.lines[index].kind == "state":
                self.states.append(index)
            else:
                self.indices.append(index)
                self.summary.read += 1
        self.cursor += len(batch)
        self.window.hand_over(batch)
        try:
            self.delivery.accept(batch, self.now)
        except FAULTS:
            self.die()
            return
        self.window.accept(batch, self.delivery.unsettled, self.delivery.unsettled_bytes)

    def has_room_for_the_next(self) -> bool:
        return self.cursor < len(self.lines) and self.window.has_room([self.item(self.cursor)])

    def item(self, index: int) -> Item:
        line, size_bytes = self.lines[index], SIZES_BYTES[index % len(SIZES_BYTES)]
        match line.kind:
            case "state":
                return HeldState(index, size_bytes)
            case "invalid":
                return RejectedRecord(ORDERS, {"n": index}, Rejection("invalid"), Tally(), size_bytes)
            case "event":
                body = b'{"n":%d}' % index
                event = Event(
                    "orders", "mappings[0]", SHOP, body, line.key, line.identifiers, {"n": index}, {"n": index}
                )
                return Pending(event, ORDERS, Tally(), size_bytes)

    def turn(self) -> None:
        """Let the delivery do what is due, and start what it says."""
        stopped = self.delivery.stopped
        try:
            jobs = self.delivery.turn(self.now)
        except FAULTS:
            self.die()
            return
        self.window.settle(self.delivery.unsettled, self.delivery.unsettled_bytes)
        self.uncommitted.clear()
        self.doubtful |= self.ledger.unsure
        assert not jobs or stopped is None, "nothing is sent after a stop"
        for job in jobs:
            self.start(job)
        self.check()
        if self.delivery.stopped is not None and not self.flying:
            self.end()

    def start(self, job: Job) -> None:
        """Send a request, if that's allowed."""
        key = job.event.key
        self.check_start(job)
        self.flying[job.position] = Attempt(job, self.now, is_probe=self.is_gate_closed)
        self.attempts[job.position] += 1
        self.starts.append(self.now)
        if key in self.doubtful:
            self.sent_in_doubt.add(job.position)
        assert len(self.flying) <= self.pace.limit <= self.options.max_concurrency, "in flight <= limit <= cap"

    def answer(self, position: int, kind: Kind, *, taken: bool) -> None:
        """Answer a request; `taken` decides whether it was taken where the reply doesn't tell."""
        attempt = self.flying.pop(position)
        key = attempt.job.event.key
        self.uncommitted.add(key)
        if kind.taken or (kind.taken is None and taken):
            self.ledger.taken[key] += 1
        if kind.taken is None:
            self.doubtful.add(key)
        if kind.taken:
            self.answered_ok[self.indices[position]] += 1
        self.note_load(kind)
        self.note_wish(position, kind)
        was_stopped = self.delivery.stopped is not None
        ends_the_run = self.note_failure(position, kind, attempt.started)
        try:
            self.delivery.replied(Returned(position, kind.reply, attempt.started), self.now)
        except FAULTS:
            self.die()
            return
        if kind.is_tried_again and not kind.retry_after_seconds and not was_stopped:
            is_stopped = isinstance(self.delivery.stopped, EndpointError)
            assert is_stopped == ends_the_run, "an event whose time is up stops the run, or is given up as poison"

    def answer_all(self, kind: Kind, *, taken: bool) -> None:
        """Answer what is in flight in the same way, then take a turn."""
        run = self.ledger.run
        for position in sorted(self.flying):
            if self.ledger.run == run:
                self.answer(position, kind, taken=taken)
        self.turn()

    def note_load(self, kind: Kind) -> None:
        self.failures = self.failures + 1 if kind.fails else 0
        if self.failures >= FAILURES_THAT_CLOSE_THE_GATE:
            self.is_gate_closed = True
        elif kind.taken:
            self.is_gate_closed = False

    def note_failure(self, position: int, kind: Kind, started: float) -> bool:
        """Tell whether the event ends the run; what is given up instead is noted as poison."""
        if not kind.is_tried_again:
            self.gone_since_delivery += self.failing.pop(position, None) is not None
            if kind.taken:
                self.deliveries, self.given_up_since_delivery, self.gone_since_delivery = self.deliveries + 1, 0, 0
                self.newest_taken = max(self.newest_taken, started)
            return False
        failures = self.failing.get(position) or Failures(since=started)
        failures.seen.append((kind.is_poisons, self.deliveries))
        is_over = self.now >= failures.since + RETRY_TIMEOUT_SECONDS
        are_few = len(self.failing) + self.gone_since_delivery <= MOST_GIVEN_UP_IN_AN_OUTAGE
        is_poison = is_over and failures.is_poisons and are_few and self.newest_taken > self.newest_failing
        self.newest_failing = max(self.newest_failing, failures.since)
        if not failures.are_alone and not is_poison:
            self.failing[position] = failures
            return is_over
        self.poison.add(self.indices[position])
        self.failing.pop(position)
        self.gone_since_delivery += 1
        self.given_up_since_delivery += not failures.are_alone
        assert self.given_up_since_delivery <= MOST_GIVEN_UP_IN_AN_OUTAGE, "an outage rejects few"
        return False

    def note_wish(self, position: int, kind: Kind) -> None:
        until = self.now + kind.retry_after_seconds
        if kind.retry_after_seconds > 2:
            self.held_until = max(self.held_until, until)
        else:
            self.parked_until[position] = until

    def finish(self) -> None:
        """Let the tap come to its end, which waits for room, and the endpoint take everything."""
        self.ledger.failing, self.is_keep_failing = None, False
        for _ in range(10 * len(self.lines) + 100):
            while self.has_room_for_the_next():
                self.hand_over(1)
            run = self.ledger.run
            self.turn()
            if self.ledger.run != run:
                continue
            if self.flying:
                self.answer(max(self.flying), OK, taken=True)
            elif self.cursor == len(self.lines) and not self.delivery.unsettled:
                self.end()
                return
            elif not self.has_room_for_the_next():
                self.now = self.next_moment()
        raise AssertionError(f"it never ends: {self.delivery!r}")

    def next_moment(self) -> float:
        moment = self.delivery.wake_at(self.now)
        assert moment is not None, f"nothing is in flight, and it waits for ever: {self.delivery!r}, {self.window!r}"
        assert moment <= self.now + RETRY_TIMEOUT_SECONDS, "no wait is longer than an event is retried"
        return moment

    # --- what the delivery does to the world ---------------------------------------------------------------------

    def keep(self, records: Sequence[RejectedRecord]) -> None:
        if self.is_keep_failing:
            self.is_keep_failing = False
            raise KeepFaultError
        for record in records:
            index = record.record["n"]
            assert isinstance(index, int)
            self.kept[index] += 1
            self.ever_kept.add(index)
            is_poison = any(error.message.startswith("it failed") for error in record.rejection.errors)
            assert is_poison == (index in self.poison), "what is given up as poison always failed, others being well"

    def write_state(self, value: int) -> None:
        if self.is_stdout_closed:
            raise StopReading("closed", exit_status=143)
        for index in self.indices:
            if index < value:
                assert self.is_settled(index), "a STATE leaves only when all before it is settled"
                is_on_disk = self.kept[index] or self.lines[index].key in self.ledger.synced
                assert is_on_disk, "a STATE leaves only when all before it is on disk"
        if self.state_written_at is not None:
            assert value > self.run_written, "STATE leaves in order"
            assert self.is_final or self.now >= self.state_written_at + 1, "at most one STATE a second leaves"
        self.state_written_at = self.now
        self.run_written = self.written = value

    def is_settled(self, index: int) -> bool:
        return bool(self.kept[index]) or (self.lines[index].key in self.ledger.delivered)

    # --- what it promises ----------------------------------------------------------------------------------------

    def check_start(self, job: Job) -> None:
        event = job.event
        assert event.record["n"] == self.indices[job.position]
        assert event.key not in self.ledger.delivered, "nothing is sent that the ledger has"
        assert self.ledger.intents.get(event.key) == self.ledger.run, "an intent stands before an attempt starts"
        if self.ledger.taken[event.key]:
            assert event.key in self.doubtful, "only what is in doubt can double"
        if self.options.in_doubt == "reject":
            assert event.key not in self.doubtful, "nothing in doubt is sent again"
        for other in self.flying.values():
            assert not set(event.identifiers) & set(other.job.event.identifiers), "one in flight a contact"
            assert event.key != other.job.event.key, "one in flight a key"
        for position in range(job.position):
            index = self.indices[position]
            tied = set(event.identifiers) & set(self.lines[index].identifiers)
            assert not tied or self.is_settled(index), "events of a contact arrive in order"
        assert self.now >= self.held_until, "nothing is sent before a long Retry-After"
        assert self.now >= self.parked_until.get(job.position, 0), "no event is sent before its Retry-After"
        is_probing = any(attempt.is_probe for attempt in self.flying.values())
        assert not self.is_gate_closed or not is_probing, "one probe at a time while the gate is closed"
        if self.options.requests_per_second:
            allowed_from = self.starts[-1] + 1 / self.options.requests_per_second if self.starts else 0
            assert self.now >= allowed_from - 0.011, "no more a second than the user allows"

    def check(self) -> None:
        """Hold the delivery against its promises after each turn."""
        flying = {attempt.job.event.key for attempt in self.flying.values()}
        assert self.delivery.pace.in_flight == len(self.flying)
        assert self.ledger.intents.keys() == flying | (self.doubtful - self.ledger.delivered), (
            "the ledger names what is in flight or in doubt and nothing else"
        )
        self.check_that_doubts_are_noted()
        open_ = sum(not self.is_settled(index) for index in self.indices)
        assert self.delivery.unsettled >= open_, "nothing is settled early"
        self.check_accounts()
        self.check_that_what_was_noted_is_on_disk()
        if self.delivery.unsettled == open_ and not self.is_stdout_closed:
            self.check_that_no_state_is_late()

    def check_that_doubts_are_noted(self) -> None:
        known = self.ledger.delivered | self.ledger.intents.keys()
        assert self.ledger.taken.keys() <= known, "whatever was taken is in the ledger, as delivered or in doubt"

    def check_that_what_was_noted_is_on_disk(self) -> None:
        self.noted_at = float("inf") if self.ledger.is_synced else min(self.noted_at, self.now)
        assert self.now < self.noted_at + 1, "the ledger is synced within a second"
        due = self.delivery.wake_at(self.now)
        assert self.ledger.is_synced or (due is not None and due <= self.noted_at + 1), "also where nothing comes in"

    def check_that_no_state_is_late(self) -> None:
        first_open = min((index for index in self.indices if not self.is_settled(index)), default=len(self.lines))
        may_leave = max((state for state in self.states if state < first_open), default=-1)
        if may_leave > self.run_written or (may_leave >= 0 and self.state_written_at is None):
            assert self.state_written_at is not None, "the first STATE leaves at once"
            assert self.now < self.state_written_at + 1, "a STATE leaves as soon as it may"

    def check_accounts(self) -> None:
        summary = self.summary
        assert summary.read == summary.settled + self.delivery.unsettled, "the accounts add up"
        assert summary.rejected.total() == self.kept.total(), "what is counted as rejected is kept"
        assert summary.retried == sum(self.attempts.values()) - len(self.attempts)
        assert summary.resent_in_doubt == len(self.sent_in_doubt)

    def check_that_all_is_in_one_place(self) -> None:
        """Hold the end of a clean run against what was read, and what it holds in memory against nothing."""
        for index in self.indices:
            assert self.kept[index] + self.answered_ok[index] <= 1, "no record is in two places"
            assert self.is_settled(index), "every record is somewhere"
        skipped = sum(not self.kept[index] and not self.answered_ok[index] for index in self.indices)
        assert self.summary.skipped_by_ledger == skipped
        assert self.summary.delivered == self.answered_ok.total()
        assert not self.states or self.run_written == self.states[-1], "the last STATE leaves at the end"
        assert self.delivery.unsettled_bytes == 0
        held = (self.delivery._flights, self.delivery._flights.lanes, self.delivery._flights._keys)  # noqa: SLF001 - bounds of memory
        assert not any(len(part) for part in held), "nothing is left in memory"
        assert repr(self.delivery._flights._keys) == "<Keys unsettled=0 known=0>"  # noqa: SLF001 - as above

    def check_that_nothing_is_lost(self) -> None:
        """Look back on all runs."""
        for index, line in enumerate(self.lines):
            assert line.kind == "state" or index in self.ever_kept or line.key in self.ledger.delivered
            if self.options.in_doubt == "reject":
                assert self.ledger.taken[line.key] <= 1, "with in_doubt: reject nothing doubles"
