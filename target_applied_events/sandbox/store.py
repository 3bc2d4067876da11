"""What the sandbox keeps, in SQLite: contacts, the events of their timelines, and every request as it came."""

from __future__ import annotations

import sqlite3
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from target_applied_events.sandbox import contract

if TYPE_CHECKING:
    from collections.abc import Iterator

_CONTACT_NAMESPACE = uuid.UUID("5b0c7a3e-3f43-4f0e-9d53-0a4e5d6f7c11")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS contacts (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL, shop_id TEXT NOT NULL,
    email TEXT, phone TEXT, remote_id TEXT, name TEXT,
    email_key TEXT, phone_key TEXT, first_at REAL NOT NULL, last_at REAL NOT NULL, events INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX IF NOT EXISTS contacts_by_email ON contacts (shop_id, email_key) WHERE email_key IS NOT NULL;
CREATE UNIQUE INDEX IF NOT EXISTS contacts_by_phone ON contacts (shop_id, phone_key) WHERE phone_key IS NOT NULL;
CREATE UNIQUE INDEX IF NOT EXISTS contacts_by_remote_id ON contacts (shop_id, remote_id) WHERE remote_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS contacts_by_last_at ON contacts (last_at DESC, number DESC);
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY, request_id INTEGER NOT NULL, at REAL NOT NULL, received_at REAL NOT NULL,
    shop_id TEXT NOT NULL, contact INTEGER REFERENCES contacts, name TEXT NOT NULL,
    metric_name TEXT, value TEXT, counted INTEGER NOT NULL, body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS events_by_contact ON events (contact, at DESC, id DESC);
CREATE INDEX IF NOT EXISTS events_by_metric ON events (metric_name, at) WHERE metric_name IS NOT NULL;
CREATE TABLE IF NOT EXISTS deduping_keys (
    shop_id TEXT NOT NULL, deduping_key TEXT NOT NULL, PRIMARY KEY (shop_id, deduping_key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS requests (
    id INTEGER PRIMARY KEY, at REAL NOT NULL, started REAL NOT NULL, finished REAL,
    method TEXT NOT NULL, path TEXT NOT NULL, shop_id TEXT, client TEXT, status INTEGER, fault TEXT,
    problems TEXT, event_id INTEGER, body TEXT
);
"""


@dataclass(frozen=True, slots=True)
class Contact:
    """A person in a shop, as the endpoint answers it."""

    number: int
    id: str
    email: str | None
    phone: str | None
    remote_id: str | None
    name: str | None

    def answer(self) -> dict[str, str | None]:
        """Give what the endpoint tells of a contact."""
        return {"id": self.id, "email": self.email, "phone": self.phone, "remote_id": self.remote_id}


@dataclass(frozen=True, slots=True)
class Taken:
    """An event that was taken: its number, and its contact where it has one."""

    event_id: int
    contact: Contact | None


def rfc3339(seconds: float) -> str:
    """Write seconds since 1970 as a UTC time."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


class Store:
    """An event is kept with its contact, or not at all; numbers follow the order of arrival."""

    def __init__(self, path: str = ":memory:") -> None:
        """Open the file, or make it; `:memory:` keeps nothing beyond the process."""
        self._path = path
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;" + _SCHEMA)

    def __repr__(self) -> str:
        """Tell where it is kept, and how much there is."""
        (count,) = self._db.execute("SELECT count(*) FROM events").fetchone()
        return f"<Store {self._path}: {count} events>"

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def take(self, request_id: int, shop_id: str, body: dict[str, Any], raw: str, now: float) -> Taken:
        """Keep an event that holds to the contract, and find or make its contact."""
        with self._transaction():
            contact = self._resolve(shop_id, body["contact"], now) if body.get("contact") else None
            at = contract.parse_time(body["event_time"]).timestamp() if "event_time" in body else now
            metric = body.get("metric") or {}
            row = (
                request_id,
                at,
                now,
                shop_id,
                contact.number if contact else None,
                body["name"],
                metric.get("metric_name"),
                str(metric.get("value", 1)) if metric else None,
                bool(metric) and self._is_first(shop_id, metric.get("deduping_key")),
                raw,
            )
            cursor = self._db.execute(
                "INSERT INTO events (request_id, at, received_at, shop_id, contact, name, metric_name, value, counted,"
                " body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                row,
            )
        return Taken(cursor.lastrowid or 0, contact)

    def _transaction(self) -> sqlite3.Connection:
        self._db.execute("BEGIN")
        return self._db

    def _is_first(self, shop_id: str, deduping_key: str | None) -> bool:
        if deduping_key is None:
            return True
        inserted = self._db.execute("INSERT OR IGNORE INTO deduping_keys VALUES (?, ?)", (shop_id, deduping_key))
        return inserted.rowcount == 1

    def _resolve(self, shop_id: str, given: dict[str, str], now: float) -> Contact:
        known = {name: text for name, text in given.items() if text.strip()}
        keys = _keys(known)
        owners = {column: self._owner(shop_id, column, key) for column, key in keys.items()}
        number = next((owner for owner in owners.values() if owner is not None), None)
        if number is None:
            number = self._new_contact(shop_id, now)
        for column, owner in owners.items():
            if owner is None:
                self._fill(number, column, keys[column], known)
        if "name" in known:
            self._db.execute("UPDATE contacts SET name = ? WHERE number = ?", (known["name"], number))
        self._db.execute("UPDATE contacts SET events = events + 1, last_at = ? WHERE number = ?", (now, number))
        row = self._db.execute(
            "SELECT number, id, email, phone, remote_id, name FROM contacts WHERE number = ?", (number,)
        )
        return Contact(*row.fetchone())

    def _owner(self, shop_id: str, column: str, key: str) -> int | None:
        query = {
            "email_key": "SELECT number FROM contacts WHERE shop_id = ? AND email_key = ?",
            "phone_key": "SELECT number FROM contacts WHERE shop_id = ? AND phone_key = ?",
            "remote_id": "SELECT number FROM contacts WHERE shop_id = ? AND remote_id = ?",
        }[column]
        row = self._db.execute(query, (shop_id, key)).fetchone()
        return None if row is None else int(row[0])

    def _new_contact(self, shop_id: str, now: float) -> int:
        (count,) = self._db.execute("SELECT coalesce(max(number), 0) + 1 FROM contacts").fetchone()
        contact_id = str(uuid.uuid5(_CONTACT_NAMESPACE, f"{shop_id}/{count}"))
        self._db.execute(
            "INSERT INTO contacts (number, id, shop_id, first_at, last_at) VALUES (?, ?, ?, ?, ?)",
            (count, contact_id, shop_id, now, now),
        )
        return int(count)

    def _fill(self, number: int, column: str, key: str, known: dict[str, str]) -> None:
        query = {
            "email_key": "UPDATE contacts SET email_key = ?, email = ? WHERE number = ? AND email_key IS NULL",
            "phone_key": "UPDATE contacts SET phone_key = ?, phone = ? WHERE number = ? AND phone_key IS NULL",
            "remote_id": "UPDATE contacts SET remote_id = ?, remote_id = ? WHERE number = ? AND remote_id IS NULL",
        }[column]
        self._db.execute(query, (key, known[column.removesuffix("_key")], number))

    def log_request(self, row: dict[str, Any]) -> None:
        """Keep a request that has been answered, or broken off."""
        self._db.execute(
            "INSERT INTO requests (id, at, started, finished, method, path, shop_id, client, status, fault,"
            " problems, event_id, body) VALUES (:id, :at, :started, :finished, :method, :path, :shop_id, :client,"
            " :status, :fault, :problems, :event_id, :body)",
            row,
        )

    def events(self, after: int, limit: int) -> Iterator[dict[str, Any]]:
        """Give events in the order of their arrival, the body as it came."""
        rows = self._db.execute(
            "SELECT e.id, e.request_id, e.at, e.received_at, e.shop_id, c.id, e.counted, e.body FROM events e"
            " LEFT JOIN contacts c ON c.number = e.contact WHERE e.id > ? ORDER BY e.id LIMIT ?",
            (after, limit),
        )
        for number, request_id, at, received_at, shop_id, contact_id, counted, body in rows:
            yield {
                "id": number,
                "request_id": request_id,
                "at": rfc3339(at),
                "received_at": rfc3339(received_at),
                "shop_id": shop_id,
                "contact_id": contact_id,
                "counted": bool(counted),
                "body": body,
            }

    def requests(self, after: int, limit: int) -> list[dict[str, Any]]:
        """Give requests in the order of their arrival."""
        cursor = self._db.execute("SELECT * FROM requests WHERE id > ? ORDER BY id LIMIT ?", (after, limit))
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def clear(self) -> None:
        """Forget everything."""
        with self._transaction():
            for table in ("events", "contacts", "deduping_keys", "requests"):
                self._db.execute(f"DELETE FROM {table}")  # noqa: S608 - the names stand in the line above


def _keys(known: dict[str, str]) -> dict[str, str]:
    keys: dict[str, str] = {}
    if "email" in known:
        keys["email_key"] = known["email"].strip().lower()
    phone = "".join(char for char in known.get("phone", "") if char in "+0123456789")
    if phone:
        keys["phone_key"] = phone
    if "remote_id" in known:
        keys["remote_id"] = known["remote_id"].strip()
    return keys
