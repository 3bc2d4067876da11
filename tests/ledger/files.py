"""A ledger's file as others see it, and disks that don't take all that is written."""

from __future__ import annotations

import contextlib
import resource
import sqlite3
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def sql(path: Path, statement: str, *values: object) -> list[tuple[object, ...]]:
    """Ask, or change, what a file holds, as another program would."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        return connection.execute(statement, values).fetchall()


@contextlib.contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """Let this process write no file beyond so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextlib.contextmanager
def mounted(folder: Path, kind: str = "tmpfs", options: str = "size=1m") -> Iterator[None]:
    """Put a disk of its own at a folder; takes root."""
    subprocess.run(["mount", "-t", kind, "-o", options, kind, folder], check=True)  # noqa: S607 - wherever it is
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)  # noqa: S607 - as above
