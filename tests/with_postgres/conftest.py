"""A PostgreSQL with the shop, Meltano with its plugins, and a PostgreSQL that tests may hurt."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from demo import postgres
from demo.pipeline import PROJECT
from tests.with_postgres.own_server import in_new_schema, sql

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="session")
def _meltano() -> None:
    """Install Meltano and the plugins, unless `make test` has done so already."""
    subprocess.run(["make", "--silent", "meltano"], cwd=PROJECT, check=True)  # noqa: S607 - make is wherever it is


@pytest.fixture(scope="session")
def socket(_meltano: None) -> Iterator[Path]:
    """Run a PostgreSQL for all tests; gives the folder of its socket.

    pytest's own temporary folders won't do: each run of pytest closes them to all other users, the server's too.
    """
    with tempfile.TemporaryDirectory(prefix="shop-") as folder, postgres.running(Path(folder) / "data") as socket:
        yield socket


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A server for the tests of one file alone: some of them hurt it."""
    with tempfile.TemporaryDirectory(prefix="server-") as folder, postgres.running(Path(folder) / "data") as socket:
        yield postgres.url(socket)


@pytest.fixture
def url(server: str) -> str:
    """A schema of its own, empty."""
    return in_new_schema(server)


@pytest.fixture
def away(server: str) -> Iterator[Callable[[str], None]]:
    """A database that can be shut and opened again, by `false` and `true`."""
    sql(server, "CREATE DATABASE away")

    def allow(connections: str) -> None:
        sql(server, f"ALTER DATABASE away ALLOW_CONNECTIONS {connections}")

    yield allow
    sql(server, "DROP DATABASE away WITH (FORCE)")
