from __future__ import annotations

from typing import TYPE_CHECKING

from demo import shop

if TYPE_CHECKING:
    from datetime import datetime


def _times(rows: shop.Shop) -> list[list[datetime]]:
    return [[row.updated_at for row in table] for table in (rows.customers, rows.orders, rows.refunds)]


def test_the_same_seed_makes_the_same_shop() -> None:
    assert shop.opened(shop.seeded(1)) == shop.opened(shop.seeded(1)) != shop.opened(shop.seeded(2))


def test_no_two_rows_of_a_table_share_their_time() -> None:
    for times in _times(shop.opened(shop.seeded(1))):
        assert times == sorted(set(times))


def test_the_next_day_comes_after_all_that_was() -> None:
    rng = shop.seeded(1)
    opened = shop.opened(rng)
    for before, after in zip(_times(opened), _times(shop.next_day(rng, opened)), strict=True):
        assert max(before) < min(after)


def test_the_next_day_brings_only_new_rows() -> None:
    rng = shop.seeded(1)
    opened = shop.opened(rng)
    new = shop.next_day(rng, opened)
    assert not {order.number for order in opened.orders} & {order.number for order in new.orders}
    assert not {row.id for row in opened.customers} & {row.id for row in new.customers}
    assert not {row.id for row in opened.refunds} & {row.id for row in new.refunds}
