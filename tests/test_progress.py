"""A run shows where it stands: on a terminal in one line that stays, else seldom and in the log."""

from __future__ import annotations

import logging
import os
import pty
from dataclasses import replace
from typing import TYPE_CHECKING

from target_applied_events.progress import Bar, Lines, Snapshot, start_progress

if TYPE_CHECKING:
    import pytest

SNAPSHOT = Snapshot(
    read=120,
    delivered=100,
    rejected=1,
    unsettled=19,
    in_flight=8,
    limit=16,
    oldest_seconds=2.4,
    ledger_seconds=0.51,
    seconds=20.0,
)


def test_the_log_gets_one_line_each_thirty_seconds(caplog: pytest.LogCaptureFixture) -> None:
    lines = Lines()
    with caplog.at_level(logging.INFO):
        for second in range(100):
            lines.show(replace(SNAPSHOT, seconds=float(second)))
    assert len(caplog.records) == 3
    assert caplog.records[0].getMessage() == (
        "So far: read 120, delivered 100, rejected 1, in flight 8 of 16, 3 events a second; "
        "19 unsettled, the oldest for 2 s; the ledger took 0.5 s."
    )


def test_without_a_terminal_there_is_no_bar() -> None:
    assert isinstance(start_progress(), Lines)


def test_on_a_terminal_the_figures_stand_in_one_line_and_log_lines_above_it(monkeypatch: pytest.MonkeyPatch) -> None:
    master, slave = pty.openpty()
    with os.fdopen(slave, "w") as terminal:
        monkeypatch.setattr("sys.stderr", terminal)
        handler = logging.StreamHandler(terminal)
        logging.getLogger().addHandler(handler)
        try:
            bar = start_progress()
            assert isinstance(bar, Bar)
            bar.show(SNAPSHOT)
            logging.getLogger("a run").warning("a line of the log")
            bar.close()
        finally:
            logging.getLogger().removeHandler(handler)
        terminal.flush()
        shown = os.read(master, 65536).decode()
    os.close(master)
    assert "read 120, delivered 100" in shown
    assert "a line of the log" in shown
    assert handler.stream is terminal
