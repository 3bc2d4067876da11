"""The `demo` subcommand: a shop's messages through the target to a sandbox, all on this machine."""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import webbrowser
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import simplejson
from rich.console import Console
from rich.markup import escape

from target_applied_events.commands.demo_events import count_twice, samples, table
from target_applied_events.commands.demo_processes import Interrupts, last_lines, run_target, running_sandbox, stay
from target_applied_events.commands.demo_shop import MAPPINGS, Shop, next_day, opened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from target_applied_events.commands.demo_processes import Sandbox

SEED = 20260407
SHOP_ID = "66e4a5f0-0000-4000-8000-000000000001"
MAX_REJECTED = 10
SHARE_FAILED = 0.2
REASON_LETTERS = 90


@click.command(short_help="Show the target at work, on this machine alone.")
@click.option("--open/--no-open", "opens", default=True, help="Open the page in a browser, when on a terminal.")
def demo(*, opens: bool) -> None:
    """Show the target at work: a small shop, delivered to a sandbox on this machine.

    Nothing leaves the machine. On a terminal it stays until Ctrl-C; otherwise it ends by itself.
    """
    _need_the_extra()
    on_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    with (
        Interrupts() as interrupts,
        tempfile.TemporaryDirectory(prefix="target-applied-events-") as folder,
        running_sandbox(Path(folder) / "sandbox.log") as sandbox,
    ):
        stage = _Stage(Path(folder), sandbox, interrupts)
        stage.say(f"The sandbox, an endpoint on this machine, shows what arrives at [bold]{sandbox.address}[/bold]")
        if on_terminal and opens and _has_screen():
            webbrowser.open(sandbox.address)
        _play(stage)
        if on_terminal:
            _what_next(stage)
            stay(sandbox, interrupts)
        else:
            stage.say("\nRun it on a terminal and it stays, for you to change mappings and to switch on faults.")


def _need_the_extra() -> None:
    missing = next((name for name in ("starlette", "uvicorn") if find_spec(name) is None), None)
    if missing:
        raise click.ClickException(f"The demo needs {missing}: pip install 'target-applied-events[sandbox]'")


def _has_screen() -> bool:
    """Tell whether a browser would have a window; one that is drawn in the terminal would cover the demo."""
    return sys.platform == "darwin" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


@dataclass(frozen=True, slots=True)
class _Stage:
    """Where the demo plays.

    Attributes:
        folder: What lies in it ends with the demo.
        sandbox: Where events arrive.
        interrupts: Whether the demo is to end.
        console: What is said.
    """

    folder: Path
    sandbox: Sandbox
    interrupts: Interrupts
    console: Console = field(default_factory=lambda: Console(highlight=False))

    @property
    def config(self) -> Path:
        """The target's config."""
        return self.folder / "config.json"

    def say(self, text: str | Table) -> None:
        """Print a text, which may be longer than a line."""
        self.console.print(text, soft_wrap=isinstance(text, str))

    def keep(self, name: str, shop: Shop) -> Path:
        """Write what a tap sends of a shop into a file."""
        path = self.folder / name
        path.write_text("".join(simplejson.dumps(message, use_decimal=True) + "\n" for message in shop.messages()))
        return path

    def run(self, messages: Path) -> list[dict[str, Any]]:
        """Run the target over a file; gives the events that came of it, and says what the target said last."""
        before = len(self.sandbox.events())
        log = messages.with_suffix(".log")
        with self.console.status(f"target-applied-events --config config.json --input {messages.name}"):
            run_target(["--config", str(self.config), "--input", str(messages)], log, self.interrupts)
        self.interrupts.look()
        arrived = self.sandbox.events()[before:]
        self.say(f"[dim]The target: {escape(last_lines(log).rpartition(' | ')[2].strip())}[/dim]")
        return arrived


def _play(stage: _Stage) -> None:
    dice, now = random.Random(SEED), datetime.now(UTC)  # noqa: S311 - dice for a shop, no secret
    stage.config.write_text(json.dumps(_config(stage), indent=2))
    shop = opened(dice, now)
    first = stage.keep("shop.jsonl", shop)
    _first_run(stage, first, shop)
    _same_again(stage, first)
    new = next_day(dice, now, shop)
    _bad_day(stage, stage.keep("next-day.jsonl", new), new)


