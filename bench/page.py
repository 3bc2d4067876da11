"""Write docs/speed.md and docs/speed.svg from what `bench.run` found."""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
import textwrap
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import plot
from bench.run import OURS, RESULTS, ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PEER = "BatchSink"
PACKAGES = ("singer-sdk", "requests", "dlt", "uvloop", "SQLAlchemy")
MANY = 1000
"""Of fewer events, the start of the program is most of the CPU."""
GROUPS = ("0 ms", "20 ms", "200 ms", "20 ms, TLS")


@dataclass(frozen=True, slots=True)
class Result:
    """What the rounds of one case came to."""

    case: dict[str, Any]

    @property
    def name(self) -> str:
        """What it is called in its group."""
        return str(self.case["name"])

    def each(self, figure: Callable[[dict[str, float]], float]) -> list[float]:
        """Give a figure for each round."""
        return [figure(measured) for measured in self.case["rounds"]]

    def per_second(self) -> list[float]:
        """Events a second, the program's start and end included."""
        return self.each(lambda measured: self.case["events"] / measured["wall_seconds"])

    def cpu_microseconds(self) -> list[float]:
        """CPU an event, the program's start included."""
        return self.each(lambda measured: measured["cpu_seconds"] / max(self.case["events"], 1) * 1e6)

    def median(self, name: str) -> float:
        """Give the median of something measured."""
        return statistics.median(self.each(lambda measured: measured[name]))


def span(values: Sequence[float]) -> str:
    """Write a median and the range around it."""
    return f"{statistics.median(values):,.0f} ({min(values):,.0f} to {max(values):,.0f})"


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """Write the median of the ratios within each round."""
    return f"{statistics.median(a / b for a, b in zip(ours, theirs, strict=True)):.2f}"


