"""The documented body of an event, field by field: what each must be, and what is said of one that isn't."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, NoReturn

from target_applied_events.sandbox.contract import Problem, Refusal, Rules, is_uuid

MOST_EXPONENT = 308
"""The largest power of ten that a 64-bit float holds."""

CONTACT_FIELDS = ("email", "name", "phone", "remote_id")
IDENTIFIERS = ("email", "phone", "remote_id")

_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def read_body(raw: bytes, rules: Rules) -> dict[str, Any] | Refusal:
    """Read a body and hold it to the contract; numbers with a fraction are Decimals, allowed nulls are dropped."""
    try:
        body = _parse(raw)
    except (ValueError, ArithmeticError, RecursionError) as error:
        said = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        return Refusal(400, (Problem("body", f"is no JSON: {said}"),))
    if not isinstance(body, dict):
        return Refusal(422, (Problem("body", f"must be an object, not {_kind(body)}"),))
    if rules.allow_nulls:
        body = _without_nulls(body)
    problems = tuple(_event_problems(body, rules))
    return Refusal(422, problems) if problems else body


def parse_time(text: str) -> datetime:
    """Read an RFC 3339 time with its zone; ValueError if it is none."""
    if not _TIME.fullmatch(text):
        raise ValueError("no RFC 3339 time with a zone")
    return datetime.fromisoformat(text.upper())


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _parse(raw: bytes) -> object:
    text = raw.decode("utf-8")
    body: object = json.loads(text, parse_float=Decimal, parse_constant=_refuse_constant)
    if "\\ud" in text.lower():
        json.dumps(body, ensure_ascii=False, default=str).encode("utf-8")
    return body


def _without_nulls(body: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in body.items() if value is not None}
    return {name: _without_nulls(value) if isinstance(value, dict) else value for name, value in kept.items()}


def _kind(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | Decimal():
            return "a number"
        case str():
            return "a string"
        case list():
            return "an array"
        case _:
            return "an object"


def _text(value: object) -> str | None:
    return None if isinstance(value, str) else f"must be a string, not {_kind(value)}"


def _filled_text(value: object) -> str | None:
    if isinstance(value, str) and not value.strip():
        return "must not be empty"
    return _text(value)


def _time(value: object) -> str | None:
    if not isinstance(value, str):
        return _text(value)
    try:
        parse_time(value)
    except ValueError:
        return "must be an RFC 3339 time with a zone, such as 2026-04-07T14:30:00Z"
    return None


def _uuid(value: object) -> str | None:
    if not isinstance(value, str):
        return _text(value)
    return None if is_uuid(value) else "must be a uuid"


def _number(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        return f"must be a number, not {_kind(value)}"
    if Decimal(value).adjusted() > MOST_EXPONENT:
        return "must fit into a 64-bit float"
    return None


def _texts(value: object) -> str | None:
    if not isinstance(value, dict):
        return f"must be an object, not {_kind(value)}"
    wrong = next((name for name, item in value.items() if not isinstance(item, str)), None)
    return None if wrong is None else f"must hold strings alone; {wrong!r} is {_kind(value[wrong])}"


_Check = Callable[[object], "str | None"]

_CONTACT: dict[str, _Check] = dict.fromkeys(CONTACT_FIELDS, _text)
_METRIC: dict[str, _Check] = {
    "metric_name": _filled_text,
    "value": _number,
    "deduping_key": _text,
    "metric_object_id": _uuid,
    "metric_object_type": _text,
    "context_object_id": _uuid,
    "context_object_type": _text,
    "additional_properties": _texts,
}
_EVENT: dict[str, _Check] = {"name": _filled_text, "description": _text, "event_time": _time}


def _event_problems(body: dict[str, Any], rules: Rules) -> Iterator[Problem]:
    own = {name: value for name, value in body.items() if name not in {"contact", "metric"}}
    yield from _field_problems("", own, _EVENT, rules)
    if "name" not in body:
        yield Problem("name", "is required")
    if "contact" not in body and "metric" not in body:
        yield Problem("body", "must have a contact or a metric")
    if "contact" in body:
        yield from _contact_problems(body["contact"], rules)
    if "metric" in body:
        yield from _metric_problems(body["metric"], rules)


def _contact_problems(contact: object, rules: Rules) -> Iterator[Problem]:
    if not isinstance(contact, dict):
        yield Problem("contact", f"must be an object, not {_kind(contact)}")
        return
    yield from _field_problems("contact.", contact, _CONTACT, rules)
    known = any(str(contact.get(name) or "").strip() for name in IDENTIFIERS)
    if not known and not rules.allow_anonymous:
        yield Problem("contact", "must have an email, a phone or a remote_id")


def _metric_problems(metric: object, rules: Rules) -> Iterator[Problem]:
    if not isinstance(metric, dict):
        yield Problem("metric", f"must be an object, not {_kind(metric)}")
        return
    yield from _field_problems("metric.", metric, _METRIC, rules)
    if "metric_name" not in metric:
        yield Problem("metric.metric_name", "is required")


def _field_problems(
    prefix: str, values: dict[str, Any], checks: Mapping[str, _Check], rules: Rules
) -> Iterator[Problem]:
    for name, value in values.items():
        check = checks.get(name)
        if check is not None:
            message = check(value)
        else:
            message = None if rules.allow_unknown_fields else "isn't documented; is it misspelt?"
        if message is not None:
            yield Problem(prefix + name, message)
