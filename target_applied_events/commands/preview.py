"""The `preview` subcommand: the events that an input would make, without sending any."""

from __future__ import annotations

import fnmatch
import logging
import sys
from collections import Counter
from typing import IO, TYPE_CHECKING, Any

import click
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from target_applied_events.commands.dry_run import DryRun
from target_applied_events.commands.options import build_target, with_config
from target_applied_events.commands.preview_lines import Expectation, Shown, line_of
from target_applied_events.commands.preview_warnings import EventsSeen
from target_applied_events.commands.terminal import console, counted, is_terminal, printable, table
from target_applied_events.errors import InputError, TargetError
from target_applied_events.handover import HeldState, Item, Pending, RejectedRecord

if TYPE_CHECKING:
    from rich.console import Console
    from singer_sdk.plugin_base import _ConfigInput

MOST_KINDS = 1000
MOST_DIFFERENCES = 1000

logger = logging.getLogger("target-applied-events")


class PreviewRun(DryRun):
    """Looks at some of the streams alone, as if the others weren't in the input."""

    streams: tuple[str, ...] = ()

    def _is_wanted(self, message: dict[str, Any]) -> bool:
        name = str(message.get("stream"))
        return not self.streams or any(fnmatch.fnmatchcase(name, pattern) for pattern in self.streams)

    def _process_schema_message(self, message_dict: dict[str, Any]) -> None:
        if self._is_wanted(message_dict):
            super()._process_schema_message(message_dict)

    def _process_record_message(self, message_dict: dict[str, Any]) -> None:
        if self._is_wanted(message_dict):
            super()._process_record_message(message_dict)

    def _process_batch_message(self, message_dict: dict[str, Any]) -> None:
        if self._is_wanted(message_dict):
            super()._process_batch_message(message_dict)


@click.command
@with_config
@click.option("--input", "file_input", type=click.File("r"), help="The messages; else standard input.")
@click.option("--stream", "streams", multiple=True, help="Look at this stream alone, by the tap's name or a pattern.")
@click.option("--limit", type=click.IntRange(min=1), help="Stop after so many events and rejections.")
@click.option(
    "--format",
    "shown_as",
    type=click.Choice(["table", "json"]),
    help="`json`: a line for each. By default a table on a terminal, JSON in a pipe.",
)
@click.option(
    "--expect",
    type=click.File("r", encoding="utf-8"),
    help="Compare with the JSON lines of an earlier preview; status 1 where anything differs.",
)
def preview(  # noqa: PLR0913 - an argument for each option
    config: _ConfigInput,
    *,
    file_input: IO[str] | None,
    streams: tuple[str, ...],
    limit: int | None,
    shown_as: str | None,
    expect: IO[str] | None,
) -> None:
    """Show the events that an input would make, and what would be rejected; send nothing, write nothing.

    Needs no key, and opens no connection.
    """
    if expect is not None and (limit is not None or streams):
        raise click.UsageError("--expect compares a whole preview: it goes with neither --limit nor --stream.")
    target = build_target(config, PreviewRun)
    target.streams = streams
    seen = EventsSeen(target.settings.declarations)
    viewing = _Viewing(_writer(shown_as, quiet=expect is not None and is_terminal()), limit, _read(expect), seen)
    try:
        target.look(file_input, viewing.take)
    except _EnoughError:
        logger.info("Stopped after %d events and rejections (--limit).", viewing.count)
    viewing.sum_up(target)


def _read(expect: IO[str] | None) -> Expectation | None:
    try:
        return Expectation(expect) if expect is not None else None
    except ValueError as error:
        raise InputError(f"--expect {getattr(expect, 'name', '')}: {error}. A preview in a pipe writes them.") from None


class _EnoughError(Exception):
    """As many were shown as were asked for."""


