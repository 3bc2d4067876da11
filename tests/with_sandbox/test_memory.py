"""What a run needs does not grow with its input."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pytest

from tests.target_process import PROGRAM, Message, config
from tests.with_sandbox.arrivals import ArrivalsServer
from tests.with_sandbox.crashes import key_is_found
from tests.with_sandbox.faulty_server import FaultyServer, Peer

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.timeout(180)

MAPPING: Message = {"stream": "rows", "name": "Row {{ id }}", "contact": {"remote_id": "{{ id }}"}}
GROWTH_KIB = 20 << 10
MOST_KIB = 200 << 10
MOST_KIB_OF_LARGE = 260 << 10
"""The window's 64 MiB, a batch that waits for room, and records on their way into the file."""
GOOD, BAD = '{"id":#,"text":"a text of some length, not looked at"}', '{"id":"no number","text":"#"}'


class Run:
    """A target that is fed by a long tap, both of them processes of their own."""

    def __init__(self, settings: Path, log: IO[bytes], *tap: str) -> None:
        root = Path(__file__).parents[2]
        self._state = 0
        self.tap = subprocess.Popen(
            [sys.executable, "-m", "tests.with_sandbox.long_tap", *tap],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=root,
        )
        command = [str(PROGRAM), "--config", str(settings)]
        unmeasured = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
        self.target = subprocess.Popen(
            command, stdin=self.tap.stdout, stdout=subprocess.PIPE, stderr=log, env=unmeasured
        )

    def peak_kib(self) -> int:
        """The most memory that the target has had so far, as the system counts it."""
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{self.target.pid}/status").read_text())
        assert found
        return int(found[1])

    def peak_kib_at_state(self, number: int) -> int:
        """The same once a STATE has left that stands at this row or behind it, as the one read last may do already."""
        assert self.target.stdout
        while self._state < number:
            line = self.target.stdout.readline()
            assert line, f"the run ended with {self.target.wait()} before the STATE {number}"
            value = json.loads(line)
            self._state = value[0] if isinstance(value, list) else value
        return self.peak_kib()

    def wait_until_all_is_written(self) -> None:
        assert self.tap.stderr
        assert self.tap.stderr.readline() == b"written\n"

    def finish(self) -> int:
        """Let the tap end; the target's status."""
        self.tap.communicate()
        self.target.communicate()
        return self.target.returncode


@contextmanager
def running(settings: Path, *tap: str) -> Iterator[Run]:
    log_path = settings.with_name("log")
    with log_path.open("wb") as log:
        run = Run(settings, log, *tap)
        with run.tap, run.target:
            try:
                yield run
            finally:
                run.target.kill()
                run.tap.kill()
    assert not key_is_found(settings.parent)
    for large in settings.parent.rglob("*.jsonl"):
        large.unlink()


def up_to_a_million(*, timeout_seconds: int) -> pytest.MarkDecorator:
    million = pytest.param(1_000_000, marks=[pytest.mark.slow, pytest.mark.timeout(timeout_seconds)])
    return pytest.mark.parametrize("count", [25_000, million])


@up_to_a_million(timeout_seconds=1800)
def test_delivering_more_takes_no_more_memory(tmp_path: Path, count: int) -> None:
    with (
        ArrivalsServer(lambda _: None) as server,
        running(config(tmp_path, server.url, [MAPPING]), str(count), "100", "#", GOOD) as run,
    ):
        early = run.peak_kib_at_state(10_000)
        late = run.peak_kib_at_state(count)
        assert run.finish() == 0
        assert server.count == count
    assert late - early < GROWTH_KIB
    assert late < MOST_KIB


@up_to_a_million(timeout_seconds=900)
def test_rejecting_more_takes_no_more_memory(tmp_path: Path, count: int) -> None:
    with ArrivalsServer(lambda _: None) as server:
        settings = config(tmp_path, server.url, [MAPPING], max_rejected=2 * count)
        with running(settings, str(count), "100", "#", BAD) as run:
            early = run.peak_kib_at_state(10_000)
            late = run.peak_kib_at_state(count)
            assert run.finish() == 0
    assert late - early < GROWTH_KIB
    assert late < MOST_KIB


def test_large_records_that_are_rejected_wait_for_room_as_events_do(tmp_path: Path) -> None:
    row = json.dumps({"id": "no number", "text": "#" + "x" * 100_000})
    with ArrivalsServer(lambda _: None) as server:
        settings = config(tmp_path, server.url, [MAPPING], max_rejected=10_000)
        with running(settings, "5000", "100", "#", row) as run:
            peak = run.peak_kib_at_state(5_000)
            assert run.finish() == 0
    assert peak < MOST_KIB_OF_LARGE


def test_large_states_among_events_that_are_sent_slowly_wait_for_room(tmp_path: Path) -> None:
    large = json.dumps(["#", "x" * 100_000]).replace('"#"', "#")
    with ArrivalsServer(lambda _: None) as server:
        settings = config(tmp_path, server.url, [MAPPING], requests_per_second=1_000)
        with running(settings, "4000", "1", large, GOOD) as run:
            peak = run.peak_kib_at_state(4_000)
            assert run.finish() == 0
        assert server.count == 4_000
    assert peak < MOST_KIB_OF_LARGE


def test_many_states_behind_an_event_that_is_stuck_take_no_memory(tmp_path: Path) -> None:
    large = json.dumps(["#", "x" * 4000])
    with FaultyServer(Peer.hang) as server:
        settings = config(tmp_path, f"http://127.0.0.1:{server.port}/v2026-04", [MAPPING], request_timeout=300)
        with running(settings, "100000", "1", large, GOOD, "1") as run:
            run.wait_until_all_is_written()
            assert run.peak_kib() < MOST_KIB
            assert server.connections == 1
            assert run.target.poll() is None
