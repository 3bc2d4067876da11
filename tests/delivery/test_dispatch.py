from __future__ import annotations

import logging
import math
import queue
import random
import threading
import time
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from target_applied_events.delivery.delivery import Delivery
from target_applied_events.delivery.dispatch import Dispatcher
from target_applied_events.delivery.flight import Policy
from target_applied_events.delivery.pace import Pace
from target_applied_events.delivery.window import MOST_UNSETTLED, MOST_UNSETTLED_BYTES
from target_applied_events.errors import EndpointError, InternalError, StopReading, TargetError
from target_applied_events.event import Answer, Event, Failure, NoAnswer, Rejection, Reply
from target_applied_events.handover import HeldState, Item, Job, Pending, RejectedRecord, Returned, Tally
from target_applied_events.summary import Summary
from tests.delivery.delivery_world import ORDERS, SHOP, KeepFaultError, LedgerFaultError, LedgerModel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PATIENCE_SECONDS = 30.0
OK = Answer(200, b"{}", "application/json")


class Waited(Exception):  # noqa: N818 - what a test ends a wait with
    """The dispatcher waits."""


class Counter:
    """Attempts that are answered all at once, as soon as it's open.

    Attributes:
        arrived: The events that were sent.
    """

    def __init__(self, answer: Callable[[Event], Reply], clock: Callable[[], float]) -> None:
        self.arrived: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._answer, self._clock = answer, clock
        self._waiting: list[tuple[Job, float]] = []
        self.due: dict[int, float] = {}
        self._is_open = self._is_woken = False
        self._changed = threading.Condition()

    def open(self) -> None:
        with self._changed:
            self._is_open = True
            self._changed.notify_all()

    def start(self, job: Job) -> None:
        self._waiting.append((job, self._clock()))
        self.arrived.put(job.event)

    def wait(self, seconds: float) -> list[Returned]:
        with self._changed:
            self._changed.wait_for(lambda: self._is_woken or (self._is_open and self._waiting), seconds)
            self._is_woken = False
            answered = self._waiting if self._is_open else []
        self._waiting = [] if answered else self._waiting
        return [Returned(job.position, self._answer(job.event), started) for job, started in answered]

    def wake(self) -> None:
        with self._changed:
            self._is_woken = True
            self._changed.notify_all()


class Desk:
    """All around a dispatcher: requests are answered once the test opens the counter."""

    def __init__(
        self,
        *,
        max_concurrency: int = 8,
        clock: Callable[[], float] = time.monotonic,
        counter: type[Counter] = Counter,
    ) -> None:
        self.counter = counter(self.answer, clock)
        self.arrived = self.counter.arrived
        self.written: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.kept: list[RejectedRecord] = []
        self.reply: Reply = OK
        self.disk_fault: Exception | None = None
        self.stdout_fault: Exception | None = None
        self.ledger = LedgerModel(run=1)
        self.summary = Summary()
        self.delivery = Delivery(
            ledger=self.ledger,
            keep=self.keep,
            write_state=self.write_state,
            pace=Pace(max_concurrency=max_concurrency, requests_per_second=None, now=clock()),
            policy=Policy(retry_timeout_seconds=300, in_doubt="resend", max_rejected=0),
            summary=self.summary,
            rng=random.Random(1),  # noqa: S311 - the same backoffs each time
            wall_clock=time.time,
        )
        self.dispatcher = Dispatcher(self.delivery, self.counter, clock=clock)
        self.dispatcher.start()

    def answer(self, event: Event) -> Reply:
        if self.reply is OK:
            self.ledger.taken[event.key] += 1
        return self.reply

    def keep(self, records: Sequence[RejectedRecord]) -> None:
        if self.disk_fault:
            raise self.disk_fault
        self.kept += records

    def write_state(self, value: Any) -> None:  # noqa: ANN401 - as the delivery has it
        if self.stdout_fault:
            raise self.stdout_fault
        self.written.put(value)

    def hand_over(self, *items: Item, on_wait: Callable[[], None] | None = None) -> None:
        self.summary.read += sum(not isinstance(item, HeldState) for item in items)
        self.dispatcher.hand_over(items, on_wait or refuse_to_wait)

    def finish(self) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS

        def on_wait() -> None:
            assert time.monotonic() < deadline, f"it hangs: {self.dispatcher!r}"

        self.dispatcher.finish(on_wait)

    def unsettled_by_the_accounts(self) -> int:
        return self.summary.read - self.summary.settled


