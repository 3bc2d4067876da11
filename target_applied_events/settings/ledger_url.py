"""What `ledger_url` may be, how it is shown (its password never is), and what is said where it leads nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

if TYPE_CHECKING:
    from sqlalchemy.exc import DBAPIError

NONE: Final = "none"
"""The `ledger_url` of a run that keeps no ledger."""

NO_DRIVER: Final = "A PostgreSQL ledger_url needs psycopg: install `target-applied-events[postgres]` in place of this."

_POSTGRES = {"postgres", "postgresql", "postgresql+psycopg"}
_SQLITE = {"sqlite", "sqlite+pysqlite"}
_WANTED = "`sqlite:///PATH`, `postgresql://USER:PASSWORD@HOST/DATABASE` or `none`"


def ledger_url_problem(text: str) -> str | None:
    """Say what is wrong with a `ledger_url`, never showing it; None where nothing is."""
    if text == NONE:
        return None
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        return f"`ledger_url` is no URL: {_WANTED} is wanted, with `%40` for an @ in the password"
    if url.drivername in _SQLITE:
        return _sqlite_problem(url)
    if url.drivername not in _POSTGRES:
        return f"`ledger_url` is of a kind that can't hold a ledger: {_WANTED} is wanted"
    return None


def _sqlite_problem(url: URL) -> str | None:
    if url.host or url.username:  # `sqlite://var/lib/…` would lie in lib, below wherever the run began
        return f"`ledger_url` lacks the third slash before its file: {_WANTED} is wanted"
    if not url.database or url.database == ":memory:" or "\0" in url.database or url.query:
        return f"`ledger_url` names no file, or has options that SQLite's may not have: {_WANTED} is wanted"
    return None


def read_ledger_url(text: str) -> URL:
    """Read a `ledger_url` that has no problem and isn't `none`."""
    url = make_url(text)
    return url.set(drivername="postgresql+psycopg") if url.drivername in _POSTGRES else url


def place_of(url: URL) -> str:
    """Tell where a ledger is, without user, password and options."""
    if url.drivername in _SQLITE:
        return f"sqlite:///{url.database}"
    options = url.query.get("host", "")
    host = url.host or (options if isinstance(options, str) else ",".join(options))
    port = f":{url.port}" if url.port else ""
    return f"postgresql://{host}{port}/{url.database or ''}"


def said_by_server(error: DBAPIError) -> str:
    """Take the first line of what a server, or the way to it, said."""
    return str(error.orig).strip().partition("\n")[0]
