"""To look at the data directory and the ledger makes and changes nothing."""

from __future__ import annotations

import os
import sqlite3
from typing import TYPE_CHECKING

import pytest

from target_applied_events.commands.findings import Sign
from target_applied_events.commands.places import of_data_dir, of_ledger
from target_applied_events.ledger import open_ledger

if TYPE_CHECKING:
    from pathlib import Path


def listing(directory: Path) -> list[tuple[str, int, int]]:
    found = sorted(directory.rglob("*"))
    return [(str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in found]


def make_ledger(path: Path) -> None:
    open_ledger(f"sqlite:///{path}", origin="https://example.com:443", run_id="run").close()


def test_a_directory_that_can_be_made_is_good_and_stays_unmade(tmp_path: Path) -> None:
    assert of_data_dir(tmp_path / "a" / "b").sign is Sign.GOOD
    assert listing(tmp_path) == []


def test_a_file_in_the_place_of_the_directory_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = of_data_dir(tmp_path / "file" / "data")
    assert found.sign is Sign.WRONG
    assert found.text == f"data_dir: {tmp_path / 'file'} is no directory."


def test_a_file_in_the_place_of_the_rejected_records_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "rejected").write_text("")
    assert of_data_dir(tmp_path).sign is Sign.WRONG


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_that_can_not_be_written_is_wrong(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert of_data_dir(tmp_path).sign is Sign.WRONG


def test_a_ledger_that_can_be_made_is_good_and_stays_unmade(tmp_path: Path) -> None:
    found = of_ledger(f"sqlite:///{tmp_path}/ledger.sqlite")
    assert found.sign is Sign.GOOD
    assert "isn't there yet" in found.text
    assert listing(tmp_path) == []


def test_a_ledger_is_looked_into_without_leaving_a_trace(tmp_path: Path) -> None:
    make_ledger(tmp_path / "ledger.sqlite")
    before = listing(tmp_path)
    found = of_ledger(f"sqlite:///{tmp_path}/ledger.sqlite")
    assert (found.sign, "0 events delivered" in found.text) == (Sign.GOOD, True)
    assert listing(tmp_path) == before


def test_a_ledger_in_use_can_be_looked_into(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.sqlite"
    used = open_ledger(url, origin="https://example.com:443", run_id="run")
    try:
        assert of_ledger(url).sign is Sign.GOOD
    finally:
        used.close()


def test_a_database_that_is_no_ledger_is_wrong(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "other.sqlite") as connection:
        connection.execute("CREATE TABLE t (a)")
    connection.close()
    found = of_ledger(f"sqlite:///{tmp_path}/other.sqlite")
    assert (found.sign, "is no ledger of this program" in found.text) == (Sign.WRONG, True)


def test_a_damaged_file_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").write_bytes(b"no database at all" * 100)
    found = of_ledger(f"sqlite:///{tmp_path}/ledger.sqlite")
    assert (found.sign, "restore it from a copy" in found.text) == (Sign.WRONG, True)


def test_a_ledger_of_a_later_version_is_wrong(tmp_path: Path) -> None:
    make_ledger(tmp_path / "ledger.sqlite")
    with sqlite3.connect(tmp_path / "ledger.sqlite") as connection:
        connection.execute("UPDATE applied_events_about SET version = 99")
    connection.close()
    found = of_ledger(f"sqlite:///{tmp_path}/ledger.sqlite")
    assert (found.sign, "a later version of this program" in found.text) == (Sign.WRONG, True)


def test_no_ledger_is_a_warning() -> None:
    assert of_ledger("none").sign is Sign.WARNING


def test_a_server_that_is_not_there_is_wrong_and_its_password_is_not_shown() -> None:
    found = of_ledger("postgresql://user:pass-word@127.0.0.1:9/db")
    assert found.sign is Sign.WRONG
    assert "pass-word" not in found.text
