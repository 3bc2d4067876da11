"""What was seen of runs that were killed, and the judgement on it: lost, doubled, out of order, or STATE too early.

The judgement is made offline, from what the endpoint, the reader of STATE and the ledger showed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the tap; its number is its place in the tap's order."""

    number: int
    contact: str
    is_bad: bool


@dataclass(frozen=True, slots=True)
class Arrived:
    """The endpoint read a whole request for a row's event, and took it.

    Attributes:
        number: The row's.
        body: What was sent.
        told: It said so; else it answered 500, or broke the connection.
    """

    number: int
    body: bytes
    told: bool = True


@dataclass(frozen=True, slots=True)
class StateSeen:
    """A STATE was read that stands behind so many rows."""

    rows: int


@dataclass(frozen=True, slots=True)
class Ended:
    """A run is over, and this was found then.

    Attributes:
        status: Its exit status; -9 where it was killed.
        named: How many events it called in doubt at its start; None where it was killed before it could.
        in_doubt: The rows whose events the ledger holds as intended and not ended.
        intended: The most of them that one run has left.
        kept: The rows among the rejected records of all runs so far.
    """

    status: int
    named: int | None
    in_doubt: frozenset[int]
    intended: int
    kept: frozenset[int]


Entry: TypeAlias = "Arrived | StateSeen | Ended"


@dataclass(frozen=True, slots=True)
class _Run:
    arrived: tuple[Arrived, ...]
    states: tuple[tuple[int, int], ...]  # how many arrivals were before it in this run, and its rows
    end: Ended


def faults(
    rows: Sequence[Row],
    history: Sequence[Entry],
    *,
    in_doubt: Literal["resend", "reject"],
    most_in_flight: int,
    has_ledger: bool = True,
) -> list[str]:
    """Name all that a history shows to be wrong; nothing for a good one.

    Args:
        rows: All that the tap has; row 0 is the first.
        history: What was seen, in the order seen; the last run was left to come to its end.
        in_doubt: The setting.
        most_in_flight: `max_concurrency`.
        has_ledger: Whether the runs know anything of each other; else all may be doubled.
    """
    runs = list(_runs(history))
    return [
        *_lost(rows, runs, in_doubt),
        *_out_of_order(rows, runs),
        *(_doubled(runs, in_doubt) if has_ledger else ()),
        *(_unnamed(runs, most_in_flight) if has_ledger else ()),
        *_changed(runs),
        *_early_states(rows, runs, in_doubt),
    ]


def doubled(history: Sequence[Entry]) -> set[int]:
    """The rows whose events arrived more than once."""
    return _repeated(entry.number for entry in history if isinstance(entry, Arrived))


def _repeated(numbers: Iterable[int]) -> set[int]:
    return {number for number, count in Counter(numbers).items() if count > 1}


def _runs(history: Sequence[Entry]) -> Iterator[_Run]:
    arrived: list[Arrived] = []
    states: list[tuple[int, int]] = []
    for entry in history:
        match entry:
            case Arrived():
                arrived.append(entry)
            case StateSeen(rows):
                states.append((len(arrived), rows))
            case Ended():
                yield _Run(tuple(arrived), tuple(states), entry)
                arrived, states = [], []
    if arrived or states:
        raise ValueError("a history ends with the end of a run")


def _lost(rows: Sequence[Row], runs: Sequence[_Run], in_doubt: str) -> Iterator[str]:
    arrived = {arrival.number for run in runs for arrival in run.arrived}
    last = runs[-1].end
    for row in rows:
        if row.is_bad and row.number in arrived:
            yield f"row {row.number} can't be an event, and one arrived"
        has_place = row.number in last.kept if row.is_bad else row.number in arrived
        if not has_place and not (in_doubt == "reject" and row.number in last.kept):
            yield f"row {row.number} is lost"
    if last.status != 0:
        yield f"the last run ended with {last.status}"
    if [rows for _, rows in runs[-1].states][-1:] != [len(rows)]:
        yield "the last STATE isn't the last"


def _out_of_order(rows: Sequence[Row], runs: Sequence[_Run]) -> Iterator[str]:
    newest: dict[str, int] = {}
    seen: set[int] = set()
    for number in (arrival.number for run in runs for arrival in run.arrived):
        contact = rows[number].contact
        if number not in seen and number < newest.get(contact, -1):
            yield f"row {number} arrived first after row {newest[contact]} of the same contact"
        seen.add(number)
        newest[contact] = max(number, newest.get(contact, -1))


def _doubled(runs: Sequence[_Run], in_doubt: str) -> Iterator[str]:
    before: set[int] = set()
    doubts: frozenset[int] = frozenset()
    for index, run in enumerate(runs):
        numbers = [arrival.number for arrival in run.arrived]
        for number in sorted(_repeated(numbers)):
            if in_doubt == "reject" or not _only_the_last_was_told(number, run.arrived):
                yield f"row {number} arrived twice in run {index}"
        for number in sorted(before.intersection(numbers)):
            if in_doubt == "reject":
                yield f"row {number} arrived again in run {index}, though it may not be sent again"
            elif number not in doubts:
                yield f"row {number} arrived again in run {index}, and wasn't in doubt"
        before.update(numbers)
        doubts = run.end.in_doubt


def _only_the_last_was_told(number: int, arrived: Sequence[Arrived]) -> bool:
    told = [arrival.told for arrival in arrived if arrival.number == number]
    return not any(told[:-1])


def _changed(runs: Sequence[_Run]) -> Iterator[str]:
    bodies: dict[int, bytes] = {}
    for arrival in (arrival for run in runs for arrival in run.arrived):
        if bodies.setdefault(arrival.number, arrival.body) != arrival.body:
            yield f"row {arrival.number} arrived with another body"


def _unnamed(runs: Sequence[_Run], most_in_flight: int) -> Iterator[str]:
    doubts: frozenset[int] = frozenset()
    for index, run in enumerate(runs):
        if run.end.named is not None and run.end.named != len(doubts):
            yield f"run {index} named {run.end.named} events as in doubt, and {len(doubts)} were"
        if run.end.named is None and run.arrived:
            yield f"run {index} sent something before it named what is in doubt"
        if run.end.intended > most_in_flight:
            yield (
                f"after run {index} one run has left {run.end.intended} events in doubt, "
                f"and only {most_in_flight} can be in flight"
            )
        doubts = run.end.in_doubt


def _early_states(rows: Sequence[Row], runs: Sequence[_Run], in_doubt: str) -> Iterator[str]:
    arrived: set[int] = set()
    for index, run in enumerate(runs):
        numbers = [arrival.number for arrival in run.arrived]
        before = 0
        for count, passed in run.states:
            there = arrived.union(numbers[:count]) | run.end.kept
            if early := [row.number for row in rows[:passed] if row.number not in there]:
                yield f"a STATE of run {index} left before rows {early}"
            if in_doubt == "resend" and (open_ := [number for number in run.end.in_doubt if number < passed]):
                yield f"a STATE of run {index} left over the doubt of rows {sorted(open_)}"
            if passed < before:
                yield f"a STATE of run {index} went back from {before} to {passed}"
            before = passed
        arrived.update(numbers)
