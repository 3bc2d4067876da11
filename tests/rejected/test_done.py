"""A file that is done with is moved once, and what was given up for good stays known."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import logging
import os
import stat
from decimal import Decimal
from typing import IO, TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_applied_events.errors import RejectedRecordsError
from target_applied_events.rejected import DONE, KeptFile, record_hash
from target_applied_events.rejected.done import given_up, line_count
from tests.disks import file_size_limit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from random import Random

HASHES = [record_hash("orders", {"id": number}, "invalid", None) for number in range(5)]


@contextlib.contextmanager
def kept(path: Path) -> Iterator[KeptFile]:
    """Make a file of rejected records, and keep it until the block ends."""
    path.parent.mkdir(exist_ok=True)
    path.touch()
    with path.open() as file:
        yield KeptFile(file)


# --- the file ------------------------------------------------------------------------------------------------------


def test_a_file_is_kept_by_one_at_a_time(tmp_path: Path) -> None:
    with kept(tmp_path / "run.jsonl") as file:
        assert repr(file) == "<KeptFile run.jsonl>"
        with (tmp_path / "run.jsonl").open() as again, pytest.raises(RejectedRecordsError, match="is in use"):
            KeptFile(again)
    with kept(tmp_path / "run.jsonl"):
        pass


@pytest.mark.parametrize(
    ("name", "is_taken"),
    [
        ("rejected/run.jsonl", True),
        ("link/run.jsonl", True),
        ("link/../rejected/run.jsonl", True),
        ("rejected/done/run.jsonl", False),
        ("rejected/notes.txt", False),
        ("other/run.jsonl", False),
    ],
)
def test_an_input_is_one_of_rejected_records_where_those_that_are_not_done_are_kept(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_taken: bool
) -> None:
    for folder in ("rejected/done", "other"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "link").symlink_to("rejected")
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).touch()
    with open(name) as file:  # noqa: PTH123 - a relative name, as a user gives it
        assert (KeptFile.of_input(file, tmp_path / "rejected") is not None) is is_taken


def test_no_input_and_one_without_a_name_are_none(tmp_path: Path) -> None:
    assert KeptFile.of_input(None, tmp_path) is None
    with (tmp_path / "run.jsonl").open("w") as file, open(file.fileno(), closefd=False) as unnamed:
        assert KeptFile.of_input(unnamed, tmp_path) is None


def test_at_the_end_a_file_whose_records_are_all_settled_is_moved_and_private(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with kept(tmp_path / "run.jsonl") as file:
        file.end(passed_over=0, table=None)
    assert [path.name for path in (tmp_path / DONE).iterdir()] == ["run.jsonl"]
    assert stat.S_IMODE((tmp_path / DONE).stat().st_mode) == 0o700
    assert not (tmp_path / "run.jsonl").exists()
    assert [record.getMessage() for record in caplog.records] == [f"{file.path} is done: all of it is settled."]


def test_at_the_end_a_file_of_which_something_was_passed_over_stays_and_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with kept(tmp_path / "run.jsonl") as file:
        file.end(passed_over=3, table=None)
    assert [path.name for path in tmp_path.iterdir()] == ["run.jsonl"]
    assert "3 of its records were passed over. `rejected --done`" in caplog.text


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("\n \n", 0),
        ('{"a":1}\n{"a":2}\n', 2),
        ('{"a":1}\n\n{"a":2}\n', 2),
        ('{"a":1}\n{"a":2}', 2),
        ('{"a":1}\n{"a":', 1),
        ("[" * 100_000, 0),
        ('{"a":1}\nno JSON\n', 2),
    ],
)
def test_the_lines_of_a_file_are_counted_save_one_that_was_cut_off(tmp_path: Path, text: str, count: int) -> None:
    (tmp_path / "run.jsonl").write_text(text)
    assert line_count(tmp_path / "run.jsonl") == count


def test_a_file_whose_lines_can_not_be_counted_says_so(tmp_path: Path) -> None:
    with pytest.raises(RejectedRecordsError, match=r"run\.jsonl can't be read: No such file"):
        line_count(tmp_path / "run.jsonl")


def test_a_file_that_can_not_be_moved_says_so(tmp_path: Path) -> None:
    (tmp_path / DONE).write_text("no directory")
    with kept(tmp_path / "run.jsonl") as file, pytest.raises(RejectedRecordsError, match="can't be marked done"):
        file.mark_done()
    assert (tmp_path / "run.jsonl").exists()


# --- what was given up for good ------------------------------------------------------------------------------------


def test_what_was_given_up_is_known_file_by_file(tmp_path: Path) -> None:
    assert given_up(tmp_path / "rejected") == frozenset()
    for run, hashes in (("run-1", HASHES[:2]), ("run-2", []), ("run-3", HASHES[1:4])):
        with kept(tmp_path / "rejected" / f"{run}.jsonl") as file:
            file.mark_done(hashes)
    assert given_up(tmp_path / "rejected") == frozenset(HASHES[:4])
    assert stat.S_IMODE((tmp_path / "rejected" / DONE / "given-up").stat().st_mode) == 0o600


def test_where_what_is_given_up_can_not_be_noted_whole_the_file_stays_and_a_second_try_ends_well(
    tmp_path: Path,
) -> None:
    with kept(tmp_path / "run-1.jsonl") as file:
        file.mark_done(HASHES[:1])
    with kept(tmp_path / "run-2.jsonl") as file:
        with file_size_limit(40), pytest.raises(RejectedRecordsError, match="can't be marked done"):
            file.mark_done(HASHES[1:])
        assert (tmp_path / "run-2.jsonl").exists()
        file.mark_done(HASHES[1:])
    assert given_up(tmp_path) == frozenset(HASHES)


def test_what_two_give_up_at_once_is_known_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other has just noted its own when this one gets the lock, and waits while this one notes."""

    def lock(file: IO[bytes] | int, kind: int) -> None:
        if kind == fcntl.LOCK_EX:
            with noted.open("ab") as other:
                other.write(HASHES[1])
        in_full(file, kind)

    def sync(descriptor: int) -> None:
        with noted.open("rb") as other:
            try:
                in_full(other.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                waited.append(True)
        os.fdatasync(descriptor)

    noted, waited, in_full = tmp_path / DONE / "given-up", list[bool](), fcntl.flock
    with kept(tmp_path / "run-1.jsonl") as file:
        file.mark_done(HASHES[:1])
    with kept(tmp_path / "run-2.jsonl") as file, monkeypatch.context() as patched:
        patched.setattr(fcntl, "flock", lock)
        patched.setattr(os, "fsync", sync)
        file.mark_done(HASHES[2:])
    assert given_up(tmp_path) == frozenset(HASHES)
    assert waited[:1] == [True]


def test_where_a_file_system_has_no_locks_what_is_given_up_is_noted_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(errno.ENOTSUP, "not supported")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with kept(tmp_path / "run.jsonl") as file:
        file.mark_done(HASHES)
    assert given_up(tmp_path) == frozenset(HASHES)


# --- what a record is known by -------------------------------------------------------------------------------------


def test_a_record_is_known_by_what_it_holds_the_reason_and_the_mapping_and_not_by_when_it_was_read() -> None:
    known = record_hash("orders", {"id": 1, "n": Decimal("0.10"), "_sdc_sequence": 1}, "unmappable", "mappings[0]")
    assert record_hash("orders", {"n": Decimal("0.10"), "id": 1}, "unmappable", "mappings[0]") == known
    others = [
        record_hash("orders", {"id": 2, "n": Decimal("0.10")}, "unmappable", "mappings[0]"),
        record_hash("refunds", {"id": 1, "n": Decimal("0.10")}, "unmappable", "mappings[0]"),
        record_hash("orders", {"id": 1, "n": Decimal("0.10")}, "refused", "mappings[0]"),
        record_hash("orders", {"id": 1, "n": Decimal("0.10")}, "unmappable", "mappings[1]"),
        record_hash("orders", {"id": 1, "n": Decimal("0.10"), "_sdc_deleted_at": "now"}, "unmappable", "mappings[0]"),
    ]
    assert len({known, *others}) == 6


@given(st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.text()), st.randoms())
def test_in_whatever_order_its_columns_come_a_record_is_the_same(record: dict[str, object], random: Random) -> None:
    columns = list(record.items())
    random.shuffle(columns)
    known = record_hash("orders", record, "invalid", None)
    assert record_hash("orders", dict(columns), "invalid", None) == known
    assert len(known) == 16


def test_what_was_given_up_in_earlier_versions_is_known_still() -> None:
    record = {"id": 7, "n": Decimal("0.10"), "text": "Ü\ud800", "nested": {"b": [None, True], "a": {}}}
    assert record_hash("orders", record, "invalid", None).hex() == "8eb88e95f03877143836025e8a22bc69"
    assert record_hash("orders", record, "unmappable", "mappings[0]").hex() == "0df61e81e80185bbd2c25a989221a6c0"
