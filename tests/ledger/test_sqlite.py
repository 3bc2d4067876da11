from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import make_url

from target_applied_events.errors import LedgerError
from target_applied_events.ledger import sqlite_file
from target_applied_events.ledger.sqlite import SqliteStore
from target_applied_events.ledger.tables import Intent, Notes
from tests.disks import file_size_limit, mounted
from tests.ledger.files import sql
from tests.ledgers import DELIVERED, IN_DOUBT, Clock, event, events, key, opened, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

NOW = Clock()
DAY = int(NOW.now // 86_400)
MANY = range(70)


def store_of(path: Path, clock: Callable[[], float] = NOW) -> SqliteStore:
    return SqliteStore.open(make_url(f"sqlite:///{path}"), "run", clock)


def notes(
    *,
    run: str = "run",
    intents: Iterable[int] = (),
    delivered: Iterable[int] = (),
    withdrawn: Iterable[int] = (),
    dead: Sequence[str] = (),
) -> Notes:
    return Notes(
        run,
        NOW.now,
        [Intent.of(event(number)) for number in intents],
        [key(number) for number in delivered],
        [key(number) for number in withdrawn],
        dead=dead,
    )


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    with contextlib.closing(store_of(path)) as store:
        yield store


@pytest.fixture(scope="module")
def with_many() -> Iterator[SqliteStore]:
    with tempfile.TemporaryDirectory() as folder, contextlib.closing(store_of(Path(folder) / "ledger.sqlite")) as store:
        store.note(notes(intents=MANY[1::2], delivered=MANY[::2]))
        yield store


# --- what is noted -------------------------------------------------------------------------------------------------


@given(asked=st.lists(st.sampled_from(range(100)), min_size=1, max_size=80))
def test_of_any_number_of_keys_each_that_is_known_comes_back_once(asked: list[int], with_many: SqliteStore) -> None:
    rows = with_many.look_up([key(number) for number in asked])
    assert sorted(rows) == sorted(
        (key(number), None, "run") if number % 2 else (key(number), DAY, None) for number in {*asked} & {*MANY}
    )


def test_where_an_intent_is_not_free_all_but_the_intents_is_noted(store: SqliteStore) -> None:
    assert store.note(notes(run="another", intents=[1]))
    assert store.note(notes(intents=[2, 3]))
    assert not store.note(notes(intents=[0, 1], delivered=[2], withdrawn=[3]))
    assert store.look_up([key(number) for number in range(4)]) == [(key(2), DAY, None), (key(1), None, "another")]


@pytest.mark.parametrize(
    ("noted", "dead", "is_free"),
    [
        (notes(intents=[1]), (), True),
        (notes(run="another", intents=[1]), ["another"], True),
        (notes(run="another", intents=[1]), ["a third"], False),
        (notes(delivered=[1]), (), False),
    ],
)
def test_an_intent_is_free_for_its_own_run_and_after_a_dead_one(
    noted: Notes, dead: Sequence[str], store: SqliteStore, *, is_free: bool
) -> None:
    store.note(noted)
    assert store.note(notes(intents=[1], dead=dead)) is is_free


def test_a_run_withdraws_its_own_intents_alone_and_a_delivery_ends_anyones(store: SqliteStore) -> None:
    store.note(notes(run="another", intents=[1, 2]))
    store.note(notes(withdrawn=[1], delivered=[2]))
    assert store.look_up([key(1), key(2)]) == [(key(2), DAY, None), (key(1), None, "another")]


def test_what_is_delivered_twice_counts_once(store: SqliteStore) -> None:
    store.note(notes(delivered=[1, 2, 1]))
    store.note(notes(delivered=[2, 3]))
    assert store.delivered_estimate() == 3
    assert store.forget(met_before_day=DAY + 1, sent_before=0, dead=()) == 3
    assert store.delivered_estimate() == 0


def test_the_clock_is_read_once_nobody_else_can_reserve(path: Path) -> None:
    tried: list[str] = []

    def clock() -> float:
        with contextlib.closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as other:
            try:
                other.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                tried.append(str(error))
        return NOW()

    with contextlib.closing(store_of(path, clock=clock)) as store:
        assert store.reserve("bucket", 1, 0) == (0, 0)
    assert tried == ["database is locked"]


def test_another_thread_than_the_one_that_opened_it_may_use_it(path: Path) -> None:
    with running(path) as ledger:
        thread = threading.Thread(target=lambda: ledger.commit(delivered=[key(1)]))
        thread.start()
        thread.join()
        assert ledger.standing([key(1)]) == {key(1): DELIVERED}


# --- what is on disk -----------------------------------------------------------------------------------------------


def test_before_a_state_leaves_something_is_written_and_so_synced(path: Path) -> None:
    with running(path) as ledger:

        def stamps() -> object:
            return sql(path, "SELECT stamps FROM applied_events_about")[0][0]

        before = stamps()
        ledger.commit(delivered=[key(1)])
        assert stamps() == before
        ledger.sync()
        assert stamps() != before  # without a change SQLite would sync nothing
        before = stamps()
        ledger.sync()
        assert stamps() == before


def test_it_tells_whether_all_that_was_noted_is_synced(store: SqliteStore) -> None:
    assert repr(store).endswith(" synced>")
    store.note(notes(delivered=[1]))
    assert repr(store).endswith(" not synced>")
    store.sync()
    assert repr(store).endswith("ledger.sqlite synced>")


def test_nothing_but_the_ledger_is_left_after_a_clean_end(path: Path) -> None:
    with running(path) as ledger:
        ledger.commit(intents=events([1]))
    assert [file.name for file in path.parent.iterdir()] == [path.name]


# --- a file that fails ---------------------------------------------------------------------------------------------


def test_damage_within_a_ledger_stops_the_run_where_it_is_met(old: Path) -> None:
    with old.open("r+b") as file:
        file.seek(sqlite_file._PAGE_BYTES * 20)  # noqa: SLF001 - to hit the leaves
        file.write(b"\xff" * sqlite_file._PAGE_BYTES * 20)  # noqa: SLF001 - as above
    with running(old) as ledger, pytest.raises(LedgerError, match="is damaged"):
        ledger.standing([key(number) for number in range(5_000)])


def test_a_ledger_removed_while_it_is_used_stops_the_run(old: Path) -> None:
    with running(old, "run-2") as ledger:
        ledger.commit(delivered=[key(1)])
        old.unlink()
        with pytest.raises(LedgerError, match="removed or replaced"):
            ledger.commit(delivered=[key(2)])
        with pytest.raises(LedgerError, match="removed or replaced"):
            ledger.sync()


def test_a_ledger_replaced_while_it_is_used_stops_the_run(old: Path) -> None:
    shutil.copy(old, old.with_name("copy"))
    with running(old, "run-2") as ledger:
        old.with_name("copy").replace(old)
        with pytest.raises(LedgerError, match="removed or replaced"):
            ledger.commit(intents=events([9_999]))


def test_a_write_that_fails_midway_stops_the_run_and_notes_nothing_of_its_commit(old: Path) -> None:
    with running(old, "run-2") as ledger:
        ledger.commit(intents=events([10_000]))
        with file_size_limit(64 * 1024), pytest.raises(LedgerError, match=r"can't be (read or )?written"):
            ledger.commit(intents=events(range(10_001, 12_000)))
        ledger.commit(withdrawn=[key(10_002)])
        assert ledger.standing([key(10_000), key(10_001)]) == {key(10_000): IN_DOUBT}


@pytest.mark.skipif(os.geteuid() != 0, reason="a disk of its own takes root to mount")
def test_a_full_disk_stops_the_run_and_is_called_so(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    with mounted(disk), running(disk / "ledger.sqlite") as ledger:
        ledger.commit(intents=events([1]))
        with pytest.raises(LedgerError, match="the disk is full"):
            ledger.mark_delivered(events(range(100_000)))
        subprocess.run(["mount", "-o", "remount,size=4m", disk], check=True)  # noqa: S607 - wherever it is
        assert ledger.standing([key(1)])


def test_a_run_that_can_not_have_its_lock_leaves_the_file_to_others(path: Path) -> None:
    opened(path).close()
    with pytest.raises(LedgerError, match="File name too long"):
        opened(path, "run" * 100)
    assert [file.name for file in path.parent.iterdir()] == [path.name]
