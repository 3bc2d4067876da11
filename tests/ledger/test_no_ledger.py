from __future__ import annotations

import itertools
import tempfile
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_applied_events.ledger import Ledger, NoLedger, open_ledger
from tests.ledgers import ORIGIN, SHOP, Clock, events, key, running

if TYPE_CHECKING:
    from collections.abc import Iterator

TODAY = Clock()
buckets = itertools.count()

# What a run does with a rate: seconds that pass, then permits that it reserves or seconds for which it holds all.
steps = st.lists(
    st.tuples(st.integers(0, 40), st.sampled_from(["reserve", "hold"]), st.integers(1, 64)), min_size=1, max_size=12
)


@pytest.fixture(scope="module")
def kept() -> Iterator[Ledger]:
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "ledger.sqlite", clock=TODAY) as ledger:
        yield ledger


def test_none_opens_it() -> None:
    ledger = open_ledger("none", origin=ORIGIN, run_id="run")
    assert isinstance(ledger, NoLedger)
    assert ledger.opening().text().startswith("none")


def test_whatever_is_noted_nothing_is_known() -> None:
    ledger = NoLedger()
    ledger.commit(intents=events([1]), delivered=[key(2), *events([3])], withdrawn=[key(4)])
    assert ledger.mark_delivered(events([5])) == 0
    ledger.sync()
    assert ledger.standing([key(number) for number in range(6)]) == {}
    assert not ledger.knows_delivery(SHOP)
    assert list(ledger.in_doubt()) == []
    assert ledger.forget_before(date(2100, 1, 1)) == 0


@given(steps=steps, per_second=st.sampled_from([0.25, 1.0, 8.0]))
def test_a_run_alone_waits_as_long_as_with_a_ledger(
    steps: list[tuple[int, str, int]], per_second: float, kept: Ledger
) -> None:
    none, bucket = NoLedger(TODAY), f"bucket {next(buckets)}"
    for seconds, act, number in steps:
        TODAY.now += seconds
        if act == "hold":
            for ledger in (none, kept):
                ledger.hold_all(bucket, number)
        else:
            waits = [ledger.reserve(bucket, number, per_second) for ledger in (none, kept)]
            assert waits[0] == pytest.approx(waits[1], abs=1e-5)
        assert none.held_for(bucket) == pytest.approx(kept.held_for(bucket), abs=1e-5)


@given(st.integers(-(10**9), 10**9))
def test_its_clock_may_count_from_any_moment(moment: int) -> None:
    ledger = NoLedger(Clock(moment))
    assert (ledger.held_for("bucket"), ledger.reserve("bucket", 2, per_second=1)) == (0, 0)
    ledger.hold_all("bucket", 10)
    assert (ledger.held_for("bucket"), ledger.reserve("bucket", 1, per_second=1)) == (10, 10)


def test_each_bucket_has_its_own_rate_and_hold() -> None:
    ledger = NoLedger(Clock(0))
    ledger.hold_all("held", 60)
    ledger.reserve("used", 8, per_second=1)
    assert (ledger.held_for("new"), ledger.reserve("new", 1, per_second=1)) == (0, 0)
