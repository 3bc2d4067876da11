"""A night under a real Airflow: four shards side by side, one killed midway, an endpoint that limits the rate."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from demo import postgres, shop
from demo.pipeline import API_KEY
from target_applied_events.shard import shard_of
from tests.sandbox_process import Sandbox, running_sandbox
from tests.with_airflow.airflow import DAG, Airflow, Task, descendants
from tests.with_postgres.expected import Body, Rows, bodies, by_contact, in_one_order

if TYPE_CHECKING:
    from pathlib import Path

    from tests.with_airflow.conftest import Server

NIGHT_SECONDS = 900

pytestmark = [pytest.mark.airflow, pytest.mark.timeout(NIGHT_SECONDS + 120), pytest.mark.xdist_group("airflow")]

SHARDS = 4
KILLED = 2
ORDERS, CUSTOMERS = 20_000, 2_000
RATE_LIMIT = 200.0
IN_FLIGHT = 32
PROGRAMS = ("meltano", "tap-postgres", "target-applied-events")


@dataclass(frozen=True, slots=True)
class Arrived:
    """An event at the endpoint."""

    at: datetime
    shard: int
    body: Body
    counted: bool


@dataclass(frozen=True, slots=True)
class Night:
    """What was to be delivered, what was, and what Airflow has of it."""

    expected: list[Body]
    arrived: list[Arrived]
    killed_at: datetime
    run_state: str | None
    tasks: list[Task]
    airflow: Airflow
    left: list[str]
    seconds: float


@pytest.fixture(scope="module")
def night(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Night:
    folder = tmp_path_factory.mktemp("night")
    postgres.create_tables(server.socket)
    postgres.insert(server.socket, shop.opened(shop.seeded(8), customers=CUSTOMERS, orders=ORDERS, refunds=0))
    rows = Rows.read(server.socket)
    with running_sandbox() as sandbox:
        sandbox.put_faults({"faults": [{"kind": "rate_limit", "requests_per_second": RATE_LIMIT}]})
        airflow = _airflow(folder, server, sandbox)
        airflow.set_up()
        started = time.monotonic()
        with airflow.standing(folder / "standalone.log"):
            airflow.run("dags", "reserialize")
            airflow.run("dags", "trigger", DAG)
            _wait_for_events(sandbox, ORDERS // 4, started)
            killed_at = _kill(airflow, KILLED)
            _wait_for_the_end(airflow, started)
            left = [command for command in airflow.processes().values() if any(name in command for name in PROGRAMS)]
        return Night(
            bodies(Rows((), rows.orders, ())),
            [_arrived(event) for event in sandbox.events()],
            killed_at,
            airflow.run_state(),
            airflow.tasks(),
            airflow,
            left,
            time.monotonic() - started,
        )


def test_airflow_retries_the_killed_shard_and_all_end_well(night: Night) -> None:
    assert (night.run_state, {task.state for task in night.tasks}) == ("success", {"success"}), night.airflow.logs()
    tries = {task.number + 1: task.tries for task in night.tasks if task.name == "deliver"}
    assert tries == {number: 2 if number == KILLED else 1 for number in range(1, SHARDS + 1)}


def test_the_shards_run_side_by_side(night: Night) -> None:
    spans = [[item.at for item in night.arrived if item.shard == number] for number in range(1, SHARDS + 1)]
    assert max(map(min, spans)) < min(map(max, spans))


def test_the_shard_is_killed_in_the_middle(night: Night) -> None:
    before = sum(item.shard == KILLED and item.at < night.killed_at for item in night.arrived)
    assert 0.1 < before / sum(item.shard == KILLED for item in night.arrived) < 0.9


def test_every_event_arrives_and_twice_only_what_the_kill_left_in_doubt(night: Night) -> None:
    assert in_one_order(list(_first_time(night).values())) == in_one_order(night.expected)
    times = Counter(map(_name_of, night.arrived))
    doubled = [item for item in night.arrived if times[_name_of(item)] > 1]
    assert {item.shard for item in doubled} <= {KILLED}
    assert len(night.arrived) - len(times) <= sum(map(int, re.findall(r"resent in doubt (\d+)", night.airflow.logs())))


def test_every_metric_counts_once(night: Night) -> None:
    counted = [item.body["metric"]["deduping_key"] for item in night.arrived if item.counted and "metric" in item.body]
    assert len(counted) == len(set(counted)) == ORDERS


def test_what_had_arrived_before_the_kill_is_skipped_by_the_ledger_and_not_sent_again(night: Night) -> None:
    before = sum(item.shard == KILLED and item.at < night.killed_at for item in night.arrived)
    skipped = sum(map(int, re.findall(r"(\d+) by the ledger", night.airflow.logs())))
    assert before - IN_FLIGHT <= skipped <= before + IN_FLIGHT


def test_the_events_of_every_contact_arrive_in_the_order_of_the_rows(night: Night) -> None:
    assert by_contact(list(_first_time(night).values())) == by_contact(night.expected)


def test_no_shards_pace_starves(night: Night) -> None:
    """Until the kill all four deliver, and each of them a good part of an equal share."""
    shards = range(1, SHARDS + 1)
    begun = max(min(item.at for item in night.arrived if item.shard == number) for number in shards)
    together = Counter(item.shard for item in night.arrived if begun <= item.at < night.killed_at)
    assert min(together[number] for number in shards) >= together.total() / SHARDS / 3, together


def test_the_key_is_in_none_of_airflows_logs_nor_in_its_database(night: Night) -> None:
    assert "delivered" in night.airflow.logs()
    assert night.airflow.files_with(API_KEY) == []


def test_none_of_the_pipelines_programs_is_left(night: Night) -> None:
    assert night.left == []


def _airflow(folder: Path, server: Server, sandbox: Sandbox) -> Airflow:
    settings = {
        "APPLIED_EVENTS_SHARDS": str(SHARDS),
        "TAP_POSTGRES_SQLALCHEMY_URL": server.shop_url,
        "TAP_POSTGRES__SELECT": '["public-orders.*"]',
        "TARGET_APPLIED_EVENTS_API_URL": sandbox.url,
        "TARGET_APPLIED_EVENTS_DATA_DIR": str(folder / "data"),
    }
    secrets = {"TARGET_APPLIED_EVENTS_LEDGER_URL": server.ledger_url, "MELTANO_DATABASE_URI": server.meltano_url}
    return Airflow(folder / "airflow", settings, secrets)


def _wait_for_events(sandbox: Sandbox, count: int, started: float) -> None:
    while sum(metric["count"] for metric in sandbox.get("metrics")["metrics"]) < count:
        assert time.monotonic() - started < NIGHT_SECONDS, "too few events arrived"
        time.sleep(0.5)


def _kill(airflow: Airflow, shard: int) -> datetime:
    """Kill a shard's task and all that it started, as a worker's end does."""
    (task,) = [task for task in airflow.tasks() if task.name == "deliver" and task.number == shard - 1]
    assert task.pid is not None
    pids = descendants(task.pid)
    assert len(pids) >= 3  # the task, Meltano, the target; the tap may have ended
    killed_at = datetime.now().astimezone()
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return killed_at


def _wait_for_the_end(airflow: Airflow, started: float) -> None:
    while airflow.run_state() not in {"success", "failed"}:
        assert time.monotonic() - started < NIGHT_SECONDS, airflow.tasks()
        time.sleep(1)


def _arrived(event: dict[str, Any]) -> Arrived:
    body = event["body"]
    at = datetime.fromisoformat(event["received_at"])
    return Arrived(at, shard_of(body["contact"]["remote_id"], SHARDS), body, event["counted"])


def _name_of(item: Arrived) -> tuple[str, str]:
    return item.body["name"], item.body["description"]


def _first_time(night: Night) -> dict[tuple[str, str], Body]:
    """The events in the order of their arrival, each the first time alone."""
    known: dict[tuple[str, str], Body] = {}
    for item in night.arrived:
        known.setdefault(_name_of(item), item.body)
    return known
