"""Rejected records in a table of a PostgreSQL ledger, line by line as in their file: a worker's disk may go with it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, TypeVar

from sqlalchemy import Connection, Engine, TextClause, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from target_applied_events.errors import RejectedRecordsError
from target_applied_events.restarts import reconnect
from target_applied_events.settings.ledger_url import NO_DRIVER, NONE, place_of, read_ledger_url, said_by_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sqlalchemy import URL

CONNECT_SECONDS = 10

_T = TypeVar("_T")

_EXISTS = text("SELECT to_regclass('applied_events_rejected') IS NOT NULL")
_MAKE = (
    text("SELECT pg_advisory_xact_lock(7022364301)"),  # two that make it at once would both fail
    text("""
CREATE TABLE IF NOT EXISTS applied_events_rejected (
  run text, number bigint, line text NOT NULL, hash bytea, done_at bigint, given_up boolean NOT NULL DEFAULT false,
  PRIMARY KEY (run, number)
)"""),
)
# What a position settles on must survive a crash of the server, whatever the role's default is.
_SYNCHRONOUS = text(
    "SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'"
)
_KEEP = text(
    "INSERT INTO applied_events_rejected (run, number, line, hash) VALUES (:run, :number, :line, :hash) "
    "ON CONFLICT DO NOTHING"
)
_GIVEN_UP = text("SELECT DISTINCT hash FROM applied_events_rejected WHERE given_up AND hash IS NOT NULL")
_RUNS = text("SELECT DISTINCT run FROM applied_events_rejected WHERE done_at IS NULL ORDER BY run")
_LINES = text("SELECT line FROM applied_events_rejected WHERE run = :run AND done_at IS NULL ORDER BY number")
_COUNT = text("SELECT count(*) FROM applied_events_rejected WHERE run = :run AND done_at IS NULL")
_DONE = text(
    "UPDATE applied_events_rejected SET done_at = :now, given_up = :given_up WHERE run = :run AND done_at IS NULL"
)
_IS_FREE = text("SELECT pg_try_advisory_xact_lock_shared(:lock)")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file of rejected records.

    Attributes:
        text: The line, with its end.
        hash: What its record is known by; None for a SCHEMA.
    """

    text: str
    hash: bytes | None = None


class RejectedTable:
    """What `keep` returned from is on the server's disk; the table is there only once it has something to hold.

    It is used by one thread at a time.
    """

    def __init__(self, url: URL) -> None:
        """Keep the address; nothing is connected yet.

        Raises:
            RejectedRecordsError: There is no driver for it.
        """
        self.place = place_of(url)
        self._engine = _engine(url)
        self._connection: Connection | None = None

    def __repr__(self) -> str:
        """Tell the place and whether it's connected."""
        return f"<RejectedTable {self.place} {'connected' if self._connection else 'not connected'}>"

    @classmethod
    def beside(cls, ledger_url: str) -> Self | None:
        """Make the table of a ledger; None where the ledger isn't PostgreSQL."""
        if ledger_url == NONE or (url := read_ledger_url(ledger_url)).get_backend_name() != "postgresql":
            return None
        return cls(url)

    def keep(self, run: str, first_number: int, lines: Iterable[Line]) -> None:
        """Write lines of a run; return when they are on disk. The same ones may be written twice.

        Raises:
            RejectedRecordsError: They can't be written.
        """
        rows = [
            {"run": run, "number": number, "line": line.text, "hash": line.hash}
            for number, line in enumerate(lines, start=first_number)
        ]

        def work(connection: Connection) -> None:
            _make_sure_of(connection)
            connection.execute(_KEEP, rows)

        self._twice(work, was_there=True)

    def given_up(self) -> frozenset[bytes]:
        """Read the hashes of what was given up for good, for a run that may reject the same."""
        return frozenset(row[0] for row in self._read(_GIVEN_UP, was_there=True))

    def runs_left(self) -> list[str]:
        """Name the runs of which something is left to do, oldest first."""
        return [row[0] for row in self._read(_RUNS)]

    def lines_left(self, run: str) -> list[str]:
        """Read what is left of a run."""
        return [row[0] for row in self._read(_LINES, run=run)]

    def count_left(self, run: str) -> int:
        """Count the lines that are left of a run."""
        return sum(row[0] for row in self._read(_COUNT, run=run))

    def is_live(self, lock: int) -> bool:
        """Whether the run of a lock still holds it."""
        return not self._twice(lambda connection: connection.execute(_IS_FREE, {"lock": lock}).scalar())

    def mark_done(self, run: str, *, give_up: bool) -> None:
        """Take what is left of a run for done.

        Args:
            run: The run.
            give_up: Whether the same records aren't to be kept when they are rejected once more.
        """
        self._read(_DONE, run=run, given_up=give_up, now=int(time.time()))

    def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        self._engine.dispose()

    def _read(self, statement: TextClause, *, was_there: bool = False, **values: object) -> Sequence[Any]:
        def work(connection: Connection) -> Sequence[Any]:
            if not connection.execute(_EXISTS).scalar():
                return ()
            result = connection.execute(statement, values)
            return result.all() if result.returns_rows else ()

        return self._twice(work, was_there=was_there)

    def _twice(self, work: Callable[[Connection], _T], *, was_there: bool = False) -> _T:
        """Do some work in one transaction; after a lost connection, once more in a new one.

        Args:
            work: The work.
            was_there: The run's ledger has reached the server, so one that isn't there restarts; else only one that
                was connected before does.
        """
        try:
            try:
                return self._once(work)
            except DBAPIError as error:
                is_away = was_there and self._connection is None
                if not (error.connection_invalidated or is_away):
                    raise
            reconnect(self._connect, DBAPIError)
            return self._once(work)
        except DBAPIError as error:
            raise RejectedRecordsError(
                f"Rejected records can't be kept beside the ledger {self.place}: {said_by_server(error)}. Nothing is "
                "given up without being kept. See ledger_url, and whether its server is up."
            ) from None

    def _once(self, work: Callable[[Connection], _T]) -> _T:
        connection = self._connect()
        with connection.begin():
            return work(connection)

    def _connect(self) -> Connection:
        if self._connection is None or self._connection.invalidated:
            self.close()
            self._connection = self._engine.connect()
        return self._connection


def _engine(url: URL) -> Engine:
    options = {} if "connect_timeout" in url.query else {"connect_timeout": CONNECT_SECONDS}
    try:
        return create_engine(url, poolclass=NullPool, connect_args=options)
    except ImportError:
        raise RejectedRecordsError(NO_DRIVER) from None


def _make_sure_of(connection: Connection) -> None:
    if not connection.execute(_EXISTS).scalar():
        for statement in _MAKE:
            connection.execute(statement)
    connection.execute(_SYNCHRONOUS)
