"""The `rejected` subcommand: what was given up and is still to be dealt with."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from target_applied_events.commands.options import read_settings, with_config
from target_applied_events.commands.terminal import console, table
from target_applied_events.errors import RejectedRecordsError
from target_applied_events.rejected import KeptFile, record_hash

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from singer_sdk.plugin_base import _ConfigInput

    from target_applied_events.event import Reason

_TITLES = ("run", "stream", "reason", "first message", "how many")
_UNREADABLE = "unreadable"


@dataclass(slots=True)
class Group:
    """The rejected records of one stream in one run that were given up for the same kind of reason.

    Attributes:
        run: The run that gave them up.
        stream: Their stream.
        reason: The kind of reason; `unreadable` for lines that are no JSON.
        message: What was wrong with the first.
        count: How many there are.
        file: Where they are kept.
    """

    run: str
    stream: str
    reason: Reason | str
    message: str
    count: int
    file: str


@click.command
@with_config
@click.option("--format", "shown_as", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.option("--done", "done_run", metavar="RUN", help="Give up a run's rejected records for good.")
def rejected(config: _ConfigInput, *, shown_as: str, done_run: str | None) -> None:
    """List the rejected records that are left; ends with status 1 where there are any.

    Mend the mapping and send them again: give the file as the target's own --input. What will never be sent is done
    with by --done RUN; rejected once more, it isn't kept again.
    """
    directory = read_settings(config, offline=True).data_dir / "rejected"
    if done_run is not None:
        click.echo(f"Gave up {_give_up(directory, done_run)} rejected records for good.")
        return
    groups = [group for path in left_in(directory) for group in groups_of(path)]
    if shown_as == "json":
        for group in groups:
            click.echo(json.dumps(asdict(group)))
    elif groups:
        rows = ((group.run, group.stream, group.reason, group.message, str(group.count)) for group in groups)
        console().print(table(_TITLES, rows))
    if groups:
        raise RejectedRecordsError(
            f"{sum(group.count for group in groups)} rejected records are left in {directory}. Mend the mapping and "
            "give each file as --input to the target, or give them up for good with `rejected --done RUN`."
        )
    click.echo(f"No rejected records are left in {directory}.", err=True)


def left_in(directory: Path) -> list[Path]:
    """List the files of which something is left to do, oldest first.

    Raises:
        RejectedRecordsError: The directory can't be read.
    """
    try:
        return sorted(Path(directory, name) for name in _names(directory) if name.endswith(".jsonl"))
    except OSError as error:
        raise _unreadable(directory, error) from error


def _names(directory: Path) -> list[str]:
    try:
        return [path.name for path in directory.iterdir()]
    except FileNotFoundError:
        return []


def groups_of(path: Path) -> list[Group]:
    """Read one file, line by line, and count what is in it.

    Raises:
        RejectedRecordsError: It can't be read.
    """
    groups: dict[tuple[str, str], Group] = {}
    for message in _records(path):
        stream, reason = str(message.get("stream")), str(message["rejection"].get("reason"))
        if (group := groups.get((stream, reason))) is None:
            first = _first_message(message["rejection"])
            group = groups[stream, reason] = Group(path.stem, stream, reason, first, 0, str(path))
        group.count += 1
    return list(groups.values())


def _first_message(rejection: dict[str, Any]) -> str:
    """Say what was wrong, without a record's value: an answer may quote one."""
    said = [f"{error.get('path')}: {error.get('message')}" for error in (rejection.get("errors") or ())[:1]]
    if (status := rejection.get("status")) is not None:
        said.insert(0, f"the endpoint answered {status}")
    return "; ".join(said)


def _records(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with path.open(encoding="utf-8") as file:
            yield from _parsed(file)
    except OSError as error:
        raise _unreadable(path, error) from error


def _parsed(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(lines, start=1):
        try:
            message = json.loads(line, parse_float=Decimal)
        except (ValueError, ArithmeticError, RecursionError):
            message = None
        if not isinstance(message, dict):
            yield _unreadable_line(number)
        elif isinstance(message.get("rejection"), dict):
            yield message


def _unreadable_line(number: int) -> dict[str, Any]:
    error = {"path": f"line {number}", "message": "is no JSON; the file was changed, or cut off by a crash"}
    return {"stream": "", "record": {}, "rejection": {"reason": _UNREADABLE, "errors": [error]}}


def _give_up(directory: Path, run: str) -> int:
    """Move a run's file to those that are done, and remember its records.

    Returns:
        How many there were.

    Raises:
        RejectedRecordsError: There is no such file, it's in use, or can't be moved.
    """
    path = directory / f"{run.removesuffix('.jsonl')}.jsonl"
    if path not in (left := left_in(directory)):
        known = ", ".join(item.stem for item in left[:10]) or "none"
        raise RejectedRecordsError(f"No rejected records of a run {run} are left in {directory}; left are: {known}.")
    try:
        with path.open("rb") as file:
            kept = KeptFile(file)
            hashes = [_hash(message) for message in _records(path)]
            kept.mark_done(hashes)
    except OSError as error:
        raise _unreadable(path, error) from error
    return len(hashes)


def _hash(message: dict[str, Any]) -> bytes:
    rejection = message["rejection"]
    return record_hash(message["stream"], message["record"], rejection["reason"], rejection.get("mapping"))


def _unreadable(path: Path, error: OSError) -> RejectedRecordsError:
    return RejectedRecordsError(f"{path} can't be read: {error.strerror or type(error).__name__}. See data_dir.")