def _config(stage: _Stage) -> dict[str, Any]:
    return {
        "api_key": "AL-demo",
        "shop_id": SHOP_ID,
        "api_url": stage.sandbox.api_url,
        "data_dir": str(stage.folder / "data"),
        "max_rejected": MAX_REJECTED,
        "mappings": MAPPINGS,
    }


def _first_run(stage: _Stage, messages: Path, shop: Shop) -> None:
    stage.say("\n[bold]1. A shop's records, as a tap sends them[/bold]")
    arrived = stage.run(messages)
    stage.say(f"{len(shop)} records became {len(arrived)} events at the sandbox. A few of them:\n")
    stage.say(table(samples(arrived, of_each=1)))
    rejections = _rejections(stage.folder / "data" / "rejected")
    stage.say(f"\n{len(rejections)} records are bad on purpose. They stopped nothing, and are kept with the reason:")
    for reason in rejections:
        stage.say(f"  {escape(reason)}")


def _same_again(stage: _Stage, messages: Path) -> None:
    stage.say("\n[bold]2. The same records once more[/bold]")
    arrived = stage.run(messages)
    stage.say(f"{len(arrived)} events arrived: the ledger knows what was delivered. What was rejected is tried again.")


def _bad_day(stage: _Stage, messages: Path, shop: Shop) -> None:
    stage.say(f"\n[bold]3. The next day, while {SHARE_FAILED:.0%} of all requests are answered 503[/bold]")
    stage.sandbox.put_faults({"kind": "status", "status": 503, "share": SHARE_FAILED})
    arrived = stage.run(messages)
    failed = stage.sandbox.failed_requests()
    stage.sandbox.put_faults()
    stage.say(
        f"{len(shop)} records became {len(arrived)} events. {failed} requests failed and were sent again. "
        f"{_repeats(stage.sandbox.events())}"
    )


def _rejections(folder: Path) -> list[str]:
    """Read why records were rejected: the stream, the reason, and what is wrong where."""
    lines = [
        json.loads(line) for path in sorted(folder.glob("*.jsonl")) for line in path.read_text("utf-8").splitlines()
    ]
    return [_rejection(line["stream"], line["rejection"]) for line in lines if "rejection" in line]


def _rejection(stream: str, rejection: dict[str, Any]) -> str:
    wrong = "; ".join(f"{error['path']} {error['message']}" for error in rejection["errors"])
    return f"{stream}, {rejection['reason']}: {wrong if len(wrong) <= REASON_LETTERS else wrong[:REASON_LETTERS] + '…'}"


def _repeats(bodies: Sequence[dict[str, Any]]) -> str:
    twice = count_twice(bodies)
    return f"The sandbox has {len(bodies)} events now, " + ("none of them twice." if not twice else f"{twice} twice.")


def _what_next(stage: _Stage) -> None:
    stage.say(
        "\n[bold]What next[/bold]\n"
        "  See the timelines   of the contacts, the metrics and each request: "
        f"[bold]{stage.sandbox.address}[/bold]\n"
        "  Run it yourself     in another terminal:\n"
        f"                        cd {stage.folder}\n"
        "                        target-applied-events --config config.json --input shop.jsonl\n"
        "  Change a mapping    in config.json, such as the description of “Refund issued”, and run it again: what is\n"
        "                      another event now arrives. Where a mapping has `once_per`, nothing comes again.\n"
        f"  Make it fail        at {stage.sandbox.address}/#/faults, and run it again with another change.\n"
        "  Send what failed    data/rejected holds it as messages. Let the event_time of “Order paid” be\n"
        "                      {{ paid_at or placed_at }}, and give --input the first file in there.\n"
        "  Make it yours       copy config.json; change api_key, shop_id, data_dir and the mappings, drop api_url.\n"
        "\nThe sandbox and this folder stay until Ctrl-C."
    )
