"""What in the events of a preview may not be meant: those that a run would never send, and fields that stay empty."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

from target_applied_events.mapping.contract import EVENT
from target_applied_events.mapping.fields import Fields
from target_applied_events.mapping.template import Template
from target_applied_events.mapping.template.notation import canonical, canonical_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from target_applied_events.event import Event
    from target_applied_events.mapping import Declaration
    from target_applied_events.mapping.fields import FieldReader

_Place: TypeAlias = tuple[str, ...]

_CONTACT: _Place = ("contact",)
_DEDUPING_KEY: _Place = ("metric", "deduping_key")
_PROPERTIES: _Place = ("metric", "additional_properties")

logger = logging.getLogger("target-applied-events")


@dataclass(slots=True)
class _Mapping:
    """What was seen of one mapping's events.

    Attributes:
        happens_once: Whether they are known by `once_per`.
        empty: The places in the body that are mapped and that none of them had.
        count: How many there were.
        changed: How many had the `once_per` of an earlier one and another body.
        repeated: How many were an earlier one again.
        alike: How many of those are known by nothing but all that their rows hold.
    """

    happens_once: bool
    empty: set[_Place]
    count: int = 0
    changed: int = 0
    repeated: int = 0
    alike: int = 0


class EventsSeen:
    """Of each event so far its key and a hash of its body are kept; of each mapping, what none of its events had."""

    def __init__(self, declarations: Iterable[Declaration]) -> None:
        """Begin with the mappings and no event."""
        self._bodies: dict[bytes, int] = {}
        self._declarations = {item.label: item for item in declarations}
        self._mappings = {
            label: _Mapping("once_per" in item.fields, set(_places(item))) for label, item in self._declarations.items()
        }
        self._keys: dict[tuple[str, str], FieldReader | None] = {}

    def __repr__(self) -> str:
        """Tell how many events differ."""
        return f"<{type(self).__name__} keys={len(self._bodies)}>"

    def take(self, event: Event, *, has_key: bool) -> None:
        """Look at the next event.

        Args:
            event: The event.
            has_key: Whether its stream has a primary key.
        """
        mapping = self._mappings[event.mapping]
        mapping.count += 1
        body = json.loads(event.body, parse_float=Decimal) if mapping.empty or mapping.happens_once else {}
        mapping.empty = {place for place in mapping.empty if not self._has(event, body, place)}
        said = hash(canonical_bytes(canonical(body))) if mapping.happens_once else 0  # else its key is made of it
        if event.key not in self._bodies:
            self._bodies[event.key] = said
        elif self._bodies[event.key] != said:
            mapping.changed += 1
        else:
            mapping.repeated += 1
            mapping.alike += not (mapping.happens_once or has_key)

    def _has(self, event: Event, body: Any, place: _Place) -> bool:  # noqa: ANN401 - any JSON
        """Tell whether something is at a place of a body; where a deduping key came out empty, the event's own is."""
        return _is_in(body, place) and (place != _DEDUPING_KEY or self._gives_key(event))

    def _gives_key(self, event: Event) -> bool:
        made = event.mapping, event.stream
        if made not in self._keys:
            fields = Fields(self._declarations[event.mapping], event.stream)
            self._keys[made] = fields.reader(".".join(_DEDUPING_KEY))
        read = self._keys[made]
        return read is not None and read(event.record) is not None

    def tell(self) -> None:
        """Log what a run would never send, and what always came out empty."""
        for label, mapping in self._mappings.items():
            _tell_unsent(label, mapping)
            for place in sorted(mapping.empty) if mapping.count else ():
                if place == _CONTACT or place[:1] != _CONTACT or _CONTACT not in mapping.empty:
                    where = f"all {mapping.count} events" if mapping.count > 1 else "its one event"
                    logger.warning("%s.%s came out empty in %s.", label, ".".join(place), where)


def _tell_unsent(label: str, mapping: _Mapping) -> None:
    if mapping.changed:
        logger.warning(
            "%s: %s the once_per of an earlier one and another body: a run sends the first alone. If others are meant "
            'to be sent too, once_per lacks what tells them apart: "{{ id }}-{{ status }}".',
            label,
            _of_its_events(mapping.changed, "have", "has"),
        )
    if mapping.alike:
        logger.warning(
            "%s: %s the same as an earlier one: a run sends each once. Its stream has no key_properties, so rows that "
            "are alike count as one event; once_per or a key tells them apart.",
            label,
            _of_its_events(mapping.alike, "are", "is"),
        )
    if mapping.repeated > mapping.alike:
        logger.info(
            "%s: %s the same as an earlier one: a run sends each once.",
            label,
            _of_its_events(mapping.repeated - mapping.alike, "are", "is"),
        )


def _of_its_events(count: int, verb: str, verb_of_one: str) -> str:
    return f"{count} of its events {verb_of_one if count == 1 else verb}"


def _places(declaration: Declaration) -> Iterator[_Place]:
    """Give the places in the body that are mapped and may come out empty without its being meant.

    An `event_time` that comes out empty is rejected, save where `now` leaves it out. Constants are as they are meant.
    """
    for name, template in declaration.fields.items():
        section, _, below = name.rpartition(".")
        if not template.is_constant and (section or name in EVENT) and name != "event_time":
            yield (section, below) if section else (name,)
    if declaration.identifiers:
        yield _CONTACT
    if isinstance(declaration.properties, Template):
        yield _PROPERTIES
    elif declaration.properties is not None:
        templates = declaration.properties.items()
        yield from ((*_PROPERTIES, name) for name, template in templates if not template.is_constant)


def _is_in(body: Any, place: _Place) -> bool:  # noqa: ANN401 - any JSON
    for name in place:
        if name not in body:
            return False
        body = body[name]
    return True
