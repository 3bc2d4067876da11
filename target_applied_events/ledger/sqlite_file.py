"""The file of an SQLite ledger: made whole or not at all, opened if it is one, and what its errors mean."""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING, cast

from sqlalchemy import URL, Connection, create_engine, insert, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from target_applied_events.durable import sync_directory
from target_applied_events.errors import LedgerError, said
from target_applied_events.ledger.tables import STAMP, VERSION, about, check_version, metadata

if TYPE_CHECKING:
    from collections.abc import Iterator

APPLICATION_ID = 0x61656C31
BUSY_SECONDS = 10.0

# Each dirtied page is written whole, and keys are random: smaller pages than the usual 4 KiB write less.
_PAGE_BYTES = 2048
_CHECKPOINT_PAGES = 2000
_CACHE_KIB = 3072

# SQLite's locks and shared memory don't hold across machines.
_NETWORK_FILE_SYSTEMS = frozenset(
    [
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "fuse.glusterfs",
        "fuse.sshfs",
        "glusterfs",
        "gpfs",
        "lustre",
        "nfs",
        "nfs4",
        "smb3",
        "smbfs",
    ]
)


def open_file(path: Path) -> tuple[Connection, bool]:
    """Open a ledger's file, made if there is none; whether it was.

    Raises:
        LedgerError: It can't be used; a bad one is left as it is.
        DBAPIError: As above, without the words.
        OSError: As above.
    """
    is_new = _make_sure_of(path)
    connection = _connect(path)
    try:
        _check(connection, path)
        _prepare(connection, path)
        connection.exec_driver_sql(STAMP)  # shows that it can be written
    except BaseException:
        connection.close()
        raise
    return connection, is_new


def _make_sure_of(path: Path) -> bool:
    """Make the file if there is none; True where it was made."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    kind = file_system(path.parent)
    if kind in _NETWORK_FILE_SYSTEMS:
        raise LedgerError(
            f"The ledger {path} would lie on a network file system ({kind}), where SQLite's locks don't hold: put "
            "data_dir on a local disk, or give a PostgreSQL ledger_url."
        )
    if path.exists():
        if not path.stat().st_size:
            raise LedgerError(
                f"The ledger {path} is an empty file: restore it from a copy, or remove it to start anew."
            )
        return False
    if path.with_name(path.name + "-wal").exists():
        raise LedgerError(
            f"The ledger {path} is gone, and its {path.name}-wal is still there: restore both from a copy."
        )
    return _make(path)


def _make(path: Path) -> bool:
    """Make a whole ledger under another name, then give it its own: a kill leaves none, never half a one."""
    draft = path.with_name(f"{path.name}.new-{secrets.token_hex(4)}")
    try:
        os.close(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        with contextlib.closing(_connect(draft)) as connection:
            connection.exec_driver_sql(f"PRAGMA page_size = {_PAGE_BYTES}")
            connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
            _prepare(connection, path)
            metadata.create_all(connection)
            connection.execute(
                insert(about).values(version=VERSION, created_at=int(time.time()), delivered=0, stamps=0)
            )
            connection.engine.dispose()
        try:
            os.link(draft, path)
        except FileExistsError:  # another run was first
            return False
    finally:
        draft.unlink(missing_ok=True)
    sync_directory(path.parent)
    return True


def _connect(path: Path) -> Connection:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        connect_args={"check_same_thread": False, "timeout": BUSY_SECONDS},
    )
    return engine.connect()


def driver_of(connection: Connection) -> sqlite3.Connection:
    """Give the driver's own connection, which commits by itself and is for what is done at each commit."""
    return cast("sqlite3.Connection", connection.connection.dbapi_connection)


def _prepare(connection: Connection, path: Path) -> None:
    run = connection.exec_driver_sql
    run(f"PRAGMA cache_size = -{_CACHE_KIB}")
    mode = run("PRAGMA journal_mode = WAL").scalar()
    if mode != "wal":
        raise LedgerError(f"The ledger {path} can't have a write-ahead log, only {mode}: put data_dir on a local disk.")
    run("PRAGMA synchronous = NORMAL")
    run(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")


def _check(connection: Connection, path: Path) -> None:
    place = f"The ledger {path}"
    if connection.exec_driver_sql("PRAGMA application_id").scalar() != APPLICATION_ID:
        raise LedgerError(f"{place} is a database, but no ledger of this program: give another ledger_url or data_dir.")
    check_version(connection.execute(select(about.c.version)).scalar(), place)


def file_system(directory: Path) -> str | None:
    """Name the kind of file system that a directory is on, where the system tells."""
    try:
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None
    directory = directory.resolve()
    found: tuple[int, str | None] = (-1, None)
    for mount in mounts:
        before, _, after = mount.partition(" - ")
        point = Path(before.split(" ")[4].replace("\\040", " "))
        if directory.is_relative_to(point) and len(point.parts) >= found[0]:
            found = (len(point.parts), after.split(" ")[0])
    return found[1]


@contextlib.contextmanager
def explained(place: str) -> Iterator[None]:
    """Say what an error of the database or the file system means for its owner."""
    try:
        yield
    except DBAPIError as error:
        raise LedgerError(f"{place} {_meaning(error.orig)}") from None
    except sqlite3.Error as error:
        raise LedgerError(f"{place} {_meaning(error)}") from None
    except OSError as error:
        raise LedgerError(f"{place} can't be used: {said(error)}. See data_dir and ledger_url.") from None


def _meaning(error: BaseException | None) -> str:  # noqa: PLR0911 - a return for each kind reads as the table it is
    name = getattr(error, "sqlite_errorname", "")
    match name.split("_")[1] if "_" in name else "":
        case "CORRUPT" | "NOTADB":
            return f"is damaged ({error}): restore it from a copy. A new one is not made over it."
        case "BUSY" | "LOCKED":
            return f"has been locked for {BUSY_SECONDS:g} seconds by another program: end that one, or wait for it."
        case "READONLY" | "PERM" | "AUTH":
            return f"can't be written ({error}): see the file's and its directory's owner and permissions."
        case "FULL":
            return "can't be written: the disk is full."
        case "CANTOPEN":
            return f"can't be opened ({error}): see data_dir, ledger_url and the permissions there."
        case "IOERR":
            return f"can't be read or written ({name}: {error}): see whether the disk is full, or failing."
        case _:
            return f"can't be used: {error}."
