from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from target_applied_events.commands.demo_shop import CUSTOMERS, MAPPINGS, ORDERS, REFUNDS, Shop, next_day, opened
from target_applied_events.commands.dry_run import DryRun
from target_applied_events.handover import Item, Pending, RejectedRecord
from tests.in_process import handlers_put_back
from tests.target_process import as_lines

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 4, 7, 14, 30, tzinfo=UTC)
SEEDS = range(5)


def shop(seed: int = 0, now: datetime = NOW) -> Shop:
    return opened(random.Random(seed), now)  # noqa: S311 - dice for a shop, no secret


def day_after(seed: int, before: Shop) -> Shop:
    return next_day(random.Random(seed), NOW, before)  # noqa: S311 - as above


def made_of(these: Shop, folder: Path) -> list[Item]:
    """What the target makes of a shop's messages."""
    taken: list[Item] = []
    (folder / "in").write_bytes(as_lines(these.messages()))
    with handlers_put_back(), (folder / "in").open() as given:
        DryRun(config={"data_dir": str(folder), "mappings": MAPPINGS}).look(given, taken.append)
    return taken


def test_the_same_dice_make_the_same_shop_and_others_another() -> None:
    assert shop(1) == shop(1) != shop(2)


@pytest.mark.parametrize("seed", SEEDS)
def test_two_records_are_bad_one_by_its_schema_and_one_by_its_mapping_and_all_else_becomes_events(
    seed: int, tmp_path: Path
) -> None:
    first = shop(seed)
    taken = made_of(first, tmp_path)
    rejected = [item for item in taken if isinstance(item, RejectedRecord)]
    assert [item.rejection.reason for item in rejected] == ["invalid", "unmappable"]
    events = Counter(item.event.stream for item in taken if isinstance(item, Pending))
    paid = sum(order["status"] == "paid" for order in first.orders[:-2])
    assert events[CUSTOMERS] == len(first.customers)
    assert events[ORDERS] == len(first.orders) - 1 + paid
    assert events[REFUNDS] == len(first.refunds) > 0


@pytest.mark.parametrize("seed", SEEDS)
def test_the_next_day_brings_new_orders_and_the_newest_customer_and_refund_again(seed: int, tmp_path: Path) -> None:
    first = shop(seed)
    second = day_after(seed, first)
    assert (second.customers, second.refunds) == (first.customers[-1:], first.refunds[-1:])
    numbers = [order["number"] for order in (*first.orders, *second.orders)]
    assert numbers == list(range(1001, 1001 + len(numbers)))
    known = {item.event.key for item in made_of(first, tmp_path) if isinstance(item, Pending)}
    taken = made_of(second, tmp_path)
    again = [item.event.stream for item in taken if isinstance(item, Pending) and item.event.key in known]
    assert again == [CUSTOMERS, REFUNDS]
    assert not [item for item in taken if isinstance(item, RejectedRecord)]


def test_its_four_weeks_end_a_day_before_now_and_nothing_is_later_than_now() -> None:
    first = shop()
    placed = [datetime.fromisoformat(order["placed_at"]) for order in first.orders]
    assert placed == sorted(placed)
    assert placed[0] == NOW - timedelta(days=28)
    assert NOW - timedelta(days=2) < placed[-1] < NOW - timedelta(days=1)
    day = [datetime.fromisoformat(order["placed_at"]) for order in day_after(0, first).orders]
    assert NOW - timedelta(days=1) < day[0] < day[-1] < NOW


def test_a_state_follows_each_stream_and_says_how_far_all_are() -> None:
    first = shop()
    messages = list(first.messages())
    states = [message["value"]["bookmarks"] for message in messages if message["type"] == "STATE"]
    counts = {CUSTOMERS: len(first.customers), ORDERS: len(first.orders), REFUNDS: len(first.refunds)}
    assert [list(state) for state in states] == [[CUSTOMERS], [CUSTOMERS, ORDERS], [CUSTOMERS, ORDERS, REFUNDS]]
    assert states[-1] == {stream: {"records": count} for stream, count in counts.items()}
    assert sum(message["type"] == "RECORD" for message in messages) == len(first) == sum(counts.values())


def test_a_schema_declares_just_what_its_records_hold() -> None:
    columns: dict[str, dict[str, Any]] = {}
    for message in shop().messages():
        match message["type"]:
            case "SCHEMA":
                columns[message["stream"]] = message["schema"]["properties"]
            case "RECORD":
                assert message["record"].keys() == columns[message["stream"]].keys()
    assert len(columns) == 3
