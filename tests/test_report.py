"""A run leaves a file of its own, private; that it can't be written is no reason to fail."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

from target_applied_events.errors import EndpointError, LedgerError
from target_applied_events.report import write_report
from target_applied_events.summary import Summary

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_the_accounts_are_kept_where_only_their_owner_reads_them(tmp_path: Path) -> None:
    directory = tmp_path / "data" / "runs"
    write_report(directory, "run-1", Summary(read=3, delivered=2), 1.23456, None)
    path = directory / "run-1.json"
    assert (path.stat().st_mode & 0o777, directory.stat().st_mode & 0o777) == (0o600, 0o700)
    report = json.loads(path.read_text())
    assert (report["run"], report["seconds"], report["error"]) == ("run-1", 1.235, None)
    assert (report["summary"]["delivered"], report["summary"]["unsettled"]) == (2, 1)
    assert "stopped_by" not in report


def test_the_event_that_stopped_a_run_stands_in_it(tmp_path: Path) -> None:
    write_report(
        tmp_path, "run-1", Summary(), 0, EndpointError("refused.", {"status": 401, "key_properties": {"id": 7}})
    )
    report = json.loads((tmp_path / "run-1.json").read_text())
    assert (report["error"], report["stopped_by"]) == ("refused.", {"status": 401, "key_properties": {"id": 7}})


def test_any_other_end_is_told_by_its_message(tmp_path: Path) -> None:
    write_report(tmp_path, "run-1", Summary(), 0, LedgerError("gone."))
    report = json.loads((tmp_path / "run-1.json").read_text())
    assert report["error"] == "gone."
    assert "stopped_by" not in report


def test_a_file_that_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    write_report(tmp_path, "run-1", Summary(delivered=1), 0, None)
    write_report(tmp_path, "run-1", Summary(delivered=2), 0, None)
    assert json.loads((tmp_path / "run-1.json").read_text())["summary"]["delivered"] == 1


def test_a_directory_that_cant_be_written_costs_a_warning_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    with caplog.at_level(logging.WARNING):
        write_report(tmp_path / "file" / "runs", "run-1", Summary(), 0, None)
    (said,) = caplog.messages
    assert said.endswith("Not a directory. The run isn't the worse for it; see data_dir.")