def _peers_table(results: list[Result]) -> list[str]:
    peer = next(result for result in results if result.name == PEER)
    lines = [
        "| | events | events a second | to BatchSink's | CPU µs an event | to BatchSink's | peak MiB |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for result in results:
        rate, cpu = result.per_second(), result.cpu_microseconds()
        lines.append(
            f"| {result.name} | {result.case['events']:,} | {span(rate)} | {ratio(rate, peer.per_second())} "
            f"| {span(cpu)} | {ratio(cpu, peer.cpu_microseconds())} | {result.median('peak_kib') / 1024:.0f} |"
        )
    return lines


def _records_table(results: list[Result]) -> list[str]:
    base = results[0].median("cpu_seconds")
    lines = [
        "| | wall seconds | CPU seconds | CPU µs a record, less an empty run | peak MiB |",
        "|---|--:|--:|--:|--:|",
    ]
    for result in results:
        count, cpu = result.case["events"], result.median("cpu_seconds")
        each = f"{(cpu - base) / count * 1e6:.0f}" if count >= MANY else ""
        lines.append(
            f"| {result.name} | {result.median('wall_seconds'):.2f} | {cpu:.2f} | {each} "
            f"| {result.median('peak_kib') / 1024:.0f} |"
        )
    return lines


def _kinds_table(results: list[Result]) -> list[str]:
    lines = ["| | events a second | CPU µs an event | peak MiB |", "|---|--:|--:|--:|"]
    for result in results:
        peak = result.median("peak_kib") / 1024
        lines.append(
            f"| {result.name} | {span(result.per_second())} | {span(result.cpu_microseconds())} | {peak:.0f} |"
        )
    return lines


def _stages_table(stages: dict[str, tuple[float, float]]) -> list[str]:
    lines = ["| | CPU µs an event | budget |", "|---|--:|--:|"]
    return [*lines, *(f"| {name} | {took:.1f} | {budget:.0f} |" for name, (took, budget) in stages.items())]


def _machine(loads: Sequence[float], rounds: int) -> str:
    processor = "unknown processor"
    if (told := Path("/proc/cpuinfo")).exists():
        names = (line.partition(": ")[2] for line in told.read_text().splitlines() if line.startswith("model name"))
        processor = next(names, processor)
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    python = ".".join(str(part) for part in sys.version_info[:3])
    text = (
        f"Measured {datetime.now(UTC):%Y-%m-%d} in {rounds} rounds (longer inputs in three, the longest in one) "
        f"on {processor}, {os.cpu_count()} cores, "
        f"{platform.system()} {platform.release()}, Python {python}; {packages}. The endpoint runs on the same cores. "
        f"Before each round, {min(loads):.1f} to {max(loads):.1f} processes wanted to run beside it."
    )
    return textwrap.fill(text, 120)


def page(found: dict[str, Any]) -> str:
    """Write the page's text."""
    results = [Result(case) for case in found["cases"]]
    grouped = {group: [result for result in results if result.case["group"] == group] for group in GROUPS}
    rounds = max(len(result.case["rounds"]) for result in results)
    ceilings = [each for each in found["ceilings"] if each]
    parts = [
        INTRODUCTION.format(machine=_machine(found["loads"], rounds), ceiling=span(ceilings) if ceilings else "?"),
        *(f"### {group}\n\n" + "\n".join(_peers_table(grouped[group])) + "\n" for group in GROUPS),
        LONG + "\n".join(_kinds_table([each for each in results if each.case["group"] == "30,000 records"])) + "\n",
        RECORDS + "\n".join(_records_table([each for each in results if each.case["group"] == "records"])) + "\n",
        KINDS + "\n".join(_kinds_table([each for each in results if each.case["group"] == "10,000 records"])) + "\n",
        STAGES + "\n".join(_stages_table(found.get("stages", {}))) + "\n",
        (ROOT / "bench/notes.md").read_text(encoding="utf-8"),
    ]
    return "\n".join(parts)


INTRODUCTION = """\
# How fast it is

What one waits for, and what the machine works, from messages on standard input to the last STATE: whole processes,
against an endpoint that answers after a fixed time. `make bench` measures it again and writes this page.

![Events a second, and CPU an event, beside what one would use instead](speed.svg)

{machine}

The programs take turns within a round. Each figure is the median of its rounds, with the lowest and the highest; each
ratio is the median of the ratios within a round, so that what else the machine does falls out of it as far as it can.
All deliver the same orders; their bodies are compared before anything is timed. The ledger is on. The start of each
program is in its figures, half a second of CPU: where few events are sent, as by the RecordSink, it is most of them.

- **target-applied-events**: `max_concurrency` 64, with 200 ms 256.
- **BatchSink**: singer-sdk's, with a pool of 64 threads, each with its own `requests.Session`.
- **dlt**: a `@dlt.destination` function, 32 load workers, files of 25 rows so that there is work for all of them.
- **RecordSink**: singer-sdk's, as its template has it: one request after another.
- **floor**: the same bodies, made beforehand, sent over raw sockets by as many threads, which do nothing else.

The endpoint by itself answers {ceiling} requests a second (wrk, 64 connections, 0 ms).

## Beside what one would use instead
"""

LONG = """\
## Once it runs

30,000 events, so that the start and the way up to so many in flight count for less. 64 in flight at 20 ms can be 3,200
a second, 256 at 200 ms can be 1,280.

"""

RECORDS = """\
## As the input grows

0 ms, 64 in flight. An empty input, and what each record costs beyond it.

"""

KINDS = """\
## What it doesn't depend on

10,000 records, 0 ms, 64 in flight.

"""


STAGES = """\
## Stage by stage

Each by itself in one thread, the best of some runs; an attempt's budget is half of `requests.Session.post(json=…)` in
the same run. The whole processes above take more: the start, the SDK's own share, and two threads that share the
interpreter's lock.

"""


def main() -> None:
    """Write both files."""
    found = json.loads(RESULTS.read_text(encoding="utf-8"))
    (ROOT / "docs/speed.md").write_text(page(found), encoding="utf-8")
    results = [Result(case) for case in found["cases"]]
    panels = []
    for group in GROUPS[:3]:
        here = [result for result in results if result.case["group"] == group]
        panels.append(plot.Panel(f"{group}: events a second", _bars(here, Result.per_second)))
        many = [result for result in here if result.case["events"] >= MANY]
        panels.append(plot.Panel(f"{group}: CPU µs an event", _bars(many, Result.cpu_microseconds)))
    (ROOT / "docs/speed.svg").write_text(plot.draw(panels), encoding="utf-8")


def _bars(results: list[Result], figure: Callable[[Result], list[float]]) -> list[plot.Bar]:
    return [plot.Bar(each.name, tuple(figure(each)), is_ours=each.name == OURS) for each in results]


if __name__ == "__main__":
    main()
