"""A batch's files are read line by line, and what can't be read is named, never shown."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from target_applied_events.batch_files import RECORDS_BETWEEN_PAUSES, batch_records
from target_applied_events.errors import InputError
from target_applied_events.reader import Reader

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = {"format": "jsonl"}
GZIP = {"format": "jsonl", "compression": "gzip"}


def read(encoding: dict[str, Any], *manifest: str, storage: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    return list(batch_records(encoding, manifest, storage, Reader().parse, lambda: None))


def test_files_are_read_in_their_order_blank_lines_aside(tmp_path: Path) -> None:
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    first.write_text('{"id": 1}\n\n{"id": 2}\n')
    second.write_text('{"id": 3}')
    assert read(PLAIN, first.as_uri(), second.as_uri()) == [{"id": 1}, {"id": 2}, {"id": 3}]


def test_a_run_can_be_ended_within_a_file(tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl"
    path.write_text('{"id": 1}\n' * (3 * RECORDS_BETWEEN_PAUSES))
    read_when_paused: list[int] = []
    seen: list[dict[str, Any]] = []
    records = batch_records(PLAIN, [path.as_uri()], None, Reader().parse, lambda: read_when_paused.append(len(seen)))
    seen.extend(records)
    assert [count // RECORDS_BETWEEN_PAUSES for count in read_when_paused] == [0, 1, 2]


@pytest.mark.parametrize("encoding", [{}, {"format": "parquet"}, {"format": "jsonl", "compression": "zstd"}])
def test_an_encoding_that_is_not_read_is_refused_with_the_setting_of_the_tap(encoding: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"batch_config\.encoding"):
        read(encoding, "file:///nowhere")


def test_a_file_that_is_no_gzip_is_told_from_one_that_is_damaged_or_cut_short(tmp_path: Path) -> None:
    whole = gzip.compress(b"".join(json.dumps({"id": number}).encode() + b"\n" for number in range(2_000)))
    cases = {
        b'{"id": 1}\n': "isn't compressed with gzip, or is damaged",
        whole[:100] + b"\xff" * 200 + whole[300:]: "isn't compressed with gzip, or is damaged",
        whole[: len(whole) // 2]: "ends too early",
    }
    for data, why in cases.items():
        path = tmp_path / "data.gz"
        path.write_bytes(data)
        with pytest.raises(InputError, match=rf"^The batch file {path.as_uri()} can't be read: it {why}\. "):
            read(GZIP, path.as_uri())


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("file:///no/where.jsonl", "there is no such file"),
        ("file:///", "Is a directory"),
        ("carrier-pigeon://loft/1.jsonl", "such an address is unknown"),
    ],
)
def test_an_address_that_leads_to_no_file_is_named_with_the_setting_that_governs_it(address: str, why: str) -> None:
    with pytest.raises(InputError, match=rf"^The batch file {address} can't be read: {why}\. .*batch_config\.storage"):
        read(PLAIN, address)


@pytest.mark.parametrize(("line", "why"), [("{secret", "can't be read as JSON"), ("[1]", "is no JSON object")])
def test_a_line_that_is_no_record_is_named_by_its_number_and_not_shown(tmp_path: Path, line: str, why: str) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text(f'{{"id": 1}}\n{line}\n')
    with pytest.raises(InputError, match=rf"^Line 2 of the batch file {path.as_uri()} {why}") as caught:
        read(PLAIN, path.as_uri())
    assert "secret" not in str(caught.value)
