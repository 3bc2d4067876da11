from __future__ import annotations

import fcntl
import os
import time
from typing import TYPE_CHECKING

import pytest

from target_applied_events.errors import LedgerError
from target_applied_events.ledger import run_lock
from target_applied_events.ledger.run_lock import RunLock, is_live, sweep
from tests.ledgers import opened, running

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """The path of a ledger; only the names beside it matter."""
    return tmp_path / "ledger.sqlite"


def left_by_a_killed(ledger: Path, run: str) -> Path:
    """Leave a run's file as its death does: there, and locked by nobody."""
    lock = RunLock.take(ledger, run)
    lock.release()
    lock.path.touch()
    return lock.path


def test_a_run_lives_from_the_taking_of_its_lock_to_the_release(ledger: Path) -> None:
    assert not is_live(ledger, "run")
    lock = RunLock.take(ledger, "run")
    assert [is_live(ledger, "run") for _ in range(2)] == [True, True]
    assert not is_live(ledger, "another")
    lock.release()
    assert not is_live(ledger, "run")
    assert not lock.path.exists()


def test_a_killed_runs_file_is_no_life(ledger: Path) -> None:
    left_by_a_killed(ledger, "run")
    assert not is_live(ledger, "run")
    RunLock.take(ledger, "run").release()


def test_a_runs_name_can_be_taken_once_at_a_time(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_lock, "_ATTEMPTS", 2)
    with running(path), pytest.raises(LedgerError, match="run-1 already"):
        opened(path)
    with running(path):
        pass


def asking_after(file: Path) -> int:
    """Ask after a run as others do, and don't end; gives what is to be closed for that."""
    descriptor = os.open(file, os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    return descriptor


def test_who_asks_after_a_run_just_then_does_not_keep_it_from_its_lock(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking = [asking_after(left_by_a_killed(ledger, "run"))]
    with monkeypatch.context() as patched:
        patched.setattr(time, "sleep", lambda _: os.close(asking.pop()))
        lock = RunLock.take(ledger, "run")
    assert not asking
    assert is_live(ledger, "run")
    lock.release()


def test_two_who_ask_at_once_do_not_take_each_other_for_the_run(ledger: Path) -> None:
    asking = asking_after(left_by_a_killed(ledger, "run"))
    assert not is_live(ledger, "run")
    os.close(asking)


def test_a_file_swept_just_before_its_lock_is_made_anew(ledger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    swept: list[str] = []

    def open_and_sweep(file: Path, *how: int) -> int:
        descriptor = in_full(file, *how)
        if not swept:
            swept.append(file.name)
            file.unlink()
        return descriptor

    in_full = os.open
    with monkeypatch.context() as patched:
        patched.setattr(os, "open", open_and_sweep)
        lock = RunLock.take(ledger, "run")
    assert swept == [lock.path.name]
    assert is_live(ledger, "run")
    lock.release()


def test_a_sweep_removes_what_killed_runs_left_and_nothing_else(tmp_path: Path) -> None:
    ledger = tmp_path / "[ab]*.sqlite"
    killed = left_by_a_killed(ledger, "killed")
    others = left_by_a_killed(tmp_path / "a.sqlite", "killed")
    living = RunLock.take(ledger, "living")
    ledger.touch()
    assert set(tmp_path.iterdir()) == {ledger, living.path, others, killed}
    sweep(ledger)
    assert set(tmp_path.iterdir()) == {ledger, living.path, others}
    assert is_live(ledger, "living")
    living.release()


def test_a_run_whose_file_is_being_swept_is_no_living_one(ledger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    killed, lived = left_by_a_killed(ledger, "run"), list[bool]()
    remove = type(ledger).unlink

    def ask_and_remove(path: Path, *, missing_ok: bool = False) -> None:
        lived.append(is_live(ledger, "run"))
        remove(path, missing_ok=missing_ok)

    with monkeypatch.context() as patched:
        patched.setattr(type(ledger), "unlink", ask_and_remove)
        sweep(ledger)
    assert lived == [False]
    assert not killed.exists()


def test_a_sweep_that_comes_after_another_leaves_what_was_made_anew_meanwhile(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left_by_a_killed(ledger, "run")
    taken: list[RunLock] = []

    def open_and_be_late(file: Path, *how: int) -> int:
        descriptor = in_full(file, *how)
        if not taken:
            file.unlink()
            monkeypatch.undo()
            taken.append(RunLock.take(ledger, "run"))
        return descriptor

    in_full = os.open
    monkeypatch.setattr(os, "open", open_and_be_late)
    sweep(ledger)
    assert is_live(ledger, "run")
    taken[0].release()


@pytest.mark.parametrize("run", ["../../2026/run", "run 1", "Läufer%2F"])
def test_whatever_a_runs_name_is_its_lock_lies_beside_the_ledger(ledger: Path, run: str) -> None:
    lock = RunLock.take(ledger, run)
    assert list(ledger.parent.iterdir()) == [lock.path]
    assert is_live(ledger, run)
    lock.release()


def test_runs_with_names_alike_have_locks_of_their_own(ledger: Path) -> None:
    locks = [RunLock.take(ledger, run) for run in ("2026/run", "2026%2Frun", "2026_run")]
    assert len({lock.path for lock in locks}) == 3
    for lock in locks:
        lock.release()


def test_a_folder_that_is_gone_is_told_by_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        RunLock.take(tmp_path / "gone" / "ledger.sqlite", "run")
