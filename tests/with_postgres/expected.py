"""The events that the demo's mappings must make, computed anew from the rows."""

from __future__ import annotations

import json
import uuid
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from demo import postgres

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Row = dict[str, Any]
Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rows:
    """What the tables hold, each in the order that the tap reads it."""

    customers: tuple[Row, ...]
    orders: tuple[Row, ...]
    refunds: tuple[Row, ...]

    @classmethod
    def read(cls, socket: Path) -> Rows:
        """Read all rows."""
        with psycopg.connect(postgres.url(socket), row_factory=dict_row) as connection:
            query = sql.SQL("select * from {} order by updated_at")
            tables = map(sql.Identifier, ("customers", "orders", "refunds"))
            return cls(*(tuple(connection.execute(query.format(table))) for table in tables))

    def __len__(self) -> int:
        """Count them all."""
        return len(self.customers) + len(self.orders) + len(self.refunds)


def bodies(rows: Rows) -> list[Body]:
    """Compute each event's body, in the order that the rows are read."""
    return [
        *map(_signed_up, rows.customers),
        *(body for row in rows.orders for body in _ordered(row)),
        *map(_refunded, rows.refunds),
    ]


def comparable(body: Body) -> Body:
    """Make times of the body's texts, and leave out the key that only the target can compute."""
    metric = {key: value for key, value in body.get("metric", {}).items() if key != "deduping_key"}
    at = body["event_time"]
    made = {"event_time": at if isinstance(at, datetime) else datetime.fromisoformat(at)}
    return body | made | ({"metric": metric} if metric else {})


def in_one_order(found: list[Body]) -> list[Body]:
    """Order bodies by what they are, whenever they came."""
    return sorted(map(comparable, found), key=lambda body: (body["name"], body["event_time"]))


def by_contact(found: list[Body]) -> dict[str, list[tuple[str, object]]]:
    """Tell the events of each contact, in the order they came."""
    order = defaultdict(list)
    for body in map(comparable, found):
        order[body["contact"]["remote_id"]].append((body["name"], body["event_time"]))
    return order


def _signed_up(row: Row) -> Body:
    return {
        "name": "Signed up",
        "description": f"{row['full_name']}, {row['attributes']['city']}",
        "event_time": row["created_at"],
        "contact": _without_nulls(
            email=_lower(row["email"]), name=row["full_name"], phone=row["phone"], remote_id=str(row["id"])
        ),
    }


def _ordered(row: Row) -> Iterator[Body]:
    contact = _without_nulls(email=_lower(row["email"]), remote_id=str(row["customer_id"]))
    yield {
        "name": "Order placed",
        "description": f"Order {row['number']} for {row['total']} {row['currency']}",
        "event_time": row["placed_at"],
        "contact": contact,
        "metric": {
            "metric_name": "order_value",
            "value": row["total"],
            "metric_object_id": str(row["id"]),
            "metric_object_type": "order",
            "context_object_id": stable_uuid("customer", row["customer_id"]),
            "context_object_type": "customer",
            "additional_properties": _without_nulls(
                currency=row["currency"],
                gift=None if row["gift"] is None else str(row["gift"]).lower(),
                items=str(len(row["skus"])),
                skus=json.dumps(row["skus"], ensure_ascii=False, separators=(",", ":")),
            ),
        },
    }
    if row["status"] == "shipped":
        city = row["shipping"]["city"] if row["shipping"] else "the shop"
        yield {
            "name": "Order shipped",
            "description": f"Order {row['number']} to {city}",
            "event_time": row["updated_at"],
            "contact": contact,
        }


def _refunded(row: Row) -> Body:
    share = "in part" if row["partial"] else "in full"
    return {
        "name": "Refunded",
        "description": f"{row['amount']} {share}: {row['reason'] or 'no reason given'}",
        "event_time": row["booked_at"].replace(tzinfo=UTC),
        "contact": _without_nulls(email=_lower(row["email"]), remote_id=str(row["customer_id"])),
        "metric": {
            "metric_name": "refund_value",
            "value": row["amount"],
            "metric_object_id": stable_uuid("refund", row["id"]),
            "metric_object_type": "refund",
            "context_object_id": str(row["order_id"]),
            "context_object_type": "order",
            "additional_properties": _without_nulls(items=str(row["items"]), reason=row["reason"]),
        },
    }


def stable_uuid(kind: str, value: int) -> str:
    """Compute what the filter `uuid` must give for an integer key; it must never give another."""
    return str(uuid.uuid5(uuid.UUID("5b0f1b0e-6c0a-5d0e-9d43-0d5f2a1c7e11"), f"{kind}:{value}"))


def _without_nulls(**values: str | None) -> dict[str, str]:
    return {name: value for name, value in values.items() if value is not None}


def _lower(text: str | None) -> str | None:
    return None if text is None else text.lower()
