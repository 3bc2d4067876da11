"""With a PostgreSQL ledger, rejected records outlive the worker's disk."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from target_applied_events import restarts
from target_applied_events.commands.rejected_runs import LeftRuns
from target_applied_events.errors import RejectedRecordsError
from target_applied_events.event import Rejection, Violation
from target_applied_events.handover import RejectedRecord, Stream, Tally
from target_applied_events.ledger import open_ledger
from target_applied_events.rejected import KeptFile, RejectedRecords, RejectedTable
from target_applied_events.rejected.table import Line
from tests.sandbox_process import running_sandbox
from tests.target_process import PROGRAM, SIZED, SIZED_MENDED, config, record, run_target, schema
from tests.with_postgres.own_server import lose_sessions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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


@contextlib.contextmanager
def restarting(server: str, away: Callable[[str], None]) -> Iterator[None]:
    """Let a server be away, and return half a second after the block began."""
    away("false")
    lose_sessions(server)
    return_of_the_server = threading.Timer(0.5, away, ["true"])
    return_of_the_server.start()
    yield
    return_of_the_server.join()


@pytest.mark.parametrize("kept_before", [True, False])
def test_a_restart_of_the_server_is_waited_for_by_a_run(
    server: str, away: Callable[[str], None], tmp_path: Path, *, kept_before: bool
) -> None:
    url = server.replace("/postgres?", "/away?")
    kept = RejectedRecords(tmp_path, "run", table_of(url))
    if kept_before:
        kept.keep([rejected(1)])
    with restarting(server, away):
        kept.keep([rejected(2)])
    kept.close()
    with contextlib.closing(table_of(url)) as table:
        assert "".join(table.lines_left("run")) == kept.path.read_text()


def test_what_is_kept_first_waits_for_a_restart_too(server: str, away: Callable[[str], None]) -> None:
    with contextlib.closing(table_of(server.replace("/postgres?", "/away?"))) as table:
        with restarting(server, away):
            table.keep("run", 1, [Line("a line\n")])
        assert table.lines_left("run") == ["a line\n"]


def test_who_only_looks_does_not_wait_for_a_server_that_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    with pytest.raises(RejectedRecordsError, match="See ledger_url"):
        LeftRuns(tmp_path, table_of("postgresql://127.0.0.1:9/db")).names()
    assert waits == []


def test_a_server_that_is_gone_ends_the_run_and_its_password_is_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restarts, "RECONNECT_SECONDS", 0.5)
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


# --- a file that lacks lines ---------------------------------------------------------------------------------------


def shortened(path: Path, lines: int) -> Path:
    """Leave the first lines of a file, as a power loss may; gives the file."""
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:lines]))
    return path


@pytest.mark.parametrize("lines", [0, 2, 3])
def test_what_a_file_lacked_when_it_was_fed_back_is_left(
    url: str, table: RejectedTable, tmp_path: Path, caplog: pytest.LogCaptureFixture, lines: int
) -> None:
    is_done = lines == 3
    path = shortened(keep(tmp_path, url, "run", 1, 2).path, lines)
    with path.open() as file:
        KeptFile(file).end(passed_over=0, table=table)
    assert table.runs_left() == ([] if is_done else ["run"])
    assert path.exists() is not is_done
    assert (f"it lacks {3 - lines} of the lines that the ledger's table has" in caplog.text) is not is_done


def test_what_a_file_lacks_is_listed_and_exported_once_the_file_is_moved(
    url: str, table: RejectedTable, tmp_path: Path
) -> None:
    path = keep(tmp_path, url, "run", 1, 2).path
    whole = path.read_text()
    left = LeftRuns(tmp_path, table)
    assert [(group.count, group.file) for group in left.groups()] == [(2, str(path))]
    with pytest.raises(RejectedRecordsError, match="nothing to export"):
        left.export("run")
    shortened(path, 0)
    assert [(group.count, group.file) for group in left.groups()] == [(2, None)]
    with pytest.raises(RejectedRecordsError, match=r"lacks lines .* move it elsewhere, then `rejected --export run`"):
        left.export("run")
    path.rename(tmp_path / "elsewhere")
    assert left.export("run").read_text() == whole


def test_what_a_file_lacks_is_given_up_with_it(url: str, table: RejectedTable, tmp_path: Path) -> None:
    shortened(keep(tmp_path, url, "run", 1, 2).path, 2)
    assert LeftRuns(tmp_path, table).give_up("run") == 2
    assert table.runs_left() == []
    assert keep(tmp_path, url, "another-run", 1, 2).kept == 0


def test_an_exported_file_is_on_disk_before_it_has_its_name_and_its_name_is_then(
    url: str, table: RejectedTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sync(descriptor: int) -> None:
        in_full(descriptor)
        synced.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        sizes.append(os.fstat(descriptor).st_size)

    whole = keep(tmp_path / "first", url, "run", 1, 2).path.read_text()
    directory = tmp_path / "second" / "rejected"
    synced, sizes, in_full = list[str](), list[int](), os.fsync
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", sync)
        LeftRuns(directory, table).export("run")
    assert synced == [str(directory.parent), str(directory / "run.new"), str(directory)]
    assert sizes[1] == len(whole)
    assert [file.name for file in directory.iterdir()] == ["run.jsonl"]


@pytest.mark.timeout(120)
def test_an_export_that_came_out_empty_settles_nothing(url: str, table: RejectedTable, tmp_path: Path) -> None:
    with running_sandbox() as sandbox:
        settings = config(tmp_path, sandbox.url, [SIZED], ledger_url=url)
        assert run_target(settings, MESSAGES).status == 1
        (run,) = table.runs_left()
        file = shortened(tmp_path / "data" / "rejected" / f"{run}.jsonl", 0)
        done = run_target(settings, b"", "--input", str(file))
        assert f"{file} isn't marked done: it lacks 2 of the lines" in done.log
        assert f"`rejected --export {run}`" in done.log
        listed = _rejected(settings)
        assert (listed.returncode, table.runs_left()) == (1, [run])
        assert "after `rejected --export RUN`" in listed.stderr


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
