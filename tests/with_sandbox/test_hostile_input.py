"""Whatever stands on standard input is delivered exactly, rejected, or stops the run with a clear error."""

from __future__ import annotations

import json
import resource
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tests.target_process import Message, as_lines, config, parse, record, run_target, schema, state

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox_process import Sandbox

ANYTHING: dict[str, Any] = {}
SCHEMA = schema("rows", {"id": {"type": "integer"}, "value": ANYTHING})
MAPPING: Message = {
    "stream": "rows",
    "name": "Row {{ id }}",
    "contact": {"remote_id": "{{ id }}"},
    "metric": {"metric_name": "values", "additional_properties": {"value": "{{ value }}"}},
}


def row(number: int, value: str | bytes) -> bytes:
    """A RECORD whose `value` is this JSON text, whatever it holds."""
    text = value.encode() if isinstance(value, str) else value
    return b'{"type":"RECORD","stream":"rows","record":{"id":%d,"value":%s}}\n' % (number, text)


EXACT = {
    "2^64+1": ("18446744073709551617", "18446744073709551617"),
    "a number of 4,000 digits": ("9" * 4000, "9" * 4000),
    "38 digits": ("1234567890.1234567890123456789012345678", "1234567890.1234567890123456789012345678"),
    "trailing zeros": ("10.5000", "10.5000"),
    "the last of equal keys": ('1,"value":2', "2"),
    "a NUL": (r'"a\u0000b"', "a\0b"),
    "a surrogate pair": (r'"\ud83d\ude00"', "😀"),
    "markup": ('"<script>alert(1)</script>{{ 7*7 }}"', "<script>alert(1)</script>{{ 7*7 }}"),
    "a line break": (r'"a\r\nb"', "a\r\nb"),
}


def test_what_is_unusual_and_valid_is_delivered_exactly(sandbox: Sandbox, tmp_path: Path) -> None:
    rows = [row(number, text) for number, (text, _) in enumerate(EXACT.values())]
    done = run_target(config(tmp_path, sandbox.url, [MAPPING]), as_lines([SCHEMA]) + b"".join(rows))
    assert done.status == 0, done.log
    arrived = {event["body"]["name"]: event["body"]["metric"]["additional_properties"] for event in sandbox.events()}
    for number, (name, (_, wanted)) in enumerate(EXACT.items()):
        assert (name, arrived[f"Row {number}"]) == (name, {"value": wanted})


@pytest.mark.parametrize("value", ["NaN", "[Infinity]", '{"a":-Infinity}', r'"\ud800"', r'{"\udfff": 1}'])
def test_what_only_a_lenient_parser_reads_is_rejected_as_it_came(sandbox: Sandbox, tmp_path: Path, value: str) -> None:
    data = as_lines([SCHEMA]) + row(1, value) + row(2, "2") + as_lines([state(2)])
    done = run_target(config(tmp_path, sandbox.url, [MAPPING]), data)
    assert (done.status, done.states, len(sandbox.events())) == (1, [2], 1)
    assert "rejected 1 (invalid 1)" in done.log
    assert "Traceback" not in done.log
    (kept,) = (tmp_path / "data" / "rejected").glob("*.jsonl")
    rejected = kept.read_text().splitlines()[1]
    assert f'"value":{value.replace(": ", ":")}' in rejected


STOPS = {
    "invalid UTF-8": row(2, b'"\xff\xfe"'),
    "a raw NUL": row(2, b'"\x00"'),
    "5,000 digits": row(2, "9" * 5_000),
    "nesting of 100,000": row(2, "[" * 100_000 + "]" * 100_000),
    "an exponent beyond reach": row(2, "1e9999999999999999999"),
    "no JSON": b"INFO starting the tap\n",
    "no object": b"[1, 2]\n",
    "a record that is no object": b'{"type":"RECORD","stream":"rows","record":[1]}\n',
    "a stream without a name": b'{"type":"RECORD","record":{"id":2}}\n',
    "a schema that is none": b'{"type":"SCHEMA","stream":"other","schema":{"properties":{"id":{"type":"no type"}}}}\n',
    "a schema without properties": b'{"type":"SCHEMA","stream":"other","schema":{"type":"object"}}\n',
    "a schema whose stream is no text": b'{"type":"SCHEMA","stream":5,"schema":{}}\n',
    "a schema whose keys are one text": b'{"type":"SCHEMA","stream":"other","schema":{},"key_properties":"id"}\n',
    "a schema whose keys are no texts": b'{"type":"SCHEMA","stream":"other","schema":{},"key_properties":[["x"]]}\n',
    "a schema that is no object": b'{"type":"SCHEMA","stream":"other","schema":7}\n',
    "a state without value": b'{"type":"STATE"}\n',
    "a batch without manifest": b'{"type":"BATCH","stream":"rows","encoding":{"format":"jsonl"}}\n',
    "a batch of an unknown format": (
        b'{"type":"BATCH","stream":"rows","encoding":{"format":"avro"},"manifest":["file:///no"]}\n'
    ),
}


