from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from target_applied_events.commands.dry_run import DryRun
from target_applied_events.errors import InputError, MappingError
from target_applied_events.handover import Item, Pending, RejectedRecord
from tests.in_process import handlers_put_back
from tests.target_process import Message, as_lines, record, schema

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from target_applied_events.summary import Summary

ROW: Message = {"stream": "rows", "name": "Row {{ id }}", "contact": {"remote_id": "{{ id }}"}}
AGAIN: Message = {**ROW, "name": "Again"}
DELETED: Message = {**ROW, "name": "Deleted", "when": "{{ _sdc_deleted_at is not none }}"}
SCHEMA = schema("rows", {"id": {"type": "integer"}})


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    with handlers_put_back():
        yield


def handed_over(folder: Path, messages: list[Message], settings: dict[str, Any]) -> tuple[list[Item], Summary]:
    items: list[Item] = []
    target = DryRun(config={"data_dir": str(folder), **settings})
    (folder / "in").write_bytes(as_lines(messages))
    with (folder / "in").open() as given:
        return items, target.look(given, items.append)


def taken(folder: Path, messages: list[Message], *mappings: Message, **settings: Any) -> tuple[list[str], Summary]:  # noqa: ANN401 - any JSON
    """What is handed over of some messages, each by its mapping or reason."""
    items, summary = handed_over(folder, messages, {"mappings": list(mappings or [ROW]), **settings})
    return [_said(item) for item in items], summary


def _said(item: Item) -> str:
    match item:
        case Pending(event):
            return f"{event.mapping} {event.record['id']}"
        case RejectedRecord():
            return f"{item.rejection.reason} {item.record.get('id')}"
        case _:
            return "state"


def fed_back(mapping: str | None, name: str | None = None) -> list[Message]:
    rejection: Message = {"reason": "refused", "errors": [], "mapping": mapping, "name": name}
    return [SCHEMA | {"rejected": True}, record("rows", id=1) | {"rejection": rejection}]


def test_a_deleted_record_is_passed_over_but_for_the_mappings_that_speak_of_it(tmp_path: Path) -> None:
    messages = [SCHEMA, record("rows", id=1), record("rows", id=2, _sdc_deleted_at="2026-04-07T14:30:00Z")]
    assert taken(tmp_path, messages, ROW, DELETED)[0] == ["mappings[0] 1", "mappings[1] 2"]
    said, summary = taken(tmp_path, messages)
    assert (said, summary.passed_over) == (["mappings[0] 1"], 1)


def test_a_record_fed_back_goes_to_its_mapping_alone_and_an_invalid_one_to_all(tmp_path: Path) -> None:
    assert taken(tmp_path, fed_back("mappings[1]"), ROW, AGAIN)[0] == ["mappings[1] 1"]
    assert taken(tmp_path, fed_back(None), ROW, AGAIN)[0] == ["mappings[0] 1", "mappings[1] 1"]


def test_a_record_fed_back_to_a_mapping_that_is_gone_ends_the_run_unless_its_stream_has_none(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"rejected by mappings\[7\], which is none of the stream's mappings now"):
        taken(tmp_path, fed_back("mappings[7]"))
    said, summary = taken(tmp_path, fed_back("mappings[7]"), {**ROW, "stream": "other"}, unmapped_streams="ignore")
    assert (said, summary.passed_over) == ([], 1)


def test_a_record_fed_back_is_known_by_the_name_of_its_mapping_among_those_of_its_stream(tmp_path: Path) -> None:
    elsewhere = {**AGAIN, "stream": "other"}
    assert taken(tmp_path, fed_back("mappings[0]", "Again"), elsewhere, ROW, AGAIN)[0] == ["mappings[2] 1"]
    assert taken(tmp_path, fed_back("mappings[1]", "Again"), ROW, DELETED)[0] == []
    assert taken(tmp_path, fed_back("mappings[1]"), ROW, AGAIN, DELETED)[0] == ["mappings[1] 1"]


def test_times_and_sdc_columns_reach_a_mapping_as_they_were_read(tmp_path: Path) -> None:
    columns = {"id": {"type": "string"}, "at": {"type": "string", "format": "date-time"}}
    mapping = {**ROW, "name": "{{ at }}, {{ _sdc_lsn }}"}
    messages = [schema("rows", columns), record("rows", id="1", at="2026-04-07 14:30", _sdc_lsn=7)]
    items, _ = handed_over(tmp_path, messages, {"mappings": [mapping]})
    [event] = [item.event for item in items if isinstance(item, Pending)]
    assert b'"name":"2026-04-07 14:30, 7"' in event.body


def test_records_are_not_validated_where_the_setting_says_so(tmp_path: Path) -> None:
    messages = [SCHEMA, record("rows", id="x")]
    assert taken(tmp_path, messages)[0] == ["invalid x"]
    assert taken(tmp_path, messages, validate_records=False)[0] == ["mappings[0] x"]


def test_a_record_without_its_key_is_rejected_and_the_next_is_taken(tmp_path: Path) -> None:
    assert taken(tmp_path, [SCHEMA, record("rows"), record("rows", id=2)])[0] == ["invalid None", "mappings[0] 2"]


def test_of_many_mappings_only_some_are_named_to_who_has_none_for_a_stream(tmp_path: Path) -> None:
    others = [{**ROW, "stream": f"stream-{number}"} for number in range(6)]
    with pytest.raises(MappingError) as told:
        taken(tmp_path, [SCHEMA], *others)
    five = ", ".join(f"stream-{number}" for number in range(5))
    assert f"No mapping matches the stream rows. There are mappings for {five} and others. " in str(told.value)
    with pytest.raises(MappingError, match=f"There are mappings for {five}. Add"):
        taken(tmp_path, [SCHEMA], *others[:5])


@pytest.mark.parametrize("similar", ["Rows", "ro-ws", "ro.ws", "ROWS"])
def test_a_stream_that_a_mapping_nearly_names_stops_the_run_even_where_others_are_ignored(
    tmp_path: Path, similar: str
) -> None:
    with pytest.raises(MappingError, match="differs only in case or punctuation"):
        taken(tmp_path, [SCHEMA], {**ROW, "stream": similar}, unmapped_streams="ignore")


@pytest.mark.parametrize(
    ("stream", "unmapped", "said"),
    [
        ("other", "ignore", "No mapping matches the stream other: its records are passed over."),
        ("meltano_test_stream", "error", "The stream meltano_test_stream is Meltano's own test: its records are read"),
    ],
)
def test_a_stream_that_is_passed_over_is_told_once_and_its_records_are_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, stream: str, unmapped: str, said: str
) -> None:
    messages = [schema(stream, {"id": {}}), record(stream, id=1), record(stream, id=2)]
    with caplog.at_level(logging.INFO):
        handed, summary = taken(tmp_path, messages, unmapped_streams=unmapped)
    assert (handed, summary.passed_over) == ([], 2)
    told = [line.getMessage() for line in caplog.records if stream in line.getMessage()]
    assert len(told) == 1
    assert told[0].startswith(said)


def test_what_a_mapping_s_user_should_know_is_told_at_its_schema(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    taken(tmp_path, [schema("rows", {"id": {}, "stream": {}})], {**ROW, "name": "A row of {{ stream }}"})
    [told] = [line.getMessage() for line in caplog.records if line.levelno == logging.WARNING]
    assert told.startswith('mappings[0].name: "stream" means the stream\'s name here; ')
