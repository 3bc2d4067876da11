"""A ledger's file as others see it."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def sql(path: Path, statement: str, *values: object) -> list[tuple[object, ...]]:
    """Ask, or change, what a file holds, as another program would."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        return connection.execute(statement, values).fetchall()
