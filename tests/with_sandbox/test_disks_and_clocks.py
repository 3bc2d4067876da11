"""Disks that are really full or read-only, and clocks that jump, under the installed program."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.target_process import PROGRAM, Finished, Message, as_lines, config, record, run_target, schema, state
from tests.with_sandbox.arrivals import ArrivalsServer
from tests.with_sandbox.crashes import key_is_found, named_in

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

MAPPING: Message = {"stream": "rows", "name": "Row {{ id }}", "contact": {"remote_id": "{{ id }}"}}
SCHEMA = schema("rows", {"id": {"type": "integer"}, "text": {"type": "string"}})


def rows(count: int) -> Iterator[Message]:
    """Rows from 1 on, a STATE behind each tenth."""
    yield SCHEMA
    for number in range(1, count + 1):
        yield record("rows", id=number)
        if number % 10 == 0:
            yield state(number)


class Arrivals:
    """The numbers of the rows whose events have arrived."""

    def __init__(self) -> None:
        self.numbers: list[int] = []

    def take(self, body: bytes) -> None:
        self.numbers.append(int(json.loads(body)["name"].removeprefix("Row ")))


@contextmanager
def small_disk(directory: Path, kib: int) -> Iterator[None]:
    """Mount a file system of so many KiB there, for as long as the test needs it."""
    if os.geteuid() != 0:
        pytest.skip("only root mounts file systems")
    directory.mkdir(parents=True)
    mounted = subprocess.run(
        ["/bin/mount", "-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", str(directory)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"mounting isn't allowed here: {mounted.stderr.decode()}")
    try:
        yield
        assert not key_is_found(directory)
    finally:
        subprocess.run(["/bin/umount", str(directory)], check=True)


def remount(directory: Path, options: str) -> None:
    subprocess.run(["/bin/mount", "-o", f"remount,{options}", str(directory)], check=True)


def assert_held(done: Finished, arrived: list[int]) -> None:
    assert done.status == 1
    assert "Traceback" not in done.log
    assert all(set(range(1, passed + 1)) <= set(arrived) for passed in done.states)


def test_a_disk_that_fills_up_ends_the_run_and_the_next_one_on_a_larger_goes_on(tmp_path: Path) -> None:
    arrivals, count = Arrivals(), 10_000
    with small_disk(tmp_path / "data", 600), ArrivalsServer(arrivals.take) as server:
        settings = config(tmp_path, server.url, [MAPPING])
        done = run_target(settings, rows(count))
        assert_held(done, arrivals.numbers)
        assert "disk is full" in done.log
        assert 0 < len(arrivals.numbers) < count
        remount(tmp_path / "data", "size=64m")
        again = run_target(settings, rows(count))
    assert (again.status, again.states[-1]) == (0, count)
    assert set(arrivals.numbers) == set(range(1, count + 1))
    assert len(arrivals.numbers) - count <= (named_in(again.log) or 0) <= 32


def test_a_disk_that_is_full_from_the_start_ends_the_run_before_its_input_is_read(tmp_path: Path) -> None:
    with small_disk(tmp_path / "data", 8), ArrivalsServer(lambda _: None) as server:
        (tmp_path / "data" / "large").write_bytes(b"x" * 4096)
        done = run_target(config(tmp_path, server.url, [MAPPING]), b"no JSON")
        assert (done.status, done.states, server.count) == (1, [], 0)
        assert "The ledger" in done.log
        assert "disk is full" in done.log
        assert "Traceback" not in done.log
        assert [path.name for path in (tmp_path / "data").iterdir()] == ["large"]


def test_a_disk_that_is_read_only_ends_the_run_before_its_input_is_read(tmp_path: Path) -> None:
    arrivals = Arrivals()
    with small_disk(tmp_path / "data", 4096), ArrivalsServer(arrivals.take) as server:
        settings = config(tmp_path, server.url, [MAPPING])
        assert run_target(settings, rows(10)).status == 0
        remount(tmp_path / "data", "ro")
        done = run_target(settings, b"no JSON")
        assert (done.status, done.states) == (1, [])
        assert "The ledger" in done.log
        assert "Traceback" not in done.log
        remount(tmp_path / "data", "rw")
        assert run_target(settings, rows(10)).status == 0
    assert sorted(arrivals.numbers) == list(range(1, 11))


def test_a_disk_that_is_full_for_rejected_records_keeps_whole_lines_and_ends_the_run(tmp_path: Path) -> None:
    messages = chain.from_iterable((record("rows", id="bad", text="x" * 1000), state(n)) for n in range(1, 2001))
    with small_disk(tmp_path / "data" / "rejected", 256), ArrivalsServer(lambda _: None) as server:
        settings = config(tmp_path, server.url, [MAPPING], max_rejected=10_000, batch_size_rows=20)
        done = run_target(settings, chain([SCHEMA], messages))
        assert done.status == 1
        assert "Rejected records can't be kept" in done.log
        assert "No space left on device" in done.log
        (file,) = (tmp_path / "data" / "rejected").glob("*.jsonl")
        kept = [json.loads(line)["type"] for line in file.read_text().splitlines()].count("RECORD")
    assert kept >= max(done.states)
    assert 0 < kept < 2000


FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)


@pytest.mark.skipif(not FAKETIME and "CI" not in os.environ, reason="Debian's faketime isn't installed")
def test_a_clock_that_is_set_forward_and_back_midway_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = tmp_path / "clock"
    clock.write_text("+0d")
    arrivals = Arrivals()

    def take(body: bytes) -> None:
        arrivals.take(body)
        jump = {100: "+400d", 200: "-400d"}.get(len(arrivals.numbers))
        if jump:
            clock.write_text(jump)

    with ArrivalsServer(take) as server:
        settings = config(tmp_path, server.url, [MAPPING], requests_per_second=2000)
        with monkeypatch.context() as patch:
            patch.setenv("LD_PRELOAD", str(FAKETIME))
            patch.setenv("FAKETIME_TIMESTAMP_FILE", str(clock))
            patch.setenv("FAKETIME_NO_CACHE", "1")
            patch.setenv("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            done = run_target(settings, rows(300))
        again = run_target(settings, rows(300))
    assert (done.status, done.states[-1]) == (0, 300), done.log
    assert sorted(arrivals.numbers) == list(range(1, 301))
    assert (again.status, again.states[-1]) == (0, 300)
    told = datetime.fromisoformat(done.log.splitlines()[-2][:10]).replace(tzinfo=UTC)
    assert told < datetime.now(UTC) - timedelta(days=390), "the clock was not moved"


def test_a_process_that_is_stopped_for_longer_than_a_request_may_take_sends_nothing_again(tmp_path: Path) -> None:
    arrived = Arrivals()
    with ArrivalsServer(arrived.take, latency_seconds=0.5) as server, (tmp_path / "in").open("w+b") as given:
        settings = config(tmp_path, server.url, [MAPPING], request_timeout=1)
        given.write(as_lines(rows(300)))
        given.seek(0)
        with subprocess.Popen([str(PROGRAM), "--config", str(settings)], stdin=given, stdout=subprocess.DEVNULL) as run:
            for stop in (1, 2, 3):
                server.wait_for(50 * stop)
                run.send_signal(signal.SIGSTOP)
                time.sleep(1.5)  # all that is in flight is answered meanwhile, and late by the clock
                run.send_signal(signal.SIGCONT)
    assert run.returncode == 0
    assert sorted(arrived.numbers) == list(range(1, 301))
