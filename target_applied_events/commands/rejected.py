"""The `rejected` subcommand: what was given up and is still to be dealt with."""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from target_applied_events.commands.options import read_settings, with_config
from target_applied_events.commands.rejected_runs import Group, LeftRuns
from target_applied_events.commands.terminal import console, counted, table
from target_applied_events.errors import RejectedRecordsError
from target_applied_events.rejected import RejectedTable

if TYPE_CHECKING:
    from singer_sdk.plugin_base import _ConfigInput

_TITLES = ("run", "stream", "reason", "first message", "how many")


@click.command
@with_config
@click.option("--format", "shown_as", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.option("--done", "done_run", metavar="RUN", help="Give up a run's rejected records for good.")
@click.option("--export", "exported_run", metavar="RUN", help="Write a run's file from a PostgreSQL ledger.")
def rejected(config: _ConfigInput, *, shown_as: str, done_run: str | None, exported_run: str | None) -> None:
    """List the rejected records that are left; ends with status 1 where there are any.

    Mend the mapping and send them again: give the file as the target's own --input. What will never be sent is done
    with by --done RUN; rejected once more, it isn't kept again.
    """
    if done_run is not None and exported_run is not None:
        raise click.UsageError("--done and --export are two things to do with a run: say one.")
    settings = read_settings(config, offline=True)
    in_ledger = RejectedTable.beside(settings.ledger_url)
    left = LeftRuns(settings.data_dir / "rejected", in_ledger)
    with contextlib.closing(in_ledger) if in_ledger is not None else contextlib.nullcontext():
        if done_run is not None:
            click.echo(f"Gave up {counted(left.give_up(done_run), 'rejected record')} for good.")
        elif exported_run is not None:
            click.echo(left.export(exported_run))
        else:
            _list(left, shown_as)


def _list(left: LeftRuns, shown_as: str) -> None:
    """Show what is left.

    Raises:
        RejectedRecordsError: Something is.
    """
    groups = list(left.groups())
    if not groups:
        click.echo(f"No rejected records are left in {left.directory}.", err=True)
        return
    if shown_as == "json":
        for group in groups:
            click.echo(json.dumps(asdict(group)))
    else:
        console().print(table(_TITLES, map(_row, groups)))
    elsewhere = " after `rejected --export RUN`" if any(group.file is None for group in groups) else ""
    count = counted(sum(group.count for group in groups), "rejected record")
    raise RejectedRecordsError(
        f"{count} left in {left.directory}. Mend the mapping and give each file as --input to the target{elsewhere}, "
        "or give up for good with `rejected --done RUN`."
    )


def _row(group: Group) -> tuple[str, ...]:
    return group.run, group.stream, group.reason, group.message, str(group.count)
