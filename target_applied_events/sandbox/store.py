"""What the sandbox keeps, in SQLite: contacts, the events of their timelines, and every request as it came."""

from __future__ import annotations

import sqlite3
import uuid
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import TYPE_CHECKING, Any

from target_applied_events.sandbox.body import parse_time
from target_applied_events.sandbox.identity import IDENTIFIERS, Contact, comparable, filled

if TYPE_CHECKING:
    from target_applied_events.sandbox.visit import Visit

EXACT = Context(prec=400)
"""Adds up whatever the contract lets in without rounding."""

_CONTACT_NAMESPACE = uuid.UUID("5b0c7a3e-3f43-4f0e-9d53-0a4e5d6f7c11")

_SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = OFF;
CREATE TABLE IF NOT EXISTS contacts (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL, shop_id TEXT NOT NULL,
    email TEXT, phone TEXT, remote_id TEXT, name TEXT, email_key TEXT, phone_key TEXT, remote_id_key TEXT,
    last_at REAL NOT NULL, events INTEGER NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS contacts_by_email ON contacts (shop_id, email_key) WHERE email_key IS NOT NULL;
CREATE UNIQUE INDEX IF NOT EXISTS contacts_by_phone ON contacts (shop_id, phone_key) WHERE phone_key IS NOT NULL;
CREATE UNIQUE INDEX IF NOT EXISTS contacts_by_remote_id ON contacts (shop_id, remote_id_key)
    WHERE remote_id_key IS NOT NULL;
CREATE UNIQUE INDEX IF NOT EXISTS contacts_by_id ON contacts (id);
CREATE INDEX IF NOT EXISTS contacts_by_last_at ON contacts (last_at, number);
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY, request_id INTEGER NOT NULL, at REAL NOT NULL, received_at REAL NOT NULL,
    shop_id TEXT NOT NULL, contact INTEGER, name TEXT NOT NULL, metric_name TEXT, value TEXT, counted INTEGER NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS events_by_time ON events (at, id);
CREATE INDEX IF NOT EXISTS events_by_contact ON events (contact, at, id);
CREATE INDEX IF NOT EXISTS events_by_metric ON events (metric_name, at, counted, value) WHERE metric_name IS NOT NULL;
CREATE TABLE IF NOT EXISTS deduping_keys (
    shop_id TEXT NOT NULL, deduping_key TEXT NOT NULL, PRIMARY KEY (shop_id, deduping_key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS requests (
    id INTEGER PRIMARY KEY, at REAL NOT NULL, started REAL NOT NULL, finished REAL NOT NULL, method TEXT NOT NULL,
    path TEXT NOT NULL, client TEXT, shop_id TEXT, status INTEGER, fault TEXT, problems TEXT, event_id INTEGER,
    body TEXT
);
CREATE INDEX IF NOT EXISTS requests_refused ON requests (id) WHERE problems IS NOT NULL;
CREATE INDEX IF NOT EXISTS requests_faulted ON requests (id) WHERE fault IS NOT NULL;
"""
_OWNERS = {
    name: f"SELECT number, id, email, phone, remote_id, name FROM contacts WHERE shop_id = ? AND {name}_key = ?"  # noqa: S608 - the names are ours
    for name in IDENTIFIERS
}


@dataclass(frozen=True, slots=True)
class Taken:
    """An event that was taken: its number, and its contact where it has one."""

    event_id: int
    contact: Contact | None


@dataclass(slots=True)
class Total:
    """A metric's account: how often it counted, its exact sum, and how often it came again with a known key."""

    count: int = 0
    sum: Decimal = Decimal(0)
    repeated: int = 0

    def add(self, value: str, *, counted: bool) -> None:
        """Count one more."""
        if counted:
            self.count += 1
            self.sum = EXACT.add(self.sum, Decimal(value))
        else:
            self.repeated += 1


class Store:
    """An event is kept with its contact, or not at all; numbers follow the order of arrival.

    Attributes:
        db: The connection, for those who only read.
        totals: The account of each metric by name.
    """

    def __init__(self, path: str = ":memory:") -> None:
        """Open the file, or make it; `:memory:` keeps nothing beyond the process."""
        self.db = sqlite3.connect(path, isolation_level=None, cached_statements=256)
        self.totals: defaultdict[str, Total] = defaultdict(Total)
        with ExitStack() as where_it_fails:
            where_it_fails.callback(self.close)
            self.db.executescript(_SCHEMA)
            self._add_up()
            where_it_fails.pop_all()

    def __repr__(self) -> str:
        """Tell how much there is."""
        return f"<Store {self.events} events, {self.contacts} contacts>"

    def _add_up(self) -> None:
        kept = self.db.execute("SELECT metric_name, value, counted FROM events WHERE metric_name IS NOT NULL")
        for name, value, counted in kept:
            self.totals[name].add(value, counted=bool(counted))
        self.events, self.contacts = self._count("events"), self._count("contacts")

    def close(self) -> None:
        """Close the file."""
        self.db.close()

    def last_request(self) -> int:
        """Give the number of the last request kept, 0 where there is none."""
        (number,) = self.db.execute("SELECT coalesce(max(id), 0) FROM requests").fetchone()
        return int(number)

    def take(self, request_id: int, shop_id: str, body: dict[str, Any], raw: str, now: float) -> Taken:
        """Keep an event that holds to the contract, and find or make its contact."""
        at = parse_time(body["event_time"]).timestamp() if "event_time" in body else now
        metric = body.get("metric")
        with self.db:
            self.db.execute("BEGIN")
            contact = self._resolve(shop_id, filled(body["contact"]), now) if "contact" in body else None
            counted = metric is not None and self._is_first(shop_id, metric.get("deduping_key"))
            name, value = (metric["metric_name"], str(metric.get("value", 1))) if metric is not None else (None, None)
            number = contact.number if contact else None
            cursor = self.db.execute(
                "INSERT INTO events (request_id, at, received_at, shop_id, contact, name, metric_name, value, counted,"
                " body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (request_id, at, now, shop_id, number, body["name"], name, value, counted, raw),
            )
        if name is not None and value is not None:
            self.totals[name].add(value, counted=counted)
        self.events += 1
        return Taken(cursor.lastrowid or 0, contact)

    def log_visit(self, visit: Visit) -> None:
        """Keep a request that has been answered or broken off."""
        self.db.execute(
            "INSERT INTO requests VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                visit.number,
                visit.at,
                visit.started,
                visit.finished,
                visit.method,
                visit.path,
                visit.client,
                visit.shop_id,
                visit.status,
                visit.fault,
                visit.problems,
                visit.event_id,
                visit.body,
            ),
        )

    def list_contacts(
        self, shop_id: str, email: str | None, phone: str | None, after: int, limit: int
    ) -> list[Contact]:
        """List the contacts of a shop in the order of creation, by email or phone where given."""
        rows = self.db.execute(
            "SELECT number, id, email, phone, remote_id, name FROM contacts WHERE shop_id = ? AND number > ?"
            " AND (? IS NULL OR email_key = ?) AND (? IS NULL OR phone_key = ?) ORDER BY number LIMIT ?",
            (
                shop_id,
                after,
                email,
                comparable("email", email or ""),
                phone,
                comparable("phone", phone or ""),
                limit,
            ),
        )
        return [Contact(*row) for row in rows]

    def clear(self) -> None:
        """Forget everything."""
        self.db.executescript(
            "BEGIN; DELETE FROM events; DELETE FROM contacts; DELETE FROM deduping_keys; DELETE FROM requests; COMMIT;"
        )
        self.totals.clear()
        self.events = self.contacts = 0

    def _count(self, table: str) -> int:
        (count,) = self.db.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - the names are ours
        return int(count)

    def _is_first(self, shop_id: str, deduping_key: str | None) -> bool:
        if deduping_key is None:
            return True
        inserted = self.db.execute("INSERT OR IGNORE INTO deduping_keys VALUES (?, ?)", (shop_id, deduping_key))
        return inserted.rowcount == 1

    def _resolve(self, shop_id: str, given: dict[str, str], now: float) -> Contact:
        keys = {name: comparable(name, given.get(name, "")) for name in IDENTIFIERS}
        owners = {name: self._owner(shop_id, name, key) for name, key in keys.items() if key is not None}
        free = frozenset(name for name, owner in owners.items() if owner is None)
        found = next((owner for owner in owners.values() if owner is not None), None)
        contact = (found or self._new(shop_id)).enriched(given, free)
        row = (contact.email, contact.phone, contact.remote_id, contact.name, *contact.keys().values(), now)
        if found is None:
            self.db.execute(
                "INSERT INTO contacts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)",
                (contact.number, contact.id, shop_id, *row),
            )
            self.contacts += 1
        else:
            self.db.execute(
                "UPDATE contacts SET email = ?, phone = ?, remote_id = ?, name = ?, email_key = ?, phone_key = ?,"
                " remote_id_key = ?, last_at = ?, events = events + 1 WHERE number = ?",
                (*row, contact.number),
            )
        return contact

    def _owner(self, shop_id: str, name: str, key: str) -> Contact | None:
        row = self.db.execute(_OWNERS[name], (shop_id, key)).fetchone()
        return None if row is None else Contact(*row)

    def _new(self, shop_id: str) -> Contact:
        (number,) = self.db.execute("SELECT coalesce(max(number), 0) + 1 FROM contacts").fetchone()
        return Contact(number, str(uuid.uuid5(_CONTACT_NAMESPACE, f"{shop_id}/{number}")))
