"""What a preview says of one item, and how it differs from what an earlier preview said."""

from __future__ import annotations

import json
from collections import defaultdict, deque
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import simplejson

from target_applied_events.handover import Pending, RejectedRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_ABSENT = "nothing"


def line_of(item: Pending | RejectedRecord) -> str:
    """Write an event or a rejection as one line of JSON, its numbers exact."""
    return simplejson.dumps(_said(item), use_decimal=True, ignore_nan=True)


def _said(item: Pending | RejectedRecord) -> dict[str, Any]:
    if isinstance(item, Pending):
        event = item.event
        shop = {"shop_id": event.shop_id} if event.shop_id else {}
        body = simplejson.RawJSON(event.body.decode())
        return {
            "stream": event.stream,
            "mapping": event.mapping,
            "key": dict(event.key_properties),
            **shop,
            "event": body,
        }
    rejection, stream = item.rejection, item.stream
    errors = [{"path": error.path, "message": error.message} for error in rejection.errors]
    return {
        "stream": stream.name,
        "mapping": rejection.mapping,
        "key": {name: item.record.get(name) for name in stream.key_properties},
        "rejection": {"reason": rejection.reason, "errors": errors},
    }


@dataclass(frozen=True, slots=True)
class Shown:
    """One line of a preview, taken apart.

    Attributes:
        name: What it's known by: stream, mapping and key.
        fields: What it says, each field as JSON; `event.contact.email` for what lies deeper.
    """

    name: str
    fields: Mapping[str, str]

    @classmethod
    def read(cls, line: str) -> Shown:
        """Take a line apart.

        Raises:
            ValueError: It's no line of a preview.
        """
        said = json.loads(line, parse_float=Decimal)
        if not isinstance(said, dict) or not {"stream", "mapping", "key"} <= set(said):
            raise ValueError("no line of a preview")
        name = " ".join(filter(None, (said["stream"], said["mapping"], _key(said["key"]))))
        return cls(name, dict(_flat("", {key: said[key] for key in said if key not in ("stream", "mapping", "key")})))


def _key(key: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={_written(value)}" for name, value in key.items())


def _flat(place: str, value: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - any JSON
    match value:
        case dict():
            steps = [(f"{place}.{name}" if place else str(name), below) for name, below in value.items()]
        case list():
            steps = [(f"{place}[{index}]", below) for index, below in enumerate(value)]
        case _:
            yield place, _written(value)
            return
    if not steps:
        yield place, "{}" if isinstance(value, dict) else "[]"
    for below_place, below in steps:
        yield from _flat(below_place, below)


def _written(value: Any) -> str:  # noqa: ANN401 - any JSON
    return simplejson.dumps(value, use_decimal=True, allow_nan=True, ensure_ascii=False)


class Expectation:
    """Each line of an earlier preview is met once at most: by the next one of the same stream, mapping and key."""

    def __init__(self, lines: Iterable[str]) -> None:
        """Read the lines.

        Raises:
            ValueError: One of them is none; names its number.
        """
        self._waiting: defaultdict[str, deque[Shown]] = defaultdict(deque)
        for number, line in enumerate(lines, start=1):
            try:
                shown = Shown.read(line)
            except (ValueError, ArithmeticError, TypeError, AttributeError, RecursionError) as error:
                raise ValueError(f"line {number} is no line of a preview") from error
            self._waiting[shown.name].append(shown)

    def __repr__(self) -> str:
        """Tell how many wait."""
        return f"<Expectation waiting={sum(map(len, self._waiting.values()))}>"

    def differences(self, shown: Shown) -> list[str]:
        """Say how a line differs from the one expected, each field a sentence."""
        waiting = self._waiting[shown.name]
        if not waiting:
            return [f"{shown.name}: is new"]
        expected = waiting.popleft().fields
        names = dict.fromkeys((*expected, *shown.fields))
        return [
            f"{shown.name}: {name}: expected {expected.get(name, _ABSENT)}, found {shown.fields.get(name, _ABSENT)}"
            for name in names
            if expected.get(name) != shown.fields.get(name)
        ]

    def missing(self) -> list[str]:
        """Say which lines were expected and didn't come."""
        return [f"{shown.name}: is missing" for waiting in self._waiting.values() for shown in waiting]
