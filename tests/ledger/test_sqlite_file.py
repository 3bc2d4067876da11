from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from target_applied_events.errors import LedgerError
from target_applied_events.ledger import sqlite_file
from target_applied_events.ledger.sqlite_file import file_system, open_file
from tests.disks import file_size_limit, mounted
from tests.ledger.files import sql
from tests.ledgers import events, key, opened, running

if TYPE_CHECKING:
    from collections.abc import Iterator

# --- a new file ----------------------------------------------------------------------------------------------------


def test_no_ledger_is_left_where_making_one_fails(path: Path) -> None:
    with file_size_limit(2 * 1024), pytest.raises(LedgerError, match=r"can't be (read or )?written"):
        opened(path)
    assert list(path.parent.iterdir()) == []


def test_of_several_who_make_it_at_once_one_does_and_all_open_it(path: Path) -> None:
    start, made = threading.Barrier(6), list[bool]()

    def make() -> None:
        start.wait()
        connection, is_new = open_file(path)
        connection.close()
        made.append(is_new)

    threads = [threading.Thread(target=make) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == [False] * 5 + [True]
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert sql(path, "SELECT count(*) FROM applied_events_about") == [(1,)]


def test_folder_and_files_are_private(path: Path) -> None:
    mask = os.umask(0)
    try:
        with running(path) as ledger:
            ledger.commit(intents=events([1]))
            assert path.parent.stat().st_mode & 0o777 == 0o700
            files = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    finally:
        os.umask(mask)
    assert files.keys() == {path.name + end for end in ("", "-wal", "-shm", ".run-run-1")}
    assert set(files.values()) == {0o600}


def test_a_million_events_take_some_35_megabytes(path: Path) -> None:
    with running(path) as ledger:
        for start in range(0, 50_000, 1_000):
            ledger.commit(delivered=[key(number) for number in range(start, start + 1_000)])
    assert path.stat().st_size * 20 < 40_000_000


# --- a file that is there ------------------------------------------------------------------------------------------


def refused(path: Path) -> str:
    """Tell how a ledger is refused, and see that it was left as it is."""
    before = {file: file.read_bytes() for file in path.parent.iterdir() if file.is_file()} if path.exists() else {}
    with pytest.raises(LedgerError) as raised:
        opened(path)
    assert {file: file.read_bytes() for file in before} == before
    assert str(path) in str(raised.value)
    return str(raised.value)


def test_a_file_that_is_no_database_is_refused_and_left_alone(old: Path) -> None:
    old.write_text("my notes\n" * 1_000)
    assert "is damaged" in refused(old)


def test_an_empty_file_is_refused(old: Path) -> None:
    old.write_bytes(b"")
    assert "empty file" in refused(old)


def test_a_database_of_another_program_is_refused_and_left_alone(path: Path) -> None:
    path.parent.mkdir()
    sql(path, "CREATE TABLE mine (id INTEGER)")
    assert "no ledger of this program" in refused(path)


def test_a_ledger_that_lost_its_file_but_not_its_log_is_refused(old: Path) -> None:
    old.rename(old.with_name("ledger.sqlite-wal"))
    assert "ledger.sqlite-wal is still there" in refused(old)
    assert not old.exists()


def test_a_ledger_that_another_program_has_locked_is_refused(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_file, "BUSY_SECONDS", 0.05)
    with contextlib.closing(sqlite3.connect(old, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerError, match="has been locked for"):
            opened(old)


@contextlib.contextmanager
def unprivileged() -> Iterator[Path]:
    """Give a folder, and be a user without root's rights, who may read all and write nothing there afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="ledger-"))
    user = os.geteuid()
    try:
        if user == 0:
            os.chown(folder, 65_534, -1)
            os.seteuid(65_534)
        yield folder
    finally:
        os.seteuid(user)
        for place in [folder, *folder.rglob("*")]:
            place.chmod(0o700)
        shutil.rmtree(folder)


def test_a_folder_that_cannot_be_written_is_refused() -> None:
    with unprivileged() as folder:
        folder.chmod(0o500)
        for path in (folder / "ledger.sqlite", folder / "state" / "ledger.sqlite"):
            with pytest.raises(LedgerError, match="Permission denied"):
                opened(path)


def test_a_ledger_that_cannot_be_written_is_refused() -> None:
    with unprivileged() as folder:
        path = folder / "ledger.sqlite"
        opened(path).close()
        path.chmod(0o400)
        folder.chmod(0o500)
        with pytest.raises(LedgerError, match=r"can't be (written|opened)"):
            opened(path)


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    with pytest.raises(LedgerError, match="can't be used"):
        opened(tmp_path / "state" / "ledger.sqlite")


def test_a_ledger_cut_short_is_refused_or_stops_the_run(old: Path) -> None:
    with old.open("r+b") as file:
        file.truncate(sqlite_file._PAGE_BYTES * 20)  # noqa: SLF001 - to hit the leaves
    with pytest.raises(LedgerError, match="is damaged"), running(old) as ledger:
        ledger.standing([key(number) for number in range(5_000)])


# --- where it lies -------------------------------------------------------------------------------------------------


def test_a_network_file_system_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = file_system(path.parent.parent)
    assert here
    monkeypatch.setattr(sqlite_file, "_NETWORK_FILE_SYSTEMS", {here})
    with pytest.raises(LedgerError, match="network file system"):
        opened(path)
    assert not path.exists()


def test_the_file_system_is_that_of_the_nearest_mount() -> None:
    assert file_system(Path("/proc/self")) == "proc"


@pytest.mark.skipif(os.geteuid() != 0, reason="a disk of its own takes root to mount")
def test_a_disk_is_found_by_any_name_and_the_one_mounted_last_counts(tmp_path: Path) -> None:
    disk, below = tmp_path / "a disk", tmp_path / "a disk" / "below"
    disk.mkdir()
    with mounted(disk):
        below.mkdir()
        assert (file_system(disk), file_system(below)) == ("tmpfs", "tmpfs")
        with mounted(disk, "ramfs"):
            assert file_system(disk) == "ramfs"
        (tmp_path / "link").symlink_to(below)
        assert file_system(tmp_path / "link") == "tmpfs"
    assert file_system(disk) == file_system(tmp_path)
