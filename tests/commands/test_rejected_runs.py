"""What is left of runs is counted from their files, and known again once it's given up for good."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
import simplejson
from hypothesis import given
from hypothesis import strategies as st

from target_applied_events.commands.rejected_runs import LeftRuns
from target_applied_events.errors import RejectedRecordsError
from target_applied_events.event import Reason, Rejection, Violation
from target_applied_events.handover import RejectedRecord, Stream, Tally
from target_applied_events.reader import Reader
from target_applied_events.rejected import RejectedRecords

ROWS = Stream("rows", {"properties": {}}, ("id",))
NUMBERS = st.integers() | st.decimals(allow_nan=False, allow_infinity=False) | st.just(10**400)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(st.characters(exclude_categories=[])) | st.just(float("nan")),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(), below, max_size=3),
    max_leaves=5,
)


def rejected(record: dict[str, Any], reason: Reason = "invalid", stream: Stream = ROWS) -> RejectedRecord:
    return RejectedRecord(stream, record, Rejection(reason, (Violation("$.id", "is text"),)), Tally())


def keep(directory: Path, run: str, *records: RejectedRecord) -> int:
    kept = RejectedRecords(directory, run)
    for record in records:
        kept.keep([record])
    kept.close()
    return kept.kept


def test_records_are_counted_by_run_stream_and_reason(tmp_path: Path) -> None:
    others = Stream("others", {}, ())
    keep(tmp_path, "run-2", rejected({"id": 1}))
    keep(tmp_path, "run-1", rejected({}), rejected({}, "refused"), rejected({}), rejected({}, stream=others))
    groups = list(LeftRuns(tmp_path, None).groups())
    assert [(group.run, group.stream, group.reason, group.count) for group in groups] == [
        ("run-1", "rows", "invalid", 2),
        ("run-1", "rows", "refused", 1),
        ("run-1", "others", "invalid", 1),
        ("run-2", "rows", "invalid", 1),
    ]
    assert groups[0].message == "$.id: is text"


def test_an_answer_is_told_by_its_status_alone_since_it_may_quote_a_value(tmp_path: Path) -> None:
    refused = Rejection("refused", (), "mappings[0]", 422, '{"error": "a-value"}', b'{"name":"n"}')
    keep(tmp_path, "run", RejectedRecord(ROWS, {"id": 1}, refused, Tally()))
    (group,) = LeftRuns(tmp_path, None).groups()
    assert group.message == "the endpoint answered 422"


def test_a_directory_that_can_not_be_read_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RejectedRecordsError, match="can't be read: Not a directory"):
        LeftRuns(tmp_path / "file", None).names()


@given(st.dictionaries(st.text(), VALUES, max_size=4))
def test_whatever_a_record_holds_it_is_known_again_once_it_is_given_up(record: dict[str, Any]) -> None:
    line = simplejson.dumps(record, use_decimal=True, allow_nan=True).encode()
    read: Any = Reader().parse(line)
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        assert keep(directory, "first", rejected(read)) == 1
        assert LeftRuns(directory, None).give_up("first") == 1
        assert keep(directory, "second", rejected(Reader().parse(line))) == 0  # type: ignore[arg-type]  # it's a record
