"""Files of rejected records that are done with, and the hashes of what was given up for good."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import logging
import os
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

import simplejson

from target_applied_events.durable import sync_directory
from target_applied_events.errors import RejectedRecordsError, said

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from target_applied_events.rejected.table import RejectedTable

DONE = "done"
_GIVEN_UP = "given-up"
_HASH_BYTES = 16
_SHORT = (
    "%s isn't marked done: it lacks %d of the lines that the ledger's table has of its run. Move it elsewhere, write "
    "it whole with `rejected --export %s` and give that as --input: the ledger skips what is delivered. Or give the "
    "rest up with `rejected --done %s`."
)

logger = logging.getLogger("target-applied-events")


class KeptFile:
    """While this lives, no other process writes or feeds back the file, which isn't done with yet."""

    def __init__(self, file: IO[Any]) -> None:
        """Lock a file of `{data_dir}/rejected`.

        Raises:
            RejectedRecordsError: Its run, or one that feeds it back, still lives; or it can't be read.
        """
        self.path = Path(file.name).resolve()
        self._file = file
        if not lock(file.fileno()):
            raise RejectedRecordsError(
                f"{self.path} is in use: its run, or another that sends it again, still lives. Wait for its end."
            )
        self._line_count = line_count(self.path)

    def __repr__(self) -> str:
        """Name the file."""
        return f"<KeptFile {self.path.name}>"

    @classmethod
    def of_input(cls, file: IO[str] | None, directory: Path) -> Self | None:
        """Take a run's input, if it is one of the files in `{data_dir}/rejected`.

        Raises:
            RejectedRecordsError: As for any.
        """
        name = getattr(file, "name", None)
        if file is None or not isinstance(name, str) or Path(name).resolve().parent != directory.resolve():
            return None
        return cls(file) if name.endswith(".jsonl") else None

    def end(self, *, passed_over: int, table: RejectedTable | None) -> None:
        """Mark it done after a run that has settled all that it holds.

        But not where some of that was passed over, or the table has lines that the file had not when it was opened.

        Args:
            passed_over: How many of its records were.
            table: Where its lines may be as well.

        Raises:
            RejectedRecordsError: It can't be moved.
        """
        if passed_over:
            message = "%s isn't marked done: %d of its records were passed over. `rejected --done` does it by hand."
            logger.warning(message, self.path, passed_over)
            return
        if table is not None:
            if (missing := table.count_left(self.path.stem) - self._line_count) > 0:
                logger.warning(_SHORT, self.path, missing, self.path.stem, self.path.stem)
                return
            table.mark_done(self.path.stem, give_up=False)
        self.mark_done()
        logger.info("%s is done: all of it is settled.", self.path)

    def mark_done(self, given_up: Iterable[bytes] = ()) -> None:
        """Move it to those that are done with.

        Args:
            given_up: Hashes of records that aren't to be kept when they are rejected once more.

        Raises:
            RejectedRecordsError: It can't be moved.
        """
        done = self.path.parent / DONE
        try:
            done.mkdir(mode=0o700, exist_ok=True)
            _append_synced(done / _GIVEN_UP, b"".join(given_up))
            self.path.rename(done / self.path.name)
            sync_directory(done)
            sync_directory(self.path.parent)
        except OSError as error:
            raise RejectedRecordsError(
                f"{self.path} can't be marked done: {said(error)}. See the permissions in data_dir."
            ) from error


def record_hash(stream: str, record: Mapping[str, Any], reason: str, mapping: str | None) -> bytes:
    """Tell a rejected record from others: by what it holds, save what changes with each reading, and the reason."""
    columns = {name: value for name, value in record.items() if not name.startswith("_sdc_")}
    whole = [stream, reason, mapping, columns, record.get("_sdc_deleted_at") is not None]
    text = simplejson.dumps(whole, use_decimal=True, allow_nan=True, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=_HASH_BYTES).digest()


def given_up(directory: Path) -> frozenset[bytes]:
    """Read the hashes of what was given up for good.

    Args:
        directory: `{data_dir}/rejected`.
    """
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        data = (directory / DONE / _GIVEN_UP).read_bytes()
        return frozenset(data[at : at + _HASH_BYTES] for at in range(0, len(data), _HASH_BYTES))
    return frozenset()


def line_count(path: Path) -> int:
    """Count the lines of a file of rejected records; a last one that was cut off is none.

    Raises:
        RejectedRecordsError: It can't be read.
    """
    count, line = 0, b"\n"
    try:
        with path.open("rb") as file:
            for line in file:
                count += not line.isspace()
    except OSError as error:
        raise RejectedRecordsError(f"{path} can't be read: {said(error)}. See data_dir.") from error
    return count - (not line.endswith(b"\n") and not _is_json(line))


def _is_json(line: bytes) -> bool:
    try:
        simplejson.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def lock(descriptor: int) -> bool:
    """Lock a file until it's closed; False where another process has; a file system without locks takes none."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _append_synced(path: Path, data: bytes) -> None:
    if data:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as file:
            with contextlib.suppress(OSError):  # a file system without locks takes none
                fcntl.flock(file, fcntl.LOCK_EX)
            size = file.seek(0, os.SEEK_END)
            file.truncate(size // _HASH_BYTES * _HASH_BYTES)  # a full disk may have left a part of a hash
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
