"""A small shop's events, the same each time, for pictures and for pages that need something to show."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from collections.abc import Iterator

SHOP = "66e4a5f0-0000-4000-8000-000000000001"
HEADERS = {"Authorization": "Bearer AL-sandbox", "X-Shop-Id": SHOP}
PEOPLE = (
    {"name": "Ada Lovelace", "email": "ada@example.com", "phone": "+44 20 7946 0018", "remote_id": "1001"},
    {"name": "Grace Hopper", "email": "grace@example.com", "phone": "+1 202 555 0143", "remote_id": "1002"},
    {"name": "José Núñez", "email": "jose@example.es", "remote_id": "1003"},
    {"name": "Zoë Müller", "email": "zoe@example.de", "phone": "+49 30 901820", "remote_id": "1004"},
    {"name": "Katherine Johnson", "email": "katherine@example.org", "remote_id": "1005"},
    {"email": "guest-77@example.com"},
    {"name": "Alan Turing", "email": "alan@example.org", "remote_id": "1007"},
    {"name": "Margaret Hamilton", "email": "margaret@example.org", "remote_id": "1008"},
    {"name": "Søren Kierkegaard", "email": "soren@example.dk", "remote_id": "1009"},
    {"phone": "+33 1 70 18 99 00"},
)
KINDS = ("Order placed", "Order placed", "Order placed", "Order shipped", "Order shipped", "Refund issued", "Signed up")


def send(url: str, event: dict[str, Any]) -> requests.Response:
    """Send one event."""
    return requests.post(f"{url}/events/", json=event, headers=HEADERS, timeout=10)


def events(now: datetime, days: int = 40) -> Iterator[dict[str, Any]]:
    """Some days of a shop, ending now."""
    dice = random.Random(7)  # noqa: S311 - dice, no secret
    number = 1000
    for ago in range(days, -1, -1):
        for _ in range(dice.randrange(2, 6)):
            number += 1
            person = PEOPLE[min(dice.randrange(len(PEOPLE)), dice.randrange(len(PEOPLE)))]
            at = now - timedelta(days=ago, minutes=dice.randrange(3, 500))
            yield _event(dice.choice(KINDS), number, dice.randrange(500, 40000) / 100, person, at)


def _event(kind: str, number: int, total: float, person: dict[str, str], at: datetime) -> dict[str, Any]:
    event: dict[str, Any] = {
        "name": kind,
        "contact": person,
        "event_time": at.astimezone(UTC).isoformat("T", "seconds"),
    }
    key = f"{kind}-{number}"
    match kind:
        case "Order placed":
            event["description"] = f"Order {number} for {total:.2f} EUR"
            event["metric"] = {"metric_name": "order_value", "value": total, "deduping_key": key}
        case "Order shipped":
            event["description"] = f"Order {number} has left the warehouse"
            event["metric"] = {"metric_name": "parcels_shipped", "value": 1, "deduping_key": key}
        case "Refund issued":
            event["description"] = f"{total:.2f} EUR for order {number}"
            event["metric"] = {"metric_name": "refund_value", "value": -total, "deduping_key": key}
        case _:
            event["metric"] = {"metric_name": "sign_ups", "deduping_key": key}
    return event
