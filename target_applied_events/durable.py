"""Directories whose names outlive a crash, as syncing a file does for its content, and that are their owner's alone."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def make_private(directory: Path) -> None:
    """Make a directory of data_dir where there is none, and data_dir itself, both their owner's alone.

    Its name is on disk then. What is there already stays as it is.

    Raises:
        OSError: It can't be made.
    """
    if not directory.is_dir():
        if not directory.parent.exists():
            directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.mkdir(mode=0o700, exist_ok=True)
        sync_directory(directory.parent)


def sync_directory(directory: Path) -> None:
    """Return when the names in a directory are on disk.

    Raises:
        OSError: The directory can't be read or synced.
    """
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
