from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from target_applied_events.event import Rejection, Violation
from target_applied_events.handover import RejectedRecord, Stream, Tally
from target_applied_events.rejected.telling import MOST_KINDS, Told

if TYPE_CHECKING:
    import pytest

    from target_applied_events.event import Reason

REST = "More of this kind are counted, not told."
ROWS = Stream("rows", {}, ("id",))


def rejected(message: str, reason: Reason = "unmappable", mapping: str | None = "mappings[0]") -> RejectedRecord:
    rejection = Rejection(reason, (Violation("$.metric.value", message),), mapping, response="sekret", event=b"sekret")
    return RejectedRecord(ROWS, {"id": "sekret"}, rejection, Tally())


def test_the_first_of_each_kind_is_told_and_no_value(caplog: pytest.LogCaptureFixture) -> None:
    told = Told()
    told.tell([rejected("is no number"), rejected("is no number")])
    told.tell([rejected("is no number"), rejected("is too large", "invalid", None)])
    assert [record.getMessage() for record in caplog.records] == [
        f"A record of the stream rows is rejected as unmappable by mappings[0]: $.metric.value: is no number. {REST}",
        f"A record of the stream rows is rejected as invalid: $.metric.value: is too large. {REST}",
    ]
    assert {record.levelno for record in caplog.records} == {logging.WARNING}


def test_no_more_than_twenty_kinds_are_told(caplog: pytest.LogCaptureFixture) -> None:
    told = Told()
    told.tell(rejected(f"breaks rule {number}") for number in range(1000))
    assert len(caplog.records) == MOST_KINDS == 20
    assert repr(told) == "<Told kinds=20>"
