"""The examples of docs/mapping.md, read as they stand there: a record, a mapping, and what comes of the two."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from target_applied_events.event import Event, Rejection
from target_applied_events.mapping import Passed, compile_mappings, declare
from target_applied_events.mapping.contract import Want, fit
from target_applied_events.mapping.template import parse
from target_applied_events.mapping.template.notation import Unmappable, compact
from target_applied_events.settings.values import origin

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).parents[1] / "docs" / "mapping.md"
SHOP = "5f0c3a52-7d64-4a0e-9a3b-0c1d2e3f4a5b"
_PARTS = re.compile(r"^```(?P<kind>[\w ]+)\n(?P<code>.*?)^```$|(?P<table>(?:^\|[^\n]*\n)+)", re.DOTALL | re.MULTILINE)
_CELLS = re.compile(r"(?<!\\)\|")


@dataclass(frozen=True, slots=True)
class Example:
    """A mapping, a record, and what the page says of them.

    Attributes:
        name: Where it stands, for people.
        mapping: As it is written in YAML.
        record: As it is written in JSON; None where the mapping is wrong for every record.
        kind: `event`, `rejected`, `passed` or `mistake`.
        said: The event's JSON, or the sentences.
    """

    name: str
    mapping: str
    record: str | None
    kind: str
    said: str


@dataclass(frozen=True, slots=True)
class Expression:
    """A row of a table of expressions.

    Attributes:
        source: The expression, without braces.
        record: The record that the table is about, as JSON.
        is_identifier: Whether it stands in a field that identifies.
        said: What it gives: JSON, or the sentence of a rejection.
    """

    source: str
    record: str
    is_identifier: bool
    said: str


def examples(page: str) -> Iterator[Example | Expression]:
    """Go through a page from its top: a record or a mapping holds until the next of its kind."""
    mapping, record = "", None
    for part in _PARTS.finditer(page):
        kind, code = part["kind"], part["code"]
        match kind:
            case None:
                yield from _rows(part["table"], record or "{}")
            case "yaml":
                mapping, record = code, None
            case "json record":
                record = code
            case _:
                line = page.count("\n", 0, part.start()) + 1
                yield Example(f"line {line}", mapping, record, kind.split()[-1], code)


def _rows(table: str, record: str) -> Iterator[Expression]:
    header, _, *rows = [[cell.strip() for cell in _CELLS.split(line.strip()[1:-1])] for line in table.splitlines()]
    if header[0] != "expression":
        return
    for source, *values in rows:
        for title, said in zip(header[1:], values, strict=True):
            plain = source.strip("`").replace("\\|", "|")
            yield Expression(plain, record, title == "in an identifier", said.replace("\\|", "|"))


def value_of(expression: Expression) -> str:
    """Evaluate an expression: JSON in backquotes, or the sentence of a rejection, as the page writes them."""
    template, problems = parse(f"{{{{ {expression.source} }}}}")
    assert template is not None, problems
    try:
        value = template.reader("public-orders", strict=expression.is_identifier)(_read(expression.record))
        found = fit(Want.IDENTIFIER, value) if expression.is_identifier and value is not None else value
    except Unmappable as mistake:
        return str(mistake)
    return f"`{compact(found).decode()}`"


def outcome(example: Example) -> tuple[str, str]:
    """Run an example: its kind, and what the page should say."""
    declared = [declare(raw, f"mappings[{index}]") for index, raw in enumerate(yaml.safe_load(example.mapping))]
    if problems := [problem for _, found in declared for problem in found]:
        return "mistake", "\n".join(problems)
    record = _read(example.record or "{}")
    try:
        (mapping,) = compile_mappings(
            [declaration for declaration, _ in declared if declaration is not None],
            stream="public-orders",
            schema={"properties": {name: _schema(value) for name, value in record.items()}},
            key_properties=["id"] if "id" in record else [],
            shop_id=SHOP,
            origin=origin("https://core.appliedlabs.ai"),
        )
    except Exception as mistake:  # noqa: BLE001 - the page shows which one it is
        return "mistake", str(mistake)
    match mapping.event(record, deleted=record.get("_sdc_deleted_at") is not None):
        case Event() as event:
            return "event", event.body.decode()
        case Passed():
            return "passed", "passed over"
        case Rejection(errors=errors):
            return "rejected", "\n".join(f"{error.path}: {error.message}" for error in errors)


def numbers_kept(text: str) -> Any:  # noqa: ANN401 - whatever the JSON holds
    """Read JSON so that two numbers are alike only when they are written alike."""
    return json.loads(text, parse_float=lambda digits: ("number", digits), parse_int=lambda digits: ("number", digits))


def without_made_keys(event: Any, shown: Any) -> Any:  # noqa: ANN401 - as above
    """Take a deduping key that the page shows as `…` for any."""
    if shown.get("metric", {}).get("deduping_key") != "…":
        return event
    return event | {"metric": event["metric"] | {"deduping_key": "…"}}


def _read(record: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(record, parse_float=Decimal)
    return found


def _schema(value: object) -> dict[str, Any]:
    match value:
        case None:
            return {}
        case bool():
            return {"type": ["boolean", "null"]}
        case str():
            return {"type": ["string", "null"]}
        case dict():
            return {"type": ["object", "null"], "properties": {name: _schema(item) for name, item in value.items()}}
        case list():
            return {"type": ["array", "null"]}
        case _:
            return {"type": ["number", "null"]}
