"""What can be asked of the store: events, contacts, metrics and requests, a page at a time."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from target_applied_events.sandbox.store import Store, Total

_FIRST_SECOND, _LAST_SECOND = -62135596800, 253402300799
"""The years 1 to 9999, which is all that a time can be written for."""

MOST_BARS = 48
_STEPS = (1, 5, 15, 60, 300, 900, 3600, 10800, 21600, 43200, 86400, 604800, 2592000, 31536000)
"""Widths of a chart's bar in seconds: a second to a year."""

_EVENTS = (
    "SELECT e.id, e.request_id, e.at, e.received_at, e.shop_id, c.id AS contact_id, e.counted, e.metric_name, e.value,"
    " e.body, c.name AS contact_name, coalesce(c.email, c.phone, c.remote_id) AS contact_label"
    " FROM events e LEFT JOIN contacts c ON c.number = e.contact"
)
_CONTACTS = "SELECT number, id, shop_id, email, phone, remote_id, name, last_at, events FROM contacts"
_REQUESTS = "SELECT * FROM requests"
_KNOWN_BY = " || char(10) || ".join(
    f"coalesce({column}, '')" for column in ("email", "phone", "phone_key", "remote_id", "name")
)
_EVENT_FILTERS = {
    "contact_id": "c.id = ?",
    "shop_id": "e.shop_id = ?",
    "name": "e.name = ?",
    "metric_name": "e.metric_name = ?",
    "q": "instr(lower(e.body), lower(?)) > 0",
}
_OUTCOMES = {
    "taken": "event_id IS NOT NULL",
    "refused": "problems IS NOT NULL",
    "faulted": "fault IS NOT NULL",
}


_BEYOND = 1 << 62
"""More than any number that is given."""


class CursorError(Exception):
    """A list is to go on from a place that no list has named."""

    def __init__(self) -> None:
        """Say what is wanted."""
        super().__init__("after must be the next of an earlier answer to the same question")


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list.

    Attributes:
        rows: What is on it.
        next: What to ask for the part after it; None at the end.
    """

    rows: list[dict[str, Any]]
    next: str | None


def rfc3339(seconds: float) -> str:
    """Write seconds since 1970 as a time in UTC."""
    seconds = min(max(seconds, _FIRST_SECOND), _LAST_SECOND)
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def list_events(db: sqlite3.Connection, asked: Mapping[str, str], *, latest: bool, cursor: str, limit: int) -> Page:
    """List events in the order of arrival, or the latest first by their own time; `asked` filters."""
    wheres = [where for name, where in _EVENT_FILTERS.items() if name in asked]
    values: list[Any] = [asked[name] for name in _EVENT_FILTERS if name in asked]
    wheres.append("(e.at, e.id) < (?, ?)" if latest else "e.id > ?")
    values += _pair(cursor) if latest else [_whole(cursor or "0")]
    order = "e.at DESC, e.id DESC" if latest else "e.id"
    rows = _select(db, f"{_EVENTS} WHERE {' AND '.join(wheres)} ORDER BY {order} LIMIT ?", [*values, limit])
    last = rows[-1] if len(rows) == limit else None
    following = None if last is None else f"{last['at']!r},{last['id']}" if latest else str(last["id"])
    for row in rows:
        row.update(at=rfc3339(row["at"]), received_at=rfc3339(row["received_at"]), counted=bool(row["counted"]))
    return Page(rows, following)


def list_contacts(db: sqlite3.Connection, asked: Mapping[str, str], cursor: str, limit: int) -> Page:
    """List contacts, the one heard of last first; `q` is looked for in all that they are known by."""
    wheres, values = ["(last_at, number) < (?, ?)"], _pair(cursor)
    if asked.get("q"):
        wheres.append(f"instr(lower({_KNOWN_BY}), lower(?)) > 0")
        values.append(asked["q"].strip())
    for name in ("shop_id", "id"):
        if name in asked:
            wheres.append(f"{name} = ?")
            values.append(asked[name])
    order = "last_at DESC, number DESC"
    rows = _select(db, f"{_CONTACTS} WHERE {' AND '.join(wheres)} ORDER BY {order} LIMIT ?", [*values, limit])
    last = rows[-1] if len(rows) == limit else None
    following = None if last is None else f"{last['last_at']!r},{last['number']}"
    for row in rows:
        row["last_at"] = rfc3339(row["last_at"])
        del row["number"]
    return Page(rows, following)


def list_requests(db: sqlite3.Connection, outcome: str | None, *, latest: bool, cursor: str, limit: int) -> Page:
    """List requests in the order of arrival, or the latest first; `outcome` is taken, refused or faulted."""
    wheres = [_OUTCOMES[outcome]] if outcome else []
    wheres.append("id < ?" if latest else "id > ?")
    start = _whole(cursor or (str(_BEYOND) if latest else "0"))
    order = "id DESC" if latest else "id"
    rows = _select(db, f"{_REQUESTS} WHERE {' AND '.join(wheres)} ORDER BY {order} LIMIT ?", [start, limit])
    following = str(rows[-1]["id"]) if len(rows) == limit else None
    for row in rows:
        row["at"] = rfc3339(row["at"])
        row["problems"] = json.loads(row["problems"] or "[]")
    return Page(rows, following)


def list_metrics(store: Store) -> list[dict[str, Any]]:
    """Give each metric's account and its course over time, by name."""
    return [_metric(store.db, name, store.totals[name]) for name in sorted(store.totals)]


def _metric(db: sqlite3.Connection, name: str, total: Total) -> dict[str, Any]:
    span = "SELECT min(at), max(at) FROM events WHERE metric_name = ? AND counted"
    (first, last) = db.execute(span, (name,)).fetchone()
    step = next((step for step in _STEPS if last // step - first // step < MOST_BARS), _STEPS[-1])
    bars = db.execute(
        "SELECT CAST(at / :step AS INTEGER) - (at < CAST(at / :step AS INTEGER) * :step) AS bar, count(*),"
        " total(CAST(value AS REAL)) FROM events WHERE metric_name = :name AND counted GROUP BY bar ORDER BY bar",
        {"step": step, "name": name},
    )
    return {
        "metric_name": name,
        "count": total.count,
        "sum": format(total.sum, "f"),
        "repeated": total.repeated,
        "first_at": rfc3339(first),
        "last_at": rfc3339(last),
        "step_seconds": step,
        "bars": [
            {"at": rfc3339(bar * step), "count": count, "sum": value if math.isfinite(value) else None}
            for bar, count, value in bars
        ],
    }


def _select(db: sqlite3.Connection, query: str, values: list[Any]) -> list[dict[str, Any]]:
    cursor = db.execute(query, values)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def _pair(cursor: str) -> list[Any]:
    if not cursor:
        return [math.inf, _BEYOND]
    time, _, number = cursor.partition(",")
    try:
        return [float(time), _whole(number)]
    except ValueError:
        raise CursorError from None


def _whole(cursor: str) -> int:
    if not re.fullmatch(r"[0-9]{1,19}", cursor, re.ASCII) or int(cursor) > _BEYOND:
        raise CursorError
    return int(cursor)
