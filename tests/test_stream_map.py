"""What a stream map makes is JSON, exact, or a clear error."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from singer_sdk.mapper import CustomStreamMap

from target_applied_events.errors import InputError
from target_applied_events.stream_map import GuardedStreamMap

SCHEMA = {"properties": {"id": {"type": "integer"}, "total": {"type": "number"}, "tags": {"type": "array"}}}


def mapped(expression: str, record: dict[str, Any]) -> object:
    """What this expression makes of a record."""
    inner = CustomStreamMap("rows", {}, {}, SCHEMA, ["id"], {"made": expression}, None)
    made = GuardedStreamMap(inner).transform(record)
    assert made is not None
    return made["made"]


@pytest.mark.parametrize(
    ("expression", "made"),
    [
        ("total / 4", Decimal("0.25")),
        ("total * 0.1", Decimal("0.1")),
        ("[total / 8, 'x']", [Decimal("0.125"), "x"]),
        ("datetime.datetime.fromisoformat('2026-04-07T14:30:00+02:00')", "2026-04-07T14:30:00+02:00"),
        ("datetime.date.fromisoformat('2026-04-07')", "2026-04-07"),
        ("'text'", "text"),
        ("total == 1", True),
    ],
)
def test_what_an_expression_makes_is_json_and_a_number_is_what_it_is_written_as(expression: str, made: object) -> None:
    found = mapped(expression, {"id": 1, "total": 1, "tags": []})
    assert (found, type(found)) == (made, type(made))


@pytest.mark.parametrize("expression", ["1 / total", "total + 'x'", "tags[0]", "float('x')"])
def test_what_an_expression_can_not_work_on_is_told_without_the_record(expression: str) -> None:
    with pytest.raises(InputError, match="An expression of stream_maps can't work on a record of the stream rows"):
        mapped(expression, {"id": 1, "total": 0, "tags": []})


def test_a_filter_still_filters() -> None:
    inner = CustomStreamMap("rows", {}, {}, SCHEMA, ["id"], {"__filter__": "total > 1"}, None)
    assert GuardedStreamMap(inner).transform({"id": 1, "total": 1}) is None


def test_all_else_is_the_stream_maps_own() -> None:
    inner = CustomStreamMap("rows", {}, {}, SCHEMA, ["id"], {"made": "total"}, None)
    assert GuardedStreamMap(inner).stream_alias == "rows"
    assert GuardedStreamMap(inner).raw_schema is inner.raw_schema
