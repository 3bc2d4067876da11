"""Messages as tap-postgres and Meltano write them in ways that the pipeline's own runs don't show."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox_process import Sandbox, running_sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = Path(sys.executable).with_name("target-applied-events")
SHOP = "5f0c3a52-7d64-4a0e-9a3b-0c1d2e3f4a5b"

# As tap-postgres 0.10 writes it under LOG_BASED: no column but the key is required, jsonb is text.
LOG_BASED_SCHEMA: dict[str, object] = {
    "type": "object",
    "properties": {
        "id": {"type": ["integer"]},
        "email": {"type": ["string", "null"]},
        "total": {"type": ["number", "null"]},
        "attributes": {"type": ["string", "null"]},
        "_sdc_deleted_at": {"type": ["string", "null"]},
        "_sdc_lsn": {"type": ["integer", "null"]},
    },
    "required": ["id"],
}


@dataclass(frozen=True, slots=True)
class Ran:
    """How the target ended, what it wrote, and what arrived."""

    status: int
    states: list[Any]
    log: str
    bodies: list[dict[str, Any]]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def run(sandbox: Sandbox, tmp_path: Path) -> Target:
    sandbox.clear()
    return Target(sandbox, tmp_path)


@dataclass(frozen=True, slots=True)
class Target:
    """Runs the installed target on messages."""

    sandbox: Sandbox
    folder: Path

    def __call__(self, mapping: dict[str, object], *messages: dict[str, object]) -> Ran:
        config = self.folder / "config.json"
        settings = {"api_key": "ALtest", "shop_id": SHOP, "api_url": self.sandbox.url, "data_dir": str(self.folder)}
        config.write_text(json.dumps(settings | {"mappings": [mapping]}))
        lines = "".join(json.dumps(message) + "\n" for message in messages)
        command = [str(PROGRAM), "--config", str(config)]
        done = subprocess.run(command, input=lines, capture_output=True, text=True, timeout=50, check=False)
        states = [json.loads(line) for line in done.stdout.splitlines()]
        return Ran(done.returncode, states, done.stderr, [event["body"] for event in self.sandbox.events()])


def _schema(stream: str, schema: dict[str, object], **more: object) -> dict[str, object]:
    return {"type": "SCHEMA", "stream": stream, "schema": schema, "key_properties": ["id"], **more}


def _record(stream: str, **record: object) -> dict[str, object]:
    return {"type": "RECORD", "stream": stream, "record": record, "time_extracted": "2026-04-07T14:30:00.5+00:00"}


def test_what_meltano_sends_to_try_a_loader_ends_well_and_with_a_line(run: Target) -> None:
    properties = {
        "id": {"type": "integer"},
        "name": {"type": "string"},
        "created_at": {"type": "string", "format": "date-time"},
    }
    state = {"bookmarks": {"meltano_test_stream": {"last_record": 1}}}
    ran = run(
        {"stream": "public-orders", "name": "Order", "contact": {"email": "{{ email }}"}},
        _schema("meltano_test_stream", {"type": "object", "properties": properties}),
        _record("meltano_test_stream", id=1, name="Meltano Test Record", created_at="2025-09-29T00:00:00Z"),
        {"type": "STATE", "value": state},
    )
    assert (ran.status, ran.states, ran.bodies) == (0, [state], [])
    assert "meltano_test_stream" in ran.log


def test_what_meltano_sends_to_try_a_loader_makes_no_line_that_meltano_takes_for_a_failure(run: Target) -> None:
    ran = run(
        {"stream": "public-orders", "name": "Order", "contact": {"email": "{{ email }}"}},
        _schema("meltano_test_stream", {"type": "object", "properties": {"id": {"type": "integer"}}}),
        _record("meltano_test_stream", id=1),
        {"type": "STATE", "value": {}},
    )
    taken_for_failures = ("error", "exception")
    assert not [line for line in ran.log.splitlines() if any(word in line.lower() for word in taken_for_failures)]


def test_a_numeric_sent_as_text_arrives_as_the_exact_number(run: Target) -> None:
    digits = "12345678901234567890123456.000000000001"
    schema = {"type": ["string", "null"], "format": "x-singer.decimal", "precision": 38, "scale": 12}
    ran = run(
        {"stream": "public-orders", "name": "Order", "metric": {"metric_name": "total", "value": "{{ total }}"}},
        _schema("public-orders", {"type": "object", "properties": {"id": {"type": ["integer"]}, "total": schema}}),
        _record("public-orders", id=1, total=digits),
    )
    assert (ran.status, [body["metric"]["value"] for body in ran.bodies]) == (0, [Decimal(digits)])


def test_a_row_deleted_in_the_database_makes_no_event(run: Target) -> None:
    ran = run(
        {"stream": "public-orders", "name": "Order", "contact": {"email": "{{ email }}"}},
        _schema("public-orders", LOG_BASED_SCHEMA),
        _record("public-orders", id=1, email="ada@example.com", total=1, attributes=None, _sdc_lsn=1),
        _record("public-orders", id=1, _sdc_deleted_at="2026-04-07T14:31:00+00:00", _sdc_lsn=2),
        {"type": "STATE", "value": {"lsn": 2}},
    )
    assert (ran.status, ran.states, len(ran.bodies)) == (0, [{"lsn": 2}], 1)


def test_jsonb_sent_as_text_is_read_by_fromjson(run: Target) -> None:
    ran = run(
        {
            "stream": "public-orders",
            "name": "Order",
            "contact": {"email": "{{ email }}", "name": "{{ (attributes | fromjson).name }}"},
        },
        _schema("public-orders", LOG_BASED_SCHEMA),
        _record(
            "public-orders", id=1, email="ada@example.com", attributes='{"name": "Ada \\"Countess\\" 🎉"}', _sdc_lsn=1
        ),
    )
    assert (ran.status, [body["contact"]["name"] for body in ran.bodies]) == (0, ['Ada "Countess" 🎉'])


def test_a_null_in_an_array_passes_though_the_taps_own_schema_forbids_it(run: Target) -> None:
    tags = {"type": ["array", "null"], "items": {"type": ["string"]}}
    ran = run(
        {
            "stream": "public-orders",
            "name": "Order",
            "metric": {"metric_name": "order", "value": 1, "additional_properties": {"tags": "{{ tags }}"}},
        },
        _schema("public-orders", {"type": "object", "properties": {"id": {"type": ["integer"]}, "tags": tags}}),
        _record("public-orders", id=1, tags=["a", None]),
    )
    assert ran.status == 0
    assert [body["metric"]["additional_properties"] for body in ran.bodies] == [{"tags": '["a",null]'}]
