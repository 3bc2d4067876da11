from __future__ import annotations

from typing import Any

import pytest

from target_applied_events.errors import InputError, SchemaError
from target_applied_events.message_checks import check_record, check_schema

SCHEMA = {"stream": "orders", "schema": {"properties": {}}, "key_properties": ["id"]}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"stream": 5}, "The stream of a SCHEMA is no text"),
        ({"stream": None}, "The stream of a SCHEMA is no text"),
        ({"schema": {"type": "object"}}, "The SCHEMA of the stream orders lacks properties, so nothing is known"),
        ({"schema": []}, "The SCHEMA of the stream orders is no object"),
        ({"key_properties": "id"}, "The key_properties of the stream orders are no list of columns"),
        ({"key_properties": [["id"]]}, "The key_properties of the stream orders are no list of columns"),
        ({"key_properties": {"id": 1}}, "The key_properties of the stream orders are no list of columns"),
    ],
)
def test_a_schema_of_another_shape_is_the_taps_mistake(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(SchemaError, match=said):
        check_schema({**SCHEMA, **changes})


@pytest.mark.parametrize("keys", [{"key_properties": []}, {"key_properties": None}, {}, {"key_properties": ["a", "b"]}])
def test_a_stream_may_have_no_key(keys: dict[str, Any]) -> None:
    check_schema({"stream": "orders", "schema": {"properties": {}}, **keys})


@pytest.mark.parametrize("record", [None, [], "{}", 5])
def test_a_record_is_an_object(record: object) -> None:
    check_record({"stream": "orders", "record": {}})
    with pytest.raises(InputError, match="A RECORD of the stream orders holds no object"):
        check_record({"stream": "orders", "record": record})
