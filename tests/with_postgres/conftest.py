"""A PostgreSQL with the shop, and Meltano with its plugins."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from demo import postgres
from demo.pipeline import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator


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
