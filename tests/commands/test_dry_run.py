from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import pytest

from target_applied_events.commands.dry_run import DryRun
from target_applied_events.errors import InputError, MappingError, SettingsError, StopReading
from target_applied_events.handover import HeldState, Item, Pending, RejectedRecord
from tests.in_process import handlers_put_back
from tests.target_process import Message, as_lines, record, schema, state

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from target_applied_events.summary import Summary

MAPPINGS = [
    {"stream": "rows", "name": "Row {{ id }}", "contact": {"remote_id": "{{ id }}"}},
    {"stream": "rows", "when": "{{ id > 1 }}", "name": "Again", "contact": {"remote_id": "{{ id }}"}},
]
SCHEMA = schema("rows", {"id": {"type": "integer"}})


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    with handlers_put_back():
        yield


def target(folder: Path, **settings: Any) -> DryRun:  # noqa: ANN401 - any JSON
    return DryRun(config={"data_dir": str(folder / "data"), "mappings": MAPPINGS, **settings})


def look(looking: DryRun, folder: Path, messages: list[Message], take: list[Item]) -> Summary:
    (folder / "in").write_bytes(as_lines(messages))
    with (folder / "in").open() as given:
        return looking.look(given, take.append)


def kind(item: Item) -> str:
    match item:
        case Pending(event):
            return f"{event.mapping} {event.key_properties['id']}"
        case RejectedRecord():
            return item.rejection.reason
        case HeldState(value):
            return f"state {value}"


def test_everything_is_given_in_the_order_read_without_key_and_shop_and_nothing_is_written(tmp_path: Path) -> None:
    taken: list[Item] = []
    messages = [SCHEMA, record("rows", id=1), state(1), record("rows", id="x"), record("rows", id=2), state(2)]
    summary = look(target(tmp_path), tmp_path, messages, taken)
    assert [kind(item) for item in taken] == [
        "mappings[0] 1",
        "state 1",
        "invalid",
        "mappings[0] 2",
        "mappings[1] 2",
        "state 2",
    ]
    assert (summary.read, summary.skipped_by_mapping, summary.settled) == (5, 1, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_what_came_before_a_line_that_is_no_message_was_given(tmp_path: Path) -> None:
    taken: list[Item] = []
    with pytest.raises(InputError, match="Input line 3"):
        look(target(tmp_path), tmp_path, [SCHEMA, record("rows", id=1), {"no": "type"}], taken)
    assert [kind(item) for item in taken] == ["mappings[0] 1"]


def test_a_mapping_that_cannot_work_ends_it_at_its_schema(tmp_path: Path) -> None:
    taken: list[Item] = []
    with pytest.raises(MappingError, match=r"mappings\[0\]\.name"):
        look(target(tmp_path), tmp_path, [schema("rows", {"number": {}}, []), record("rows", number=1)], taken)
    assert taken == []


def test_all_other_settings_are_checked_as_for_a_run(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="max_concurrency"):
        target(tmp_path, max_concurrency=0)


def test_a_signal_ends_the_reading(tmp_path: Path) -> None:
    looking, taken = target(tmp_path), list[Item]()
    signal.raise_signal(signal.SIGTERM)
    with pytest.raises(StopReading, match="Ended by SIGTERM") as stopped:
        look(looking, tmp_path, [SCHEMA, record("rows", id=1)], taken)
    assert (stopped.value.exit_status, taken) == (143, [])


def test_the_mappings_that_met_a_stream_are_known(tmp_path: Path) -> None:
    other = {"stream": "other", "name": "x", "contact": {"remote_id": "{{ id }}"}}
    looking = target(tmp_path, mappings=[*MAPPINGS, other])
    look(looking, tmp_path, [SCHEMA], [])
    assert looking.receiver.met == {"mappings[0]", "mappings[1]"}
