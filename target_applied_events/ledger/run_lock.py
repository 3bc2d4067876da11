"""The file by which a run that shares an SQLite ledger shows that it lives: the lock on it ends with the process."""

from __future__ import annotations

import fcntl
import glob
import os
import time
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

from target_applied_events.errors import LedgerError

if TYPE_CHECKING:
    from pathlib import Path

_ATTEMPTS = 50
_PAUSE_SECONDS = 0.02  # whoever asks after a run holds its lock for a moment only


class RunLock:
    """Held from its making until `release`, or until the process ends, in whatever way."""

    def __init__(self, path: Path, descriptor: int) -> None:
        """Keep the locked file; `take` makes one."""
        self.path = path
        self._descriptor = descriptor

    def __repr__(self) -> str:
        """Name the file."""
        return f"<RunLock {self.path.name}>"

    @classmethod
    def take(cls, ledger: Path, run: str) -> Self:
        """Make a run's file and lock it.

        Raises:
            LedgerError: The run has it already.
            OSError: The file can't be made.
        """
        path = _path(ledger, run)
        for _ in range(_ATTEMPTS):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            if _lock(descriptor, fcntl.LOCK_EX) and _is_still_there(path, descriptor):
                return cls(path, descriptor)
            os.close(descriptor)
            time.sleep(_PAUSE_SECONDS)
        raise LedgerError(f"Another process is the run {run} already ({path}). Run again: each run has its own name.")

    def release(self) -> None:
        """Remove the file, then give the lock up."""
        self.path.unlink(missing_ok=True)
        os.close(self._descriptor)


def is_live(ledger: Path, run: str) -> bool:
    """Whether a run holds its lock."""
    try:
        descriptor = os.open(_path(ledger, run), os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        return not _lock(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def sweep(ledger: Path) -> None:
    """Remove the files of runs that were killed.

    The lock is a shared one, as of who asks after a run, so that none of them takes a dead run for a living one.
    """
    for path in ledger.parent.glob(f"{glob.escape(ledger.name)}.run-*"):
        try:
            descriptor = os.open(path, os.O_RDWR)
        except OSError:
            continue
        if _lock(descriptor, fcntl.LOCK_SH) and _is_still_there(path, descriptor):
            path.unlink(missing_ok=True)
        os.close(descriptor)


def _path(ledger: Path, run: str) -> Path:
    return ledger.with_name(f"{ledger.name}.run-{quote(run, safe='')}")


def _lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_still_there(path: Path, descriptor: int) -> bool:
    """Whether a file was not removed, or replaced by another, between its opening and its lock."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
