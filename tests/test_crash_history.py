from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.crash_history import Arrived, Ended, Row, StateSeen, doubled, faults

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.crash_history import Entry

ROWS = [Row(number, contact=f"c{number % 2}", is_bad=number == 4) for number in range(6)]
KILLED = Ended(status=-9, named=0, in_doubt=frozenset({1, 2}), intended=2, kept=frozenset())
WHOLE = Ended(status=0, named=2, in_doubt=frozenset(), intended=0, kept=frozenset({4}))


def arrived(*numbers: int) -> list[Entry]:
    return [Arrived(number, b"body of %d" % number) for number in numbers]


GOOD: list[Entry] = [
    *arrived(0, 1),
    StateSeen(1),
    *arrived(2),
    KILLED,
    *arrived(1, 2, 3, 5),
    StateSeen(6),
    WHOLE,
]


def told(history: Sequence[Entry], *, reject: bool = False) -> str:
    found = faults(ROWS, history, in_doubt="reject" if reject else "resend", most_in_flight=2)
    return "; ".join(found)


def test_a_good_history_shows_no_fault() -> None:
    assert not told(GOOD)
    assert doubled(GOOD) == {1, 2}


def changed(index: int, *entries: Entry) -> list[Entry]:
    return [*GOOD[:index], *entries, *GOOD[index + 1 :]]


BAD = {
    "row 3 is lost": changed(GOOD.index(Arrived(3, b"body of 3"))),
    "row 4 is lost": [*GOOD[:-1], replace(WHOLE, kept=frozenset())],
    "row 4 can't be an event": [*arrived(4), *GOOD],
    "the last run ended with 1": [*GOOD[:-1], replace(WHOLE, status=1)],
    "the last STATE isn't the last": [*GOOD[:-2], StateSeen(5), WHOLE],
    "row 3 arrived first after row 5 of the same contact": [*GOOD[:5], *arrived(1, 2, 5, 3), *GOOD[-2:]],
    "row 5 arrived twice in run 1": [*GOOD[:5], *arrived(1, 2, 3, 5, 5), *GOOD[-2:]],
    "row 0 arrived again in run 1, and wasn't in doubt": [*GOOD[:5], *arrived(0), *GOOD[5:]],
    "row 1 arrived with another body": [*GOOD[:5], Arrived(1, b"another"), *GOOD[6:]],
    "run 1 named 1 events as in doubt, and 2 were": [*GOOD[:-1], replace(WHOLE, named=1)],
    "run 1 sent something before it named": [*GOOD[:-1], replace(WHOLE, named=None)],
    "one run has left 3 events in doubt": changed(4, replace(KILLED, intended=3)),
    "a STATE of run 0 left before rows [2, 3, 4]": [*GOOD[:3], StateSeen(5), *GOOD[3:]],
    "a STATE of run 0 left over the doubt of rows [1]": changed(2, StateSeen(2)),
    "a STATE of run 0 went back from 1 to 0": [*GOOD[:3], StateSeen(0), *GOOD[3:]],
}


@pytest.mark.parametrize("fault", BAD)
def test_a_bad_history_is_refused_for_what_is_wrong_with_it(fault: str) -> None:
    assert fault in told(BAD[fault])


def test_what_the_endpoint_took_and_did_not_say_may_arrive_again_in_the_same_run() -> None:
    untold = [*GOOD[:5], Arrived(3, b"body of 3", told=False), *GOOD[5:]]
    assert not told(untold)
    assert "row 3 arrived twice in run 1" in told([*GOOD[:-2], Arrived(3, b"body of 3"), *GOOD[-2:]])
    once = [*GOOD[:5], Arrived(3, b"body of 3", told=False), *arrived(3, 5), StateSeen(6), WHOLE]
    assert "row 3 arrived twice in run 1" in told(once, reject=True)


def test_where_nothing_may_be_sent_twice_a_second_arrival_is_refused() -> None:
    assert "row 1 arrived again in run 1, though it may not be sent again" in told(GOOD, reject=True)


def test_where_nothing_may_be_sent_twice_what_is_in_doubt_is_kept_instead() -> None:
    once = [*GOOD[:5], *arrived(3, 5), StateSeen(6), replace(WHOLE, kept=frozenset({1, 2, 4}))]
    assert not told(once, reject=True)
    kept_only = [*GOOD[:3], KILLED, *once[5:]]
    assert not told(kept_only, reject=True)
    lost = [*kept_only[:-1], replace(WHOLE, kept=frozenset({1, 4}))]
    assert "row 2 is lost" in told(lost, reject=True)


def test_a_history_that_breaks_off_within_a_run_is_no_history() -> None:
    with pytest.raises(ValueError, match="ends with the end of a run"):
        told(GOOD[:-1])
