from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from target_applied_events.delivery.settlement import Settlement
from target_applied_events.errors import LedgerError, RejectedRecordsError
from target_applied_events.event import Event, Rejection, Standing
from target_applied_events.handover import RejectedRecord, Tally
from target_applied_events.rejected import RejectedRecords
from target_applied_events.summary import Summary
from tests import ledgers
from tests.delivery.delivery_world import ORDERS, LedgerFaultError, LedgerModel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

OTHER_SHOP = "66e4b3a0-5b0e-4f57-9d2a-1c2d3e4f5a6c"


def rejected(number: int, tally: Tally | None = None) -> RejectedRecord:
    return RejectedRecord(ORDERS, {"n": number}, Rejection("refused"), tally or Tally())


class Settled:
    """A settlement over a ledger that can be told to fail; what it did is kept beside it."""

    def __init__(
        self,
        keep: Callable[[Sequence[RejectedRecord]], None] = lambda _: None,
        write_state: Callable[[Any], None] | None = None,
    ) -> None:
        self.ledger, self.summary, self.states = LedgerModel(), Summary(), list[Any]()
        self.parts = Settlement(self.ledger, keep, write_state or self.states.append, self.summary)

    def send(self, event: Event) -> int:
        """Issue a position for an event, note that it is sent, and let the endpoint take it."""
        position = self.parts.issue()
        self.parts.note([event])
        self.ledger.taken[event.key] += 1
        return position

    def turn(self, now: float = 0.0) -> list[tuple[int, bool]]:
        """Note, settle and release, as a delivery does."""
        self.parts.note([])
        settled = self.parts.settle()
        self.parts.release(now, final=False)
        return settled


def test_a_state_leaves_once_all_before_it_is_noted_and_on_disk() -> None:
    one, two = ledgers.events([1, 2])

    def write(state: str) -> None:
        on_disk.append((state, settled.ledger.synced >= {one.key, two.key}))

    on_disk: list[tuple[str, bool]] = []
    settled = Settled(write_state=write)
    positions = [settled.send(event) for event in (one, two)]
    settled.parts.hold("after both")
    settled.parts.deliver(positions[1], two)
    settled.turn()
    assert on_disk == []
    settled.parts.deliver(positions[0], one)
    settled.turn()
    assert on_disk == [("after both", True)]


def test_what_was_noted_is_on_disk_a_second_later_though_no_state_leaves() -> None:
    settled, events = Settled(), ledgers.events([1, 2, 3])
    settled.parts.note([events[0]])
    settled.parts.release(10.0, final=False)
    assert settled.parts.due_at(10.0) == 11.0
    settled.parts.note([events[1]])
    settled.parts.release(10.9, final=False)
    assert (settled.ledger.syncs, settled.parts.due_at(10.9)) == (0, 11.0)
    settled.parts.release(11.0, final=False)
    assert (settled.ledger.syncs, settled.parts.due_at(11.0)) == (1, None)
    settled.parts.note([events[2]])
    settled.parts.release(20.0, final=False)
    assert (settled.ledger.syncs, settled.parts.due_at(20.0)) == (1, 21.0)


def test_what_was_noted_is_on_disk_at_the_end_and_nothing_is_synced_twice() -> None:
    settled = Settled()
    settled.parts.release(0.0, final=True)
    assert settled.ledger.syncs == 0
    settled.parts.note([ledgers.event(1)])
    settled.parts.release(0.0, final=True)
    assert settled.ledger.syncs == 1
    settled.parts.release(5.0, final=True)
    assert settled.ledger.syncs == 1


def test_an_sqlite_ledger_is_on_disk_a_second_later(tmp_path: Path) -> None:
    with ledgers.running(tmp_path / "ledger.sqlite", "run") as ledger:
        settlement = Settlement(ledger, lambda _: None, lambda _: None, Summary())
        settlement.note([ledgers.event(1)])
        settlement.release(0.0, final=False)
        assert "ledger.sqlite not synced" in repr(ledger)
        settlement.release(1.0, final=False)
        assert "ledger.sqlite synced" in repr(ledger)


def test_what_a_state_brought_to_disk_is_not_synced_once_more() -> None:
    settled = Settled()
    settled.parts.note([ledgers.event(1)])
    settled.parts.release(1.0, final=False)
    settled.parts.hold("state")
    settled.turn(1.5)
    settled.turn(3.0)
    assert (settled.states, settled.ledger.syncs, settled.parts.due_at(3.0)) == (["state"], 1, None)


