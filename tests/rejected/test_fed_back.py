"""A stream of rejected records is known by its last SCHEMA, and each record by the mapping that rejected it."""

from __future__ import annotations

from typing import Any

import pytest

from target_applied_events.rejected import FedBack


def schema(*, rejected: object = None) -> dict[str, Any]:
    said = {} if rejected is None else {"rejected": rejected}
    return {"type": "SCHEMA", "stream": "orders", "schema": {}, **said}


def record(stream: str, rejection: object) -> dict[str, Any]:
    return {"type": "RECORD", "stream": stream, "record": {}, "rejection": rejection}


def test_only_a_change_of_what_a_schema_says_is_new() -> None:
    fed_back = FedBack()
    said = [schema(), schema(rejected=True), schema(rejected=True), schema(rejected="yes"), schema(rejected=False)]
    assert [fed_back.declare(item) for item in said] == [False, True, False, True, False]
    assert fed_back.streams == set()


def test_a_record_goes_to_the_mapping_that_rejected_it() -> None:
    fed_back = FedBack()
    fed_back.declare(schema(rejected=True))
    fed_back.begin(record("orders", {"mapping": "mappings[1]"}))
    assert fed_back.mapping == "mappings[1]"


@pytest.mark.parametrize(
    "other",
    [
        record("customers", {"mapping": "mappings[1]"}),
        record("orders", {"mapping": None}),
        record("orders", "mappings[1]"),
        {"type": "RECORD", "stream": "orders", "record": {}},
    ],
    ids=["of a tap", "invalid", "no object", "without a word"],
)
def test_any_other_record_goes_to_all_mappings(other: dict[str, Any]) -> None:
    fed_back = FedBack()
    fed_back.declare(schema(rejected=True))
    fed_back.begin(record("orders", {"mapping": "mappings[0]"}))
    fed_back.begin(other)
    assert fed_back.mapping is None
