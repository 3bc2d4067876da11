"""What is answered, as values: JSON, a refusal, or the status that a fault wants."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_applied_events.sandbox.contract import Refusal
    from target_applied_events.sandbox.faults import Status

_BODILESS = {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; header names are in lower case."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def answer_json(status: int, told: dict[str, Any], headers: Mapping[str, str] | None = None) -> Answer:
    """Answer JSON."""
    body = json.dumps(told, ensure_ascii=False).encode("utf-8")
    own = {"content-type": "application/json", "content-length": str(len(body))}
    return Answer(status, body, {**own, **(headers or {})})


NOTHING_KEPT = answer_json(HTTPStatus.OK, {"contact": None})
"""What a fault breaks off where it doesn't let the event in."""


def problems_of(refusal: Refusal) -> list[dict[str, str]]:
    """Give what is wrong as it is told, and logged."""
    return [{"field": problem.field, "message": problem.message} for problem in refusal.problems]


def answer_refusal(refusal: Refusal) -> Answer:
    """Tell what is wrong, field by field."""
    message = "; ".join(f"{problem.field} {problem.message}" for problem in refusal.problems)
    told = {"error": {"message": message, "fields": problems_of(refusal)}}
    return answer_json(refusal.status, told, dict(refusal.headers))


def answer_status(effect: Status) -> Answer:
    """Answer the status that a fault wants, with its headers and body; the length is always that of the body."""
    headers = {name.lower(): value for name, value in effect.headers.items() if name.lower() != "content-length"}
    if effect.status in _BODILESS:
        return Answer(effect.status, b"", headers)
    if effect.body is None:
        return answer_json(effect.status, {"error": {"message": "a fault of the sandbox"}}, headers)
    body = effect.body.encode("utf-8")
    own = {"content-type": "text/plain; charset=utf-8", "content-length": str(len(body))}
    return Answer(effect.status, body, {**own, **headers})
