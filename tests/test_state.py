"""A STATE leaves whole and exact, or the run is told that nobody takes it."""

from __future__ import annotations

import io
import os
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from target_applied_events.errors import StopReading
from target_applied_events.state import write_state


def test_a_state_leaves_as_one_line_with_its_numbers_as_they_were_read(capsys: pytest.CaptureFixture[str]) -> None:
    write_state({"bookmarks": {"rows": Decimal("10.50")}, "text": "a\nb"})
    assert capsys.readouterr().out == '{"bookmarks": {"rows": 10.50}, "text": "a\\nb"}\n'


def end_of_a_run_into(output: io.FileIO, monkeypatch: pytest.MonkeyPatch) -> StopReading:
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(output, write_through=True))
    with output, pytest.raises(StopReading) as asked:
        write_state({})
    return asked.value


def test_a_reader_that_is_gone_ends_the_run_as_a_signal_does(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    end = end_of_a_run_into(io.FileIO(writer, "w"), monkeypatch)
    assert str(end).startswith("Standard output was closed by its reader")
    assert end.exit_status == 143


@pytest.mark.parametrize("closed", [None, io.StringIO()], ids=["closed before the start", "closed meanwhile"])
def test_an_output_that_is_closed_ends_the_run_as_a_signal_does(
    monkeypatch: pytest.MonkeyPatch, closed: io.StringIO | None
) -> None:
    if closed is not None:
        closed.close()
    monkeypatch.setattr(sys, "stdout", closed)
    with pytest.raises(StopReading) as asked:
        write_state({})
    assert asked.value.exit_status == 143


def test_an_output_that_is_full_ends_the_run_with_status_1(monkeypatch: pytest.MonkeyPatch) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    end = end_of_a_run_into(io.FileIO(full, "w"), monkeypatch)
    assert "No space left on device" in str(end)
    assert end.exit_status == 1
