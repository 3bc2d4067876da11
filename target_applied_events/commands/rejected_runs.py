"""The runs that left rejected records: in files of the data directory and, with PostgreSQL, in the ledger's table."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from target_applied_events.durable import make_private, sync_directory
from target_applied_events.errors import RejectedRecordsError, said
from target_applied_events.ledger.postgres_session import lock_of
from target_applied_events.rejected import KeptFile, record_hash
from target_applied_events.rejected.done import line_count

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from target_applied_events.event import Reason
    from target_applied_events.rejected import RejectedTable

_UNREADABLE = "unreadable"
_MOST_NAMED = 10


@dataclass(slots=True)
class Group:
    """The rejected records of one stream in one run that were given up for the same kind of reason.

    Attributes:
        run: The run that gave them up.
        stream: Their stream.
        reason: The kind of reason; `unreadable` for lines that are no JSON.
        message: What was wrong with the first.
        count: How many there are.
        file: Where they are kept; None where only the ledger's table has them all.
    """

    run: str
    stream: str
    reason: Reason | str
    message: str
    count: int
    file: str | None


class LeftRuns:
    """The runs of which something is left to do, each once though it be in a file and in the table."""

    def __init__(self, directory: Path, table: RejectedTable | None) -> None:
        """Take the places to look in.

        Args:
            directory: `{data_dir}/rejected`.
            table: The ledger's table, if it has one.
        """
        self.directory = directory
        self._table = table

    def __repr__(self) -> str:
        """Name the places."""
        return f"<LeftRuns {self.directory} {self._table!r}>"

    def names(self) -> list[str]:
        """Name the runs, oldest first.

        Raises:
            RejectedRecordsError: The directory or the table can't be read.
        """
        in_table = self._table.runs_left() if self._table is not None else []
        return sorted({*in_table, *(path.stem for path in self._files())})

    def _files(self) -> list[Path]:
        try:
            return [path for path in self.directory.iterdir() if path.suffix == ".jsonl"]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise _unreadable(self.directory, error) from error

    def _path(self, run: str) -> Path:
        return self.directory / f"{run}.jsonl"

    def _whole_file(self, run: str) -> Path | None:
        """Find the file that holds all that is left of a run; None where only the table does."""
        path = self._path(run)
        if self._table is None:
            return path
        return path if path.exists() and line_count(path) >= self._table.count_left(run) else None

    def groups(self) -> Iterator[Group]:
        """Count what is left, by run, stream and reason.

        Raises:
            RejectedRecordsError: A file or the table can't be read.
        """
        for run in self.names():
            path = self._whole_file(run)
            file = str(path) if path is not None else None
            groups: dict[tuple[str, str], Group] = {}
            for message in self._records(run, path):
                stream, rejection = str(message.get("stream")), message["rejection"]
                reason = str(rejection.get("reason"))
                if (group := groups.get((stream, reason))) is None:
                    group = groups[stream, reason] = Group(run, stream, reason, _first_message(rejection), 0, file)
                group.count += 1
            yield from groups.values()

    def _records(self, run: str, path: Path | None) -> Iterator[dict[str, Any]]:
        if path is None:
            yield from _parsed(self._table.lines_left(run) if self._table is not None else ())
            return
        try:
            with path.open(encoding="utf-8", errors="replace") as file:
                yield from _parsed(file)
        except OSError as error:
            raise _unreadable(path, error) from error

    def _known(self, run: str) -> str:
        """Take a run's name as it was given, or as its file is called.

        Raises:
            RejectedRecordsError: Nothing is left of such a run.
        """
        name = run.removesuffix(".jsonl")
        if name in (names := self.names()):
            return name
        named = ", ".join(names[:_MOST_NAMED]) or "none"
        raise RejectedRecordsError(
            f"No rejected records of a run {run} are left in {self.directory} (data_dir); left are: {named}."
        )

    def give_up(self, run: str) -> int:
        """Be done with a run's records for good: the same aren't kept when they are rejected once more.

        Returns:
            How many there were.

        Raises:
            RejectedRecordsError: Nothing is left of such a run, it lives, or its records can't be marked.
        """
        run = self._known(run)
        path = self._path(run)
        self._refuse_live(run)
        if not path.exists():
            count = sum(1 for _ in self._records(run, None))
            self._mark_in_table(run)
            return count
        try:
            with path.open("rb") as file:
                kept = KeptFile(file)
                hashes = [_hash(message) for message in self._records(run, self._whole_file(run))]
                self._mark_in_table(run)
                kept.mark_done(hashes)
        except OSError as error:
            raise _unreadable(path, error) from error
        return len(hashes)

    def _mark_in_table(self, run: str) -> None:
        if self._table is not None:
            self._table.mark_done(run, give_up=True)

    def _refuse_live(self, run: str) -> None:
        if self._table is not None and self._table.is_live(lock_of(run)):
            raise RejectedRecordsError(f"The run {run} still lives and may reject more: wait for its end.")

    def export(self, run: str) -> Path:
        """Write a run's file from the table, to be sent again.

        Raises:
            RejectedRecordsError: There is no table, the file is there, or it can't be written.
        """
        run = self._known(run)
        path = self._path(run)
        if self._table is None or self._whole_file(run) is not None:
            raise RejectedRecordsError(
                f"There is nothing to export: the rejected records of {run} are in {path}: give that as --input."
            )
        self._refuse_live(run)
        if path.exists():
            raise RejectedRecordsError(
                f"{path} lacks lines that the ledger's table has: move it elsewhere, then `rejected --export {run}` "
                "writes it whole."
            )
        try:
            make_private(self.directory)
            _write_synced(path, self._table.lines_left(run))
        except OSError as error:
            raise RejectedRecordsError(f"{path} can't be written: {said(error)}. See data_dir.") from error
        return path


def _write_synced(path: Path, lines: Iterable[str]) -> None:
    """Write a file that is whole on disk before it has its name."""
    draft = path.with_suffix(".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.writelines(lines)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    sync_directory(path.parent)


def _first_message(rejection: dict[str, Any]) -> str:
    """Say what was wrong, without a record's value: an answer may quote one."""
    said = [f"{error.get('path')}: {error.get('message')}" for error in (rejection.get("errors") or ())[:1]]
    if (status := rejection.get("status")) is not None:
        said.insert(0, f"the endpoint answered {status}")
    return "; ".join(said)


def _parsed(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(lines, start=1):
        try:
            message = json.loads(line, parse_float=Decimal)
        except (ValueError, ArithmeticError, RecursionError):
            message = None
        if isinstance(message, dict):
            if isinstance(message.get("rejection"), dict):
                yield message
        elif line.endswith("\n"):  # else a kill cut it off: no STATE had passed its record, so the tap gives it again
            yield _unreadable_line(number)


def _unreadable_line(number: int) -> dict[str, Any]:
    error = {"path": f"line {number}", "message": "is no JSON: the file was changed"}
    return {"stream": "", "record": {}, "rejection": {"reason": _UNREADABLE, "errors": [error]}}


def _hash(message: dict[str, Any]) -> bytes:
    rejection = message["rejection"]
    return record_hash(message["stream"], message["record"], rejection["reason"], rejection.get("mapping"))


def _unreadable(path: Path, error: OSError) -> RejectedRecordsError:
    return RejectedRecordsError(f"{path} can't be read: {said(error)}. See data_dir.")
