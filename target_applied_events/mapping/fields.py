"""One field of an event: from a record to what the contract wants there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from target_applied_events.mapping.contract import NOW, fit, fitting, properties
from target_applied_events.mapping.declaration import WANTS
from target_applied_events.mapping.identity import comparable
from target_applied_events.mapping.notation import Unmappable, canonical
from target_applied_events.mapping.template import Template

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from target_applied_events.event import Json, Record
    from target_applied_events.mapping.declaration import Declaration

FieldReader: TypeAlias = "Callable[[Record], Any]"
"""From a record to a field's value, None where it's left out; may raise anything, which means that it can't."""

_EMPTY: Final = {
    "name": "came out empty; an event needs a name",
    "event_time": f"came out empty; where the time of arrival will do, write \"{{{{ … or '{NOW}' }}}}\"",
    "shop_id": "came out empty; a shop to fall back on is written into the template",
    "once_per": "came out empty; it names what the event happens once for",
    "metric.metric_name": "came out empty; a metric needs it",
    "metric.value": "came out null; records without a value are passed over by a `when`",
}
"""The fields that, once mapped, may not come out empty, and what is said then."""


def field_reader(declaration: Declaration, field: str, stream: str) -> FieldReader:
    """Make the function that gives a field's value as the contract wants it."""
    want, template = WANTS[field], declaration.fields[field]
    fitted = fitting(want)
    empty = _EMPTY.get(field)
    if template.is_constant:
        constant = fit(want, template.source)
        return lambda _: constant
    reader = template.reader(stream, strict=want.is_strict)
    if field == "once_per":
        reader = _canonical(reader)
    if empty is None:
        return lambda record: fitted(reader(record))

    def never_empty(record: Record) -> Json:
        if (value := fitted(reader(record))) is None:
            raise Unmappable(empty)
        return value

    return never_empty


def _canonical(reader: FieldReader) -> FieldReader:
    """Let equal numbers be one occasion: a key read as 7 today and as 7.0 tomorrow."""
    return lambda record: canonical(reader(record))


def properties_reader(declaration: Declaration, stream: str) -> FieldReader | None:
    """Make the function that gives `additional_properties`; None where they aren't mapped."""
    if declaration.properties is None:
        return None
    if isinstance(declaration.properties, Template):
        whole = declaration.properties.reader(stream, strict=False)
        return lambda record: properties(whole(record))
    readers = [(name, item.reader(stream, strict=False)) for name, item in declaration.properties.items()]
    return lambda record: properties({name: read(record) for name, read in readers})


def shard_value_reader(reads: Mapping[str, FieldReader], identifier: str | None) -> FieldReader | None:
    """Make the function that gives what chooses the shard.

    Args:
        reads: The mapping's fields.
        identifier: The contact's identifier that chooses where there is no `shard_by`.
    """
    if (own := reads.get("shard_by")) is not None or identifier is None:
        return own
    shared = reads.get(f"contact.{identifier}")
    if shared is None:
        return None
    return lambda record: None if (value := shared(record)) is None else comparable(identifier, value)
