"""The accounts of a run: whatever was read is in exactly one place, or unsettled."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from target_applied_events.summary import Summary

if TYPE_CHECKING:
    from target_applied_events.event import Reason

REJECTED: Counter[Reason] = Counter({"refused": 2, "invalid": 1})


def summary() -> Summary:
    return Summary(
        read=20,
        delivered=8,
        rejected=REJECTED,
        skipped_by_mapping=4,
        skipped_by_ledger=3,
        passed_over=1,
        retried=7,
        resent_in_doubt=5,
    )


def test_what_found_no_place_is_unsettled() -> None:
    assert summary().settled == 19
    assert summary().figures()["unsettled"] == 1
    assert summary().figures()["rejected"] == {"refused": 2, "invalid": 1}


def test_the_last_line_names_every_account() -> None:
    assert summary().text(seconds=4.0, most_in_flight=6) == (
        "Read 20: delivered 8, rejected 3 (invalid 1, refused 2), skipped 4 by mapping and 3 by the ledger, "
        "passed over 1, unsettled 1. Retried 7, resent in doubt 5, 4.0 s, 2.0 events a second, most in flight 6."
    )


def test_a_run_that_took_no_time_has_no_rate() -> None:
    assert "rejected 0, " in Summary().text(seconds=0.0, most_in_flight=0)
    assert " 0.0 events a second" in Summary().text(seconds=0.0, most_in_flight=0)
