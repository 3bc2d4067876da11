"""The ledger's tables, the same in SQLite and PostgreSQL, and what its stores are asked."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self

from sqlalchemy import BigInteger, Column, Float, Integer, LargeBinary, MetaData, SmallInteger, Table, Text

from target_applied_events.errors import LedgerError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Row, Select

    from target_applied_events.event import Event

VERSION = 1
"""Of the tables below. A ledger of a later version is left alone."""

metadata = MetaData()

_TEXT = json.JSONEncoder(default=str)

STAMP = "UPDATE applied_events_about SET stamps = stamps + 1"

about = Table(
    "applied_events_about",
    metadata,
    Column("version", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),  # seconds since the epoch
    # Counted in SQLite alone: the runs on a PostgreSQL would queue at it.
    Column("delivered", BigInteger, nullable=False),
    # Counts what is written for the writing's sake: SQLite writes and syncs nothing where nothing changes.
    Column("stamps", BigInteger, nullable=False),
)

delivered = Table(
    "applied_events_delivered",
    metadata,
    Column("key", LargeBinary(16), primary_key=True),
    Column("met", SmallInteger, nullable=False),  # days since the epoch, renewed every REFRESH_DAYS
    sqlite_with_rowid=False,
)

intents = Table(
    "applied_events_intents",
    metadata,
    Column("key", LargeBinary(16), primary_key=True),
    Column("run", Text, nullable=False),
    Column("since", BigInteger, nullable=False),  # seconds since the epoch
    Column("stream", Text, nullable=False),
    Column("key_properties", Text, nullable=False),  # JSON
    sqlite_with_rowid=False,
)

shops = Table(
    "applied_events_shops",
    metadata,
    Column("origin", Text, primary_key=True),
    Column("shop_id", Text, primary_key=True),
    sqlite_with_rowid=False,
)

pace = Table(
    "applied_events_pace",
    metadata,
    Column("bucket", Text, primary_key=True),
    Column("at", Float(53), nullable=False),  # the clock when the row was written
    Column("free_at", Float(53), nullable=False),
    Column("held_until", Float(53), nullable=False),
    sqlite_with_rowid=False,
)

LOOK_UP = """
SELECT key, met, NULL FROM applied_events_delivered WHERE key {among}
UNION ALL SELECT key, NULL, run FROM applied_events_intents WHERE key {among}
"""

# A bucket's clock may be set back: by more than a second, what lies ahead of it is moved along.
_BACK = "CASE WHEN applied_events_pace.at - {now} > 1 THEN applied_events_pace.at - {now} ELSE 0 END"

RESERVE = f"""
INSERT INTO applied_events_pace (bucket, at, free_at, held_until)
VALUES ({{bucket}}, {{now}}, {{now}} + {{cost}}, {{now}} + {{hold}})
ON CONFLICT (bucket) DO UPDATE SET
  at = {{now}},
  held_until = {{most}}(applied_events_pace.held_until - {_BACK}, {{now}} + {{hold}}),
  free_at = {{cost}} + {{most}}(
    {{now}}, applied_events_pace.free_at - {_BACK}, applied_events_pace.held_until - {_BACK}
  )
RETURNING free_at - {{cost}} - at, held_until - at
"""  # noqa: S608 - made of constants


@dataclass(frozen=True, slots=True)
class Opening:
    """What the first line of a run says of its ledger.

    Attributes:
        is_new: It was made just now: nothing is known of earlier deliveries.
        delivered: About how many events are known as delivered: SQLite keeps a counter, PostgreSQL estimates.
        since: When it was made; None where there is no ledger.
        in_doubt: How many events earlier runs may have sent, no answer told.
        place: Where it is, without password.
    """

    is_new: bool
    delivered: int
    since: datetime | None
    in_doubt: int
    place: str

    def text(self) -> str:
        """Say it in one line."""
        if self.since is None:
            return "none: nothing is known of earlier runs, and the next will know nothing of this one"
        if self.is_new:
            return f"{self.place}, new: whatever was delivered before is delivered again"
        doubt = f", {self.in_doubt} in doubt (`ledger --in-doubt` shows them)" if self.in_doubt else ""
        return f"{self.place}, {self.delivered} events delivered since {self.since:%Y-%m-%d}{doubt}"


@dataclass(frozen=True, slots=True)
class InDoubt:
    """An event that an ended run may have sent, though no answer told.

    Attributes:
        key: Its key.
        stream: The stream of its record.
        key_properties: The primary key of its record.
        since: When it was sent.
        run: The run that sent it.
    """

    key: bytes
    stream: str
    key_properties: Mapping[str, Any]
    since: datetime
    run: str


@dataclass(frozen=True, slots=True)
class Intent:
    """What is noted of an event just before it is sent."""

    key: bytes
    stream: str
    key_properties: str

    @classmethod
    def of(cls, event: Event) -> Self:
        """Note an event, in text that any database can store."""
        stream = event.stream.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")
        return cls(event.key, stream, _TEXT.encode(dict(event.key_properties)))


@dataclass(frozen=True, slots=True)
class Notes:
    """What one transaction notes.

    Attributes:
        run: The run whose intents these are.
        now: Seconds since the epoch.
        intents: Events about to be sent, by ascending key.
        delivered: Keys of events that were taken.
        withdrawn: Keys of this run's intents that came to nothing; those also among the intents begin anew.
        shops: Pairs of origin and shop that took one, if not noted yet.
        dead: Runs known to have ended, whose intents may be taken over.
    """

    run: str
    now: float
    intents: Sequence[Intent] = ()
    delivered: Sequence[bytes] = ()
    withdrawn: Sequence[bytes] = ()
    shops: Sequence[tuple[str, str]] = ()
    dead: Collection[str] = ()

    @property
    def day(self) -> int:
        """Days since the epoch."""
        return int(self.now // 86_400)


class Store(Protocol):
    """One database that holds a ledger, and the lock that shows others that this run lives.

    Every method raises LedgerError where the database can't do it.
    """

    place: str
    is_new: bool

    def look_up(self, keys: Sequence[bytes]) -> Sequence[Any]:
        """Return key and day for what was delivered, key and run for what was intended."""

    def note(self, notes: Notes) -> bool:
        """Note all of it in one transaction; False where an intent wasn't free: then all but the intents is noted."""

    def meet(self, keys: Sequence[bytes], day: int) -> None:
        """Note that delivered events were met again."""

    def is_live(self, run: str) -> bool:
        """Whether another run still holds its lock."""

    def sync(self) -> None:
        """Return when all that was noted is on disk."""

    def delivered_estimate(self) -> int:
        """Tell about how many events were delivered, without counting millions."""

    def forget(self, *, met_before_day: int, sent_before: int, dead: Collection[str]) -> int:
        """Delete what was last met before a day, and dead runs' intents from before a time; how many."""

    def reserve(self, bucket: str, cost_seconds: float, hold_seconds: float) -> tuple[float, float]:
        """Move a bucket's next free moment on; seconds until the one before it, and until its hold ends."""

    def rows(self, query: Select[Any]) -> Sequence[Row[Any]]:
        """Ask what is asked seldom."""

    def close(self) -> None:
        """Give up the lock and the connection."""


def check_version(version: int | None, place: str) -> None:
    """Stop at a ledger that a later version made, or at what is none."""
    if version is None:
        raise LedgerError(f"{place} holds no ledger, though it has a ledger's tables: restore it from a copy.")
    if version > VERSION:
        raise LedgerError(
            f"{place} was written by a later version of this program (tables {version}, known here {VERSION}): "
            "run that version, or give this one another ledger_url."
        )
