from __future__ import annotations

import random
from email.utils import parsedate_to_datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from target_applied_events.sandbox.declared import read_faults
from target_applied_events.sandbox.faults import Faults, Meeting, Status


def faults(*declared: dict[str, Any], seed: int = 0) -> Faults:
    return Faults(read_faults(list(declared)), random.Random(seed))  # noqa: S311 - dice, no secret


def meet(these: Faults, body: str = "{}", now: float = 0.0) -> Meeting:
    return these.meet(body, now, 1_800_000_000.0 + now)


def test_without_faults_nothing_is_met() -> None:
    assert meet(faults()) == Meeting()


def test_a_share_is_met_about_so_often() -> None:
    these = faults({"kind": "drop", "share": 0.1})
    met = sum(meet(these).instead is not None for _ in range(10_000))
    assert 900 < met < 1100


@given(st.integers())
def test_the_same_seed_meets_the_same_requests(seed: int) -> None:
    declared: list[dict[str, Any]] = [
        {"kind": "latency", "seconds": 0.1, "jitter_seconds": 1},
        {"kind": "status", "share": 0.5},
    ]
    first, second = faults(*declared, seed=seed), faults(*declared, seed=seed)
    assert [meet(first) for _ in range(20)] == [meet(second) for _ in range(20)]


def test_a_match_is_looked_for_anywhere_in_the_body() -> None:
    these = faults({"kind": "silent", "match": "ada@.*com"})
    assert meet(these, '{"contact": {"email": "ada@example.com"}}').kinds == ("silent",)
    assert meet(these, '{"contact": {"email": "grace@example.com"}}').kinds == ()


def test_a_fault_that_is_spent_is_met_no_more() -> None:
    these = faults({"kind": "garbage", "times": 2})
    assert [bool(meet(these).kinds) for _ in range(4)] == [True, True, False, False]
    assert these.left() == [0]


def test_only_requests_that_match_spend_a_fault() -> None:
    these = faults({"kind": "garbage", "times": 1, "match": "x"})
    meet(these, "y")
    assert these.left() == [1]


def test_delays_add_up_and_the_first_break_decides() -> None:
    these = faults(
        {"kind": "latency", "seconds": 1},
        {"kind": "latency", "seconds": 2},
        {"kind": "status", "status": 503},
        {"kind": "drop"},
    )
    assert meet(these) == Meeting(3.0, Status(503), ("latency", "latency", "status"))


def test_jitter_stays_within_its_bounds() -> None:
    these = faults({"kind": "latency", "seconds": 1, "jitter_seconds": 0.5})
    delays = [meet(these).delay_seconds for _ in range(200)]
    assert min(delays) >= 1
    assert max(delays) <= 1.5
    assert max(delays) - min(delays) > 0.4


def test_a_rate_limit_takes_its_burst_and_then_its_rate() -> None:
    these = faults({"kind": "rate_limit", "requests_per_second": 10, "burst": 5})
    at_once = [meet(these).instead is None for _ in range(8)]
    assert at_once == [True] * 5 + [False] * 3
    later = [meet(these, now=1.0 + step / 100).instead is None for step in range(100)]
    assert 13 <= sum(later) <= 15


@given(st.floats(0.1, 1000), st.lists(st.floats(0, 0.5), min_size=1, max_size=200))
def test_a_rate_limit_never_lets_more_through_than_it_says(rate: float, gaps: list[float]) -> None:
    these = faults({"kind": "rate_limit", "requests_per_second": rate, "burst": 1})
    now = taken = 0.0
    for gap in gaps:
        now += gap
        taken += meet(these, now=now).instead is None
    assert taken <= 1 + now * rate + 1e-6


def test_a_rate_limit_tells_when_to_come_again() -> None:
    limit = {"kind": "rate_limit", "requests_per_second": 0.25, "burst": 1}
    in_seconds, in_date, untold = (faults(limit | {"retry_after": form}) for form in ("seconds", "date", "none"))
    for these in (in_seconds, in_date, untold):
        meet(these)
    seconds, date, nothing = (meet(these, now=1.0).instead for these in (in_seconds, in_date, untold))
    assert seconds == Status(429, {"retry-after": "3"})
    assert isinstance(date, Status)
    assert parsedate_to_datetime(date.headers["retry-after"]).timestamp() == 1_800_000_004
    assert nothing == Status(429)


def test_after_the_told_wait_the_request_is_taken() -> None:
    these = faults({"kind": "rate_limit", "requests_per_second": 0.25, "burst": 1})
    meet(these)
    assert meet(these, now=3.9).instead is not None
    assert meet(these, now=4.0).instead is None