@pytest.mark.parametrize("failing", ["commit", "sync"])
def test_no_state_leaves_a_ledger_that_fails(failing: str) -> None:
    settled, event = Settled(), ledgers.event(1)
    position = settled.send(event)
    settled.parts.hold("after it")
    settled.parts.deliver(position, event)
    settled.ledger.failing = failing
    with pytest.raises(LedgerFaultError):
        settled.turn()
    assert settled.states == []


def test_a_record_that_cannot_be_kept_is_not_settled_and_holds_its_state(tmp_path: Path) -> None:
    (tmp_path / "rejected").write_text("no folder")
    settled = Settled(keep=RejectedRecords(tmp_path / "rejected", "run").keep)
    settled.parts.reject(settled.parts.issue(), rejected(1))
    settled.parts.hold("after it")
    with pytest.raises(RejectedRecordsError, match="can't be kept"):
        settled.parts.settle()
    settled.parts.release(0.0, final=True)
    assert (settled.parts.unsettled, settled.parts.oldest, settled.states) == (1, 0, [])
    assert settled.summary.rejected == Counter()


def test_each_position_is_settled_once_by_what_became_of_it() -> None:
    settled, event = Settled(), ledgers.event(1)
    delivered = settled.send(event)
    skipped, given_up, open_ = (settled.parts.issue() for _ in range(3))
    settled.parts.deliver(delivered, event)
    settled.parts.skip(skipped)
    settled.parts.reject(given_up, rejected(1))
    assert sorted(settled.turn()) == [(delivered, True), (skipped, True), (given_up, False)]
    assert settled.turn() == []
    assert (settled.parts.unsettled, settled.parts.oldest) == (1, open_)
    summary = settled.summary
    assert (summary.delivered, summary.skipped_by_ledger, summary.rejected) == (1, 1, {"refused": 1})


def test_two_events_of_one_record_count_it_once_among_the_rejected() -> None:
    settled, tally = Settled(), Tally()
    for number in (1, 2):
        settled.parts.reject(settled.parts.issue(), rejected(number, tally))
    settled.turn()
    assert settled.summary.rejected == {"refused": 2}
    assert settled.summary.rejected_records == 1


def test_an_intent_is_void_once_its_withdrawal_is_noted() -> None:
    settled, event = Settled(), ledgers.event(1)
    settled.parts.note([event])
    settled.parts.withdraw(event.key)
    assert settled.parts.standing([event.key]) == {event.key: Standing.IN_DOUBT}
    settled.turn()
    assert settled.parts.standing([event.key]) == {}


def test_a_ledger_is_not_asked_or_written_where_there_is_nothing_to_ask_or_write() -> None:
    settled = Settled()
    settled.ledger.failing = "commit, for good"
    settled.parts.skip(settled.parts.issue())
    settled.turn()
    settled.ledger.failing = "standing, for good"
    assert settled.parts.standing([]) == {}
    with pytest.raises(LedgerError):
        settled.parts.standing([ledgers.key(1)])


def test_a_shop_is_known_by_this_run_s_deliveries_and_by_the_ledger_s(tmp_path: Path) -> None:
    event = ledgers.event(1)
    with ledgers.running(tmp_path / "ledger.sqlite", "run-1") as ledger:
        first = Settlement(ledger, lambda _: None, lambda _: None, Summary())
        first.note([event])
        assert not first.knows(event.shop_id)
        first.deliver(first.issue(), event)
        assert first.knows(event.shop_id)
        first.note([])
    with ledgers.running(tmp_path / "ledger.sqlite", "run-2") as ledger:
        second = Settlement(ledger, lambda _: None, lambda _: None, Summary())
        assert second.knows(event.shop_id)
        assert not second.knows(OTHER_SHOP)


def test_what_has_ended_is_due_at_once_and_a_second_state_a_second_after_the_first() -> None:
    settled = Settled()
    assert settled.parts.due_at(5.0) is None
    position = settled.parts.issue()
    settled.parts.hold("first")
    assert settled.parts.due_at(5.0) is None
    settled.parts.skip(position)
    assert settled.parts.due_at(5.0) == 5.0
    settled.turn(now=5.0)
    settled.parts.hold("second")
    assert settled.parts.due_at(5.25) == 6.0
    settled.parts.release(5.25, final=False)
    assert settled.states == ["first"]
    settled.parts.release(5.25, final=True)
    assert settled.states == ["first", "second"]
    assert settled.parts.due_at(6.0) is None
