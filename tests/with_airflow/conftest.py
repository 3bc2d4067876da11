"""Airflow, Meltano with its plugins, and a PostgreSQL that holds the shop, the ledger and Meltano's own database."""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from demo import postgres
from demo.pipeline import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Server:
    """A PostgreSQL with the databases `postgres` for the shop, `ledger` and `meltano`."""

    socket: Path

    @property
    def shop_url(self) -> str:
        return postgres.url(self.socket)

    @property
    def ledger_url(self) -> str:
        return self.shop_url.replace("/postgres?", "/ledger?")

    @property
    def meltano_url(self) -> str:
        return self.shop_url.replace("/postgres?", "/meltano?").replace("postgresql:", "postgresql+psycopg:")


@pytest.fixture(scope="session")
def _installed() -> None:
    """Install what the tests need, unless `make test-airflow` has done so already."""
    needed = ["make", "--silent", ".meltano/installed", ".venv-airflow/installed"]
    subprocess.run(needed, cwd=PROJECT, check=True)


@pytest.fixture(scope="module")
def server(_installed: None) -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="night-") as folder, postgres.running(Path(folder) / "data") as socket:
        server = Server(socket)
        with psycopg.connect(server.shop_url, autocommit=True) as connection:
            connection.execute("create database ledger")
            connection.execute("create database meltano")
        yield server
