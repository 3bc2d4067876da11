"""What the DAG decides, by `airflow dags test`: its tasks one after another, in one process, with the real programs."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from demo import postgres, shop
from demo.pipeline import API_KEY
from tests.sandbox_process import Sandbox, running_sandbox
from tests.with_airflow.airflow import BIN, DAG, DAG_FILE, Airflow
from tests.with_postgres.expected import Body, Rows, bodies, comparable

if TYPE_CHECKING:
    from pathlib import Path

    from tests.with_airflow.conftest import Server

pytestmark = [pytest.mark.airflow, pytest.mark.timeout(600), pytest.mark.xdist_group("airflow")]

REFUSED = "Order 1005 "
PATIENCE_SECONDS = 300

_DESCRIBE = """
import json, runpy, sys
dag = runpy.run_path(sys.argv[1])["applied_events"]()
tasks = {task.task_id: task for task in dag.tasks}
deliver = tasks["deliver"]
print(json.dumps({
    "max_active_runs": dag.max_active_runs,
    "pool": deliver.pool,
    "side_by_side": deliver.max_active_tis_per_dag,
    "retries": deliver.retries,
    "backoff": deliver.retry_exponential_backoff,
    "limit_seconds": deliver.execution_timeout.total_seconds(),
    "rules": {name: getattr(task.trigger_rule, "value", task.trigger_rule) for name, task in tasks.items()},
    "templated": sorted({value for task in tasks.values() for value in task.template_fields}),
    "after": {name: sorted(task.upstream_task_ids) for name, task in tasks.items()},
}))
"""


@dataclass(frozen=True, slots=True)
class Night:
    """One run of the DAG, and what it left."""

    log: str
    expected: list[Body]
    arrived: list[Body]
    states: dict[tuple[str, int], str | None]
    tries: dict[int, int]
    run_state: str | None
    airflow: Airflow


@pytest.fixture(scope="module")
def night(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Night:
    """Deliver two shards; the first is told to end midway, and one record is refused."""
    folder = tmp_path_factory.mktemp("night")
    postgres.create_tables(server.socket)
    postgres.insert(server.socket, shop.opened(shop.seeded(3)))
    rows = Rows.read(server.socket)
    with running_sandbox() as sandbox:
        airflow = _airflow(folder, server, sandbox)
        airflow.set_up()
        refused = {"kind": "status", "status": 422, "match": REFUSED}
        sandbox.put_faults({"faults": [refused, {"kind": "latency", "seconds": 1.0}]})
        with airflow.started("dags", "test", DAG) as process:
            _wait_for_events(sandbox, 40, process)
            process.send_signal(signal.SIGTERM)
            sandbox.put_faults({"faults": [refused]})
            log, _ = process.communicate(timeout=PATIENCE_SECONDS)
        return Night(
            log,
            bodies(rows),
            [event["body"] for event in sandbox.events()],
            {(task.name, task.number): task.state for task in airflow.tasks()},
            {task.number: task.tries for task in airflow.tasks() if task.name == "deliver"},
            airflow.run_state(),
            airflow,
        )


def test_sigterm_ends_a_shard_in_order_and_airflow_retries_it(night: Night) -> None:
    assert "Ended by SIGTERM" in night.log
    assert re.search(r"Read \d+: delivered [1-9]\d*, .*unsettled [1-9]", night.log)
    assert "resent in doubt 0" in night.log
    assert not re.search(r"resent in doubt [1-9]", night.log)
    assert sorted(night.tries.values()) == [1, 2]


def test_each_event_arrives_once_though_a_shard_was_ended_midway(night: Night) -> None:
    taken = [body for body in night.expected if REFUSED not in body["description"]]
    assert len(taken) < len(night.expected)
    assert _sorted(night.arrived) == _sorted(taken)


def test_the_runs_last_tasks_fail_where_a_record_was_rejected_though_all_shards_ended_well(night: Night) -> None:
    assert night.states == {
        ("prepare", -1): "success",
        ("deliver", 0): "success",
        ("deliver", 1): "success",
        ("rejected", -1): "failed",
        ("ended_well", -1): "upstream_failed",
    }, night.log
    assert night.run_state == "failed"


def test_the_key_is_in_nothing_that_airflow_says_or_keeps(night: Night) -> None:
    assert API_KEY not in night.log
    assert night.airflow.files_with(API_KEY) == []


def test_shards_without_a_shared_ledger_are_refused_at_once(server: Server, tmp_path: Path) -> None:
    with running_sandbox() as sandbox:
        airflow = _airflow(tmp_path, server, sandbox, secrets={"MELTANO_DATABASE_URI": server.meltano_url})
        airflow.set_up()
        log = airflow.run("dags", "test", DAG, status=None)
        assert "TARGET_APPLIED_EVENTS_LEDGER_URL" in log
        assert {(task.name, task.tries) for task in airflow.tasks() if task.state == "failed"} >= {("prepare", 1)}
        assert sandbox.requests() == []


def test_shards_whose_state_would_go_with_the_worker_are_refused_at_once(server: Server, tmp_path: Path) -> None:
    with running_sandbox() as sandbox:
        secrets = {"TARGET_APPLIED_EVENTS_LEDGER_URL": server.ledger_url}
        airflow = _airflow(tmp_path, server, sandbox, secrets=secrets)
        airflow.set_up()
        assert "MELTANO_DATABASE_URI" in airflow.run("dags", "test", DAG, status=None)
        assert sandbox.requests() == []


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory, _installed: None) -> dict[str, Any]:
    airflow = Airflow(tmp_path_factory.mktemp("described"), {"APPLIED_EVENTS_SHARDS": "8"})
    airflow.run("db", "migrate")
    command = [str(BIN / "python"), "-c", _DESCRIBE, str(DAG_FILE)]
    done = subprocess.run(command, env=airflow.environment(), capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_as_many_shards_run_side_by_side_as_there_are_and_the_pool_allows(described: dict[str, Any]) -> None:
    assert (described["side_by_side"], described["pool"], described["max_active_runs"]) == (8, DAG, 1)


def test_a_shard_is_retried_ever_later_and_has_a_time_limit(described: dict[str, Any]) -> None:
    assert described["retries"] >= 2
    assert described["backoff"] > 1
    assert 3600 <= described["limit_seconds"] < 24 * 3600


def test_what_was_rejected_is_looked_at_however_the_shards_end_and_the_last_task_needs_all(
    described: dict[str, Any],
) -> None:
    assert described["rules"]["rejected"] == "all_done"
    assert described["rules"]["ended_well"] == "all_success"
    assert described["after"] == {
        "prepare": [],
        "deliver": ["prepare"],
        "rejected": ["deliver"],
        "ended_well": ["deliver", "rejected"],
    }


def test_airflow_renders_nothing_of_a_task_but_its_own_number(described: dict[str, Any]) -> None:
    assert described["templated"] == ["op_args", "op_kwargs", "templates_dict"]


def _airflow(folder: Path, server: Server, sandbox: Sandbox, secrets: dict[str, str] | None = None) -> Airflow:
    settings = {
        "APPLIED_EVENTS_SHARDS": "2",
        "TAP_POSTGRES_SQLALCHEMY_URL": server.shop_url,
        "TARGET_APPLIED_EVENTS_API_URL": sandbox.url,
        "TARGET_APPLIED_EVENTS_DATA_DIR": str(folder / "data"),
        "TARGET_APPLIED_EVENTS_MAX_REJECTED": "5",
    }
    both = {"TARGET_APPLIED_EVENTS_LEDGER_URL": server.ledger_url, "MELTANO_DATABASE_URI": server.meltano_url}
    return Airflow(folder / "airflow", settings, both if secrets is None else secrets)


def _wait_for_events(sandbox: Sandbox, count: int, process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while len(sandbox.events()) < count:
        assert process.poll() is None, "the run of the DAG ended before"
        assert time.monotonic() < until, "too few events arrived"
        time.sleep(0.1)


def _sorted(found: list[Body]) -> list[Body]:
    return sorted(map(comparable, found), key=lambda body: (body["name"], body["event_time"], body["description"]))
