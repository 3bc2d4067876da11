"""A ledger in an SQLite file, shared by the runs of one machine."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import URL, Connection, select

from target_applied_events.errors import LedgerError
from target_applied_events.ledger import run_lock
from target_applied_events.ledger.run_lock import RunLock
from target_applied_events.ledger.sqlite_file import driver_of, explained, open_file
from target_applied_events.ledger.tables import LOOK_UP, RESERVE, STAMP, Notes, about

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from sqlalchemy import Row, Select

_INTEND = (
    "INSERT OR REPLACE INTO applied_events_intents (key, run, since, stream, key_properties) VALUES (?, ?, ?, ?, ?)"
)
_DELIVER = "INSERT OR IGNORE INTO applied_events_delivered (key, met) VALUES (?, ?)"
_END = "DELETE FROM applied_events_intents WHERE key = ?"
_WITHDRAW = "DELETE FROM applied_events_intents WHERE key = ? AND run = ?"
_COUNT = "UPDATE applied_events_about SET delivered = delivered + ?"
_SHOP = "INSERT OR IGNORE INTO applied_events_shops (origin, shop_id) VALUES (?, ?)"
_MEET = "UPDATE applied_events_delivered SET met = ? WHERE key = ?"
_RESERVE = RESERVE.format(bucket=":bucket", now=":now", cost=":cost", hold=":hold", most="max")


class SqliteStore:
    """What `note` returned from survives the process, and what `sync` returned from survives the machine."""

    def __init__(
        self, path: Path, connection: Connection, lock: RunLock, *, clock: Callable[[], float], is_new: bool
    ) -> None:
        """Keep what `open` made."""
        self.place = f"The ledger {path}"
        self.is_new = is_new
        self._path = path
        self._file = path.stat()
        self._connection = connection
        self._driver: sqlite3.Connection = driver_of(connection)  # a statement through SQLAlchemy costs thrice as much
        self._lock = lock
        self._clock = clock
        self._is_synced = True

    def __repr__(self) -> str:
        """Name the file."""
        return f"<SqliteStore {self._path} {'synced' if self._is_synced else 'not synced'}>"

    @classmethod
    def open(cls, url: URL, run: str, clock: Callable[[], float]) -> Self:
        """Open a ledger's file, made if there is none, and take the run's lock.

        Raises:
            LedgerError: It can't be used; a bad one is left as it is.
        """
        path = Path(url.database or "").absolute()
        with explained(f"The ledger {path}"):
            connection, is_new = open_file(path)
            try:
                run_lock.sweep(path)
                return cls(path, connection, RunLock.take(path, run), clock=clock, is_new=is_new)
            except BaseException:
                connection.close()
                raise

    def rows(self, query: Select[Any]) -> Sequence[Row[Any]]:
        """Ask what is asked seldom."""
        with explained(self.place):
            return self._connection.execute(query).all()

    def look_up(self, keys: Sequence[bytes]) -> Sequence[Any]:
        """Return key and day for what was delivered, key and run for what was intended."""
        with explained(self.place):
            return self._look_up(keys)

    def _look_up(self, keys: Sequence[bytes]) -> Sequence[Any]:
        # Few lengths, so that few statements are compiled: the last key is repeated.
        length = 1 << (len(keys) - 1).bit_length()
        among = "IN ({})".format(", ".join("?" * length))
        padded = (*keys, *[keys[-1]] * (length - len(keys)))
        return self._driver.execute(LOOK_UP.format(among=among), padded * LOOK_UP.count("{among}")).fetchall()

    def note(self, notes: Notes) -> bool:
        """Note all of it in one transaction; False where an intent wasn't free: then all but the intents is noted."""
        with self._transaction():
            self._end(notes)
            is_free = self._is_free(notes)
            if is_free:
                rows = [(i.key, notes.run, int(notes.now), i.stream, i.key_properties) for i in notes.intents]
                self._many(_INTEND, rows)
        return is_free

    def _end(self, notes: Notes) -> None:
        new = self._many(_DELIVER, [(key, notes.day) for key in notes.delivered])
        if new:
            self._driver.execute(_COUNT, (new,))
        self._many(_END, [(key,) for key in notes.delivered])
        self._many(_WITHDRAW, [(key, notes.run) for key in notes.withdrawn])
        self._many(_SHOP, list(notes.shops))

    def _is_free(self, notes: Notes) -> bool:
        ours = {notes.run, *notes.dead}
        keys = [intent.key for intent in notes.intents]
        return not keys or all(run in ours for _, _, run in self._look_up(keys))

    def meet(self, keys: Sequence[bytes], day: int) -> None:
        """Note that delivered events were met again."""
        with self._transaction():
            self._many(_MEET, [(day, key) for key in keys])

    def _many(self, statement: str, rows: list[Any]) -> int:
        return self._driver.executemany(statement, rows).rowcount if rows else 0

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        with explained(self.place):
            self._check_in_place()
            self._driver.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._driver.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):  # SQLite has ended it by itself already, after some errors
                    self._driver.execute("ROLLBACK")
                raise
            self._is_synced = False

    def _check_in_place(self) -> None:
        """Raise where the file was removed or replaced: SQLite would go on writing to what nobody can open again."""
        try:
            in_place = os.path.samestat(self._path.stat(), self._file)
        except FileNotFoundError:
            in_place = False
        if not in_place:
            raise LedgerError(f"{self.place} was removed or replaced while this run used it: restore it from a copy.")

    def is_live(self, run: str) -> bool:
        """Whether another run still holds its lock."""
        with explained(self.place):
            return run_lock.is_live(self._path, run)

    def sync(self) -> None:
        """Return when all that was noted is on disk.

        Ordinary commits are written to the write-ahead log and not synced. One commit under synchronous=FULL syncs that
        file as a whole, the earlier ones in it included; what a checkpoint has moved on before was synced by it.
        """
        if self._is_synced:
            return
        with explained(self.place):
            self._driver.execute("PRAGMA synchronous = FULL")
        with self._transaction():
            self._driver.execute(STAMP)
        with explained(self.place):
            self._driver.execute("PRAGMA synchronous = NORMAL")
        self._is_synced = True

    def delivered_estimate(self) -> int:
        """Tell how many events were delivered, by a counter."""
        with explained(self.place):
            return int(self._connection.execute(select(about.c.delivered)).scalar_one())

    def forget(self, *, met_before_day: int, sent_before: int, dead: Collection[str]) -> int:
        """Delete what was last met before a day, and dead runs' intents from before a time; how many."""
        with self._transaction():
            run = self._driver.execute
            gone = run("DELETE FROM applied_events_delivered WHERE met < ?", (met_before_day,)).rowcount
            run(_COUNT, (-gone,))
            rows = [(sent_before, run_id) for run_id in dead]
            return gone + self._many("DELETE FROM applied_events_intents WHERE since < ? AND run = ?", rows)

    def reserve(self, bucket: str, cost_seconds: float, hold_seconds: float) -> tuple[float, float]:
        """Move a bucket's next free moment on; seconds until the one before it, and until its hold ends."""
        values = {"bucket": bucket, "cost": cost_seconds, "hold": hold_seconds}
        with self._transaction():  # its lock first, then the clock
            ((wait, held),) = self._driver.execute(_RESERVE, values | {"now": self._clock()}).fetchall()
        return float(wait), float(held)

    def close(self) -> None:
        """Give up the lock and the connection."""
        with explained(self.place):
            self._connection.close()
            self._connection.engine.dispose()
            self._lock.release()
