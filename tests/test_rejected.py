"""Rejected records are a private Singer stream on disk before anyone relies on it."""

from __future__ import annotations

import json
import resource
import stat
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from target_applied_events.errors import RejectedRecordsError
from target_applied_events.event import Rejection, Violation
from target_applied_events.handover import RejectedRecord, Stream, Tally
from target_applied_events.rejected import RejectedRecords

if TYPE_CHECKING:
    from pathlib import Path

ORDERS = Stream("orders", {"properties": {"id": {"type": "integer"}, "total": {"type": "number"}}}, ("id",))
INVALID = Rejection("invalid", (Violation("$.total", "is a string; the schema wants a number"),))


def rejected(record: dict[str, Any], stream: Stream = ORDERS, rejection: Rejection = INVALID) -> RejectedRecord:
    return RejectedRecord(stream, record, rejection, Tally())


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line, parse_float=Decimal) for line in path.read_text().splitlines()]


def test_a_rejected_record_stands_on_disk_with_its_schema_and_reason_when_keep_returns(tmp_path: Path) -> None:
    kept = RejectedRecords(tmp_path / "rejected", "run")
    kept.keep([rejected({"id": 1, "total": "x"})])
    schema, record = lines(kept.path)
    assert schema == {
        "type": "SCHEMA",
        "stream": "orders",
        "schema": ORDERS.schema,
        "key_properties": ["id"],
        "rejected": True,
    }
    at = record["rejection"].pop("at")
    assert at.endswith("+00:00")
    assert record == {
        "type": "RECORD",
        "stream": "orders",
        "record": {"id": 1, "total": "x"},
        "rejection": {
            "reason": "invalid",
            "errors": [{"path": "$.total", "message": "is a string; the schema wants a number"}],
            "status": None,
            "response": None,
            "event": None,
            "mapping": None,
        },
    }
    kept.close()


def test_a_refused_event_is_kept_with_its_body_and_the_answer(tmp_path: Path) -> None:
    kept = RejectedRecords(tmp_path, "run")
    refused = Rejection("refused", (), "mappings[0]", 422, '{"error":"no"}', b'{"name":"\xc3\x9f","value":0.10}')
    kept.keep([rejected({"id": 1}, rejection=refused)])
    rejection = lines(kept.path)[1]["rejection"]
    assert (rejection["mapping"], rejection["status"], rejection["response"]) == ("mappings[0]", 422, '{"error":"no"}')
    assert rejection["event"] == {"name": "ß", "value": Decimal("0.10")}
    kept.close()


def test_numbers_and_strange_values_come_out_as_they_came_in(tmp_path: Path) -> None:
    record = {"n": Decimal("0.10"), "big": 10**40, "e": Decimal("1E+400"), "s": "\ud800", "nan": float("nan")}
    kept = RejectedRecords(tmp_path, "run")
    kept.keep([rejected(record)])
    text = kept.path.read_text()
    for written in ('"n":0.10', f'"big":{10**40}', '"e":1E+400', '"s":"\\ud800"', '"nan":NaN'):
        assert written in text
    kept.close()


def test_the_schema_stands_again_when_it_has_changed(tmp_path: Path) -> None:
    changed = Stream("orders", {"properties": {}}, ("id",))
    kept = RejectedRecords(tmp_path, "run")
    kept.keep([rejected({"id": 1}), rejected({"id": 2})])
    kept.keep([rejected({"id": 3}, stream=changed)])
    assert [line["type"] for line in lines(kept.path)] == ["SCHEMA", "RECORD", "RECORD", "SCHEMA", "RECORD"]
    kept.close()


def test_the_file_and_its_directory_are_private(tmp_path: Path) -> None:
    kept = RejectedRecords(tmp_path / "rejected", "run")
    kept.keep([rejected({"id": 1})])
    assert stat.S_IMODE(kept.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.path.parent.stat().st_mode) == 0o700
    kept.close()


def test_a_run_that_rejects_nothing_leaves_no_file(tmp_path: Path) -> None:
    kept = RejectedRecords(tmp_path / "rejected", "run")
    kept.close()
    assert not kept.path.parent.exists()


def test_a_directory_that_can_not_be_made_ends_the_run_and_names_the_setting(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    kept = RejectedRecords(tmp_path / "file" / "rejected", "run")
    with pytest.raises(RejectedRecordsError, match=r"Not a directory.* data_dir names the directory"):
        kept.keep([rejected({"id": 1})])


def test_a_full_disk_ends_the_run_and_leaves_whole_lines_alone(tmp_path: Path) -> None:
    """A limit on the size of files stands in for the disk: the system says no in the same place."""
    kept = RejectedRecords(tmp_path, "run")
    kept.keep([rejected({"id": 1})])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(RejectedRecordsError, match="can't be kept in"):
            kept.keep([rejected({"id": number, "text": "x" * 100}) for number in range(2, 100)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [line["record"]["id"] for line in lines(kept.path) if line["type"] == "RECORD"] == [1]
    kept.close()


def test_a_record_nested_too_deeply_to_be_written_ends_the_run_with_a_clear_error(tmp_path: Path) -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    kept = RejectedRecords(tmp_path, "run")
    with pytest.raises(RejectedRecordsError, match="nested too deeply"):
        kept.keep([rejected({"deep": deep})])
    kept.close()
