"""Disks that don't take all that is written."""

from __future__ import annotations

import contextlib
import resource
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


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
