"""The target as its own process, for tests of what a user sees: statuses, STATE and the log."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import simplejson

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PROGRAM = Path(sys.executable).with_name("target-applied-events")
SHOP = "66e4c0de-0000-4000-8000-000000000001"
API_KEY = "AL-k3y-that-nobody-may-see"

Message = dict[str, Any]

SIZED: Message = {
    "stream": "rows",
    "name": "Row {{ id }}",
    "contact": {"remote_id": "{{ id }}"},
    "metric": {"metric_name": "size", "value": "{{ size }}"},
}
"""A mapping that a size such as `x2` can't go through."""

SIZED_MENDED = SIZED | {"metric": {"metric_name": "size", "value": "{{ size | replace('x', '') }}"}}
"""The same, once it can."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A run that has ended.

    Attributes:
        status: Its exit status.
        states: The STATE values that it wrote.
        log: What it logged.
    """

    status: int
    states: list[Any]
    log: str


def config(directory: Path, api_url: str, mappings: list[Message], **settings: Any) -> Path:  # noqa: ANN401 - any JSON
    """Write a config file whose `data_dir` stands beside it."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "config.json"
    whole = {
        "api_key": API_KEY,
        "shop_id": SHOP,
        "api_url": api_url,
        "data_dir": str(directory / "data"),
        "mappings": mappings,
        **settings,
    }
    path.write_text(json.dumps({name: value for name, value in whole.items() if value is not None}))
    return path


def run_target(config_path: Path, messages: bytes | Iterable[Message], *args: str) -> Finished:
    """Run the target over an input to its end; the key may be in nothing that it writes."""
    data = messages if isinstance(messages, bytes) else as_lines(messages)
    command = [str(PROGRAM), "--config", str(config_path), *args]
    done = subprocess.run(command, input=data, capture_output=True, check=False, timeout=50)
    log = done.stderr.decode()
    assert API_KEY not in log
    assert API_KEY.encode() not in done.stdout
    return Finished(done.returncode, [parse(line) for line in done.stdout.splitlines()], log)


def as_lines(messages: Iterable[Message]) -> bytes:
    """Messages as a tap writes them, Decimals exact."""
    return "".join(simplejson.dumps(message, use_decimal=True) + "\n" for message in messages).encode()


def parse(line: str | bytes) -> Any:  # noqa: ANN401 - any JSON
    """JSON with every number exact."""
    return json.loads(line, parse_float=Decimal)


def schema(stream: str, properties: Mapping[str, Any], key_properties: Iterable[str] = ("id",)) -> Message:
    """A SCHEMA message."""
    return {
        "type": "SCHEMA",
        "stream": stream,
        "schema": {"type": "object", "properties": dict(properties)},
        "key_properties": list(key_properties),
    }


def record(stream: str, **columns: Any) -> Message:  # noqa: ANN401 - any JSON
    """A RECORD message."""
    return {"type": "RECORD", "stream": stream, "record": columns}


def state(value: Any) -> Message:  # noqa: ANN401 - any JSON
    """A STATE message."""
    return {"type": "STATE", "value": value}
