"""Faults as users declare them, in JSON: read with every mistake named, and written back."""

from __future__ import annotations

import dataclasses
import math
import re
from typing import TYPE_CHECKING, Any

from target_applied_events.sandbox.faults import KINDS, Fault

if TYPE_CHECKING:
    from collections.abc import Sequence


def read_faults(declared: object) -> list[Fault]:
    """Read faults from JSON, a list of objects; ValueError names what is wrong."""
    if not isinstance(declared, list):
        raise ValueError("faults must be an array of objects such as {'kind': 'status', 'share': 0.1}")  # noqa: TRY004 - as below
    return [_read_fault(f"faults[{index}]", item) for index, item in enumerate(declared)]


def write_faults(faults: Sequence[Fault]) -> list[dict[str, Any]]:
    """Write faults as they are read."""
    return [
        {
            "kind": fault.effect.kind,
            **dataclasses.asdict(fault.effect),
            "share": fault.share,
            "match": fault.match,
            "times": fault.times,
        }
        for fault in faults
    ]


def _read_fault(place: str, declared: object) -> Fault:
    if not isinstance(declared, dict):
        raise ValueError(f"{place} must be an object")  # noqa: TRY004 - callers catch one kind of error
    values = dict(declared)
    effect = KINDS.get(str(values.pop("kind", None)))
    if effect is None:
        raise ValueError(f"{place}.kind must be one of {', '.join(KINDS)}")
    aim = {name: values.pop(name) for name in ("share", "match", "times") if name in values}
    known = {item.name for item in dataclasses.fields(effect)}
    for name, value in {**values, **aim}.items():
        if name in values and name not in known:
            raise ValueError(f"{place}.{name} isn't known for {effect.kind}: it has {', '.join(sorted(known))}")
        _check(f"{place}.{name}", name, value)
    return Fault(effect(**values), **aim)


def _check(place: str, name: str, value: object) -> None:  # noqa: C901 - a table of names, read from the top
    match name:
        case "share":
            good, wanted = _is_number(value) and 0 <= value <= 1, "a number from 0 to 1"  # type: ignore[operator]
        case "seconds" | "jitter_seconds" | "byte_seconds":
            good, wanted = _is_number(value) and 0 <= value < math.inf, "a number of seconds"  # type: ignore[operator]
        case "requests_per_second":
            good, wanted = _is_number(value) and 0 < value < math.inf, "a number above 0"  # type: ignore[operator]
        case "times" | "burst":
            good, wanted = value is None or (type(value) is int and value >= 0), "a whole number or null"
        case "status":
            good, wanted = type(value) is int and 200 <= value <= 599, "a status from 200 to 599"  # noqa: PLR2004
        case "retry_after":
            good, wanted = value in {"seconds", "date", "none"}, "one of seconds, date, none"
        case "taken":
            good, wanted = isinstance(value, bool), "true or false"
        case "body":
            good, wanted = value is None or isinstance(value, str), "a string or null"
        case "match":
            good, wanted = value is None or _is_pattern(value), "a regular expression or null"
        case _:
            good, wanted = _are_headers(value), "an object of header names and values, each on one line"
    if not good:
        raise ValueError(f"{place} must be {wanted}")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_pattern(value: object) -> bool:
    try:
        re.compile(str(value))
    except re.error:
        return False
    return isinstance(value, str)


def _are_headers(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    names = all(re.fullmatch(r"[A-Za-z0-9-]+", name) for name in value)
    return names and all(isinstance(item, str) and re.fullmatch(r"[\x20-\x7e]*", item) for item in value.values())
