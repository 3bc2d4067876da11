"""Runs on one ledger share a rate and a wait, whatever each of them finds out by itself."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

import pytest

from target_applied_events.delivery.pace import Pace
from target_applied_events.delivery.shared_pace import SharedPace, bucket_of
from target_applied_events.event import Signal
from target_applied_events.ledger import open_ledger

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ORIGIN = "https://core.appliedlabs.ai:443"


class VirtualLedger:
    """Permits by GCRA on a clock of the test's own."""

    def __init__(self) -> None:
        self.now = 0.0
        self.free_at = 0.0
        self.held_until = 0.0
        self.asked = 0

    def reserve(self, bucket: str, permits: int, per_second: float) -> float:
        assert bucket == bucket_of(ORIGIN, "AL-key")
        self.asked += 1
        begins = max(self.free_at, self.now)
        self.free_at = begins + permits / per_second
        return max(begins, self.held_until) - self.now

    def hold_all(self, bucket: str, seconds: float) -> None:
        del bucket
        self.held_until = self.now + seconds

    def held_for(self, bucket: str) -> float:
        del bucket
        self.asked += 1
        return max(0.0, self.held_until - self.now)


def shared(ledger: VirtualLedger, rate: float | None) -> SharedPace:
    own = Pace(max_concurrency=64, requests_per_second=None, now=0.0)
    return SharedPace(own, ledger, bucket_of(ORIGIN, "AL-key"), rate)


def starts(ledger: VirtualLedger, runs: list[SharedPace], seconds: float) -> Iterator[tuple[float, int]]:
    """Let each run start what it may, each request answered at once; gives the starts in order of time."""
    due = [(0.0, number) for number in range(len(runs))]
    while due:
        now, number = heapq.heappop(due)
        if now > seconds:
            return
        ledger.now = now
        for _ in range(64):
            if not runs[number].admit(now):
                break
            yield now, number
            runs[number].answered(now, now, Signal.SUCCESS)
        next_admit = runs[number].next_admit(now)
        heapq.heappush(due, (max(now + 0.01, next_admit or 0.0), number))


@pytest.mark.parametrize("count", [1, 2, 8])
def test_all_runs_together_keep_the_rate(count: int) -> None:
    ledger = VirtualLedger()
    runs = [shared(ledger, 100.0) for _ in range(count)]
    made = list(starts(ledger, runs, seconds=10))
    assert 950 <= len(made) <= 1000 + 10 * count
    for second in range(10):
        assert sum(second <= moment < second + 1 for moment, _ in made) <= 100 + 10 * count
    shares = [sum(number == run for _, number in made) for run in range(count)]
    assert min(shares) >= 0.7 * max(shares)


def test_a_rate_below_one_a_second_is_kept_too() -> None:
    ledger = VirtualLedger()
    assert len(list(starts(ledger, [shared(ledger, 0.5)], seconds=20))) in {10, 11}


def test_a_wait_that_one_run_was_told_holds_all() -> None:
    ledger = VirtualLedger()
    first, second = shared(ledger, None), shared(ledger, None)
    assert first.admit(0.0)
    first.answered(0.1, 0.0, Signal.RATE_LIMITED)
    ledger.now = 0.1
    first.hold(30.1)
    ledger.now = 0.2
    assert not second.admit(0.2)
    assert second.next_admit(0.2) == pytest.approx(30.1)
    ledger.now = 30.2
    assert second.admit(30.2)


def test_without_a_rate_the_ledger_is_asked_once_a_second_at_most() -> None:
    ledger = VirtualLedger()
    list(starts(ledger, [shared(ledger, None)], seconds=5))
    assert 5 <= ledger.asked <= 6


def test_the_key_is_in_no_bucket() -> None:
    assert "AL-key" not in bucket_of(ORIGIN, "AL-key")
    assert bucket_of(ORIGIN, "AL-key") != bucket_of(ORIGIN, "AL-other")


def test_two_runs_meet_in_a_ledger_file(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.sqlite"
    one, two = (open_ledger(url, origin=ORIGIN, run_id=name) for name in ("one", "two"))
    bucket = bucket_of(ORIGIN, "AL-key")
    assert one.reserve(bucket, 10, 1.0) == 0
    assert 5 < two.reserve(bucket, 1, 1.0) <= 10
    two.hold_all(bucket, 60)
    assert 50 < one.held_for(bucket) <= 60
    one.close()
    two.close()
