from __future__ import annotations

import threading

import pytest

from target_applied_events.delivery.window import MOST_UNSETTLED, MOST_UNSETTLED_BYTES, Window
from target_applied_events.event import Event, Rejection
from target_applied_events.handover import HeldState, Item, Pending, RejectedRecord, Tally
from tests.delivery.delivery_world import ORDERS, SHOP

PATIENCE_SECONDS = 30.0


def items(count: int, *, size_bytes: int = 0) -> list[Item]:
    event = Event("orders", "mappings[0]", SHOP, b"", bytes(16), (), {}, {})
    return [Pending(event, ORDERS, Tally(), record_bytes=size_bytes)] * count


def rejected(size_bytes: int) -> Item:
    return RejectedRecord(ORDERS, {}, Rejection("invalid"), Tally(), size_bytes)


@pytest.mark.parametrize(
    ("inside", "batch", "fits"),
    [
        (items(MOST_UNSETTLED - 1), items(1), True),
        (items(MOST_UNSETTLED), items(1), False),
        (items(1, size_bytes=MOST_UNSETTLED_BYTES - 1), items(1, size_bytes=1), True),
        (items(1, size_bytes=MOST_UNSETTLED_BYTES), items(1, size_bytes=1), False),
        ([], items(MOST_UNSETTLED + 1), True),
        ([], items(1, size_bytes=MOST_UNSETTLED_BYTES + 1), True),
        (items(MOST_UNSETTLED), [HeldState(1)], False),
        ([HeldState(1)] * MOST_UNSETTLED, [HeldState(1)], False),
        ([], [HeldState(1, MOST_UNSETTLED_BYTES + 1)], True),
        ([HeldState(1, 1)], [HeldState(1, MOST_UNSETTLED_BYTES)], False),
        ([], [rejected(MOST_UNSETTLED_BYTES + 1)], True),
        ([rejected(1)], [rejected(MOST_UNSETTLED_BYTES)], False),
    ],
)
def test_a_batch_fits_within_both_bounds_or_alone(inside: list[Item], batch: list[Item], *, fits: bool) -> None:
    window = Window()
    window.hand_over(inside)
    assert window.has_room(batch) is fits


def test_what_was_handed_over_counts_before_and_after_it_is_accepted_and_until_it_is_settled() -> None:
    window = Window()
    window.hand_over(items(MOST_UNSETTLED))
    assert (window.unsettled, window.has_room(items(1))) == (MOST_UNSETTLED, False)
    window.accept(items(4_000), unsettled=4_000, unsettled_bytes=0)
    assert (window.unsettled, window.has_room(items(1))) == (MOST_UNSETTLED, False)
    window.settle(unsettled=3_999, unsettled_bytes=0)
    assert (window.unsettled, window.has_room(items(1))) == (MOST_UNSETTLED - 1, True)


def test_a_state_that_the_delivery_knows_of_takes_room_by_its_bytes_alone_and_enters_no_accounts() -> None:
    window, states = Window(), [HeldState(number, 1) for number in range(MOST_UNSETTLED)]
    window.hand_over(states)
    assert (window.unsettled, window.has_room(items(1))) == (0, False)
    window.accept(states, unsettled=0, unsettled_bytes=MOST_UNSETTLED_BYTES - 1)
    assert (window.unsettled, window.has_room(items(1, size_bytes=1))) == (0, True)
    assert not window.has_room(items(1, size_bytes=2))
    window.settle(unsettled=0, unsettled_bytes=0)
    assert window.has_room(items(1, size_bytes=2 * MOST_UNSETTLED_BYTES))


def test_who_waits_for_room_is_woken_once_there_is_enough() -> None:
    window = Window()
    window.hand_over(items(MOST_UNSETTLED))
    window.accept(items(MOST_UNSETTLED), unsettled=MOST_UNSETTLED, unsettled_bytes=0)
    waits, begun = 0, threading.Event()

    def wait() -> None:
        nonlocal waits
        while not window.has_room(items(1_000)):
            waits += 1
            begun.set()
            window.wait(PATIENCE_SECONDS)

    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()
    assert begun.wait(PATIENCE_SECONDS)
    for unsettled in range(MOST_UNSETTLED, MOST_UNSETTLED - 1_001, -1):
        window.settle(unsettled, unsettled_bytes=0)
    while waiting.is_alive():  # it may have begun to wait after the last change
        window.settle(MOST_UNSETTLED - 1_000, unsettled_bytes=0)
        waiting.join(0.01)
    assert waits == 1


def test_once_it_is_closed_nobody_waits() -> None:
    window = Window()
    window.hand_over(items(MOST_UNSETTLED))
    waiting = threading.Thread(target=window.wait, args=(PATIENCE_SECONDS,), daemon=True)
    waiting.start()
    window.close()
    waiting.join(PATIENCE_SECONDS / 2)
    assert not waiting.is_alive()
    assert window.has_room(items(1))
    assert repr(window) == f"<Window unsettled={MOST_UNSETTLED} closed>"
