"""What docs/operations.md says of files and of a ledger's backup, seen on a real `data_dir`."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import subprocess
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any

import pytest

from tests.pages import block, rows_of
from tests.target_process import PROGRAM, SIZED, SIZED_MENDED, Message, config, record, run_target, schema

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox_process import Sandbox

SCHEMA = schema("rows", {"id": {"type": "integer"}, "size": {"type": "string"}})


def rows(*sizes: str) -> list[Message]:
    return [SCHEMA, *(record("rows", id=number, size=size) for number, size in enumerate(sizes))]


def files_in(data: Path) -> set[str]:
    return {path.relative_to(data).as_posix() for path in data.rglob("*") if path.is_file()}


def kept(data: Path) -> Path:
    (file,) = (data / "rejected").glob("*.jsonl")
    return file


@pytest.fixture
def used(sandbox: Sandbox, tmp_path: Path) -> Path:
    """A `data_dir` after rejections that were fed back, given up, and left."""
    data = tmp_path / "data"
    settings = config(tmp_path, sandbox.url, [SIZED])
    assert run_target(settings, rows("1", "x2")).status == 1
    assert run_target(config(tmp_path, sandbox.url, [SIZED_MENDED]), b"", "--input", str(kept(data))).status == 0
    settings = config(tmp_path, sandbox.url, [SIZED])
    assert run_target(settings, rows("1", "x3")).status == 1
    command = [str(PROGRAM), "rejected", "--config", str(settings), "--done", kept(data).stem]
    subprocess.run(command, check=True, capture_output=True, timeout=50)
    assert run_target(settings, rows("1", "x4")).status == 1
    return data


def test_data_dir_holds_the_files_that_are_listed_and_no_others(used: Path) -> None:
    listed = [name.strip("`") for name, _ in rows_of("file", "what it is")]
    of_a_live_run = "ledger.sqlite.run-*"
    found = files_in(used)
    assert [name for name in found if not any(fnmatch(name, pattern) for pattern in listed)] == []
    assert [pattern for pattern in listed if not any(fnmatch(name, pattern) for name in found)] == [of_a_live_run]
    assert {path.stat().st_mode & 0o077 for path in used.rglob("*")} == {0}


def test_a_rejection_holds_what_is_listed(sandbox: Sandbox, tmp_path: Path) -> None:
    run_target(config(tmp_path, sandbox.url, [SIZED]), rows("x1"))
    lines: list[dict[str, Any]] = [json.loads(line) for line in kept(tmp_path / "data").read_text().splitlines()]
    (rejection,) = (line["rejection"] for line in lines if line["type"] == "RECORD")
    assert {name.strip("`") for name, _ in rows_of("key", "holds")} == set(rejection)


def test_a_ledger_that_was_copied_and_put_back_knows_what_was_delivered(sandbox: Sandbox, tmp_path: Path) -> None:
    settings, ledger = config(tmp_path, sandbox.url, [SIZED]), tmp_path / "data" / "ledger.sqlite"
    assert run_target(settings, rows("1", "2")).status == 0
    with contextlib.closing(sqlite3.connect(ledger)) as connection, contextlib.chdir(tmp_path):
        connection.execute(block("sql"))
    for path in ledger.parent.glob("ledger.sqlite*"):
        path.unlink()
    (tmp_path / "copy.sqlite").rename(ledger)
    again = run_target(settings, rows("1", "2", "3"))
    assert again.status == 0, again.log
    assert len(sandbox.events()) == 3
