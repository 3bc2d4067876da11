"""Each kind of column that the shop has, from PostgreSQL to an event, value for value."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from demo import postgres, shop
from demo.pipeline import Pipeline
from tests.sandbox_process import running_sandbox
from tests.with_postgres.expected import Row, Rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.timeout(300)

TABLES = ("customers", "orders", "refunds")


def _moment(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _boolean(text: str) -> bool:
    return {"true": True, "false": False}[text]


def _exact(text: str) -> object:
    return json.loads(text, parse_float=Decimal)


READ_BACK: dict[str, Callable[[str], object]] = {
    "ARRAY": _exact,
    "bigint": int,
    "boolean": _boolean,
    "character": str,
    "character varying": str,
    "date": date.fromisoformat,
    "double precision": Decimal,
    "integer": int,
    "jsonb": _exact,
    "numeric": Decimal,
    "smallint": int,
    "text": str,
    "timestamp with time zone": _moment,
    "timestamp without time zone": _moment,
    "uuid": uuid.UUID,
}
"""How the text that a column becomes in `additional_properties` is read back, for each type of column."""


def test_every_column_of_every_row_arrives_with_its_value(socket: Path, tmp_path: Path) -> None:
    postgres.create_tables(socket)
    postgres.insert(socket, shop.opened(shop.seeded(11), customers=40, orders=60, refunds=20))
    types = _types(socket)
    mappings = json.dumps([_mapping(table, list(types[table])) for table in TABLES])
    with running_sandbox() as sandbox:
        settings = {"TARGET_APPLIED_EVENTS_MAPPINGS": mappings}
        pipeline = Pipeline(tmp_path / "kept", postgres.url(socket), sandbox.url, settings)
        status = pipeline.run(tmp_path / "run.log")
        arrived = [event["body"]["metric"] for event in sandbox.events()]
    assert status == 0, (tmp_path / "run.log").read_text()
    assert _read_back(arrived, types) == _wanted(Rows.read(socket))


def _types(socket: Path) -> dict[str, dict[str, str]]:
    """The type of each column of each table, by the database's own account."""
    query = "select column_name, data_type from information_schema.columns where table_name = %s"
    with psycopg.connect(postgres.url(socket)) as connection:
        return {table: dict(connection.execute(query, [table]).fetchall()) for table in TABLES}


def _mapping(table: str, columns: list[str]) -> dict[str, object]:
    return {
        "stream": f"public-{table}",
        "name": "Row",
        "event_time": "{{ updated_at }}",
        "metric": {
            "metric_name": table,
            "value": 1,
            "additional_properties": {column: f"{{{{ {column} }}}}" for column in columns},
        },
    }


def _read_back(metrics: list[dict[str, Any]], types: dict[str, dict[str, str]]) -> dict[tuple[str, str], Row]:
    found = {}
    for metric in metrics:
        table, texts = metric["metric_name"], metric["additional_properties"]
        found[table, texts["id"]] = {name: READ_BACK[types[table][name]](text) for name, text in texts.items()}
    return found


def _wanted(rows: Rows) -> dict[tuple[str, str], Row]:
    """Each row as the database gives it: nulls are left out, a float is the decimal that it prints as."""
    return {
        (table, str(row["id"])): {name: _plain(value) for name, value in row.items() if value is not None}
        for table in TABLES
        for row in getattr(rows, table)
    }


def _plain(value: object) -> object:
    match value:
        case float():
            return Decimal(repr(value))
        case dict():
            return {name: _plain(inner) for name, inner in value.items()}
        case datetime(tzinfo=None):
            return value.replace(tzinfo=UTC)
        case _:
            return value
