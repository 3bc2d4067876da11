from __future__ import annotations

from pathlib import Path

import pytest

from target_applied_events.durable import sync_directory


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
