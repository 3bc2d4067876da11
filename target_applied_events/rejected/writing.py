"""The file of a run's rejected records, with the reason beside each: itself a Singer stream."""

from __future__ import annotations

import errno
import os
from datetime import UTC, datetime
from functools import cached_property
from io import FileIO
from typing import TYPE_CHECKING, Any

import simplejson

from target_applied_events.durable import make_private, sync_directory
from target_applied_events.errors import RejectedRecordsError, said
from target_applied_events.rejected.done import given_up, lock, record_hash
from target_applied_events.rejected.fed_back import MappedStream
from target_applied_events.rejected.table import Line, RejectedTable
from target_applied_events.rejected.telling import Told

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from target_applied_events.event import Rejection
    from target_applied_events.handover import RejectedRecord, Stream


class RejectedRecords:
    """A record is on disk when `keep` returns; the file is there only once it has something to hold.

    A record that was given up for good and is rejected again for the same reason isn't kept once more.

    Attributes:
        path: The file.
        kept: How many records it holds, each counted once however many of its events were rejected.
    """

    def __init__(self, directory: Path, run_id: str, table: RejectedTable | None = None) -> None:
        """Name the file; nothing is written yet.

        Args:
            directory: `{data_dir}/rejected`, made private when it's needed.
            run_id: The run's name.
            table: Where the same lines go as well.
        """
        self.path = directory / f"{run_id}.jsonl"
        self._run_id, self._table, self._line_count = run_id, table, 0
        self.kept = 0
        self._file: FileIO | None = None
        self._declared: dict[str, Stream] = {}
        self._told = Told()

    def __repr__(self) -> str:
        """Tell the file and whether it is open."""
        return f"<RejectedRecords {self.path.name} {'open' if self._file else 'not written'}>"

    def keep(self, records: Sequence[RejectedRecord]) -> None:
        """Write rejected records and return when they are on disk.

        Raises:
            RejectedRecordsError: When they can't be written.
        """
        try:
            new = [record for record in records if not self._is_given_up(record)]
            self._keep([line for record in new for line in self._lines(record)])
        except OSError as error:
            raise RejectedRecordsError(
                f"Rejected records can't be kept in {self.path}: {said(error)}. "
                "Nothing is given up without being kept, so the run ends. See data_dir, and whether its disk is full."
            ) from error
        except RecursionError:
            raise RejectedRecordsError(
                "A record is nested too deeply to be kept among the rejected records. Drop the column with stream_maps."
            ) from None
        self._told.tell(new)
        for record in new:
            self.kept += not record.tally.kept
            record.tally.kept = True

    def close(self) -> None:
        """Close the file and the table."""
        if self._file is not None:
            self._file.close()
        if self._table is not None:
            self._table.close()

    def _keep(self, lines: Sequence[Line]) -> None:
        if not lines:
            return
        if self._table is not None:
            self._table.keep(self._run_id, self._line_count + 1, lines)
        self._append("".join(line.text for line in lines).encode())
        self._line_count += len(lines)

    def _is_given_up(self, record: RejectedRecord) -> bool:
        return bool(self._given_up) and _hash(record) in self._given_up

    @cached_property
    def _given_up(self) -> frozenset[bytes]:
        """What was given up for good before this run."""
        return given_up(self.path.parent) | (frozenset() if self._table is None else self._table.given_up())

    def _lines(self, record: RejectedRecord) -> Iterator[Line]:
        """The record's line; before a stream's first, and when it has changed, its SCHEMA."""
        stream = record.stream
        if self._declared.get(stream.name) is not stream:
            self._declared[stream.name] = stream
            yield Line(_line(_schema(stream)))
        yield Line(_line(_message(record)), _hash(record))

    def _append(self, data: bytes) -> None:
        """Write all of it or none: half a line would make the file unreadable."""
        file = self._file = self._file or self._open()
        size_before = file.seek(0, os.SEEK_END)
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[file.write(rest) :]
            os.fsync(file.fileno())
            if not os.fstat(file.fileno()).st_nlink:
                raise FileNotFoundError(errno.ENOENT, "it was removed while this run used it")
        except OSError:
            file.truncate(size_before)
            raise

    def _open(self) -> FileIO:
        make_private(self.path.parent)
        file = FileIO(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w")
        lock(file.fileno())
        sync_directory(self.path.parent)
        return file


def _hash(record: RejectedRecord) -> bytes:
    rejection = record.rejection
    return record_hash(record.stream.name, record.record, rejection.reason, rejection.mapping)


def _schema(stream: Stream) -> dict[str, Any]:
    return {
        "type": "SCHEMA",
        "stream": stream.name,
        "schema": stream.schema,
        "key_properties": list(stream.key_properties),
        "rejected": True,
    }


def _message(record: RejectedRecord) -> dict[str, Any]:
    return {
        "type": "RECORD",
        "stream": record.stream.name,
        "record": record.record,
        "rejection": _rejection(record.rejection, record.stream),
    }


def _rejection(rejection: Rejection, stream: Stream) -> dict[str, Any]:
    body = rejection.event
    names = stream.names if isinstance(stream, MappedStream) else {}
    return {
        "reason": rejection.reason,
        "errors": [{"path": error.path, "message": error.message} for error in rejection.errors],
        "status": rejection.status,
        "response": rejection.response,
        "event": simplejson.RawJSON(body.decode()) if body is not None else None,
        "mapping": rejection.mapping,
        "name": names.get(rejection.mapping or ""),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _line(message: dict[str, Any]) -> str:
    """One line; what only the standard parser reads (NaN, a lone surrogate) comes out as it came in."""
    return simplejson.dumps(message, use_decimal=True, allow_nan=True, separators=(",", ":")) + "\n"