@pytest.mark.parametrize("line", STOPS.values(), ids=STOPS)
def test_what_is_no_singer_stops_the_run_clearly_after_what_came_before(
    sandbox: Sandbox, tmp_path: Path, line: bytes
) -> None:
    data = as_lines([SCHEMA, record("rows", id=1, value=1), state(1)]) + line + as_lines([state(2)])
    done = run_target(config(tmp_path, sandbox.url, [MAPPING], unmapped_streams="ignore"), data)
    assert (done.status, done.states, len(sandbox.events())) == (1, [1], 1)
    assert "Traceback" not in done.log
    error = done.log.rsplit("| ERROR    |", maxsplit=1)[-1]
    assert len(error) < 600
    assert "999999" not in error


def test_a_value_of_1e400_is_exact_or_rejected_and_never_infinite(sandbox: Sandbox, tmp_path: Path) -> None:
    mapping = {**MAPPING, "metric": {"metric_name": "values", "value": "{{ value }}"}}
    done = run_target(config(tmp_path, sandbox.url, [mapping]), as_lines([SCHEMA]) + row(1, "1e400") + row(2, "1E-400"))
    arrived = {event["body"]["name"]: event["body"]["metric"]["value"] for event in sandbox.events()}
    assert all(value in {Decimal("1E+400"), Decimal("1E-400")} for value in arrived.values())
    assert len(arrived) + (0 if done.status == 0 else parse_rejected(tmp_path)) == 2


def parse_rejected(directory: Path) -> int:
    (kept,) = (directory / "data" / "rejected").glob("*.jsonl")
    return sum(parse(line)["type"] == "RECORD" for line in kept.read_text().splitlines())


def test_ten_thousand_columns_pass(sandbox: Sandbox, tmp_path: Path) -> None:
    columns = {f"column_{number}": number for number in range(10_000)}
    wide = schema(
        "rows", {"id": {"type": "integer"}, "value": ANYTHING, **{name: {"type": "integer"} for name in columns}}
    )
    done = run_target(config(tmp_path, sandbox.url, [MAPPING]), [wide, record("rows", id=1, value="x", **columns)])
    assert (done.status, len(sandbox.events())) == (0, 1)


def test_a_schema_that_lists_no_column_allows_any_and_that_is_told(sandbox: Sandbox, tmp_path: Path) -> None:
    messages = [schema("rows", {}, []), record("rows", id=1, value="x")]
    done = run_target(config(tmp_path, sandbox.url, [MAPPING]), messages)
    assert (done.status, len(sandbox.events())) == (0, 1), done.log
    assert "mappings[0]: the schema of the stream rows lists no column, so no name is looked up in it" in done.log


def test_a_schema_that_changes_midway_is_checked_again(sandbox: Sandbox, tmp_path: Path) -> None:
    without_value = schema("rows", {"id": {"type": "integer"}})
    messages = [SCHEMA, record("rows", id=1, value=1), state(1), without_value, record("rows", id=2), state(2)]
    done = run_target(config(tmp_path, sandbox.url, [MAPPING]), messages)
    assert (done.status, done.states, len(sandbox.events())) == (1, [1], 1)
    assert 'no column "value"' in done.log or "value" in done.log.rsplit("| ERROR    |", maxsplit=1)[-1]


def test_a_schema_that_changes_midway_governs_what_comes_after(sandbox: Sandbox, tmp_path: Path) -> None:
    as_text = schema("rows", {"id": {"type": "integer"}, "value": {"type": "string"}})
    messages = [
        SCHEMA,
        record("rows", id=1, value=1),
        as_text,
        record("rows", id=2, value=2),
        record("rows", id=3, value="3"),
    ]
    done = run_target(config(tmp_path, sandbox.url, [MAPPING]), messages)
    assert "rejected 1 (invalid 1)" in done.log
    assert sorted(event["body"]["name"] for event in sandbox.events()) == ["Row 1", "Row 3"]


@pytest.mark.slow
def test_a_line_of_100_mb_is_delivered_in_what_it_takes(sandbox: Sandbox, tmp_path: Path) -> None:
    mapping = {**MAPPING, "metric": {"metric_name": "values"}}
    big = json.dumps("x" * 100_000_000)
    done = run_target(config(tmp_path, sandbox.url, [mapping]), as_lines([SCHEMA]) + row(1, big) + row(2, "2"))
    assert (done.status, len(sandbox.events())) == (0, 2)
    peak_kib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    assert peak_kib < 1 << 20
