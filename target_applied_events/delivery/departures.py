"""What may be sent now: the oldest that its lane lets go and the pace admits, once its intent is on record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_applied_events.delivery.flight import SENT_BEFORE, rejected_in_doubt
from target_applied_events.event import Standing
from target_applied_events.handover import Job

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_applied_events.delivery.flight import Policy
    from target_applied_events.delivery.pace import Pace
    from target_applied_events.delivery.settlement import Settlement
    from target_applied_events.delivery.shared_pace import SharedPace
    from target_applied_events.delivery.unsettled import Unsettled
    from target_applied_events.summary import Summary

MOST_ROWS_A_COMMIT = 64


class Departures:
    """Nothing departs before its intent is noted, in one commit with what has ended meanwhile."""

    def __init__(  # noqa: PLR0913 - each part by its name
        self,
        flights: Unsettled,
        settlement: Settlement,
        pace: Pace | SharedPace,
        summary: Summary,
        policy: Policy,
        *,
        skip: Callable[[int], None],
    ) -> None:
        """Take the parts.

        Args:
            flights: The events that aren't settled.
            settlement: Notes intents, and what has ended.
            pace: How many may be in flight, how many a second.
            summary: The accounts, kept up to date here.
            policy: What an event gets that may have been taken.
            skip: Leaves out the event at a position, since it was delivered before.
        """
        self._flights, self._settlement, self._pace, self._summary = flights, settlement, pace, summary
        self._policy, self._skip = policy, skip

    def __repr__(self) -> str:
        """Tell what may depart, and how fast."""
        return f"<Departures {self._flights!r} {self._pace!r}>"

    def take(self, now: float) -> list[Job]:
        """Take what may be sent, at most as many as one commit notes."""
        jobs: list[Job] = []
        lanes = self._flights.lanes
        while len(jobs) < MOST_ROWS_A_COMMIT and (position := lanes.take()) is not None:
            if self.is_settled_by_another(position):
                continue
            if not self._pace.admit(now):
                lanes.put_back(position)
                break
            jobs.append(Job(position, self._flights[position].event))
        return jobs

    def is_settled_by_another(self, position: int) -> bool:
        """Whether what became of another event of its key settles this one too; it's put down for this turn then."""
        flight = self._flights[position]
        match self._flights.standing(flight):
            case Standing.DELIVERED:
                self._skip(position)
                return True
            case Standing.IN_DOUBT if self._policy.in_doubt == "reject":
                self._settlement.reject(position, rejected_in_doubt(flight.pending, SENT_BEFORE))
                return True
            case Standing.IN_DOUBT:
                flight.doubt = True
            case None:
                pass
        return False

    def note(self, jobs: list[Job]) -> None:
        """Note what has ended and what is about to be sent; from then on the jobs are on their way.

        Raises:
            LedgerError: It can't be noted, or another run is at one of the events.
        """
        self._settlement.note([job.event for job in jobs if not self._flights[job.position].noted])
        for job in jobs:
            flight = self._flights[job.position]
            flight.noted = True
            self._summary.resent_in_doubt += flight.doubt and not flight.resent
            flight.resent = flight.doubt
            self._summary.retried += flight.history is not None

    def put_back(self, jobs: list[Job], now: float) -> None:
        """Take back what was taken, since it can't be noted."""
        for job in jobs:
            self._flights.lanes.put_back(job.position)
            self._pace.withdraw(now, now)
