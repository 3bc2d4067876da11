"""Eight runs on one ledger keep `requests_per_second` together, and none of them starves."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from demo import postgres
from target_applied_events.shard import shard_of
from tests.sandbox_process import Sandbox, running_sandbox
from tests.target_process import PROGRAM, Message, as_lines, config, record, schema

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

RUNS = 8
EVENTS = 150
RATE = 80
RESERVED = 8
"""A run reserves a tenth of a second's permits at once."""

MAPPING: Message = {"stream": "rows", "name": "Row {{ id }}", "contact": {"remote_id": "{{ id }}"}}
SCHEMA = schema("rows", {"id": {"type": "integer"}})


@pytest.fixture
def ledger_url() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="rate-") as folder, postgres.running(Path(folder) / "data") as socket:
        yield postgres.url(socket)


def test_eight_runs_keep_the_rate_together_and_share_it_fairly(ledger_url: str, tmp_path: Path) -> None:
    with running_sandbox() as sandbox, contextlib.ExitStack() as stack:
        targets = [
            stack.enter_context(_started(config(tmp_path / f"{shard}", sandbox.url, [MAPPING], **settings)))
            for shard in range(1, RUNS + 1)
            for settings in [{"ledger_url": ledger_url, "requests_per_second": RATE, "shard": f"{shard}/{RUNS}"}]
        ]
        rows = [_ids_of(shard) for shard in range(1, RUNS + 1)]
        for target, ids in zip(targets, rows, strict=True):
            _say(target, [SCHEMA, record("rows", id=ids[0])])
        _wait_for(sandbox, RUNS)  # all of them are up
        begun = datetime.now(UTC)
        for target, ids in zip(targets, rows, strict=True):
            _say(target, [record("rows", id=number) for number in ids[1:]])
            assert target.stdin is not None
            target.stdin.close()
        assert [target.wait() for target in targets] == [0] * RUNS
        arrived = [_arrival(event) for event in sandbox.events()][RUNS:]
    assert len(arrived) == RUNS * (EVENTS - 1)
    seconds = (max(at for at, _ in arrived) - begun).total_seconds()
    assert len(arrived) <= RATE * seconds + RUNS * RESERVED
    first_end = min(max(at for at, shard in arrived if shard == number) for number in range(1, RUNS + 1))
    shares = Counter(shard for at, shard in arrived if at <= first_end)
    assert min(shares[number] for number in range(1, RUNS + 1)) >= EVENTS / 2, shares


@contextlib.contextmanager
def _started(settings: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [str(PROGRAM), "--config", str(settings)]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet) as target:
        try:
            yield target
        finally:
            target.kill()


def _say(target: subprocess.Popen[bytes], messages: list[Message]) -> None:
    assert target.stdin is not None
    target.stdin.write(as_lines(messages))
    target.stdin.flush()


def _ids_of(shard: int) -> list[int]:
    """The first ids whose contacts fall into a shard."""
    return [number for number in range(RUNS * EVENTS * 4) if shard_of(str(number), RUNS) == shard][:EVENTS]


def _wait_for(sandbox: Sandbox, count: int) -> None:
    """Ask until so many events have arrived; the test's own time limit ends it."""
    while len(sandbox.events()) < count:
        time.sleep(0.1)


def _arrival(event: Message) -> tuple[datetime, int]:
    return datetime.fromisoformat(event["received_at"]), shard_of(event["body"]["contact"]["remote_id"], RUNS)
