"""A catalog is read as the messages that its tap would write of what is selected in it."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from target_applied_events.commands.catalog import as_messages
from target_applied_events.errors import InputError

TEXT = {"type": "string"}


def stream(name: str, *metadata: dict[str, Any], **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """A stream of a catalog with three columns."""
    columns = {"properties": {"id": TEXT, "email": TEXT, "note": TEXT}}
    return {"tap_stream_id": name, "schema": columns, "metadata": list(metadata), **more}


def at(*breadcrumb: str, **said: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    return {"breadcrumb": list(breadcrumb), "metadata": said}


def read(*streams: dict[str, Any]) -> list[dict[str, Any]]:
    catalog = io.StringIO(json.dumps({"streams": streams}))
    return [json.loads(line) for line in as_messages(catalog)]


def test_only_what_is_selected_comes_where_anything_is() -> None:
    catalog = [stream("a", at(selected=True)), stream("b", at(selected=False)), stream("c", selected=True), stream("d")]
    assert [message["stream"] for message in read(*catalog)] == ["a", "c"]


def test_all_streams_come_where_none_is_selected() -> None:
    assert [message["stream"] for message in read(stream("a"), stream("b"))] == ["a", "b"]


def test_a_stream_goes_by_its_name_and_else_by_its_id() -> None:
    assert [message["stream"] for message in read(stream("db-rows", stream="rows"), stream("db-others"))] == [
        "rows",
        "db-others",
    ]


@pytest.mark.parametrize(
    ("said", "comes"),
    [
        ({}, True),
        ({"selected": True}, True),
        ({"selected": False}, False),
        ({"selected": False, "inclusion": "automatic"}, True),
        ({"inclusion": "unsupported"}, False),
        ({"inclusion": "unsupported", "selected": True}, False),
    ],
)
def test_a_column_comes_unless_it_is_deselected_or_cant_be_read(said: dict[str, Any], *, comes: bool) -> None:
    (message,) = read(stream("a", at("properties", "note", **said)))
    assert ("note" in message["schema"]["properties"]) is comes
    assert {"id", "email"} <= message["schema"]["properties"].keys()


def test_key_properties_are_the_streams_own_or_the_tables() -> None:
    own, tables, none = read(
        stream("a", at(**{"table-key-properties": ["id"]}), key_properties=["email"]),
        stream("b", at(**{"table-key-properties": ["id"]})),
        stream("c"),
    )
    assert [message["key_properties"] for message in (own, tables, none)] == [["email"], ["id"], []]


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"streams": 7}', '{"streams": [7]}', '{"streams": [{"schema": {}}]}']
)
def test_what_is_no_catalog_is_refused_with_what_would_be_one(text: str) -> None:
    with pytest.raises(InputError, match=r"is no Singer catalog\. `--catalog` takes what `meltano invoke "):
        as_messages(io.StringIO(text))
