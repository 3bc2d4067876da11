"""Rejected records are a private Singer stream on disk before anyone relies on it."""

from __future__ import annotations

import json
import stat
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from target_applied_events.errors import RejectedRecordsError
from target_applied_events.event import Rejection, Violation
from target_applied_events.handover import RejectedRecord, Stream, Tally
from target_applied_events.rejected import DONE, KeptFile, MappedStream, RejectedRecords, record_hash
from tests.disks import file_size_limit

if TYPE_CHECKING:
    from pathlib import Path

    from target_applied_events.event import Reason

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
            "name": None,
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


def test_the_name_as_its_mapping_has_it_is_kept_whatever_the_reason(tmp_path: Path) -> None:
    stream = MappedStream("orders", {}, ("id",), {"mappings[0]": "Order {{ id }}", "mappings[1]": "Paid"})
    kept = RejectedRecords(tmp_path, "run")
    reasons: list[Reason] = ["unmappable", "refused", "in_doubt"]
    kept.keep([rejected({}, stream, Rejection(reason, mapping="mappings[1]")) for reason in reasons])
    kept.keep([rejected({}, stream)])
    assert [line["rejection"]["name"] for line in lines(kept.path)[1:]] == ["Paid", "Paid", "Paid", None]
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
    with pytest.raises(RejectedRecordsError, match=r"Not a directory.* See data_dir"):
        kept.keep([rejected({"id": 1})])


def test_a_full_disk_ends_the_run_and_leaves_whole_lines_alone(tmp_path: Path) -> None:
    """A limit on the size of files stands in for the disk: the system says no in the same place."""
    kept = RejectedRecords(tmp_path, "run")
    kept.keep([rejected({"id": 1})])
    with file_size_limit(4096), pytest.raises(RejectedRecordsError, match="can't be kept in"):
        kept.keep([rejected({"id": number, "text": "x" * 100}) for number in range(2, 100)])
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


def test_a_record_that_two_mappings_reject_is_kept_as_one(tmp_path: Path) -> None:
    tally = Tally()
    kept = RejectedRecords(tmp_path, "run")
    kept.keep([RejectedRecord(ORDERS, {"id": 1}, INVALID, tally) for _ in range(2)])
    kept.keep([rejected({"id": 2})])
    assert kept.kept == 2
    kept.close()


def test_what_was_given_up_for_good_makes_no_file_when_it_comes_again(tmp_path: Path) -> None:
    first = RejectedRecords(tmp_path, "first")
    first.keep([rejected({"id": 1})])
    first.close()
    with first.path.open() as file:
        KeptFile(file).mark_done([record_hash("orders", {"id": 1}, "invalid", None)])
    assert (tmp_path / DONE / "first.jsonl").exists()
    second = RejectedRecords(tmp_path, "second")
    second.keep([rejected({"id": 1})])
    assert (second.kept, second.path.exists()) == (0, False)
    second.keep([rejected({"id": 2})])
    assert second.kept == 1
    second.close()


def test_while_a_run_lives_nobody_takes_its_file(tmp_path: Path) -> None:
    kept = RejectedRecords(tmp_path, "run")
    kept.keep([rejected({"id": 1})])
    with kept.path.open() as file, pytest.raises(RejectedRecordsError, match="is in use"):
        KeptFile(file)
    kept.close()
    with kept.path.open() as file:
        KeptFile(file)


def test_a_file_removed_while_the_run_used_it_ends_the_run(tmp_path: Path) -> None:
    kept = RejectedRecords(tmp_path, "run")
    kept.keep([rejected({"id": 1})])
    kept.path.unlink()
    with pytest.raises(RejectedRecordsError, match="removed while this run used it"):
        kept.keep([rejected({"id": 2})])
    assert kept.kept == 1
    kept.close()


def test_a_file_that_is_there_is_not_written_on(tmp_path: Path) -> None:
    (tmp_path / "run.jsonl").write_text("of another")
    kept = RejectedRecords(tmp_path, "run")
    with pytest.raises(RejectedRecordsError, match="File exists"):
        kept.keep([rejected({"id": 1})])
    assert (tmp_path / "run.jsonl").read_text() == "of another"


def test_what_was_given_up_for_good_is_not_told_when_it_comes_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "first.jsonl").touch()
    with (tmp_path / "first.jsonl").open() as file:
        KeptFile(file).mark_done([record_hash("orders", {"id": 1}, "invalid", None)])
    kept = RejectedRecords(tmp_path, "second")
    kept.keep([rejected({"id": 1})])
    assert not caplog.records
    kept.keep([rejected({"id": 2})])
    assert len(caplog.records) == 1
    kept.close()


def test_it_tells_the_file_and_whether_it_is_written(tmp_path: Path) -> None:
    kept = RejectedRecords(tmp_path, "run")
    assert repr(kept) == "<RejectedRecords run.jsonl not written>"
    kept.keep([rejected({"id": 1})])
    assert repr(kept) == "<RejectedRecords run.jsonl open>"
    kept.close()
