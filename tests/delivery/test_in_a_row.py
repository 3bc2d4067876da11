from __future__ import annotations

import pytest

from target_applied_events.delivery.in_a_row import RejectedInARow


@pytest.mark.parametrize(("max_rejected", "most"), [(0, 100), (99, 100), (250, 250)])
def test_a_hundred_in_a_row_are_too_many_unless_max_rejected_allows_more(max_rejected: int, most: int) -> None:
    unsendable, given_up = RejectedInARow(max_rejected), RejectedInARow(max_rejected)
    assert not any(unsendable.see_unsendable() or given_up.see_given_up() for _ in range(most - 1))
    assert f"{most} records in a row were rejected" in str(unsendable.see_unsendable())
    assert f"{most} records in a row were rejected" in str(given_up.see_given_up())


def test_an_event_that_is_read_ends_the_row_of_what_cannot_be_sent_and_no_other() -> None:
    counts = RejectedInARow(0)
    for _ in range(99):
        counts.see_unsendable()
        counts.see_given_up()
    counts.see_event()
    assert counts.see_unsendable() is None
    assert counts.see_given_up() is not None


def test_a_delivery_ends_the_row_of_what_was_given_up_and_no_other() -> None:
    counts = RejectedInARow(0)
    for _ in range(99):
        counts.see_unsendable()
        counts.see_given_up()
    counts.see_delivered()
    assert counts.see_given_up() is None
    assert counts.see_unsendable() is not None
    assert repr(counts) == "<RejectedInARow unsendable=100 given_up=1 of 100>"