def refuse_to_wait() -> None:
    raise Waited


def events(count: int, *identifiers: str, first: int = 0, body: bytes = b"{}") -> list[Item]:
    def event(number: int) -> Event:
        return Event("orders", "mappings[0]", SHOP, body, number.to_bytes(16, "big"), identifiers, {"n": number}, {})

    return [Pending(event(number), ORDERS, Tally()) for number in range(first, first + count)]


def until(is_true: Callable[[], bool]) -> None:
    """Wait for what another thread is about to do."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def in_background(call: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    return thread


# --- backpressure --------------------------------------------------------------------------------------------------


def test_handing_over_waits_while_ten_thousand_are_unsettled_and_goes_on_when_some_are_settled() -> None:
    desk = Desk()
    for first in range(0, MOST_UNSETTLED, 1_000):
        desk.hand_over(*events(1_000, first=first))
    waits = 0

    def on_wait() -> None:
        nonlocal waits
        waits += 1
        if waits == 2:
            assert desk.dispatcher.unsettled == MOST_UNSETTLED
            desk.counter.open()

    desk.hand_over(*events(1, first=MOST_UNSETTLED), on_wait=on_wait)
    assert waits >= 2
    desk.finish()
    assert desk.summary.delivered == MOST_UNSETTLED + 1


def large(count: int, first: int = 0, *, of: str) -> list[Item]:
    """Events of 1 MiB each, by their bodies or by the records that they were made of."""
    if of == "bodies":
        return events(count, first=first, body=bytes(1 << 20))
    small = events(count, first=first, body=b"")
    return [msgspec.structs.replace(item, record_bytes=1 << 20) for item in small if isinstance(item, Pending)]


@pytest.mark.parametrize("of", ["bodies", "records"])
def test_handing_over_waits_while_64_mib_are_unsettled(of: str) -> None:
    desk = Desk()
    desk.hand_over(*large(MOST_UNSETTLED_BYTES >> 20, of=of))
    with pytest.raises(Waited):
        desk.dispatcher.hand_over(large(1, first=100, of=of), refuse_to_wait)
    desk.counter.open()
    until(lambda: not desk.dispatcher.unsettled)
    desk.hand_over(*large(1, first=100, of=of))
    desk.finish()


MIB = 1 << 20


def test_states_alone_wait_for_room_while_nobody_reads_them_and_all_of_them_find_it() -> None:
    desk = Desk()
    is_read = threading.Event()
    write_state = desk.write_state

    def write_when_read(value: Any) -> None:  # noqa: ANN401 - as the delivery has it
        assert is_read.wait(PATIENCE_SECONDS)
        write_state(value)

    desk.delivery._settlement._write_state = write_when_read  # noqa: SLF001 - standard output that nobody reads
    for number in range(64):
        desk.hand_over(HeldState(number, MIB))
    for number in range(64, 1_000):
        desk.hand_over(HeldState(number, MIB), on_wait=is_read.set)
    assert is_read.is_set()
    desk.finish()
    states = [desk.written.get_nowait() for _ in range(desk.written.qsize())]
    assert states == sorted(states)
    assert states[-1] == 999


def test_rejected_records_wait_for_room_until_they_are_kept_and_few_are_kept_at_once() -> None:
    desk = Desk()
    keeping, go_on = threading.Event(), threading.Event()
    at_once = []

    def slow_keep(records: Sequence[RejectedRecord]) -> None:
        keeping.set()
        assert go_on.wait(PATIENCE_SECONDS)
        at_once.append(len(records))

    desk.delivery._settlement._keep = slow_keep  # noqa: SLF001 - a slow disk
    desk.hand_over(*[rejected(MIB)] * 64)
    assert keeping.wait(PATIENCE_SECONDS)
    with pytest.raises(Waited):
        desk.dispatcher.hand_over([rejected(1)], refuse_to_wait)
    go_on.set()
    desk.finish()
    assert at_once == [8] * 8


def test_a_record_and_a_state_larger_than_the_window_go_when_they_are_alone() -> None:
    desk = Desk()
    desk.counter.open()
    size_bytes = MOST_UNSETTLED_BYTES + 1
    for number in range(3):
        desk.hand_over(rejected(size_bytes), on_wait=lambda: None)
        desk.hand_over(HeldState(number, size_bytes), on_wait=lambda: None)
        desk.hand_over(*large(65, first=100 * number, of="records"), on_wait=lambda: None)
    desk.finish()
    assert (desk.summary.delivered, len(desk.kept)) == (195, 3)


def test_what_was_accepted_a_moment_ago_leaves_no_room() -> None:
    desk = Desk()
    committing, go_on = threading.Event(), threading.Event()
    commit = desk.ledger.commit

    def slow_commit(**notes: Any) -> None:  # noqa: ANN401 - as the ledger has them
        committing.set()
        assert go_on.wait(PATIENCE_SECONDS)
        commit(**notes)

    desk.ledger.commit = slow_commit  # type: ignore[method-assign]
    desk.hand_over(*events(MOST_UNSETTLED))
    assert committing.wait(PATIENCE_SECONDS)
    with pytest.raises(Waited):
        desk.dispatcher.hand_over(events(1, first=MOST_UNSETTLED), refuse_to_wait)
    go_on.set()
    desk.counter.open()
    desk.finish()


def test_a_batch_that_is_too_large_goes_when_it_is_alone() -> None:
    desk = Desk()
    desk.hand_over(*events(MOST_UNSETTLED + 1))
    with pytest.raises(Waited):
        desk.dispatcher.hand_over(events(1, first=20_000), refuse_to_wait)
    desk.counter.open()
    desk.finish()
    assert desk.summary.delivered == MOST_UNSETTLED + 1


def test_it_tells_once_that_one_contact_fills_the_window(caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk()
    told = threading.Event()

    class Telling(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            del record
            told.set()

    handler = Telling(level=logging.WARNING)
    logging.getLogger("target_applied_events.delivery.dispatch").addHandler(handler)
    try:
        desk.hand_over(*events(MOST_UNSETTLED, "email:secret@example.com"))
        until(lambda: desk.delivery.unsettled == MOST_UNSETTLED)
        with pytest.raises(Waited):
            desk.dispatcher.hand_over(events(1, first=MOST_UNSETTLED), refuse_to_wait)
        assert told.wait(PATIENCE_SECONDS)
    finally:
        logging.getLogger("target_applied_events.delivery.dispatch").removeHandler(handler)
    desk.counter.open()
    desk.finish()
    [told_once] = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert "9999 of them wait behind one contact" in told_once
    assert "secret" not in told_once


# --- the ends ------------------------------------------------------------------------------------------------------


def test_finish_waits_until_all_is_settled_and_the_last_state_has_left() -> None:
    desk = Desk()
    desk.hand_over(*events(30, "email:a"), HeldState("first"), *events(30, first=30), HeldState("last"))
    with pytest.raises(Waited):
        desk.dispatcher.finish(refuse_to_wait)
    desk.counter.open()
    desk.finish()
    assert desk.summary.delivered == 60
    states = [desk.written.get_nowait() for _ in range(desk.written.qsize())]
    assert states[-1] == "last"
    assert desk.dispatcher.unsettled == 0


def test_state_leaves_while_nothing_is_handed_over() -> None:
    desk = Desk()
    desk.counter.open()
    desk.hand_over(HeldState(1))
    assert desk.written.get(timeout=PATIENCE_SECONDS) == 1
    desk.hand_over(*events(1), HeldState(2))
    assert desk.written.get(timeout=PATIENCE_SECONDS) == 2


def test_abort_lets_what_is_in_flight_end_and_sends_nothing_more() -> None:
    desk = Desk(max_concurrency=3)
    desk.hand_over(*events(3), HeldState("of the three"), *events(10, first=3), HeldState("of all"))
    until(lambda: desk.arrived.qsize() == 3)
    aborting = in_background(lambda: desk.dispatcher.abort(StopReading("SIGTERM", exit_status=143)))
    until(lambda: desk.delivery.stopped is not None)
    assert aborting.is_alive()
    desk.counter.open()
    aborting.join(PATIENCE_SECONDS)
    assert desk.dispatcher.ended
    assert desk.arrived.qsize() == desk.summary.delivered == 3
    assert [desk.written.get_nowait() for _ in range(desk.written.qsize())] == ["of the three"]
    assert desk.dispatcher.unsettled == desk.unsettled_by_the_accounts() == 10
    with pytest.raises(StopReading):
        desk.dispatcher.raise_failure()


def test_abort_waits_20_seconds_for_an_answer_and_no_longer() -> None:
    now = 1_000.0
    desk = Desk(clock=lambda: now)
    desk.hand_over(*events(1), HeldState("never"))
    until(lambda: desk.arrived.qsize() == 1)
    aborting = in_background(lambda: desk.dispatcher.abort(StopReading("SIGTERM", exit_status=143)))
    until(lambda: desk.delivery.stopped is not None)
    now += 19.9
    assert aborting.is_alive()
    now += 0.2
    aborting.join(PATIENCE_SECONDS)
    assert desk.dispatcher.ended
    assert desk.written.empty()
    assert set(desk.ledger.intents) == {bytes(16)}
    desk.counter.open()


def test_what_on_wait_raises_ends_the_wait() -> None:
    desk = Desk()
    desk.hand_over(*events(MOST_UNSETTLED))
    with pytest.raises(Waited):
        desk.dispatcher.hand_over(events(1, first=MOST_UNSETTLED), refuse_to_wait)
    with pytest.raises(Waited):
        desk.dispatcher.finish(refuse_to_wait)
    desk.counter.open()
    desk.finish()


# --- what goes wrong -----------------------------------------------------------------------------------------------


def rejected(size_bytes: int = 0) -> RejectedRecord:
    return RejectedRecord(ORDERS, {}, Rejection("invalid"), Tally(), size_bytes)


@pytest.mark.parametrize("operation", ["standing", "commit", "commit, though noted", "sync"])
def test_a_ledger_that_fails_ends_the_run_and_no_state_leaves(operation: str) -> None:
    desk = Desk()
    desk.ledger.failing = operation
    desk.counter.open()
    desk.hand_over(*events(20), HeldState("never"))
    with pytest.raises(LedgerFaultError):
        desk.finish()
    assert desk.written.empty()
    assert desk.dispatcher.unsettled == desk.unsettled_by_the_accounts()


def test_a_ledger_that_cannot_say_whether_the_address_is_known_ends_the_run() -> None:
    desk = Desk()
    desk.ledger.failing, desk.reply = "knows_delivery", Answer(404)
    desk.counter.open()
    desk.hand_over(*events(1))
    with pytest.raises(LedgerFaultError):
        desk.finish()


def test_rejected_records_that_cannot_be_kept_end_the_run_and_no_state_leaves() -> None:
    desk = Desk()
    desk.disk_fault = KeepFaultError()
    desk.counter.open()
    desk.hand_over(*events(1), rejected(), HeldState("never"))
    with pytest.raises(KeepFaultError):
        desk.finish()
    assert desk.written.empty()
    assert desk.dispatcher.unsettled == desk.unsettled_by_the_accounts()


def test_what_fails_in_an_unforeseen_way_ends_the_run_and_shows_no_value() -> None:
    desk = Desk()

    def breaks(event: Event) -> Reply:
        raise ValueError(f"with a record's value: {event.body!r}")

    desk.counter._answer = breaks  # noqa: SLF001 - a mistake that the program doesn't have yet
    desk.counter.open()
    desk.hand_over(*events(3), HeldState("never"))
    with pytest.raises(InternalError, match=r"^The delivery failed in an unforeseen way: ValueError\.$"):
        desk.finish()
    assert desk.written.empty()


def test_an_endpoint_that_refuses_the_key_ends_the_run_once_all_in_flight_have_ended() -> None:
    desk = Desk()
    desk.reply = Answer(401)
    desk.counter.open()
    desk.hand_over(*events(20), HeldState("never"))
    with pytest.raises(EndpointError, match="401"):
        desk.finish()
    assert desk.arrived.qsize() <= 8
    assert desk.ledger.intents == {}
    assert desk.written.empty()


def test_a_failure_ends_a_wait_for_room_and_every_later_handing_over() -> None:
    desk = Desk()
    desk.hand_over(*events(MOST_UNSETTLED))
    desk.ledger.failing = "commit"

    def fails_now() -> None:
        desk.counter.open()

    with pytest.raises(LedgerFaultError):
        desk.hand_over(*events(MOST_UNSETTLED, first=MOST_UNSETTLED), on_wait=fails_now)
    with pytest.raises(LedgerFaultError):
        desk.dispatcher.hand_over(events(1), refuse_to_wait)
    with pytest.raises(LedgerFaultError):
        desk.finish()


def test_standard_output_that_nobody_reads_ends_the_run_as_a_signal_does() -> None:
    desk = Desk()
    desk.stdout_fault = StopReading("closed", exit_status=143)
    desk.counter.open()
    desk.hand_over(*events(3), HeldState("never"))
    with pytest.raises(StopReading) as ended:
        desk.finish()
    assert ended.value.exit_status == 143
    assert isinstance(ended.value, TargetError)


# --- threads -------------------------------------------------------------------------------------------------------


def test_one_thread_makes_all_the_attempts_and_ends_with_the_run() -> None:
    before = set(threading.enumerate())
    desk = Desk(max_concurrency=4)
    desk.hand_over(*events(50))
    until(lambda: desk.arrived.qsize() == 4)
    [started] = set(threading.enumerate()) - before
    assert started.name == "dispatcher"
    desk.counter.open()
    desk.finish()
    started.join(PATIENCE_SECONDS)
    assert not started.is_alive()


def test_replies_that_come_one_by_one_share_commits() -> None:
    rng = random.Random(1)  # noqa: S311 - no secret

    class Trickle(Counter):
        """Each is answered by itself, some time after it was sent."""

        def start(self, job: Job) -> None:
            self._waiting.append((job, self._clock()))
            self.due[job.position] = self._clock() + rng.uniform(0.01, 0.05)

        def wait(self, seconds: float) -> list[Returned]:
            next_due = min(self.due.values(), default=math.inf) - self._clock()
            with self._changed:
                self._changed.wait_for(lambda: self._is_woken, max(0.0, min(seconds, next_due)))
                self._is_woken = False
            now = self._clock()
            answered = [each for each in self._waiting if self.due[each[0].position] <= now]
            self._waiting = [each for each in self._waiting if self.due[each[0].position] > now]
            return [Returned(job.position, self._answer(job.event), self.due.pop(job.position)) for job, _ in answered]

    desk = Desk(max_concurrency=64, counter=Trickle)
    commits = 0
    commit = desk.ledger.commit

    def counted_commit(**notes: Any) -> None:  # noqa: ANN401 - as the ledger has them
        nonlocal commits
        commits += 1
        commit(**notes)

    desk.ledger.commit = counted_commit  # type: ignore[method-assign]
    desk.hand_over(*events(3_000))
    desk.finish()
    assert desk.summary.delivered == 3_000
    assert commits < 1_800  # without a pause between two turns they are about 2,500


def test_a_retry_is_sent_when_its_time_has_come_though_nothing_is_handed_over() -> None:
    desk = Desk()
    desk.reply = NoAnswer(Failure.UNREACHABLE)
    desk.counter.open()
    desk.hand_over(*events(1), HeldState("last"))
    until(lambda: desk.summary.retried >= 2)
    desk.reply = OK
    assert desk.written.get(timeout=PATIENCE_SECONDS) == "last"
    desk.finish()


def test_its_repr_tells_where_it_stands() -> None:
    desk = Desk(max_concurrency=1)
    desk.hand_over(*events(2, "email:secret"))
    until(lambda: desk.arrived.qsize() == 1)
    assert repr(desk.dispatcher).startswith("<Dispatcher ended=False <Delivery unsettled=2 in_flight=1 ")
    assert "secret" not in repr(desk.dispatcher)
    desk.counter.open()
    desk.finish()
