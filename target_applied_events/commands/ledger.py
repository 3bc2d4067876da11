"""The `ledger` subcommand: what was delivered, what is in doubt, and how to set it right."""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from target_applied_events.commands.dry_run import DryRun
from target_applied_events.commands.options import build_target, read_settings, with_config
from target_applied_events.commands.terminal import counted
from target_applied_events.errors import LedgerError
from target_applied_events.handover import Item, Pending
from target_applied_events.ledger import Ledger, NoLedger, open_ledger
from target_applied_events.settings.ledger_url import read_ledger_url

if TYPE_CHECKING:
    from singer_sdk.plugin_base import _ConfigInput

    from target_applied_events.event import Event
    from target_applied_events.settings import Settings

MARKED_AT_ONCE = 1000


class MarkingRun(DryRun):
    """Maps an input to the very events that a run would send, its shop included."""

    offline = False


@click.command
@with_config
@click.option("--in-doubt", is_flag=True, help="Show the events that may have been sent though no answer told.")
@click.option(
    "--forget-before",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Forget the events that were last met before this day (known to within 30 days).",
)
@click.option("--mark-delivered", is_flag=True, help="Note the events of --input as delivered, without sending them.")
@click.option("--input", "file_input", type=click.File("r"), help="The messages for --mark-delivered; else stdin.")
def ledger(
    config: _ConfigInput,
    *,
    in_doubt: bool,
    forget_before: datetime | None,
    mark_delivered: bool,
    file_input: IO[str] | None,
) -> None:
    """Show how many events are known as delivered, and since when."""
    if mark_delivered:
        click.echo(f"Noted {counted(_mark(build_target(config, MarkingRun), file_input), 'event')} as delivered.")
        return
    opened = _open(read_settings(config, offline=True), must_exist=True)
    try:
        if forget_before is not None:
            click.echo(f"Forgot {counted(opened.forget_before(forget_before.date()), 'event')}.")
        elif in_doubt:
            _show_in_doubt(opened)
        else:
            click.echo(f"{opened.opening().text()}.")
    finally:
        opened.close()


def _open(settings: Settings, *, must_exist: bool) -> Ledger:
    """Open the ledger; to look at one is no reason to make it.

    Raises:
        LedgerError: There is none, or it can't be used.
    """
    url = read_ledger_url(settings.ledger_url) if settings.ledger_url != "none" else None
    if must_exist and url is not None and url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        raise LedgerError(f"There is no ledger at {url.database} (ledger_url, data_dir); the first run makes it.")
    run_id = f"ledger-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
    opened = open_ledger(settings.ledger_url, origin=settings.origin, run_id=run_id)
    if isinstance(opened, NoLedger):
        raise LedgerError("ledger_url is `none`: there is no ledger to look at. Give the one that runs use.")
    return opened


def _show_in_doubt(opened: Ledger) -> None:
    """Print one JSON line for each event: enough to find its record by."""
    doubts = list(opened.in_doubt())
    if not doubts:
        click.echo("No event is in doubt.", err=True)
    for doubt in doubts:
        shown = {
            "stream": doubt.stream,
            "key_properties": dict(doubt.key_properties),
            "since": doubt.since.isoformat(timespec="seconds"),
            "run": doubt.run,
            "key": doubt.key.hex(),
        }
        click.echo(json.dumps(shown))


def _mark(target: MarkingRun, file_input: IO[str] | None) -> int:
    opened = _open(target.settings, must_exist=False)
    events: list[Event] = []
    marked = 0

    def take(item: Item) -> None:
        nonlocal marked
        if isinstance(item, Pending):
            events.append(item.event)
        if len(events) >= MARKED_AT_ONCE:
            marked += opened.mark_delivered(events)
            events.clear()

    try:
        target.look(file_input, take)
        return marked + opened.mark_delivered(events)
    finally:
        opened.close()
