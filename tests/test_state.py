"""A STATE leaves whole and exact, or the run is told that nobody takes it."""

from __future__ import annotations

import io
import json
import os
import resource
import signal
import subprocess
import sys
import threading
from decimal import Decimal
from pathlib import Path

import pytest

from target_applied_events.errors import StopReading
from target_applied_events.state import write_state


def test_a_state_leaves_as_one_line_with_its_numbers_as_they_were_read(capsys: pytest.CaptureFixture[str]) -> None:
    write_state({"bookmarks": {"rows": Decimal("10.50")}, "text": "a\nb"})
    assert capsys.readouterr().out == '{"bookmarks": {"rows": 10.50}, "text": "a\\nb"}\n'


def test_what_only_a_lenient_parser_reads_leaves_as_it_came(capsys: pytest.CaptureFixture[str]) -> None:
    write_state({"at": float("nan")})
    assert capsys.readouterr().out == '{"at": NaN}\n'


@pytest.mark.parametrize("blocking", [True, False], ids=["waits", "never waits"])
@pytest.mark.parametrize("unbuffered", [True, False])
def test_a_state_larger_than_a_pipe_holds_leaves_whole_however_slowly_it_is_read(
    monkeypatch: pytest.MonkeyPatch, *, blocking: bool, unbuffered: bool
) -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, blocking)
    read: list[bytes] = []

    def read_slowly() -> None:
        with io.FileIO(reader) as source:
            while chunk := source.read(4096):
                read.append(chunk)

    raw = io.FileIO(writer, "w")
    output = io.TextIOWrapper(raw if unbuffered else io.BufferedWriter(raw), write_through=unbuffered)
    monkeypatch.setattr(sys, "stdout", output)
    reading = threading.Thread(target=read_slowly)
    reading.start()
    with output:
        for number in range(3):
            write_state({"number": number, "text": "x" * 300_000})
    reading.join()
    assert [json.loads(line)["number"] for line in b"".join(read).splitlines()] == [0, 1, 2]


def test_of_a_state_that_does_not_fit_on_the_disk_no_success_is_made(tmp_path: Path) -> None:
    writing = "from target_applied_events.state import write_state; write_state('x' * 100_000)"
    with (tmp_path / "out").open("wb") as out:
        done = subprocess.run(
            [sys.executable, "-u", "-c", writing],
            stdout=out,
            stderr=subprocess.PIPE,
            check=False,
            preexec_fn=_at_most_64_kibibytes,
        )
    assert b"Standard output can't be written (File too large)" in done.stderr


def _at_most_64_kibibytes() -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))


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
