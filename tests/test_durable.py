from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from target_applied_events.durable import make_private, sync_directory

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def _mask_nothing() -> Iterator[None]:
    mask = os.umask(0)
    yield
    os.umask(mask)


@pytest.mark.usefixtures("_mask_nothing")
def test_a_directory_of_data_dir_and_data_dir_itself_are_made_private_whatever_the_umask(tmp_path: Path) -> None:
    directory = tmp_path / "state" / "data" / "rejected"
    for _ in range(2):
        make_private(directory)
    assert [stat.S_IMODE(made.stat().st_mode) for made in (directory, directory.parent)] == [0o700, 0o700]


def test_a_directory_that_is_there_stays_as_its_owner_made_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(0o750)
    make_private(data / "rejected")
    (data / "rejected").chmod(0o770)
    make_private(data / "rejected")
    assert [stat.S_IMODE(each.stat().st_mode) for each in (data, data / "rejected")] == [0o750, 0o770]


def test_a_file_in_a_directorys_place_is_told_by_the_system(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    with pytest.raises(NotADirectoryError):
        make_private(tmp_path / "data" / "rejected")
    with pytest.raises(FileExistsError):
        make_private(tmp_path / "data")


def open_files() -> int:
    return len(list(Path("/dev/fd").iterdir()))


def test_a_directory_is_synced_whatever_is_in_it_and_none_of_it_changes(tmp_path: Path) -> None:
    (tmp_path / "ledger").write_bytes(b"kept")
    before = tmp_path.stat().st_mtime_ns
    sync_directory(tmp_path)
    assert (tmp_path.stat().st_mtime_ns, (tmp_path / "ledger").read_bytes()) == (before, b"kept")


@pytest.mark.parametrize(
    "place",
    [
        Path("/nowhere/at/all"),
        Path("/proc"),  # can be read, but no disk is behind it that could be synced
    ],
    ids=["missing", "not to be synced"],
)
def test_a_directory_that_cant_be_read_or_synced_is_never_taken_for_a_synced_one(place: Path) -> None:
    with pytest.raises(OSError, match=r"No such file|Invalid argument"):
        sync_directory(place)


@pytest.mark.parametrize("place", [".", "/proc"])
def test_no_file_is_left_open_whether_it_was_synced_or_not(place: str) -> None:
    before = open_files()
    for _ in range(3):
        try:
            sync_directory(Path(place))
        except OSError:
            continue
    assert open_files() == before
