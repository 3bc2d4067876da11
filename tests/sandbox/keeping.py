"""Events as a store takes them, without a request."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from target_applied_events.sandbox.questions import list_contacts

if TYPE_CHECKING:
    from target_applied_events.sandbox.store import Store

SHOP, OTHER_SHOP = "66e4a5f0-0000-4000-8000-000000000001", "66e4a5f0-0000-4000-8000-000000000002"


def take(store: Store, shop: str = SHOP, name: str = "x", now: float = 1000.0, **parts: object) -> str | None:
    """Keep an event; gives the id of its contact."""
    body: dict[str, Any] = {"name": name, **parts}
    contact = store.take(1, shop, json.loads(json.dumps(body), parse_float=Decimal), json.dumps(body), now).contact
    return contact.id if contact else None


def contacts(store: Store, **asked: str) -> list[dict[str, Any]]:
    """List contacts, the one heard of last first."""
    return list_contacts(store.db, asked, "", 100).rows