class _Viewing:
    """Every event and rejection so far was shown, counted and, where that is asked for, compared."""

    def __init__(self, show: _Writer, limit: int | None, expectation: Expectation | None, seen: EventsSeen) -> None:
        self.count = 0
        self._show, self._limit, self._expectation, self._seen = show, limit, expectation, seen
        self._events: Counter[tuple[str, str]] = Counter()
        self._rejected: Counter[tuple[str, str, str, str]] = Counter()
        self._rejecting: set[str] = set()
        self._differences: list[str] = []
        self._different = 0

    def __repr__(self) -> str:
        return f"<{type(self).__name__} count={self.count} different={self._different}>"

    def take(self, item: Item) -> None:
        """Show an item.

        Raises:
            _EnoughError: It was the last that is wanted.
        """
        if isinstance(item, HeldState):
            return
        self.count += 1
        self._count(item)
        line = line_of(item)
        self._show.write(item, line)
        if self._expectation is not None:
            self._differ(self._expectation.differences(Shown.read(line)))
        if self.count == self._limit:
            raise _EnoughError

    def _count(self, item: Pending | RejectedRecord) -> None:
        if isinstance(item, Pending):
            self._events[item.event.stream, item.event.mapping] += 1
            self._seen.take(item.event, has_key=bool(item.stream.key_properties))
            return
        rejection = item.rejection
        self._rejecting.add(rejection.mapping or "")
        for error in rejection.errors:
            kind = (item.stream.name, rejection.mapping or "", rejection.reason, f"{error.path}: {error.message}")
            if kind in self._rejected or len(self._rejected) < MOST_KINDS:
                self._rejected[kind] += 1

    def _differ(self, differences: list[str]) -> None:
        self._different += len(differences)
        self._differences += differences[: MOST_DIFFERENCES - len(self._differences)]

    def sum_up(self, target: PreviewRun) -> None:
        """Tell on standard error how many there were, and how they differ from what was expected.

        Raises:
            TargetError: They do differ.
        """
        out = console(stderr=True)
        summary = target.receiver.summary
        if self._events:
            rows = [(*place, str(count)) for place, count in self._events.items()]
            out.print(table(("stream", "mapping", "how many events"), rows))
        if self._rejected:
            kinds = [(*kind, str(count)) for kind, count in self._rejected.items()]
            out.print(table(("stream", "mapping", "rejected as", "why", "how many"), kinds))
        out.print(
            f"{self._events.total()} events, {self.count - self._events.total()} rejected, "
            f"{summary.skipped_by_mapping} skipped by a mapping, {summary.passed_over} passed over. Nothing was sent."
        )
        self._tell_silent(target)
        self._seen.tell()
        if not target.streams:
            target.tell_unmet_mappings()
        elif not target.receiver.met:
            logger.warning("--stream met no stream that came and has a mapping: %s.", ", ".join(target.streams))
        if self._expectation is not None:
            self._tell_differences(self._expectation, out)

    def _tell_silent(self, target: PreviewRun) -> None:
        """Warn of each mapping whose `when` took none of the records: quotes or a word's case may be wrong in it."""
        heard = {mapping for _, mapping in self._events} | self._rejecting
        for label in sorted(target.receiver.met - heard) if target.receiver.summary.skipped_by_mapping else ():
            logger.warning("%s made no event of any record that was read: see its `when`.", label)

    def _tell_differences(self, expectation: Expectation, out: Console) -> None:
        self._differ(expectation.missing())
        for difference in self._differences:
            out.print(Text(printable(difference)))
        if self._different:
            raise TargetError(
                f"{counted(self._different, 'difference')} from --expect. If meant, keep this preview in its place."
            )
        out.print("No difference from what was expected.")


class _Writer:
    """Writes nothing: differences alone are wanted."""

    def write(self, item: Pending | RejectedRecord, line: str) -> None:
        """Show an item, given with its line of JSON."""


class _Lines(_Writer):
    """Writes the line of JSON."""

    def __init__(self) -> None:
        self._out = sys.stdout.buffer

    def write(self, item: Pending | RejectedRecord, line: str) -> None:
        del item
        self._out.write(line.encode() + b"\n")


class _Boxes(_Writer):
    """Draws a box, green for an event and red for a rejection."""

    def __init__(self) -> None:
        self._out = console()

    def write(self, item: Pending | RejectedRecord, line: str) -> None:
        shown = Shown.read(line)
        grid = Table.grid(padding=(0, 2))
        for name, value in shown.fields.items():
            grid.add_row(Text(printable(name), style="cyan"), Text(printable(value)))
        style = "green" if isinstance(item, Pending) else "red"
        self._out.print(
            Panel(grid, title=Text(printable(shown.name)), title_align="left", border_style=style, expand=False)
        )


def _writer(shown_as: str | None, *, quiet: bool) -> _Writer:
    if quiet:
        return _Writer()
    return _Boxes() if (shown_as or ("table" if is_terminal() else "json")) == "table" else _Lines()
