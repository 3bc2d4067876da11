from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from target_applied_events.errors import LedgerError
from target_applied_events.ledger import TimedLedger
from tests.ledgers import DELIVERED, IN_DOUBT, SHOP, Clock, events, key, running

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SPENT_SECONDS = 0.02


class SlowClock(Clock):
    """Takes some time to read, as a busy disk would."""

    def __call__(self) -> float:
        until = time.monotonic() + SPENT_SECONDS
        while time.monotonic() < until:
            pass
        return self.now


def test_what_the_ledger_says_passes_through(path: Path) -> None:
    with running(path) as ledger:
        timed = TimedLedger(ledger)
        assert not timed.knows_delivery(SHOP)
        timed.commit(intents=events([1, 2, 3]), delivered=[], withdrawn=[])
        timed.commit(intents=[], delivered=[key(1)], withdrawn=[key(2)])
        timed.sync()
        assert timed.standing([key(1), key(2), key(3)]) == {key(1): DELIVERED, key(3): IN_DOUBT}
        assert timed.knows_delivery(SHOP)


def test_the_seconds_are_those_that_the_ledger_took_and_no_others(path: Path) -> None:
    with running(path, clock=SlowClock()) as ledger:
        timed = TimedLedger(ledger)
        assert timed.seconds == 0
        began = time.monotonic()
        timed.commit(intents=events([1]), delivered=[], withdrawn=[])
        timed.standing([key(1)])
        assert 2 * SPENT_SECONDS <= timed.seconds <= time.monotonic() - began
        SlowClock()()
        assert timed.seconds <= time.monotonic() - began - SPENT_SECONDS


@pytest.mark.parametrize(
    "call",
    [
        lambda timed: timed.standing([key(1)]),
        lambda timed: timed.commit(intents=events([1]), delivered=[], withdrawn=[]),
        lambda timed: timed.sync(),
        lambda timed: timed.knows_delivery(SHOP),
    ],
    ids=["standing", "commit", "sync", "knows_delivery"],
)
def test_each_call_counts(call: Callable[[TimedLedger], object], path: Path) -> None:
    with running(path) as ledger:
        timed = TimedLedger(ledger)
        call(timed)
        assert timed.seconds > 0


def test_a_call_that_ends_the_run_counts_too(path: Path) -> None:
    with running(path) as first, running(path, "run-2", clock=SlowClock()) as second:
        first.commit(intents=events([1]))
        timed = TimedLedger(second)
        with pytest.raises(LedgerError):
            timed.standing([key(1)])
        assert timed.seconds >= SPENT_SECONDS
