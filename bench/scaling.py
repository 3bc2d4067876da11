"""Measure what more processes bring: 1, 2 and 4 shards on one ledger in PostgreSQL, and what passing over costs.

Started as `python -m bench.scaling`; it prints the tables of docs/scale.md, each figure the median of its rounds.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from bench.shop import API_KEY, MAPPING, SHOP_ID, messages
from demo import postgres
from tests.sandbox_process import Sandbox, running_sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = Path(sys.executable).with_name("target-applied-events")
PROCESSES = (1, 2, 4)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What is delivered to.

    Attributes:
        name: What it does.
        fault: What makes it do so.
        events: How many events a round has, for each process where more processes are to deliver more.
        grows: Whether they are.
    """

    name: str
    fault: dict[str, Any]
    events: int
    grows: bool


@dataclass(frozen=True, slots=True)
class Round:
    """What one round came to.

    Attributes:
        events: How many events arrived.
        per_second: Events a second, of all processes together, from the first that arrived to the last.
        refused: The share of the requests that were refused.
        cpu_seconds: The processor time of all processes.
    """

    events: int
    per_second: float
    refused: float
    cpu_seconds: float


ENDPOINTS = (
    Endpoint("answers after 200 ms", {"kind": "latency", "seconds": 0.2}, 3_200, grows=True),
    Endpoint("100 a second", {"kind": "rate_limit", "requests_per_second": 100.0}, 2_000, grows=False),
)


def main() -> None:
    """Measure all of it, the kinds of rounds in turn."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="scaling-") as made, postgres.running(Path(made) / "data") as socket:
        folder = Path(made)
        say(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores\n")
        say("| endpoint | processes | events a second | of one process | refused | CPU an event |")
        say("|---|---:|---:|---:|---:|---:|")
        for endpoint in ENDPOINTS:
            scale(endpoint, folder, postgres.url(socket), rounds)
        say(f"\npassing over a record of another shard: {passing_over(folder):.0f} µs of processor time")


def scale(endpoint: Endpoint, folder: Path, database: str, rounds: int) -> None:
    """Measure one kind of endpoint."""
    idle = cpu_seconds_of([config(folder, "http://127.0.0.1:9/v2026-04", "none", "1/1")], orders(folder, 0))
    found: dict[int, list[Round]] = {count: [] for count in PROCESSES}
    with running_sandbox() as sandbox:
        sandbox.put_faults({"faults": [endpoint.fault]})
        for _ in range(rounds):
            for count in PROCESSES:
                given = orders(folder, endpoint.events * (count if endpoint.grows else 1))
                found[count].append(one_round(sandbox, count, given, folder, database))
    one = statistics.median(item.per_second for item in found[1])
    for count, items in found.items():
        rates = [item.per_second for item in items]
        cpu = statistics.median((item.cpu_seconds - idle * count) / item.events for item in items)
        say(
            f"| {endpoint.name} | {count} | {statistics.median(rates):.0f} ({min(rates):.0f} to {max(rates):.0f}) "
            f"| {statistics.median(rates) / one:.2f} | {statistics.median(item.refused for item in items):.1%} "
            f"| {cpu * 1000:.1f} ms |"
        )


def one_round(sandbox: Sandbox, count: int, given: Path, folder: Path, database: str) -> Round:
    """Deliver an input by so many processes, to an endpoint and a ledger that know nothing."""
    sandbox.clear()
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS public CASCADE")
        connection.execute("CREATE SCHEMA public")
    configs = [config(folder, sandbox.url, database, f"{number}/{count}") for number in range(1, count + 1)]
    cpu_seconds = cpu_seconds_of(configs, given)
    received = [datetime.fromisoformat(event["received_at"]) for event in sandbox.events()]
    requests = len(sandbox.requests())
    seconds = (max(received) - min(received)).total_seconds()
    return Round(len(received), len(received) / seconds, 1 - len(received) / requests, cpu_seconds)


def cpu_seconds_of(configs: list[Path], given: Path) -> float:
    """Run a process for each config over the input, and tell what all of them took."""
    before = os.times()
    run_all(configs, given)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def orders(folder: Path, count: int) -> Path:
    """Write an input of so many orders."""
    path = folder / "orders.jsonl"
    path.write_text("".join(messages(count)))
    return path


def run_all(configs: list[Path], given: Path) -> None:
    """Run a process for each config over the input, side by side, and see that all end well."""
    with contextlib.ExitStack() as stack:
        processes = [stack.enter_context(started(path, given)) for path in configs]
        statuses = [process.wait() for process in processes]
    if any(statuses):
        logs = "".join(path.with_suffix(".log").read_text() for path in configs)
        raise RuntimeError(f"a process failed: {statuses}\n{logs}")


@contextlib.contextmanager
def started(config_path: Path, given: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start the target over an input; its log goes beside its config."""
    with (
        given.open("rb") as source,
        config_path.with_suffix(".log").open("wb") as log,
        subprocess.Popen(  # noqa: S603 - the program is our own
            [PROGRAM, "--config", config_path], stdin=source, stdout=subprocess.DEVNULL, stderr=log
        ) as process,
    ):
        yield process


def config(folder: Path, api_url: str, ledger_url: str, shard: str) -> Path:
    """Write the settings of one process."""
    path = folder / f"{shard.replace('/', 'of')}.json"
    settings = {
        "api_key": API_KEY,
        "shop_id": SHOP_ID,
        "api_url": api_url,
        "ledger_url": ledger_url,
        "data_dir": str(folder / "data-of-targets"),
        "mappings": [MAPPING],
        "shard": shard,
    }
    path.write_text(json.dumps(settings))
    return path


def passing_over(folder: Path, records: int = 100_000) -> float:
    """Measure what a record of another shard costs, in microseconds: a long input against a short one."""
    with running_sandbox() as sandbox:  # for the few that aren't another shard's
        path = config(folder, sandbox.url, "none", "1/999")
        idle, busy = (cpu_seconds_of([path], orders(folder, count)) for count in (0, records))
    return (busy - idle) / records * 1_000_000


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)  # noqa: T201 - what it is for


if __name__ == "__main__":
    started_at = time.monotonic()
    main()
    say(f"took {time.monotonic() - started_at:.0f} s")
