"""`suggest` prints a first `mappings:` block, which reads back as it was meant and passes `check`."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from target_applied_events.commands.guesses import draft, nested
from target_applied_events.commands.suggest import block, quoted
from tests.target_process import PROGRAM, as_lines, config, record, schema, state

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox_process import Sandbox

MESSAGES = [
    schema(
        "public-orders",
        {"id": {"type": "integer"}, "email": {"type": "string"}, "total": {"type": "number"}, "placed_at": {}},
    ),
    record("public-orders", id=1, email="a@example.com", total=1, placed_at="2026-01-01"),
    schema('log "entries"', {"a b": {"type": "integer"}, "it's \\ {{ odd }}": {"type": "string"}}, ["a b"]),
    schema("bare", {}, []),
    state(1),
]


def suggest(*arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[str]:
    command = [str(PROGRAM), "suggest", *arguments]
    done = subprocess.run(command, input=given.decode(), capture_output=True, check=False, timeout=50, text=True)
    assert "Traceback" not in done.stderr
    return done


def test_what_it_prints_passes_check(sandbox: Sandbox, tmp_path: Path) -> None:
    done = suggest(given=as_lines(MESSAGES))
    assert done.returncode == 0
    mappings = yaml.safe_load(done.stdout)["mappings"]
    assert [mapping["stream"] for mapping in mappings] == ["public-orders", 'log "entries"', "bare"]
    (tmp_path / "in").write_bytes(as_lines(MESSAGES))
    command = [str(PROGRAM), "check", "--config", str(config(tmp_path, sandbox.url, mappings))]
    checked = subprocess.run(
        [*command, "--input", str(tmp_path / "in")], capture_output=True, check=False, timeout=50, text=True
    )
    assert checked.returncode == 0, checked.stdout
    assert "✗" not in checked.stdout


def test_a_catalog_gives_the_same_as_its_messages(tmp_path: Path) -> None:
    streams = [
        {"tap_stream_id": said["stream"], "schema": said["schema"], "key_properties": said["key_properties"]}
        for said in MESSAGES
        if said["type"] == "SCHEMA"
    ]
    (tmp_path / "catalog").write_text(json.dumps({"streams": streams}))
    assert suggest("--catalog", str(tmp_path / "catalog")).stdout == suggest(given=as_lines(MESSAGES)).stdout


def test_where_there_is_no_guess_it_says_todo() -> None:
    text = block([draft("bare", {"properties": {}}, [])])
    for field in ("event_time", "contact.email", "contact.remote_id", "once_per"):
        assert f"# {field}: TODO: " in text


@pytest.mark.parametrize("given_input", [b"", as_lines([state(1)]), b'{"type":"SCHEMA","stream":"s","schema":[]}\n'])
def test_an_input_without_a_schema_ends_with_a_clear_error(given_input: bytes) -> None:
    done = suggest(given=given_input)
    assert (done.returncode, done.stdout) == (1, "")
    assert "SCHEMA" in done.stderr


@given(st.text())
def test_every_text_is_read_back_from_yaml_as_it_was(text: str) -> None:
    assert yaml.safe_load(f"key: {quoted(text)}") == {"key": text}


@pytest.mark.parametrize("text", ["yes", "Null", "1", "1e3", "a: b", "a #b", "- a", "", " a", "\x85", "\u2028", "😀"])
def test_what_yaml_would_take_for_something_else_is_quoted(text: str) -> None:
    assert quoted(text).startswith('"')
    assert yaml.safe_load(quoted(text)) == text


@given(st.text(min_size=1), st.dictionaries(st.text(), st.just({"type": "string"})))
def test_any_draft_is_read_back_from_yaml_as_it_was_meant(stream: str, columns: dict[str, Any]) -> None:
    made = draft(stream, {"properties": columns}, list(columns)[:1])
    assert yaml.safe_load(block([made])) == {"mappings": [nested({"stream": stream, **made.fields})]}
