"""Whether the data directory and the ledger can be used, seen without making or writing anything."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import create_engine, inspect, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from target_applied_events.commands.findings import Finding, Sign
from target_applied_events.errors import LedgerError
from target_applied_events.ledger.sqlite_file import _NETWORK_FILE_SYSTEMS, APPLICATION_ID, file_system
from target_applied_events.ledger.tables import about, check_version, delivered
from target_applied_events.settings.ledger_url import NO_DRIVER, NONE, place_of, read_ledger_url, said_by_server

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection

CONNECT_SECONDS = 10


def of_data_dir(directory: Path) -> Finding:
    """Look whether a directory can be written to, or made."""
    for place in (directory, *(directory / name for name in ("rejected", "runs"))):
        if problem := _problem(place):
            return Finding(Sign.WRONG, f"data_dir: {problem}.")
    made = "can be written" if directory.exists() else "isn't there yet and can be made"
    return Finding(Sign.GOOD, f"data_dir: {directory} {made}.")


def _problem(directory: Path) -> str | None:
    """Say why a directory can't be written to, or made; None where it can."""
    there = next(place for place in (directory.absolute(), *directory.absolute().parents) if os.path.lexists(place))
    if not there.is_dir():
        return f"{there} is no directory"
    if not os.access(there, os.W_OK | os.X_OK):
        return f"{there} can't be written: see its owner and permissions, and whether its disk is read-only"
    return None


def of_ledger(ledger_url: str) -> Finding:
    """Look whether a ledger can be used, or made."""
    if ledger_url == NONE:
        return Finding(Sign.WARNING, "ledger_url: none, so nothing is known from run to run: repeats are sent again.")
    url = read_ledger_url(ledger_url)
    try:
        said = _look_at_file(url) if url.get_backend_name() == "sqlite" else _look_at_server(url)
    except LedgerError as error:
        return Finding(Sign.WRONG, f"ledger_url: {error}")
    return Finding(Sign.GOOD, f"ledger_url: {place_of(url)} {said}.")


def _look_at_file(url: URL) -> str:
    path = Path(url.database or "").absolute()
    if problem := _problem(path.parent):
        raise LedgerError(f"{problem}. See data_dir.")
    near = next(place for place in path.parents if place.exists())
    if (kind := file_system(near)) in _NETWORK_FILE_SYSTEMS:
        raise LedgerError(f"{path} lies on a network file system ({kind}): put it on a local disk, or use PostgreSQL.")
    if not path.exists():
        return "isn't there yet and can be made: whatever was delivered before is delivered again"
    if not os.access(path, os.R_OK | os.W_OK):
        raise LedgerError(f"{path} can't be read and written: see its owner and permissions.")
    return _look_into_file(path)


def _look_into_file(path: Path) -> str:
    """Read who made it; where no other process uses it, SQLite is told so, lest it makes files beside it."""
    alone = not path.with_name(f"{path.name}-wal").exists()
    try:
        with contextlib.closing(
            sqlite3.connect(f"{path.as_uri()}?{'immutable=1' if alone else 'mode=ro'}", uri=True)
        ) as connection:
            (application,) = connection.execute("PRAGMA application_id").fetchone()
            if application != APPLICATION_ID:
                raise LedgerError(f"{path} is no ledger of this program: give another ledger_url or data_dir.")
            row = connection.execute("SELECT version, delivered FROM applied_events_about").fetchone()
    except sqlite3.Error as error:
        raise LedgerError(f"{path} can't be read ({error}): restore it from a copy.") from None
    check_version(row and row[0], f"The ledger {path}")
    return f"can be used, {row[1]} events delivered"


def _look_at_server(url: URL) -> str:
    options = {} if "connect_timeout" in url.query else {"connect_timeout": CONNECT_SECONDS}
    try:
        engine = create_engine(url, poolclass=NullPool, connect_args=options)
        with contextlib.closing(engine.connect()) as connection:
            connection.execute(text("SET TRANSACTION READ ONLY"))
            return _look_into_server(connection, place_of(url))
    except ImportError:
        raise LedgerError(NO_DRIVER) from None
    except DBAPIError as error:
        raise LedgerError(
            f"{place_of(url)} can't be used: {said_by_server(error)}. See whether its server is up."
        ) from None


def _look_into_server(connection: Connection, place: str) -> str:
    if not inspect(connection).has_table(about.name):
        if not connection.execute(text("SELECT has_schema_privilege(current_schema(), 'CREATE')")).scalar():
            raise LedgerError(f"{place} holds no ledger, and its user may not make tables: grant CREATE on the schema.")
        return "holds no ledger yet, and one can be made: whatever was delivered before is delivered again"
    check_version(connection.execute(select(about.c.version)).scalar(), f"The ledger {place}")
    may_write = text("SELECT has_table_privilege(:name, 'INSERT, UPDATE, DELETE')")
    if not connection.execute(may_write, {"name": delivered.name}).scalar():
        raise LedgerError(f"{place} can't be written by its user: grant INSERT, UPDATE and DELETE on its tables.")
    return "can be used"
