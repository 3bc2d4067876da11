from __future__ import annotations

import pytest

from target_applied_events.sandbox.declared import read_faults, write_faults
from target_applied_events.sandbox.faults import KINDS


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_is_read_as_it_is_written(kind: str) -> None:
    read = read_faults([{"kind": kind, "share": 0.5, "match": "x", "times": 2}])
    assert read_faults(write_faults(read)) == read


@pytest.mark.parametrize(
    ("declared", "named"),
    [
        ({}, "faults must be an array"),
        ([1], r"faults\[0\] must be an object"),
        ([{"kind": "flood"}], r"faults\[0\].kind must be one of"),
        ([{}], r"faults\[0\].kind must be one of"),
        ([{"kind": "drop"}, {"kind": "drop", "status": 500}], r"faults\[1\].status isn't known for drop"),
        ([{"kind": "status", "status": 99}], "status must be"),
        ([{"kind": "status", "status": "500"}], "status must be"),
        ([{"kind": "status", "status": True}], "status must be"),
        ([{"kind": "status", "headers": {"X": "a\r\nY: b"}}], "headers must be"),
        ([{"kind": "status", "headers": {"X:": "a"}}], "headers must be"),
        ([{"kind": "status", "headers": []}], "headers must be"),
        ([{"kind": "status", "body": 1}], "body must be"),
        ([{"kind": "drop", "share": 1.5}], "share must be"),
        ([{"kind": "drop", "share": "1"}], "share must be"),
        ([{"kind": "drop", "times": -1}], "times must be"),
        ([{"kind": "drop", "times": 1.5}], "times must be"),
        ([{"kind": "drop", "match": "("}], "match must be"),
        ([{"kind": "drop", "taken": 1}], "taken must be"),
        ([{"kind": "latency", "seconds": -1}], "seconds must be"),
        ([{"kind": "latency", "seconds": float("nan")}], "seconds must be"),
        ([{"kind": "rate_limit", "requests_per_second": 0}], "requests_per_second must be"),
        ([{"kind": "rate_limit", "retry_after": "soon"}], "retry_after must be"),
    ],
)
def test_a_wrong_fault_is_named(declared: object, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        read_faults(declared)
