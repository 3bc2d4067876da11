"""The records of a BATCH message: its files, line by line, from wherever the SDK can read them."""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING, Any

from singer_sdk.helpers._batch import StorageTarget

from target_applied_events.errors import InputError, said

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

RECORDS_BETWEEN_PAUSES = 256


def batch_records(
    encoding: Mapping[str, Any],
    manifest: Sequence[str],
    storage: Mapping[str, Any] | None,
    parse: Callable[[bytes], object],
    on_pause: Callable[[], None],
) -> Iterator[dict[str, Any]]:
    """Read the records of a batch, one at a time, whatever the size of its files.

    Args:
        encoding: `format` (jsonl alone) and `compression` (gzip or none), as the message has them.
        manifest: The files' addresses.
        storage: The setting `batch_config.storage`, where it's given.
        parse: Reads one line of JSON, or raises InputError.
        on_pause: Called every 256 records; what it raises ends the reading.

    Raises:
        InputError: A file can't be read, or a line of it is no record.
    """
    if encoding.get("format") != "jsonl" or encoding.get("compression") not in {None, "none", "gzip"}:
        raise InputError(
            "A BATCH message is encoded in a way that this target doesn't read: only jsonl, plain or compressed with "
            "gzip. Set the tap's batch_config.encoding to that."
        )
    is_gzip = encoding.get("compression") == "gzip"
    for number, record in enumerate(_records_of_all(manifest, storage, parse, is_gzip=is_gzip)):
        yield record
        if not number % RECORDS_BETWEEN_PAUSES:
            on_pause()


def _records_of_all(
    manifest: Sequence[str], storage: Mapping[str, Any] | None, parse: Callable[[bytes], object], *, is_gzip: bool
) -> Iterator[dict[str, Any]]:
    for address in manifest:
        try:
            with _open(address, storage) as file:
                yield from _records(gzip.GzipFile(fileobj=file) if is_gzip else file, address, parse)
        except (OSError, EOFError, zlib.error, ValueError, ImportError) as error:
            raise InputError(
                f"The batch file {address} can't be read: {_why(error)}. See that the tap wrote it where this target "
                "can read it, and batch_config.storage."
            ) from error


def _open(address: str, storage: Mapping[str, Any] | None) -> Any:  # noqa: ANN401 - a context manager of fsspec's
    head, tail = StorageTarget.split_url(address)
    target = StorageTarget.from_dict(dict(storage)) if storage else StorageTarget.from_url(head)
    return target.open(tail, mode="rb")


def _records(lines: Iterable[bytes], address: str, parse: Callable[[bytes], object]) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            record = parse(line.strip())
        except InputError as error:
            raise InputError(
                f"Line {number} of the batch file {address} can't be read as JSON ({error}). Check the tap."
            ) from None
        if not isinstance(record, dict):
            raise InputError(f"Line {number} of the batch file {address} is no JSON object. Check the tap.")
        yield record


def _why(error: Exception) -> str:
    """What went wrong, without what stood in the file."""
    match error:
        case gzip.BadGzipFile() | zlib.error():
            return "it isn't compressed with gzip, or is damaged"
        case EOFError():
            return "it ends too early"
        case FileNotFoundError():
            return "there is no such file"
        case OSError():
            return said(error)
        case ImportError():
            return f"what reads such an address isn't installed ({error})"
        case _:
            return "such an address is unknown"
