"""Measure each stage of a record's way by itself, in microseconds of CPU an event, against its budget.

Started as `python -m bench.stages`, it adds what it found to `.bench/results.json`. Each is the best of some runs, in
one thread: what threads cost each other is in the whole processes' figures only.
"""

from __future__ import annotations

import json
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import requests

from bench import shop
from bench.counts import EVENTS, Stages
from bench.run import RESULTS, server

if TYPE_CHECKING:
    from collections.abc import Callable

RUNS = 15
BUDGETS = {"read": 10.0, "validate": 2.0, "map": 10.0, "map bare columns": 3.0, "dispatch": 20.0, "ledger": 45.0}
"""An attempt's is half of what `requests.Session.post(json=…)` takes in the same run."""


def microseconds(stage: Callable[[], object]) -> float:
    """Tell the least CPU that a stage took, by event."""
    best = float("inf")
    for _ in range(RUNS):
        started = time.process_time()
        stage()
        best = min(best, time.process_time() - started)
    return best / EVENTS * 1e6


def measure() -> dict[str, tuple[float, float]]:
    """Measure every stage; gives what it took and its budget."""
    with tempfile.TemporaryDirectory() as directory, server(0) as port:
        stages = Stages(Path(directory))
        url = f"http://127.0.0.1:{port}/v2026-04"
        found = {name: microseconds(run) for name, run in (("read", stages.read), ("validate", stages.validate))}
        found["map"], found["map bare columns"] = microseconds(stages.map), microseconds(stages.map_bare)
        found["dispatch"] = microseconds(partial(stages.deliver, "none"))
        found["ledger"] = microseconds(stages.deliver) - found["dispatch"]
        attempt, usual = microseconds(partial(stages.send_to, url)), microseconds(partial(_post, stages, url))
    return {name: (took, BUDGETS[name]) for name, took in found.items()} | {"attempt": (attempt, usual / 2)}


def _post(stages: Stages, url: str) -> None:
    with requests.Session() as session:
        session.headers.update(shop.headers())
        for record in stages.records:
            session.post(f"{url}/events/", json=shop.body(record), timeout=30).raise_for_status()


def main() -> None:
    """Add the stages to the results."""
    found = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    found["stages"] = measure()
    for name, (took, budget) in found["stages"].items():
        print(f"{name}: {took:.1f} of {budget:.1f}")  # noqa: T201 - what it is for
    RESULTS.write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
