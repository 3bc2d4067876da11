"""The session of a run with a PostgreSQL ledger: its lock, and its return after a restart of the server."""

from __future__ import annotations

import contextlib
import hashlib
import time
from typing import TYPE_CHECKING, Any, Self, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, insert, inspect, select
from sqlalchemy.exc import DBAPIError, NoSuchModuleError
from sqlalchemy.pool import NullPool

from target_applied_events.errors import LedgerError
from target_applied_events.ledger.tables import STAMP, VERSION, about, check_version, metadata
from target_applied_events.restarts import reconnect
from target_applied_events.settings.ledger_url import NO_DRIVER, place_of, said_by_server

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Row, Select

CONNECT_SECONDS = 10
LOCK_SECONDS = 10

_DIVISION_BY_ZERO = "22012"
_LOCK = "SELECT pg_try_advisory_lock(%(lock)s), pg_backend_pid()"
_BACKEND = "SELECT pg_backend_pid()"

_T = TypeVar("_T")

_SESSION = (
    f"SET lock_timeout = '{LOCK_SECONDS}s'",
    # What a STATE stands on must survive a crash of the server, whatever the role's default is.
    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'",
)


class UndoneError(Exception):
    """A statement undid itself, by a division by zero."""


class PostgresSession:
    """While it is open, the session that writes is the one that holds the run's lock.

    So the lock can't be lost unnoticed: with a lost connection both are gone, and a new one takes the lock before
    anything else is done.
    """

    def __init__(self, engine: Engine, run: str, place: str) -> None:
        """Keep the parts; `open` makes one."""
        self.place = place
        self.is_new = False
        self._engine = engine
        self._run = run
        self._connection: Connection | None = None
        self._backend: int | None = None

    def __repr__(self) -> str:
        """Tell the place, and the server's process of the session."""
        return f"<PostgresSession {self.place} backend={self._backend}>"

    @classmethod
    def open(cls, url: URL, run: str) -> Self:
        """Open the ledger of a database, made if there is none, and take the run's lock.

        Raises:
            LedgerError: It can't be used, or is reached by a pool that can't hold a session's lock.
        """
        session = cls(_engine(url), run, f"The ledger {place_of(url)}")
        try:
            session.is_new = _make_sure_of(session._engine, session.place)
            session._connect()
            session._refuse_pool()
        except DBAPIError as error:
            session.close()
            raise session._error(error) from None
        except BaseException:
            session.close()
            raise
        return session

    def _connect(self) -> None:
        """Make the session and take the run's lock in it, before anything else."""
        self._connection = connection = self._engine.connect()
        try:
            for statement in _SESSION:
                connection.exec_driver_sql(statement)
            self._take_lock(connection)
        except BaseException:
            self._disconnect()
            raise

    def _take_lock(self, connection: Connection) -> None:
        locked, self._backend = connection.exec_driver_sql(_LOCK, {"lock": lock_of(self._run)}).one()
        if not locked:
            raise LedgerError(
                f"{self.place} has a session that is the run {self._run} already. Run again: each run has its own name."
            )

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()

    def _refuse_pool(self) -> None:
        """Raise where a pool hands the server's sessions from client to client, and a lock with them.

        While a second client has a transaction open, a pool must give the first another session.
        """
        with self._engine.connect() as other:
            other.exec_driver_sql("BEGIN")
            ours = self.ask(_BACKEND)[0][0]
            other.exec_driver_sql("ROLLBACK")
        self.check_backend(ours)

    def check_backend(self, backend: int | None) -> None:
        """Raise where it isn't this session's process of the server that answered."""
        if backend != self._backend:
            raise LedgerError(
                f"{self.place} is reached by a connection pool that changes sessions between transactions (PgBouncer "
                "by transaction), so the lock that shows a run alive can't be held: give ledger_url the server "
                "itself, or a pool by session."
            )

    def ask(self, statement: str, values: dict[str, Any] | None = None) -> Sequence[Any]:
        """Run one statement, which is one transaction, and return its rows.

        After a lost connection it is run once more, so it must bear to be run twice.

        Raises:
            UndoneError: It divided by zero.
            LedgerError: It can't be run.
        """

        def now(connection: Connection) -> Sequence[Any]:
            result = connection.exec_driver_sql(statement, values or {})
            return result.all() if result.returns_rows else ()

        return self._twice(now)

    def query(self, query: Select[Any]) -> Sequence[Row[Any]]:
        """Run a query as `ask` does."""
        return self._twice(lambda connection: connection.execute(query).all())

    def _twice(self, work: Callable[[Connection], _T]) -> _T:
        if self._connection is None:
            raise LedgerError(f"{self.place} was lost. See ledger_url, and whether its server is up.")
        try:
            try:
                return work(self._connection)
            except DBAPIError as error:
                if not error.connection_invalidated:
                    raise
            self._reconnect()
            return work(self._connection)
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) == _DIVISION_BY_ZERO:
                raise UndoneError from None
            raise self._error(error) from None

    def _reconnect(self) -> None:
        """Wait for a server that restarts, and for the end of the lost session, which may hold the lock still."""
        self._disconnect()
        reconnect(self._connect, DBAPIError, LedgerError)

    def _error(self, error: DBAPIError) -> LedgerError:
        said = said_by_server(error)
        return LedgerError(f"{self.place} can't be used: {said}. See ledger_url, and whether its server is up.")

    def close(self) -> None:
        """Give the lock up and end the session: the server would notice the end alone a moment later."""
        if self._connection is not None:
            with contextlib.suppress(DBAPIError):
                self._connection.exec_driver_sql("SELECT pg_advisory_unlock_all()")
        self._disconnect()
        self._engine.dispose()


def _engine(url: URL) -> Engine:
    options = {"connect_timeout": CONNECT_SECONDS, "keepalives_idle": 30, "tcp_user_timeout": 30_000}
    try:
        return create_engine(
            url,
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            connect_args={name: value for name, value in options.items() if name not in url.query},
        )
    except (ImportError, NoSuchModuleError):
        raise LedgerError(NO_DRIVER) from None


def _make_sure_of(engine: Engine, place: str) -> bool:
    """Make the tables if there are none; True where they were made."""
    with engine.connect().execution_options(isolation_level="READ COMMITTED") as connection, connection.begin():
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%(lock)s)", {"lock": lock_of("making the tables")})
        is_new = not inspect(connection).has_table(about.name)
        if is_new:
            metadata.create_all(connection)
            connection.execute(
                insert(about).values(version=VERSION, created_at=int(time.time()), delivered=0, stamps=0)
            )
        check_version(connection.execute(select(about.c.version)).scalar(), place)
        connection.exec_driver_sql(STAMP)  # shows that it can be written
    return is_new


def lock_of(run: str) -> int:
    """The number of a run's advisory lock."""
    digest = hashlib.blake2b(f"target-applied-events {run}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)
