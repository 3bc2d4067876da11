"""The course of a delivery: each item in the order read, from the ledger's word to its settlement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_never

from target_applied_events.delivery.departures import Departures
from target_applied_events.delivery.flight import SENT_BEFORE, Flight, rejected, rejected_in_doubt, stopped_by
from target_applied_events.delivery.in_a_row import RejectedInARow
from target_applied_events.delivery.reply import signal
from target_applied_events.delivery.retry import History, Retry, Settle, Stop, judge
from target_applied_events.delivery.settlement import Ledger, Settlement
from target_applied_events.delivery.unsettled import Unsettled
from target_applied_events.errors import LedgerError, StopReading
from target_applied_events.event import Answer, Delivered, Outcome, Refused, Reply, Standing
from target_applied_events.handover import HeldState, Item, Job, Pending, RejectedRecord

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping, Sequence

    from target_applied_events.delivery.flight import Policy
    from target_applied_events.delivery.pace import Pace
    from target_applied_events.delivery.shared_pace import SharedPace
    from target_applied_events.event import Signal
    from target_applied_events.handover import Returned
    from target_applied_events.summary import Summary


class Delivery:
    """Each item handed over is in one place, and a state leaves only when all before it is settled.

    The places are: waiting, parked, in flight, settled. There are neither threads, clock nor sockets here: what it does
    to the world goes through `ledger`, `keep` and `write_state`, and every call is made from one thread.
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
        self._settlement = Settlement(ledger, keep, write_state, summary)
        self._policy, self._rng, self._wall_clock = policy, rng, wall_clock
        self._flights = Unsettled()
        self._rejected_in_a_row = RejectedInARow(policy.max_rejected)
        self._departures = Departures(self._flights, self._settlement, pace, summary, policy, skip=self._skip)

    def __repr__(self) -> str:
        """Tell the state."""
        figures = f"unsettled={self.unsettled} in_flight={self.pace.in_flight}"
        return f"<Delivery {figures} {self._flights.lanes!r} {self._settlement!r}>"

    @property
    def unsettled(self) -> int:
        """How many positions are handed out and not settled."""
        return self._settlement.unsettled

    @property
    def unsettled_bytes(self) -> int:
        """What is kept of them, and of the STATEs that are held."""
        return self._flights.size_bytes + self._settlement.size_bytes

    @property
    def crowd(self) -> int:
        """How many events wait behind the oldest unsettled one for its contact's sake."""
        return self._flights.lanes.crowd()

    def oldest_seconds(self, now: float) -> float:
        """How long the oldest event that isn't settled has been on its way; may be asked from any thread."""
        return self._flights.oldest_seconds(self._settlement.oldest, now)

    def accept(self, items: Sequence[Item], now: float) -> None:
        """Give each item its position, in the order read, and ask the ledger about the events, all in one go.

        A ledger that can't be read, or another run that is at one of the events, stops the run.
        """
        standing: Mapping[bytes, Standing] = {}
        try:
            standing = self._settlement.standing([item.event.key for item in items if isinstance(item, Pending)])
        except LedgerError as error:
            self.stop(error)
        for item in items:
            match item:
                case HeldState(value, size_bytes):
                    self._settlement.hold(value, size_bytes)
                case RejectedRecord():
                    self._settlement.reject(self._settlement.issue(), item)
                    self.stop(self._rejected_in_a_row.see_unsendable())
                case Pending(event):
                    self._place(item, standing.get(event.key), now)
                    self._rejected_in_a_row.see_event()
                case _:
                    assert_never(item)

    def _place(self, pending: Pending, standing: Standing | None, now: float) -> None:
        position, event = self._settlement.issue(), pending.event
        # While another of its key is unsettled, the doubt is that one's: this one waits for what becomes of it.
        doubt = standing is Standing.IN_DOUBT and not self._flights.has_key(event.key)
        if standing is Standing.DELIVERED:
            self._skip(position)
        elif doubt and self._policy.in_doubt == "reject":
            self._settlement.reject(position, rejected_in_doubt(pending, SENT_BEFORE))
        else:
            self._flights.add(position, Flight(pending, now, doubt=doubt))

    def replied(self, returned: Returned, now: float) -> Signal:
        """Decide what an attempt that ended now means for its event; gives what its reply tells of the endpoint."""
        position, reply = returned.position, returned.reply
        flight, told = self._flights[position], signal(reply)
        self.pace.answered(now, returned.started, told)
        flight.history = history = flight.history or History(first_at=returned.started)
        decision = judge(
            reply,
            history,
            now=now,
            wall_now=self._wall_clock(),
            known_good=self._knows(flight.event.shop_id, reply),
            delivered_since_last=self._flights.failing.has_seen_a_delivery(position),
            others_are_well=self._flights.failing.others_are_well,
            retry_timeout_seconds=self._policy.retry_timeout_seconds,
            rng=self._rng,
        )
        self._flights.failing.see(position, decision, returned.started)
        flight.doubt = flight.doubt or history.doubted
        match decision:
            case Settle(outcome):
                self._end(position, flight, outcome)
            case Retry(until, hold_all):
                self._retry(position, flight, until, hold_all=hold_all)
            case Stop():
                self._take_back(flight)
                self.stop(stopped_by(flight.event, decision))
            case _:
                assert_never(decision)
        return told

    def _end(self, position: int, flight: Flight, outcome: Outcome) -> None:
        match outcome:
            case Delivered():
                self._rejected_in_a_row.see_delivered()
                self._settlement.deliver(position, flight.event)
            case Refused(rejection):
                self._take_back(flight)
                self._give_up(position, rejected(flight.pending, rejection))
            case _:
                assert_never(outcome)

    def _knows(self, shop_id: str, reply: Reply) -> bool:
        """Whether the endpoint has ever taken an event for this shop; asked only where it matters."""
        matters = isinstance(reply, Answer) and reply.status in {404, 405, 410}
        return not matters or self._settlement.knows(shop_id)

    def _retry(self, position: int, flight: Flight, until: float, *, hold_all: bool) -> None:
        if hold_all:
            self.pace.hold(until)
        if flight.doubt and self._policy.in_doubt == "reject":
            message = "The request may have been taken; no answer told."
            self._give_up(position, rejected_in_doubt(flight.pending, message))
            return
        self._take_back(flight)
        self._flights.lanes.park(position, until)

    def _give_up(self, position: int, record: RejectedRecord) -> None:
        """Reject an event that was sent."""
        self._settlement.reject(position, record)
        self.stop(self._rejected_in_a_row.see_given_up())

    def _skip(self, position: int) -> None:
        """Leave out an event that was delivered before."""
        self._settlement.skip(position)
        self._rejected_in_a_row.see_delivered()

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
        self._flights.lanes.wake(now)
        jobs = self._commit(self._take(now), now)
        self._settle()
        self.release(now)
        return jobs

    def _take(self, now: float) -> list[Job]:
        return [] if self.stopped else self._departures.take(now)

    def _commit(self, jobs: list[Job], now: float) -> list[Job]:
        """Note what has ended and what is about to be sent; gives what may be sent."""
        try:
            self._departures.note(jobs)
        except LedgerError as error:
            self.stop(error)
            self._departures.put_back(jobs, now)
            self._settlement.note([])  # what was delivered is still to be noted, if the ledger can
            return []
        return jobs

    def _settle(self) -> None:
        for position, is_known in self._settlement.settle():
            self._flights.settle(position, delivered=is_known)

    def release(self, now: float, *, final: bool = False) -> None:
        """Write the newest STATE that may leave, after the ledger is on disk."""
        try:
            self._settlement.release(now, final=final)
        except StopReading as closed:
            self.stop(closed)

    def stop(self, reason: Exception | None) -> None:
        """Send nothing more, if there is a reason; what is in flight may still end."""
        self.stopped = self.stopped or reason

    def wake_at(self, now: float) -> float | None:
        """When the next turn is due though nothing comes in; None: nothing is to be done until something does."""
        due = [self._settlement.due_at(now)]
        if self.stopped is None:
            due.append(self._flights.lanes.next_wake())
            if self._flights.lanes.ready:
                due.append(self.pace.next_admit(now))
        return min((moment for moment in due if moment is not None), default=None)
