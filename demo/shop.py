"""The shop of the demo: the same customers, orders and refunds each time, as awkward as real ones."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

OPENING = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
BERLIN = timezone(timedelta(hours=1))
FIRST_ORDER_NUMBER = 1001

NAMES = (
    "Ada Lovelace",
    "Aoife O'Brien",
    'Grace "Amazing" Hopper',
    "José Núñez",
    "李小龙",
    "Zoë 🎉 Müller",
    "Søren Kierkegaard",
    "محمد علي",
    "Robert'); DROP TABLE orders;--",
    "Back\\slash {{ Braces }}",
    "Tab\tand\nline",
)
LANGUAGES = ("en", "de", "es", "zh", "ar")
TAGS = ("newsletter", "wholesale", 'says "hi"', "🎁", None)
SKUS = ("MUG-BLUE", "TEE-L", "POSTER-A2", "STICKER 🐙", "O'RING")
REASONS = ("damaged", "changed their mind", 'said "too small"', None)
STATUSES = ("placed", "paid", "paid", "shipped")
CURRENCIES = ("EUR", "USD", "GBP")
CITIES = ("Berlin", "Köln", "Saint-Étienne", "Łódź")


@dataclass(frozen=True, slots=True)
class Customer:
    """A row of `customers`."""

    id: int
    account: uuid.UUID
    email: str | None
    full_name: str
    phone: str | None
    vip: bool
    birthday: date | None
    language: str
    attributes: dict[str, object]
    tags: list[str | None] | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Order:
    """A row of `orders`."""

    id: uuid.UUID
    number: int
    customer_id: int
    email: str | None
    status: str
    total: Decimal
    tax_rate: Decimal | None
    currency: str
    gift: bool | None
    skus: list[str]
    quantities: list[int]
    shipping: dict[str, object] | None
    weight_kg: float | None
    deliver_on: date | None
    placed_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Refund:
    """A row of `refunds`; `booked_at` has no time zone, as old tables have it."""

    id: int
    order_id: uuid.UUID
    customer_id: int
    email: str | None
    amount: Decimal
    reason: str | None
    partial: bool
    items: int
    booked_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Shop:
    """The rows of a day or more, each kind in the order it came to be."""

    customers: tuple[Customer, ...]
    orders: tuple[Order, ...]
    refunds: tuple[Refund, ...]

    def __len__(self) -> int:
        """Count the rows of all tables."""
        return len(self.customers) + len(self.orders) + len(self.refunds)


def seeded(seed: int) -> random.Random:
    """Give the random numbers that a shop is made from; the same seed makes the same shop."""
    return random.Random(seed)  # noqa: S311 - nothing here is secret


def opened(rng: random.Random, *, customers: int = 120, orders: int = 260, refunds: int = 40) -> Shop:
    """Make the shop as the first run finds it."""
    people = tuple(_customer(rng, number, OPENING) for number in range(1, customers + 1))
    start = people[-1].updated_at
    bought = tuple(_order(rng, number, rng.choice(people), start) for number in range(orders))
    start = bought[-1].updated_at
    returned = rng.sample(bought, refunds)
    return Shop(people, bought, tuple(_refund(rng, number, order, start) for number, order in enumerate(returned, 1)))


def next_day(rng: random.Random, shop: Shop, *, customers: int = 3, orders: int = 8, refunds: int = 2) -> Shop:
    """Make the rows that a shop gets on the day after: new ones only, later than all that it has."""
    start = max(rows[-1].updated_at for rows in (shop.customers, shop.orders, shop.refunds)) + timedelta(days=1)
    first = shop.customers[-1].id + 1
    people = tuple(_customer(rng, number, start) for number in range(first, first + customers))
    first = len(shop.orders)
    bought = tuple(
        _order(rng, number, rng.choice(shop.customers + people), start) for number in range(first, first + orders)
    )
    first = shop.refunds[-1].id + 1
    returned = rng.sample(bought, refunds)
    return Shop(
        people, bought, tuple(_refund(rng, number, order, start) for number, order in enumerate(returned, first))
    )


def _customer(rng: random.Random, number: int, start: datetime) -> Customer:
    at = _after(rng, start, number)
    name = rng.choice(NAMES)
    return Customer(
        id=number,
        account=_uuid(rng),
        email=None if number % 11 == 0 else f"Customer.{number}@Example.com",
        full_name=name,
        phone=f"+49 30 {rng.randrange(10**6, 10**7)}" if number % 3 else None,
        vip=rng.randrange(5) == 0,
        birthday=date(1950, 1, 1) + timedelta(days=rng.randrange(20_000)) if number % 4 else None,
        language=rng.choice(LANGUAGES),
        attributes={"city": rng.choice(CITIES), "points": number * 7, "referrer": None, "note": name},
        tags=None if number % 7 == 0 else rng.choices(TAGS, k=number % 4),
        created_at=at,
        updated_at=at,
    )


def _order(rng: random.Random, number: int, customer: Customer, start: datetime) -> Order:
    placed = _after(rng, start, number + 1)
    lines = 1 + number % 3
    return Order(
        id=_uuid(rng),
        number=FIRST_ORDER_NUMBER + number,
        customer_id=customer.id,
        email=customer.email,
        status=rng.choice(STATUSES),
        total=_money(rng),
        tax_rate=Decimal("0.19") if number % 5 else None,
        currency=rng.choice(CURRENCIES),
        gift=None if number % 9 == 0 else rng.randrange(3) == 0,
        skus=rng.choices(SKUS, k=lines),
        quantities=[rng.randrange(1, 5) for _ in range(lines)],
        shipping={"city": rng.choice(CITIES), "express": number % 2 == 0, "cost": 4.9} if number % 6 else None,
        weight_kg=rng.randrange(1, 2**12) / 2**6 if number % 8 else None,
        deliver_on=placed.date() + timedelta(days=3) if number % 2 else None,
        placed_at=placed,
        updated_at=placed + timedelta(minutes=5),
    )


def _refund(rng: random.Random, number: int, order: Order, start: datetime) -> Refund:
    partial = number % 2 == 0
    at = _after(rng, start, number)
    return Refund(
        id=number,
        order_id=order.id,
        customer_id=order.customer_id,
        email=order.email,
        amount=(order.total / 2).quantize(Decimal("0.0001")) if partial else order.total,
        reason=rng.choice(REASONS),
        partial=partial,
        items=len(order.skus),
        booked_at=at.replace(tzinfo=None),
        updated_at=at,
    )


def _after(rng: random.Random, start: datetime, number: int) -> datetime:
    """Give each row of a table a later time than the one before it, to the microsecond."""
    return (start + timedelta(hours=number, microseconds=rng.randrange(10**6))).astimezone(BERLIN)


def _money(rng: random.Random) -> Decimal:
    return Decimal(rng.randrange(10_000, 50_000_000)).scaleb(-4)


def _uuid(rng: random.Random) -> uuid.UUID:
    return uuid.UUID(int=rng.getrandbits(128), version=4)
