"""What is delivered: the messages of a shop's orders, the mapping for them, and the same bodies as plain Python."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

STREAM = "public-orders"
SHOP_ID = "66e4c0de-0000-4000-8000-000000000001"
API_KEY = "AL-bench"
_NOTE = "left with the neighbour, as agreed by phone; "

MAPPING: dict[str, Any] = {
    "stream": STREAM,
    "name": "Order placed",
    "description": "Order {{ number }} for {{ total }} {{ currency }}",
    "event_time": "{{ created_at }}",
    "contact": {"email": "{{ email | lower }}", "name": "{{ customer_name }}", "remote_id": "{{ customer_id }}"},
    "metric": {
        "metric_name": "order_value",
        "value": "{{ total }}",
        "metric_object_id": "{{ id }}",
        "metric_object_type": "order",
        "deduping_key": "order-{{ id }}",
        "additional_properties": {"currency": "{{ currency }}", "status": "{{ status }}"},
    },
}

BARE_MAPPING: dict[str, Any] = {
    "stream": STREAM,
    "name": "Order placed",
    "contact": {"email": "{{ email }}", "name": "{{ customer_name }}"},
}
"""Columns as they are and nothing else."""

_TYPES: dict[str, dict[str, Any]] = {
    "id": {"type": "string", "format": "uuid"},
    "number": {"type": "integer"},
    "customer_id": {"type": "integer"},
    "email": {"type": ["string", "null"]},
    "customer_name": {"type": ["string", "null"]},
    "total": {"type": ["number", "null"]},
    "currency": {"type": "string", "maxLength": 3},
    "status": {"type": "string"},
    "created_at": {"type": "string", "format": "date-time"},
    "note": {"type": ["string", "null"]},
}


def messages(count: int, *, seed: int = 1, extra_columns: int = 0, contacts: int = 0, states: int = 0) -> Iterator[str]:
    """Write a tap's messages, one line each.

    Args:
        count: How many orders.
        seed: Of all that is by chance.
        extra_columns: How many more columns that no mapping names.
        contacts: How many customers; 0: one for four orders.
        states: How many records lie between two STATEs; 0: one in 1,000.
    """
    extra = {f"extra_{number}": {"type": ["string", "null"]} for number in range(extra_columns)}
    schema = {"type": "object", "properties": _TYPES | extra, "required": ["id"]}
    yield _line(type="SCHEMA", stream=STREAM, schema=schema, key_properties=["id"])
    rng = random.Random(seed)  # noqa: S311 - no secret
    customers, states = contacts or max(count // 4, 1), states or 1000
    for number in range(count):
        record = _order(rng, number, customers) | dict.fromkeys(extra, _NOTE)
        yield _line(type="RECORD", stream=STREAM, record=record)
        if (number + 1) % states == 0:
            yield _line(type="STATE", value={"orders": number + 1})
    yield _line(type="STATE", value={"orders": count, "ended": True})


def _order(rng: random.Random, number: int, customers: int) -> dict[str, Any]:
    customer = number * 7919 % customers
    return {
        "id": f"{rng.getrandbits(32):08x}-0000-4000-8000-{number:012x}",
        "number": number,
        "customer_id": customer,
        "email": f"Customer.{customer}@example.com",
        "customer_name": f"Customer No. {customer}",
        "total": rng.randrange(100, 100_000) / 100,
        "currency": rng.choice(("EUR", "SEK", "USD")),
        "status": "paid",
        "created_at": f"2026-04-{number % 28 + 1:02}T14:30:00+00:00",
        "note": _NOTE,
    }


def _line(**message: object) -> str:
    return json.dumps(message, separators=(",", ":")) + "\n"


def bodies(lines: Iterable[str]) -> Iterator[str]:
    """Write the bodies for messages beforehand, one line each."""
    for line in lines:
        message = json.loads(line)
        if message["type"] == "RECORD":
            yield json.dumps(body(message["record"])) + "\n"


def body(record: dict[str, Any]) -> dict[str, Any]:
    """Make the event's body by hand, as who writes a sink of their own would."""
    total = record["total"]
    return {
        "name": "Order placed",
        "description": f"Order {record['number']} for {total} {record['currency']}",
        "event_time": _utc(record["created_at"]),
        "contact": {
            "email": record["email"].lower(),
            "name": record["customer_name"],
            "remote_id": str(record["customer_id"]),
        },
        "metric": {
            "metric_name": "order_value",
            "value": float(total) if isinstance(total, Decimal) else total,
            "metric_object_id": record["id"],
            "metric_object_type": "order",
            "deduping_key": f"order-{record['id']}",
            "additional_properties": {"currency": record["currency"], "status": record["status"]},
        },
    }


def _utc(moment: str | datetime) -> str:
    """Write a time as the endpoint wants it; the SDK's own sinks have read it already."""
    return (moment if isinstance(moment, str) else moment.isoformat()).replace("+00:00", "Z")


def headers() -> dict[str, str]:
    """Give the headers that each request has."""
    return {"Authorization": f"Bearer {API_KEY}", "X-Shop-Id": SHOP_ID}
