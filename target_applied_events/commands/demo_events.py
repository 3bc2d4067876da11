"""How a demo shows the events that arrived: a few of them in a table, and how many came twice."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from target_applied_events.commands.terminal import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

Body = dict[str, Any]


def samples(bodies: Sequence[Body], of_each: int) -> list[Body]:
    """Take the first few events of each name, so that each mapping is seen."""
    seen: Counter[str] = Counter()
    taken = []
    for body in bodies:
        seen[body["name"]] += 1
        if seen[body["name"]] <= of_each:
            taken.append(body)
    return taken


def table(bodies: Sequence[Body]) -> Table:
    """Draw a row for each event; whatever its texts hold, it neither steers the terminal nor breaks its row."""
    drawn = Table("When", "Event", "Contact", "Metric")
    for body in bodies:
        contact, metric = body.get("contact", {}), body.get("metric", {})
        title, said = (_line(body.get(field, "")) for field in ("name", "description"))
        drawn.add_row(
            Text(_line(body.get("event_time", "")[:16].replace("T", " "))),
            Text.assemble((title, "bold"), f"\n{said}" if said else ""),
            Text(_line(contact.get("email") or contact.get("remote_id") or "")),
            Text(f"{_line(metric['metric_name'])}\n{metric.get('value', 1)}" if metric else ""),
        )
    return drawn


def count_twice(bodies: Sequence[Body]) -> int:
    """Count the events that an equal one came before."""
    times = Counter(json.dumps(body, sort_keys=True, default=str) for body in bodies)
    return times.total() - len(times)


def _line(text: str) -> str:
    """Make one line of a text that may hold anything."""
    return printable(" ".join(text.split()))
