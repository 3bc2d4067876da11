"""`preview` shows what an input would make; it needs no key, sends nothing and writes nothing."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.target_process import PROGRAM, Message, as_lines, config, parse, record, schema, state

if TYPE_CHECKING:
    from pathlib import Path

MAPPINGS: list[Message] = [
    {
        "stream": "rows",
        "name": "Row {{ id }}",
        "contact": {"remote_id": "{{ id }}"},
        "metric": {"metric_name": "size", "value": "{{ size }}"},
    },
    {"stream": "rows", "when": "{{ id == 1 }}", "name": "{{ text }}", "contact": {"remote_id": "{{ id }}"}},
]
SCHEMA = schema("rows", {"id": {"type": "integer"}, "size": {"type": "string"}, "text": {"type": "string"}})
MESSAGES = [
    SCHEMA,
    record("rows", id=1, size="0.10", text="steer \x1b[31m a terminal"),
    record("rows", id=2, size="x"),
    record("rows", id="3"),
    state(3),
]


def preview(
    folder: Path, messages: list[Message], *arguments: str, mappings: list[Message] = MAPPINGS
) -> subprocess.CompletedProcess[str]:
    path = config(folder, "https://nowhere.invalid/v1", mappings, api_key=None, shop_id=None)
    given = as_lines(messages).decode()
    command = [str(PROGRAM), "preview", "--config", str(path), *arguments]
    done = subprocess.run(command, input=given, capture_output=True, check=False, timeout=50, text=True)
    assert "Traceback" not in done.stderr
    assert sorted(item.name for item in folder.iterdir() if item.name != "kept") == ["config.json"]
    return done


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """A preview in a pipe."""
    return preview(tmp_path_factory.mktemp("preview"), MESSAGES)


def test_in_a_pipe_standard_output_holds_a_line_for_each_event_and_rejection_and_nothing_else(
    shown: subprocess.CompletedProcess[str],
) -> None:
    assert shown.returncode == 0
    lines = [parse(line) for line in shown.stdout.splitlines()]
    assert [(line["mapping"], line["key"], "event" in line) for line in lines] == [
        ("mappings[0]", {"id": 1}, True),
        ("mappings[1]", {"id": 1}, True),
        ("mappings[0]", {"id": 2}, False),
        (None, {"id": "3"}, False),
    ]
    assert [line["rejection"]["reason"] for line in lines[2:]] == ["unmappable", "invalid"]


def test_numbers_are_exact(shown: subprocess.CompletedProcess[str]) -> None:
    assert '"value":0.10,' in shown.stdout


def test_the_summary_counts_events_skips_and_rejections_with_their_reasons(
    shown: subprocess.CompletedProcess[str],
) -> None:
    assert "2 events, 2 rejected, 1 skipped by a mapping, 0 passed over. Nothing was sent." in shown.stderr
    assert "$.metric.value: " in shown.stderr
    assert "$.id: " in shown.stderr


def test_a_mapping_whose_when_took_no_record_is_named_and_one_that_made_or_rejected_something_is_not(
    tmp_path: Path,
) -> None:
    silent = MAPPINGS[1] | {"when": "{{ text == 'Steer' }}"}
    rejecting = MAPPINGS[0] | {"when": "{{ id == 2 }}", "name": "Size of {{ id }}"}
    done = preview(tmp_path, MESSAGES, mappings=[MAPPINGS[0], silent, rejecting])
    assert "mappings[1] made no event of any record that was read: see its `when`." in done.stderr
    assert done.stderr.count("made no event") == 1


def test_events_that_a_run_would_never_send_are_warned_of_and_shown_all_the_same(tmp_path: Path) -> None:
    once: Message = {**MAPPINGS[1], "when": True, "once_per": "{{ id }}"}
    messages = [SCHEMA, *(record("rows", id=1, text=text) for text in ("placed", "paid", "paid"))]
    done = preview(tmp_path, messages, mappings=[once])
    assert [json.loads(line)["event"]["name"] for line in done.stdout.splitlines()] == ["placed", "paid", "paid"]
    assert done.stderr.count("mappings[0]: 2 of its events have the once_per of an earlier one and another body") == 1
    views = [schema("rows", {"id": {}, "text": {}}, []), *(record("rows", id=1, text="/"),) * 3]
    done = preview(tmp_path, views, mappings=[MAPPINGS[1]])
    assert len(done.stdout.splitlines()) == 3
    assert "mappings[0]: 2 of its events are the same as an earlier one" in done.stderr
    assert "has no key_properties" in done.stderr


def test_a_field_that_is_in_no_event_is_warned_of_and_one_that_is_in_some_is_not(tmp_path: Path) -> None:
    misspelt = "{% for item in items %}{{ item.nmae }}{% endfor %}"
    contact = {"remote_id": "{{ id }}", "name": "{{ text }}"}
    mapping = {"stream": "rows", "name": "Row", "description": misspelt, "contact": contact}
    messages = [schema("rows", {"id": {}, "items": {}, "text": {}}), record("rows", id=1, items=[{"name": "a"}])]
    done = preview(tmp_path, [*messages, record("rows", id=2, text="Ada")], mappings=[mapping])
    assert "mappings[0].description came out empty in all 2 events." in done.stderr
    assert done.stderr.count("came out empty") == 1


def test_on_a_terminal_it_draws_boxes_and_lets_no_value_steer_the_terminal(tmp_path: Path) -> None:
    path = config(tmp_path, "https://nowhere.invalid/v1", MAPPINGS, api_key=None, shop_id=None)
    (tmp_path / "in").write_bytes(as_lines(MESSAGES))
    ours, theirs = pty.openpty()
    command = [str(PROGRAM), "preview", "--config", str(path), "--input", str(tmp_path / "in")]
    environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": "100"}
    with subprocess.Popen(command, stdout=theirs, stderr=subprocess.DEVNULL, env=environment) as process:
        os.close(theirs)
        drawn = b""
        while chunk := _read(ours):
            drawn += chunk
    os.close(ours)
    assert process.returncode == 0
    assert "╭".encode() in drawn
    assert b"\\u001b[31m a terminal" in drawn


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # how a terminal says that the other side has gone
        return b""


def test_limit_stops_after_so_many(tmp_path: Path) -> None:
    done = preview(tmp_path, MESSAGES, "--limit", "1")
    assert len(done.stdout.splitlines()) == 1
    assert "1 events, 0 rejected" in done.stderr


def test_stream_looks_at_one_as_if_the_others_were_not_there(tmp_path: Path) -> None:
    others = [schema("others", {}), record("others", id=1)]
    assert preview(tmp_path, [*others, *MESSAGES]).returncode == 1
    done = preview(tmp_path, [*others, *MESSAGES], "--stream", "rows")
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 4)
    assert "met no stream" not in done.stderr
    done = preview(tmp_path, MESSAGES, "--stream", "Rows")
    assert (done.returncode, done.stdout) == (0, "")
    assert "--stream met no stream that came and has a mapping: Rows." in done.stderr


def test_a_mapping_that_can_not_work_ends_it_with_all_mistakes(tmp_path: Path) -> None:
    wrong: list[Message] = [{"stream": "rows", "name": "{{ nmae }}", "contact": {"email": "{{ mial }}"}}]
    done = preview(tmp_path, MESSAGES, mappings=wrong)
    assert (done.returncode, done.stdout) == (1, "")
    assert "mappings[0].name" in done.stderr
    assert "mappings[0].contact.email" in done.stderr


def test_the_same_again_is_as_expected(tmp_path: Path, shown: subprocess.CompletedProcess[str]) -> None:
    (tmp_path / "kept").write_text(shown.stdout)
    done = preview(tmp_path, MESSAGES, "--expect", str(tmp_path / "kept"))
    assert done.returncode == 0
    assert done.stdout == shown.stdout
    assert "No difference" in done.stderr


def test_a_changed_mapping_is_shown_field_by_field_and_ends_with_status_1(
    tmp_path: Path, shown: subprocess.CompletedProcess[str]
) -> None:
    (tmp_path / "kept").write_text(shown.stdout)
    changed = [MAPPINGS[0] | {"name": "Row no. {{ id }}"}, MAPPINGS[1]]
    done = preview(tmp_path, MESSAGES, "--expect", str(tmp_path / "kept"), mappings=changed)
    assert done.returncode == 1
    assert 'rows mappings[0] id=1: event.name: expected "Row 1", found "Row no. 1"' in done.stderr
    assert "event.metric.deduping_key: expected " in done.stderr


def test_rejected_records_can_be_previewed_too(tmp_path: Path) -> None:
    rejection = {"reason": "unmappable", "errors": [], "mapping": "mappings[1]"}
    kept = [SCHEMA | {"rejected": True}, record("rows", id=1, size="x", text="t") | {"rejection": rejection}]
    (line,) = preview(tmp_path, kept).stdout.splitlines()
    assert json.loads(line)["mapping"] == "mappings[1]"


def test_a_file_that_is_no_preview_is_refused(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("nonsense\n")
    done = preview(tmp_path, MESSAGES, "--expect", str(tmp_path / "kept"))
    assert (done.returncode, done.stdout) == (1, "")
    assert "line 1 is no line of a preview" in done.stderr


def test_a_reader_that_goes_away_makes_no_traceback(tmp_path: Path) -> None:
    path = config(tmp_path, "https://nowhere.invalid/v1", MAPPINGS, api_key=None, shop_id=None)
    (tmp_path / "in").write_bytes(as_lines([SCHEMA, *(record("rows", id=1, size="1", text="t") for _ in range(9999))]))
    command = [str(PROGRAM), "preview", "--config", str(path), "--input", str(tmp_path / "in")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
    assert b"Traceback" not in said
    assert b"Exception ignored" not in said
