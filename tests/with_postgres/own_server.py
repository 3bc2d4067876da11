"""What tests do to a PostgreSQL server of their own."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING
from urllib.parse import quote

import psycopg

if TYPE_CHECKING:
    from collections.abc import Callable

_schemas = itertools.count()


def in_new_schema(server: str) -> str:
    """Make a schema; gives the URL of a session that has all its tables there."""
    schema = f"schema_{next(_schemas)}"
    sql(server, f"CREATE SCHEMA {schema}")
    return with_option(server, f"search_path={schema}")


def with_option(url: str, option: str) -> str:
    """Give a session's URL one more option of the server's."""
    before, has_options, after = url.partition("options=")
    if not has_options:
        return f"{url}&options={quote(f'-c{option}')}"
    return f"{before}options={quote(f'-c{option} ')}{after}"


def sql(url: str, statement: str) -> list[tuple[object, ...]]:
    """Ask or change something, as another program would."""
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def lose_sessions(url: str) -> None:
    """End all sessions of a server, as its restart does."""
    sql(
        url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND usename IS NOT NULL",
    )


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for what is bound to come."""
    while not condition():
        pass
