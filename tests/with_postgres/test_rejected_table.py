"""With a PostgreSQL ledger, rejected records outlive the worker's disk."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import psycopg
import pytest

from target_applied_events.commands.rejected_runs import LeftRuns
from target_applied_events.errors import RejectedRecordsError
from target_applied_events.event import Rejection, Violation
from target_applied_events.handover import RejectedRecord, Stream, Tally
from target_applied_events.ledger import open_ledger
from target_applied_events.rejected import RejectedRecords, RejectedTable
from tests.sandbox_process import running_sandbox
from tests.target_process import PROGRAM, SIZED, SIZED_MENDED, config, record, run_target, schema

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROWS = Stream("rows", {"properties": {"id": {"type": "integer"}}}, ("id",))
INVALID = Rejection("invalid", (Violation("$.id", "is text"),))
MESSAGES = [
    schema("rows", {"id": {"type": "integer"}, "size": {"type": "string"}}),
    record("rows", id=1, size="1"),
    record("rows", id=2, size="x2"),
]


@pytest.fixture
def table(url: str) -> Iterator[RejectedTable]:
    made = table_of(url)
    yield made
    made.close()


def table_of(url: str) -> RejectedTable:
    made = RejectedTable.beside(url)
    assert made is not None
    return made


def rejected(number: int) -> RejectedRecord:
    return RejectedRecord(ROWS, {"id": str(number), "text": "\0ü\ud800"}, INVALID, Tally())


def keep(folder: Path, url: str, run: str, *numbers: int) -> RejectedRecords:
    kept = RejectedRecords(folder, run, table_of(url))
    for number in numbers:
        kept.keep([rejected(number)])
    kept.close()
    return kept


def test_other_ledgers_have_no_table(tmp_path: Path) -> None:
    assert RejectedTable.beside("none") is None
    assert RejectedTable.beside(f"sqlite:///{tmp_path}/ledger.sqlite") is None


def test_to_look_makes_no_table(url: str, table: RejectedTable) -> None:
    assert (table.runs_left(), table.lines_left("run"), table.given_up()) == ([], [], frozenset())
    table.mark_done("run", give_up=True)
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT to_regclass('applied_events_rejected')").fetchone() == (None,)


def test_the_table_holds_what_the_file_holds_when_keep_returns(url: str, table: RejectedTable, tmp_path: Path) -> None:
    kept = keep(tmp_path, url, "run", 1, 2)
    assert table.runs_left() == ["run"]
    assert "".join(table.lines_left("run")) == kept.path.read_text()


def test_a_lost_connection_is_made_anew_and_nothing_is_kept_twice(
    url: str, table: RejectedTable, tmp_path: Path
) -> None:
    kept = RejectedRecords(tmp_path, "run", table_of(url))
    kept.keep([rejected(1)])
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
            "AND query LIKE '%applied_events_rejected%' OR state = 'idle' AND pid <> pg_backend_pid()"
        )
    kept.keep([rejected(2)])
    kept.close()
    assert "".join(table.lines_left("run")) == kept.path.read_text()


def test_a_server_that_is_gone_ends_the_run_and_its_password_is_not_shown(tmp_path: Path) -> None:
    kept = RejectedRecords(tmp_path, "run", table_of("postgresql://user:pass-word@127.0.0.1:9/db"))
    with pytest.raises(RejectedRecordsError, match="See ledger_url") as error:
        kept.keep([rejected(1)])
    assert "pass-word" not in str(error.value)
    assert not kept.path.exists()


def test_what_is_given_up_for_good_is_known_on_every_worker(url: str, table: RejectedTable, tmp_path: Path) -> None:
    keep(tmp_path / "first", url, "run-1", 1, 2)
    assert LeftRuns(tmp_path / "second", table).give_up("run-1") == 2
    assert table.runs_left() == []
    assert keep(tmp_path / "third", url, "run-2", 1, 2, 3).kept == 1


def test_a_run_that_lives_is_neither_given_up_nor_exported(url: str, table: RejectedTable, tmp_path: Path) -> None:
    keep(tmp_path / "first", url, "run-1", 1)
    left = LeftRuns(tmp_path / "second", table)
    living = open_ledger(url, origin="https://example.com:443", run_id="run-1")
    try:
        for act in (left.give_up, left.export):
            with pytest.raises(RejectedRecordsError, match="still lives"):
                act("run-1")
    finally:
        living.close()
    assert left.export("run-1").exists()


@pytest.mark.timeout(120)
def test_records_rejected_on_a_worker_that_is_gone_are_exported_and_fed_back_elsewhere(
    url: str, table: RejectedTable, tmp_path: Path
) -> None:
    with running_sandbox() as sandbox:
        first = config(tmp_path / "first", sandbox.url, [SIZED], ledger_url=url)
        assert run_target(first, MESSAGES).status == 1
        (run,) = table.runs_left()
        shutil.rmtree(tmp_path / "first")
        second = config(tmp_path / "second", sandbox.url, [SIZED_MENDED], ledger_url=url)
        listed = _rejected(second, "--format", "json")
        assert listed.returncode == 1
        assert [(group["run"], group["file"]) for group in map(json.loads, listed.stdout.splitlines())] == [(run, None)]
        exported = _rejected(second, "--export", run).stdout.strip()
        done = run_target(second, b"", "--input", exported)
        assert done.status == 0, done.log
        assert [event["body"]["name"] for event in sandbox.events()] == ["Row 1", "Row 2"]
    assert table.runs_left() == []


def _rejected(settings: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(PROGRAM), "rejected", "--config", str(settings), *arguments]
    return subprocess.run(command, capture_output=True, check=False, timeout=50, text=True)
