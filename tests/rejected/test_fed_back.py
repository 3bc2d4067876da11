"""A stream of rejected records is known by its last SCHEMA, and each record by the mapping that rejected it."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from target_applied_events.errors import InputError
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


A, B, C = "Row {{ id }}", "Paid", "Refunded"


def begun(place: str = "mappings[1]", name: object = B) -> FedBack:
    """Where a record of the mapping that stood there and had that name is the present one."""
    fed_back = FedBack()
    fed_back.declare(schema(rejected=True))
    fed_back.begin(record("orders", {"mapping": place, "name": name}))
    return fed_back


def mappings(*named: str) -> dict[str, str]:
    return {f"mappings[{number}]": name for number, name in enumerate(named)}


@pytest.mark.parametrize(
    ("now", "found"),
    [
        (mappings(A, B), "mappings[1]"),
        (mappings(C, A, B), "mappings[2]"),
        (mappings(B), "mappings[0]"),
        (mappings(B, B, A), "mappings[1]"),
        (mappings(A, C), "mappings[1]"),
    ],
    ids=["at its place", "moved down", "moved up", "one of two", "renamed"],
)
def test_a_record_s_mapping_is_the_one_that_has_the_name_else_the_one_at_the_place(
    now: dict[str, str], found: str
) -> None:
    assert begun().label_among(now, "orders") == found


@pytest.mark.parametrize("name", [None, 7], ids=["an older file", "no text"])
def test_without_a_name_the_place_decides(name: object, caplog: pytest.LogCaptureFixture) -> None:
    assert begun(name=name).label_among(mappings(C, A, B), "orders") == "mappings[1]"
    assert caplog.records == []


@pytest.mark.parametrize(
    ("fed_back", "now", "said"),
    [
        (begun(), mappings(A), r"rejected by mappings\[1\], which is none of the stream's mappings now\. Put "),
        (begun(name=None), mappings(B), r"rejected by mappings\[1\], which is none of"),
        (begun(), mappings(B, C, B), r"mappings\[1\], and several of .* its name now: mappings\[0\], mappings\[2\]\."),
    ],
    ids=["gone", "gone by its place", "several"],
)
def test_a_mapping_that_is_gone_or_could_be_several_is_an_error(
    fed_back: FedBack, now: dict[str, str], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        fed_back.label_among(now, "orders")


def told(fed_back: FedBack, now: dict[str, str], caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            fed_back.begin(record("orders", {"mapping": "mappings[1]", "name": B}))
            fed_back.label_among(now, "orders")
    return [(line.levelname, line.getMessage()) for line in caplog.records]


def test_a_mapping_found_at_its_place_is_not_told(caplog: pytest.LogCaptureFixture) -> None:
    assert told(begun(), mappings(A, B), caplog) == []


def test_a_mapping_found_elsewhere_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    ((level, said),) = told(begun(), mappings(C, A, B), caplog)
    assert level == "INFO"
    assert "mappings[1] rejected go to mappings[2]," in said


def test_a_mapping_whose_name_is_gone_is_warned_of_once_with_both_names(caplog: pytest.LogCaptureFixture) -> None:
    ((level, said),) = told(begun(), mappings(A, "Paid\nin full"), caplog)
    assert level == "WARNING"
    assert 'when its name was "Paid" go to the mapping at its place, which has the name "Paid in full":' in said
