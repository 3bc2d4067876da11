"""The shop of the `demo` subcommand: the messages that a tap would send of it, and the mappings for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

Message = dict[str, Any]

PEOPLE = {
    "Ada@Example.com": "Ada Lovelace",
    "Grace@Example.com": "Grace Hopper",
    "Jose@Example.com": "José Núñez",
    "Zoe@Example.com": "Zoë Müller",
    "Katherine@Example.com": "Katherine Johnson",
    "Soren@Example.com": "Søren Kierkegaard",
    "Li@Example.com": "李小龙",
}
GUESTS = ("guest.77@example.com", "guest.78@example.com")
REASONS = ("damaged", "too small", "changed their mind", None)
FIRST_NUMBER = 1001
OPEN_FOR = timedelta(days=28)

CUSTOMERS, ORDERS, REFUNDS = "public-customers", "public-orders", "public-refunds"

_WHO = {"email": "{{ email | lower }}", "remote_id": "{{ customer_id }}"}
MAPPINGS: list[Message] = [
    {
        "stream": CUSTOMERS,
        "name": "Signed up",
        "description": "{{ full_name }} from {{ city }}",
        "event_time": "{{ created_at }}",
        "contact": {
            "email": "{{ email | lower }}",
            "name": "{{ full_name }}",
            "phone": "{{ phone }}",
            "remote_id": "{{ id }}",
        },
        "once_per": "{{ id }}",
    },
    {
        "stream": ORDERS,
        "name": "Order placed",
        "description": "Order {{ number }}, {{ skus | length }} items",
        "event_time": "{{ placed_at }}",
        "contact": _WHO,
        "once_per": "{{ number }}",
    },
    {
        "stream": ORDERS,
        "when": "{{ status == 'paid' }}",
        "name": "Order paid",
        "description": "{{ total }} {{ currency }} for order {{ number }}",
        "event_time": "{{ paid_at }}",
        "contact": _WHO,
        "metric": {
            "metric_name": "order_value",
            "value": "{{ total }}",
            "additional_properties": {"currency": "{{ currency }}"},
        },
        "once_per": "{{ number }}",
    },
    {
        "stream": REFUNDS,
        "name": "Refund issued",
        "description": "{{ amount }} for order {{ number }}: {{ reason or 'no reason given' }}",
        "event_time": "{{ booked_at }}",
        "contact": _WHO,
        "metric": {"metric_name": "refunded", "value": "{{ amount }}"},
    },
]


@dataclass(frozen=True, slots=True)
class Shop:
    """What a tap sends of a shop in one run, stream by stream.

    Attributes:
        customers: Records of `public-customers`.
        orders: Records of `public-orders`.
        refunds: Records of `public-refunds`.
    """

    customers: tuple[Message, ...]
    orders: tuple[Message, ...]
    refunds: tuple[Message, ...]

    def __len__(self) -> int:
        """Count the records."""
        return len(self.customers) + len(self.orders) + len(self.refunds)

    def messages(self) -> Iterator[Message]:
        """Give the messages, a STATE after each stream."""
        bookmarks: Message = {}
        for stream, records in ((CUSTOMERS, self.customers), (ORDERS, self.orders), (REFUNDS, self.refunds)):
            yield _schema(stream)
            yield from ({"type": "RECORD", "stream": stream, "record": record} for record in records)
            bookmarks[stream] = {"records": len(records)}
            yield {"type": "STATE", "value": {"bookmarks": dict(bookmarks)}}


def opened(dice: random.Random, now: datetime, *, orders: int = 140) -> Shop:
    """Make the shop as the first run finds it: four weeks of trade that end a day before `now`, and two bad records."""
    start = now - OPEN_FOR
    customers = tuple(_customer(dice, number, email, start) for number, email in enumerate(PEOPLE, 1))
    step = (OPEN_FOR - timedelta(days=1)) / orders
    sold = [_order(dice, FIRST_NUMBER + count, customers, start + count * step) for count in range(orders)]
    refunds = tuple(_refund(dice, order) for order in sold if order["status"] == "paid" and dice.random() < 1 / 8)
    return Shop(customers, (*sold[:-2], *_spoilt(*sold[-2:])), refunds)


def next_day(dice: random.Random, now: datetime, shop: Shop, *, orders: int = 40) -> Shop:
    """Make what a tap sends a day later: new orders, and the newest customer and refund once more, as taps do."""
    first, start = FIRST_NUMBER + len(shop.orders), now - timedelta(hours=20)
    step = timedelta(hours=20) / orders
    sold = tuple(_order(dice, first + count, shop.customers, start + count * step) for count in range(orders))
    return Shop(shop.customers[-1:], sold, shop.refunds[-1:])


def _customer(dice: random.Random, number: int, email: str, start: datetime) -> Message:
    return {
        "id": number,
        "email": email,
        "full_name": PEOPLE[email],
        "phone": f"+49 30 {dice.randrange(10**6, 10**7)}" if number % 3 else None,
        "city": dice.choice(("Berlin", "Köln", "Łódź", "Saint-Étienne")),
        "created_at": _time(start + timedelta(hours=number)),
    }


def _order(dice: random.Random, number: int, customers: tuple[Message, ...], at: datetime) -> Message:
    buyer = dice.choice((*customers, *customers, *({"id": None, "email": guest} for guest in GUESTS)))
    status = dice.choice(("placed", "paid", "paid", "paid"))
    return {
        "number": number,
        "customer_id": buyer["id"],
        "email": buyer["email"],
        "status": status,
        "total": Decimal(dice.randrange(500, 40_000)).scaleb(-2),
        "currency": "EUR",
        "skus": dice.choices(("MUG-BLUE", "TEE-L", "POSTER-A2", "STICKER 🐙"), k=dice.randrange(2, 5)),
        "placed_at": _time(at),
        "paid_at": _time(at + timedelta(minutes=5)) if status == "paid" else None,
    }


def _spoilt(first: Message, second: Message) -> tuple[Message, Message]:
    """Make what every shop has: a total that is a text, and a paid order that nobody knows the time of."""
    return {**first, "total": "on the house"}, {**second, "status": "paid", "paid_at": None}


def _refund(dice: random.Random, order: Message) -> Message:
    taken = {name: order[name] for name in ("number", "customer_id", "email")}
    at = datetime.fromisoformat(order["paid_at"]) + timedelta(hours=dice.randrange(1, 20))
    return {**taken, "amount": order["total"], "reason": dice.choice(REASONS), "booked_at": _time(at)}


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")


def _schema(stream: str) -> Message:
    text: Message = {"type": ["string", "null"]}
    time: Message = {"type": ["string", "null"], "format": "date-time"}
    whole, number = {"type": ["integer", "null"]}, {"type": ["number", "null"]}
    buyer: Message = {"number": whole, "customer_id": whole, "email": text}
    match stream:
        case "public-customers":
            key = "id"
            columns = {"id": whole, "email": text, "full_name": text, "phone": text, "city": text, "created_at": time}
        case "public-orders":
            key, texts = "number", {"type": "array", "items": text}
            columns = {**buyer, "status": text, "total": number, "currency": text, "skus": texts}
            columns |= {"placed_at": time, "paid_at": time}
        case _:
            key, columns = "number", {**buyer, "amount": number, "reason": text, "booked_at": time}
    schema = {"type": "object", "properties": columns}
    return {"type": "SCHEMA", "stream": stream, "schema": schema, "key_properties": [key]}
