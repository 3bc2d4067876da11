"""The demo: a shop's rows become events, twice, with a day's new rows between: `make demo`."""

from __future__ import annotations

import contextlib
import re
import shutil
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any, NoReturn

from rich.console import Console
from rich.markup import escape

from demo import postgres, shop
from demo.pipeline import PROJECT, Pipeline
from target_applied_events.commands.demo_events import count_twice, samples, table
from target_applied_events.commands.demo_processes import ANY_FREE_PORT, DemoError, running_sandbox

if TYPE_CHECKING:
    from pathlib import Path
    from types import FrameType

    from target_applied_events.commands.demo_processes import Sandbox

FOLDER = PROJECT / ".demo"
SEED = 20260407
LOG_LINES_SHOWN = 10
EVENTS_SHOWN = 2


def main() -> int:
    """Run the demo; returns the exit status."""
    console = Console(highlight=False)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    try:
        _play(console)
    except DemoError as error:
        console.print(f"[red]The demo stopped.[/red] {escape(str(error))}", soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        console.print("Stopped.")
        return 128 + signal.SIGINT
    return 0


def _end(signum: int, _frame: FrameType | None) -> NoReturn:
    """End as at Ctrl-C: what the demo started ends with it."""
    raise SystemExit(128 + signum)


def _play(console: Console) -> None:
    shutil.rmtree(FOLDER / "meltano", ignore_errors=True)
    rng = shop.seeded(SEED)
    console.print("Starting a PostgreSQL with a small shop, and an endpoint on this machine.")
    with (
        postgres.running(FOLDER / "postgres") as socket,
        running_sandbox(FOLDER / "sandbox.log", [ANY_FREE_PORT]) as endpoint,
    ):
        console.print(f"What arrives at the endpoint is shown at [bold]{endpoint.address}[/bold]")
        pipeline = Pipeline(FOLDER / "meltano", postgres.url(socket), endpoint.api_url)
        postgres.create_tables(socket)
        opened = shop.opened(rng)
        postgres.insert(socket, opened)
        _first_run(console, pipeline, endpoint, opened)
        new = shop.next_day(rng, opened)
        postgres.insert(socket, new)
        _second_run(console, pipeline, endpoint, new)
        _what_next(console, endpoint)


def _first_run(console: Console, pipeline: Pipeline, endpoint: Sandbox, rows: shop.Shop) -> None:
    _run(console, pipeline, FOLDER / "first-run.log")
    bodies = endpoint.events()
    console.print(f"\n[bold]First run:[/bold] {len(rows)} rows became {len(bodies)} events. A few of them:\n")
    console.print(table(samples(bodies, of_each=EVENTS_SHOWN)))


def _second_run(console: Console, pipeline: Pipeline, endpoint: Sandbox, rows: shop.Shop) -> None:
    before = endpoint.events()
    log = FOLDER / "second-run.log"
    _run(console, pipeline, log)
    after = endpoint.events()
    arrived = after[len(before) :]
    console.print(f"\n[bold]Second run, a day later:[/bold] {len(rows)} new rows became {len(arrived)} events.\n")
    console.print(table(arrived[:EVENTS_SHOWN]))
    console.print(
        f"\nThe tap read {_rows_read(log)} rows, {len(rows)} of them new: it takes up where it left off, "
        f"with the newest row of each table once more. {_repeats(after)}"
    )


def _run(console: Console, pipeline: Pipeline, log: Path) -> None:
    with console.status("meltano run tap-postgres target-applied-events"):
        status = pipeline.run(log)
    if status != 0:
        raise DemoError(f"Meltano ended with status {status}. {log} has it all; the target said:\n{_last_words(log)}")


def _last_words(log: Path) -> str:
    """Take the target's own lines; a traceback of Meltano's often comes after them."""
    said = [line for line in log.read_text(errors="replace").splitlines() if "] target-applied-events " in line]
    return "\n".join(said[-LOG_LINES_SHOWN:]) or "nothing"


def _rows_read(log: Path) -> int:
    """Add up what the tap counted, as Meltano's log has it."""
    return sum(
        map(int, re.findall(r"tap-postgres METRIC +metric_name=record_count metric_value=(\d+)", log.read_text()))
    )


def _repeats(bodies: list[dict[str, Any]]) -> str:
    """Say whether any event came twice."""
    twice = count_twice(bodies)
    return "No event came twice." if twice == 0 else f"{twice} events came twice."


def _what_next(console: Console, endpoint: Sandbox) -> None:
    console.print(
        "\n[bold]What next[/bold]\n"
        "  meltano.yml holds the mappings that made these events: change one, then make demo again.\n"
        f"  {FOLDER.relative_to(PROJECT)}/ holds the logs of both runs, the state and the ledger.\n"
        "  README.md says how to install the target in a project of your own."
    )
    if sys.stdin.isatty() and sys.stdout.isatty():
        console.print(
            f"\nUntil Ctrl-C, [bold]{endpoint.address}[/bold] shows the timelines of the contacts, the metrics, and the"
            " event of each request.",
            soft_wrap=True,
        )
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    sys.exit(main())
