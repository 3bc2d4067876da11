"""Events to note, and what every ledger must do, in whatever database."""

from __future__ import annotations

import contextlib
import hashlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from target_applied_events.errors import LedgerError
from target_applied_events.event import Event, Standing
from target_applied_events.ledger import Ledger, open_ledger

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

DELIVERED, IN_DOUBT = Standing.DELIVERED, Standing.IN_DOUBT

ORIGIN = "https://events.example.com"
SHOP = "66e4b3a0-5b0e-4f57-9d2a-1c2d3e4f5a6b"
DAY = 86_400.0


def event(number: int, *, shop_id: str = SHOP) -> Event:
    """Make the event of a number."""
    return Event(
        stream="public-orders",
        mapping="mappings[0]",
        shop_id=shop_id,
        body=b"{}",
        key=hashlib.blake2b(b"%d" % number, digest_size=16).digest(),
        identifiers=(),
        key_properties={"id": number},
        record={"id": number},
    )


def events(numbers: Iterable[int]) -> list[Event]:
    """Make the events of some numbers."""
    return [event(number) for number in numbers]


def key(number: int) -> bytes:
    """Tell the key of a number's event."""
    return event(number).key


class Clock:
    """Seconds since the epoch, as a test sets them."""

    def __init__(self, now: float = 20_000 * DAY) -> None:
        """Start at a day."""
        self.now = now

    def __call__(self) -> float:
        """Read it."""
        return self.now


def opened(place: Path | str, run: str = "run-1", *, origin: str = ORIGIN, clock: Clock | None = None) -> Ledger:
    """Open a ledger in a file or at a URL."""
    url = place if isinstance(place, str) else f"sqlite:///{place}"
    ledger = open_ledger(url, origin=origin, run_id=run, clock=clock or Clock())
    assert isinstance(ledger, Ledger)
    return ledger


@contextlib.contextmanager
def running(
    place: Path | str, run: str = "run-1", *, origin: str = ORIGIN, clock: Clock | None = None
) -> Iterator[Ledger]:
    """Open a ledger for a run that ends with the block."""
    with contextlib.closing(opened(place, run, origin=origin, clock=clock)) as ledger:
        yield ledger


KEYS = range(6)
some = st.lists(st.sampled_from(KEYS), unique=True, min_size=1, max_size=3)
slot = st.integers(0, 1)


class Runs(RuleBasedStateMachine):
    """A delivery that was committed is known in every later run, and what was sent without an answer is in doubt."""

    def __init__(self) -> None:
        """Start with an empty ledger."""
        super().__init__()
        self.runs: dict[int, tuple[str, Ledger]] = {}
        self.started = 0
        self.delivered: set[int] = set()
        self.intents: dict[int, str] = {}

    def opened(self, run: str) -> Ledger:
        """Open the ledger for a run."""
        raise NotImplementedError

    def crash_of(self, ledger: Ledger) -> None:
        """End a run as its death would."""
        raise NotImplementedError

    def teardown(self) -> None:
        """End all runs."""
        for _, ledger in self.runs.values():
            ledger.close()

    @property
    def live(self) -> set[str]:
        """Tell the runs that hold their lock."""
        return {run for run, _ in self.runs.values()}

    def of_others(self, run: str, numbers: Sequence[int]) -> bool:
        """Whether another living run is sending one of these."""
        return any(self.intents.get(number) in self.live - {run} for number in numbers)

    @rule(slot=slot)
    def start(self, slot: int) -> None:
        """Start a run, of a new name."""
        if slot not in self.runs:
            self.started += 1
            run = f"run-{self.started}"
            self.runs[slot] = (run, self.opened(run))

    @precondition(lambda self: self.runs)
    @rule(slot=slot, numbers=some, ended=some, taken=st.booleans())
    def commit(self, slot: int, numbers: list[int], ended: list[int], taken: bool) -> None:  # noqa: FBT001 - drawn
        """Intend some, end some of its own."""
        if slot not in self.runs:
            return
        run, ledger = self.runs[slot]
        mine = [number for number in ended if self.intents.get(number) == run]
        keys = [key(number) for number in mine]
        after = self.delivered | set(mine) if taken else self.delivered
        clash = self.of_others(run, numbers) or bool(after & set(numbers))
        with pytest.raises(LedgerError) if clash else contextlib.nullcontext():
            if taken:
                ledger.commit(intents=events(numbers), delivered=keys)
            else:
                ledger.commit(intents=events(numbers), withdrawn=keys)
        self.delivered = after
        for number in mine:
            del self.intents[number]
        if not clash:
            self.intents |= dict.fromkeys(numbers, run)

    @rule(slot=slot)
    def sync(self, slot: int) -> None:
        """Bring all to the disk."""
        if slot in self.runs:
            self.runs[slot][1].sync()

    @rule(slot=slot)
    def close(self, slot: int) -> None:
        """End a run cleanly."""
        if slot in self.runs:
            self.runs.pop(slot)[1].close()

    @rule(slot=slot)
    def crash(self, slot: int) -> None:
        """End a run without its own doing."""
        if slot in self.runs:
            self.crash_of(self.runs.pop(slot)[1])

    @invariant()
    def every_run_knows_what_was_committed(self) -> None:
        """Ask each run for each key."""
        for run, ledger in self.runs.values():
            for number in KEYS:
                if number in self.delivered:
                    assert ledger.standing([key(number)]) == {key(number): DELIVERED}
                elif self.of_others(run, [number]):
                    with pytest.raises(LedgerError):
                        ledger.standing([key(number)])
                else:
                    known = {key(number): IN_DOUBT} if number in self.intents else {}
                    assert ledger.standing([key(number)]) == known
            doubts = {doubt.key for doubt in ledger.in_doubt()}
            assert doubts == {key(number) for number, owner in self.intents.items() if owner not in self.live}
            assert ledger.opening().delivered == len(self.delivered)
