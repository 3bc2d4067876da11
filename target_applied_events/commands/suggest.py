"""The `suggest` subcommand: a first `mappings:` block for the streams of a tap."""

from __future__ import annotations

import re
from typing import IO, TYPE_CHECKING, Any

import click

from target_applied_events.commands.catalog import as_messages
from target_applied_events.commands.guesses import Draft, draft
from target_applied_events.errors import InputError, StopReading
from target_applied_events.message_checks import check_schema
from target_applied_events.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEAD = """\
# A first draft, made from the schemas alone. Read every line, settle what says TODO, then see what it makes of real
# records: `target-applied-events preview` and `target-applied-events check`.
mappings:
"""

_FIELDS = {
    "name": "the title of the event",
    "description": "a line below the title, such as a number and a state",
    "event_time": "when it happened; without it the time of arrival is taken",
    "contact.email": "no column looks like an address",
    "contact.name": "no column looks like a person's name",
    "contact.phone": "no column looks like a number",
    "contact.remote_id": "what you know the contact by",
    "metric.metric_name": "no column looks like an amount",
    "metric.value": "",
    "metric.metric_object_id": "",
    "metric.metric_object_type": "",
    "metric.additional_properties.currency": "",
    "once_per": "what happens once, by the primary key; the tap names none",
}
"""Every field, in the order written, and what is said where there's no guess; nothing: it isn't missed."""

_MOST_COLUMNS = 40
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_ .-]*[A-Za-z0-9_.]|[A-Za-z]")
_NOT_TEXT = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "none"})


@click.command
@click.option("--input", "file_input", type=click.File("r"), help="The tap's messages; else standard input.")
@click.option("--catalog", type=click.File("r", encoding="utf-8"), help="The tap's catalog, in place of messages.")
def suggest(*, file_input: IO[str] | None, catalog: IO[str] | None) -> None:
    """Print a first `mappings:` block for the streams of a tap, guessed from its schemas.

    Needs no config. What is printed passes `check`; what it means is for you to judge.
    """
    if file_input is not None and catalog is not None:
        raise click.UsageError("--input and --catalog are two ways to give the schemas: give one of them.")
    drafts = _drafts(as_messages(catalog) if catalog is not None else file_input)
    click.echo(block(drafts), nl=False)


def _drafts(messages: IO[str] | None) -> list[Draft]:
    drafts: dict[str, Draft] = {}

    def take(message: dict[str, Any]) -> None:
        reader.assert_line_requires(message, {"stream", "schema"})
        check_schema(message)
        stream = message["stream"]
        drafts[stream] = draft(stream, message["schema"], message.get("key_properties") or ())

    reader = Reader()
    others = dict.fromkeys(("RECORD", "STATE", "BATCH", "ACTIVATE_VERSION"), _pass_over)
    try:
        reader.process_lines(messages, {**others, "SCHEMA": take})
    except KeyboardInterrupt:
        raise StopReading("Ended by SIGINT.", exit_status=130) from None
    if not drafts:
        raise InputError("The input holds no SCHEMA message, so there is nothing to suggest. Check the tap.")
    return list(drafts.values())


def _pass_over(message: dict[str, Any]) -> None:
    del message


def block(drafts: list[Draft]) -> str:
    """Write mappings as YAML."""
    return _HEAD + "\n".join("".join(f"{line}\n" for line in _lines(item)) for item in drafts)


def _lines(item: Draft) -> Iterator[str]:
    columns = ", ".join(quoted(name) for name in item.columns[:_MOST_COLUMNS]) or "none"
    more = " and others" if len(item.columns) > _MOST_COLUMNS else ""
    yield f"  # Columns: {columns}{more}"
    yield f"  - stream: {quoted(item.stream)}"
    written: set[str] = set()
    for name, todo in _FIELDS.items():
        value = item.fields.get(name)
        *sections, last = name.split(".")
        if value is None:
            yield from _todo(sections, last, todo, has_section=_has_section(item, sections))
            continue
        for depth, section in enumerate(sections):
            if (path := ".".join(sections[: depth + 1])) not in written:
                written.add(path)
                yield f"{'  ' * (depth + 2)}{section}:"
        shown = value if isinstance(value, int) else quoted(value)
        note = "  # TODO: say what happened" if name == "name" else ""
        yield f"{'  ' * (len(sections) + 2)}{last}: {shown}{note}"


def _has_section(item: Draft, sections: list[str]) -> bool:
    return not sections or any(name.startswith(f"{sections[0]}.") for name in item.fields)


def _todo(sections: list[str], last: str, todo: str, *, has_section: bool) -> Iterator[str]:
    """A comment in the place of a field; where its whole section is missing, it stands for itself."""
    if todo:
        name = last if has_section else ".".join((*sections, last))
        yield f"{'  ' * ((len(sections) if has_section else 0) + 2)}# {name}: TODO: {todo}"


def quoted(text: str) -> str:
    """Write a text as YAML reads it back: plain where that is safe, else in double quotes."""
    if _PLAIN.fullmatch(text) and text.lower() not in _NOT_TEXT:
        return text
    return '"' + "".join(_escaped(letter) for letter in text) + '"'


def _escaped(letter: str) -> str:
    if letter in '"\\':
        return f"\\{letter}"
    if letter.isprintable():
        return letter
    return f"\\U{ord(letter):08x}"
