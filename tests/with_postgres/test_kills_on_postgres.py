"""A target that is killed loses nothing with a ledger in PostgreSQL either."""

from __future__ import annotations

import json
import os
import random
import signal
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from demo import postgres
from tests.crash_history import doubled
from tests.target_process import config, record, state
from tests.with_sandbox.arrivals import ArrivalsServer
from tests.with_sandbox.crashes import MAPPING, SCHEMA, Tap, World, in_doubt_in
from tests.with_sandbox.forked_target import ForkedTarget

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.timeout(180)

ROWS_A_KILL = 25


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="kills-") as folder, postgres.running(Path(folder) / "data") as socket:
        yield postgres.url(socket)


class PostgresWorld(World):
    """Its ledger is in PostgreSQL."""

    def doubts(self) -> list[tuple[int, str]]:
        """Rows and runs of what is in doubt, once the server has noticed that the run's session is gone."""
        url = str(self.settings["ledger_url"])
        with psycopg.connect(url, autocommit=True) as connection:
            while connection.execute("SELECT FROM pg_locks WHERE locktype = 'advisory'").fetchone() is not None:
                pass
        return in_doubt_in(url)


@pytest.mark.parametrize("kills", [5, pytest.param(40, marks=pytest.mark.slow)])
def test_random_kills_lose_nothing_and_double_only_what_is_named(url: str, tmp_path: Path, kills: int) -> None:
    rng = random.Random(kills)  # noqa: S311 - no secret

    def some_time_later(server: ArrivalsServer, ended: Callable[[], bool]) -> None:
        server.wait_for(server.count + rng.randrange(2 * ROWS_A_KILL), unless=ended)
        time.sleep(rng.uniform(0, 0.02))

    with ForkedTarget() as target, ArrivalsServer(lambda _: None, latency_seconds=0.01) as server:
        world = PostgresWorld(target, server, tmp_path, Tap(ROWS_A_KILL * kills), ledger_url=url)
        for _ in range(kills):
            world.run(kill=some_time_later)
        world.run()
    assert world.faults() == []
    assert doubled(world.history)


def crash(url: str) -> None:
    """Kill the server's process of the run's session, after which the server restarts all of them."""
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute("SELECT pid FROM pg_locks WHERE locktype = 'advisory'").fetchone()
    assert found
    os.kill(found[0], signal.SIGKILL)


def test_a_server_that_crashes_midway_costs_no_event_and_doubles_none(url: str, tmp_path: Path) -> None:
    arrived: list[int] = []

    def take(body: bytes) -> None:
        arrived.append(int(json.loads(body)["name"].removeprefix("Row ")))
        if len(arrived) in {30, 150}:
            crash(url)

    messages = [SCHEMA, *(record("rows", id=n, at=0, contact=f"c{n}", value=1) for n in range(300)), state("end")]
    with ForkedTarget() as target, ArrivalsServer(take, latency_seconds=0.01) as server:
        done = target.run(config(tmp_path, server.url, [MAPPING], ledger_url=url), messages)
    assert (done.status, done.states) == (0, ["end"]), done.log
    assert sorted(arrived) == list(range(300))
