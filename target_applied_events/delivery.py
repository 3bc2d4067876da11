"""The course of a delivery: each item in the order read, from the ledger's word to its settlement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, assert_never

from target_applied_events.errors import LedgerError, RejectedRecordsError, StopReading
from target_applied_events.event import Answer, Delivered, Outcome, Refused, Reply, Standing
from target_applied_events.flight import Flight, rejected, rejected_in_doubt, stopped_by
from target_applied_events.handover import HeldState, Item, Job, Pending, RejectedRecord
from target_applied_events.keys import Keys
from target_applied_events.lanes import Lanes
from target_applied_events.retry import History, Retry, Settle, Stop, in_doubt, judge, signal
from target_applied_events.settlement import Ledger, Settlement

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping, Sequence

    from target_applied_events.pace import Pace
    from target_applied_events.shared_pace import SharedPace
    from target_applied_events.summary import Summary

MOST_ROWS_A_COMMIT = 64
LEAST_REJECTED_IN_A_ROW = 100
_SENT_BEFORE = "It may have been sent before; no answer told."


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The settings that govern a delivery; seconds for times."""

    retry_timeout_seconds: float
    in_doubt: Literal["resend", "reject"]
    max_rejected: int


class Delivery:
    """Each item handed over is in one place, and a state leaves only when all before it is settled.

    The places are: waiting, parked, in flight, settled. Time comes in as an argument; there are neither threads nor
    sockets here. What it does to the world goes through `ledger`, `keep` and `write_state`, and every call is made from
    one thread.
    """

    def __init__(  # noqa: PLR0913 - the parts of a delivery, each by name
        self,
        *,
        ledger: Ledger,
        keep: Callable[[Sequence[RejectedRecord]], None],
        write_state: Callable[[Any], None],
        pace: Pace | SharedPace,
        policy: Policy,
        summary: Summary,
        rng: random.Random,
        wall_clock: Callable[[], float],
    ) -> None:
        """Take the parts.

        Args:
            ledger: What was delivered before.
            keep: Writes rejected records so that they survive a crash, before it returns.
            write_state: Writes one STATE value to standard output.
            pace: How many requests may be in flight, how many a second.
            policy: The settings that govern a delivery.
            summary: The accounts, kept up to date here.
            rng: For the jitter of backoffs.
            wall_clock: Seconds since the epoch, to read the dates in Retry-After.
        """
        self.pace = pace
        self.stopped: Exception | None = None
        self._ledger, self._settlement = ledger, Settlement(ledger, keep, write_state, summary)
        self._policy, self._summary, self._rng, self._wall_clock = policy, summary, rng, wall_clock
        self._lanes = Lanes()
        self._flights: dict[int, Flight] = {}
        self._keys = Keys()
        self._shops_known: set[str] = set()
        self._deliveries = 0
        self._unsendable_in_a_row = 0  # rejected records read with no event between
        self._given_up_in_a_row = 0  # events rejected after they were sent, with none delivered or skipped between
        self.unsettled_bytes = 0

    def __repr__(self) -> str:
        """Tell the state."""
        figures = f"unsettled={self.unsettled} in_flight={self.pace.in_flight}"
        return f"<Delivery {figures} {self._lanes!r} {self._settlement!r}>"

    @property
    def unsettled(self) -> int:
        """How many positions are handed out and not settled."""
        return self._settlement.unsettled

    @property
    def crowd(self) -> int:
        """How many events wait behind the oldest unsettled one for its contact's sake."""
        return self._lanes.crowd()

    def oldest_seconds(self, now: float) -> float:
        """How long the oldest event that isn't settled has been on its way; may be asked from any thread."""
        oldest = self._flights.get(self._settlement.oldest or 0)
        return now - oldest.accepted_at if oldest is not None else 0.0

    def accept(self, items: Sequence[Item], now: float) -> None:
        """Give each item its position and ask the ledger about the events, all in one go.

        Args:
            items: In the order read.
            now: Monotonic seconds.

        A ledger that can't be read, or another run that is at one of the events, stops the run: what is in flight may
        still end.
        """
        standing = self._standing([item.event.key for item in items if isinstance(item, Pending)])
        for item in items:
            match item:
                case HeldState(value):
                    self._settlement.hold(value)
                case RejectedRecord():
                    self._settlement.reject(self._settlement.issue(), item)
                    self._unsendable_in_a_row += 1
                    self._stop_at(self._unsendable_in_a_row)
                case Pending(event):
                    self._place(item, standing.get(event.key), now)
                    self._unsendable_in_a_row = 0
                case _:
                    assert_never(item)

    def _standing(self, keys: Sequence[bytes]) -> Mapping[bytes, Standing]:
        try:
            return self._ledger.standing(keys) if keys else {}
        except LedgerError as error:
            self.stop(error)
            return {}

    def _place(self, pending: Pending, standing: Standing | None, now: float) -> None:
        position, event = self._settlement.issue(), pending.event
        # While another of its key is unsettled, the doubt is that one's: this one waits for what becomes of it.
        doubt = standing is Standing.IN_DOUBT and event.key not in self._keys
        if standing is Standing.DELIVERED:
            self._skip(position)
        elif doubt and self._policy.in_doubt == "reject":
            self._settlement.reject(position, rejected_in_doubt(pending, _SENT_BEFORE))
        else:
            self.unsettled_bytes += len(event.body)
            self._keys.add(event.key)
            self._flights[position] = Flight(pending, now, doubt=doubt)
            self._lanes.add(position, (*event.identifiers, event.key.hex()))

    def replied(self, position: int, reply: Reply, *, started: float, now: float) -> None:
        """Decide what the reply to an attempt means for its event.

        Args:
            position: The event's position, as its `Job` had it.
            reply: What came back.
            started: When the attempt began, monotonic seconds.
            now: When it ended.
        """
        flight = self._flights[position]
        self.pace.answered(now, started, signal(reply))
        flight.history = history = flight.history or History(first_at=started)
        decision = judge(
            reply,
            history,
            now=now,
            wall_now=self._wall_clock(),
            known_good=self._knows(flight.event.shop_id, reply),
            delivered_since_last=self._deliveries > flight.deliveries_before,
            retry_timeout_seconds=self._policy.retry_timeout_seconds,
            rng=self._rng,
        )
        flight.deliveries_before = self._deliveries
        flight.doubt = flight.doubt or in_doubt(reply)
        match decision:
            case Settle(outcome):
                self._end(position, outcome)
            case Retry(until, hold_all):
                self._retry(position, until, hold_all=hold_all)
            case Stop():
                self._take_back(flight)
                self.stop(stopped_by(flight.event, decision))
            case _:
                assert_never(decision)

    def _end(self, position: int, outcome: Outcome) -> None:
        match outcome:
            case Delivered():
                event = self._flights[position].event
                self._deliveries += 1
                self._shops_known.add(event.shop_id)
                self._given_up_in_a_row = 0
                self._settlement.deliver(position, event.key)
            case Refused(rejection):
                flight = self._flights[position]
                self._take_back(flight)
                self._give_up(position, rejected(flight.pending, rejection))
            case _:
                assert_never(outcome)

    def _knows(self, shop_id: str, reply: Reply) -> bool:
        """Whether the endpoint has ever taken an event for this shop; asked only where it matters."""
        if shop_id in self._shops_known or not isinstance(reply, Answer) or reply.status not in {404, 405, 410}:
            return True
        return self._ledger.knows_delivery(shop_id)

    def _retry(self, position: int, until: float, *, hold_all: bool) -> None:
        flight = self._flights[position]
        if hold_all:
            self.pace.hold(until)
        if flight.doubt and self._policy.in_doubt == "reject":
            message = "The request may have been taken; no answer told."
            self._give_up(position, rejected_in_doubt(flight.pending, message))
            return
        self._take_back(flight)
        self._lanes.park(position, until)

    def _give_up(self, position: int, record: RejectedRecord) -> None:
        """Reject an event that was sent."""
        self._settlement.reject(position, record)
        self._given_up_in_a_row += 1
        self._stop_at(self._given_up_in_a_row)

    def _skip(self, position: int) -> None:
        """Leave out an event that was delivered before."""
        self._settlement.skip(position)
        self._given_up_in_a_row = 0

    def _take_back(self, flight: Flight) -> None:
        """Take the intent back where no request of the event can have been taken."""
        if flight.noted and not flight.doubt:
            self._settlement.withdraw(flight.event.key)
            flight.noted = False

    def turn(self, now: float) -> list[Job]:
        """Commit what has ended, settle it, let STATE leave, and say what may be sent now.

        Raises:
            LedgerError: When the ledger can't be written.
            RejectedRecordsError: When rejected records can't be kept.
        """
        self._lanes.wake(now)
        jobs = self._commit(self._take(now), now)
        self._settle()
        self.release(now)
        return jobs

    def _take(self, now: float) -> list[Job]:
        jobs: list[Job] = []
        while self.stopped is None and len(jobs) < MOST_ROWS_A_COMMIT and self._lanes.ready:
            position = self._lanes.take()
            if position is None:
                break
            if self._is_settled_by_another(position):
                continue
            if not self.pace.admit(now):
                self._lanes.put_back(position)
                break
            jobs.append(Job(position, self._flights[position].event))
        return jobs

    def _is_settled_by_another(self, position: int) -> bool:
        """Whether what became of another event of its key settles this one too; it's put down for this turn then."""
        flight = self._flights[position]
        match self._keys.standing(flight.event.key):
            case Standing.DELIVERED:
                self._skip(position)
                return True
            case Standing.IN_DOUBT if self._policy.in_doubt == "reject":
                self._settlement.reject(position, rejected_in_doubt(flight.pending, _SENT_BEFORE))
                return True
            case Standing.IN_DOUBT:
                flight.doubt = True
            case None:
                pass
        return False

    def _commit(self, jobs: list[Job], now: float) -> list[Job]:
        """Note what has ended and what is about to be sent; gives what may be sent."""
        try:
            self._settlement.note([job.event for job in jobs if not self._flights[job.position].noted])
        except LedgerError as error:
            self.stop(error)
            for job in jobs:
                self._lanes.put_back(job.position)
                self.pace.withdraw(now, now)
            self._settlement.note([])  # what was delivered is still to be noted, if the ledger can
            return []
        for job in jobs:
            self._start(self._flights[job.position])
        return jobs

    def _start(self, flight: Flight) -> None:
        flight.noted = True
        self._summary.resent_in_doubt += flight.doubt and not flight.resent
        flight.resent = flight.doubt
        self._summary.retried += flight.history is not None

    def _settle(self) -> None:
        known, given_up = self._settlement.settle()
        for position in known:
            self._finish(position, Standing.DELIVERED)
        for position in given_up:
            self._finish(position, None)

    def _stop_at(self, in_a_row: int) -> None:
        if in_a_row >= max(LEAST_REJECTED_IN_A_ROW, self._policy.max_rejected):
            self.stop(
                RejectedRecordsError(
                    f"{in_a_row} records in a row were rejected and none delivered: the mapping or the shop is "
                    "probably wrong. Look at them with `target-applied-events rejected`; `max_rejected` raises this "
                    "limit."
                )
            )

    def _finish(self, position: int, standing: Standing | None) -> None:
        flight = self._flights.pop(position, None)
        if flight is None:
            return
        self._lanes.settle(position)
        self.unsettled_bytes -= len(flight.event.body)
        self._keys.settle(flight.event.key, standing or (Standing.IN_DOUBT if flight.doubt else None))

    def release(self, now: float, *, final: bool = False) -> None:
        """Write the newest STATE that may leave, after the ledger is on disk."""
        try:
            self._settlement.release(now, final=final)
        except StopReading as closed:
            self.stop(closed)

    def stop(self, reason: Exception) -> None:
        """Send nothing more; what is in flight may still end."""
        self.stopped = self.stopped or reason

    def wake_at(self, now: float) -> float | None:
        """When the next turn is due though nothing comes in; None: nothing is to be done until something does."""
        due = [self._settlement.due_at(now)]
        if self.stopped is None:
            due.append(self._lanes.next_wake())
            if self._lanes.ready:
                due.append(self.pace.next_admit(now))
        return min((moment for moment in due if moment is not None), default=None)
