"""One field of an event: from a record to what the contract wants there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from target_applied_events.mapping.columns import RESERVED
from target_applied_events.mapping.contract import NOW, fit, fitting, properties
from target_applied_events.mapping.declaration import WANTS
from target_applied_events.mapping.identity import comparable
from target_applied_events.mapping.notation import Unmappable, canonical, text
from target_applied_events.mapping.template import Template

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from target_applied_events.event import Json, Record
    from target_applied_events.mapping.declaration import Declaration

FieldReader: TypeAlias = "Callable[[Record], Any]"
"""From a record to a field's value, None where it's left out; may raise anything, which means that it can't."""

Finish: TypeAlias = "Callable[[Json], Any]"
"""From what a template yields to what its field holds."""

_EMPTY: Final = {
    "name": "came out empty; an event needs a name",
    "event_time": f"came out empty; where the time of arrival will do, write \"{{{{ … or '{NOW}' }}}}\"",
    "shop_id": "came out empty; a shop to fall back on is written into the template",
    "once_per": "came out empty; it names what the event happens once for",
    "metric.metric_name": "came out empty; a metric needs it",
    "metric.value": "came out null; records without a value are passed over by a `when`",
}
"""The fields that, once mapped, may not come out empty, and what is said then."""


def field_readers(declaration: Declaration, stream: str) -> dict[str, FieldReader]:
    """Make the functions that give each field's value as the contract wants it."""
    reads = {field: _field_reader(declaration, field, stream) for field in declaration.fields}
    if declaration.properties is not None:
        reads["metric.additional_properties"] = _properties_reader(declaration.properties, stream)
    return reads


def _field_reader(declaration: Declaration, field: str, stream: str) -> FieldReader:
    want, template = WANTS[field], declaration.fields[field]
    if template.is_constant:
        constant = fit(want, template.source)
        return lambda _: constant
    finish = fitting(want)
    if field == "once_per":
        finish = _of_equal_numbers(finish)
    if field in _EMPTY:
        finish = _never_empty(finish, _EMPTY[field])
    return _finished(template, template.reader(stream, strict=want.is_strict), finish)


def _of_equal_numbers(finish: Finish) -> Finish:
    """Let equal numbers be one occasion: a key read as 7 today and as 7.0 tomorrow."""
    return lambda value: finish(canonical(value))


def _never_empty(finish: Finish, said: str) -> Finish:
    def never_empty(value: Json) -> Any:  # noqa: ANN401  what the field holds
        if (found := finish(value)) is None:
            raise Unmappable(said)
        return found

    return never_empty


def _finished(template: Template, reader: FieldReader, finish: Finish) -> FieldReader:
    match template.column:
        case (str(name),) if name not in RESERVED:  # nearly always, and worth a call less
            return lambda record: finish(record.get(name))
        case _:
            return lambda record: finish(reader(record))


def _properties_reader(mapped: Mapping[str, Template] | Template, stream: str) -> FieldReader:
    if isinstance(mapped, Template):
        whole = mapped.reader(stream, strict=False)
        return lambda record: properties(whole(record)) or None
    readers = [(name, item.reader(stream, strict=False)) for name, item in mapped.items()]
    return lambda record: {name: found for name, read in readers if (found := text(read(record)))} or None


def object_reader(
    declaration: Declaration, section: str, names: Iterable[str], reads: Mapping[str, FieldReader]
) -> Callable[[Record], dict[str, Any]]:
    """Make the function that gives one object of the event; a field that comes out empty is left out of it.

    Args:
        declaration: The mapping.
        section: What the names of its fields begin with, `contact.`.
        names: The object's fields, in the order in which they are written.
        reads: The mapping's fields.
    """
    prepared: dict[str, Any] = {}
    varying: list[tuple[str, FieldReader]] = []
    for name in names:
        field = section + name
        if field in declaration.fields and declaration.fields[field].is_constant:
            prepared[name] = reads[field]({})
        elif field in reads:
            prepared[name] = ...  # holds its place
            varying.append((name, reads[field]))
    return _filling({name: value for name, value in prepared.items() if value is not None}, varying)


def _filling(prepared: dict[str, Any], varying: list[tuple[str, FieldReader]]) -> Callable[[Record], dict[str, Any]]:
    def filled(record: Record) -> dict[str, Any]:
        found = prepared.copy()
        for name, read in varying:
            if (value := read(record)) is None:
                del found[name]
            else:
                found[name] = value
        return found

    return filled


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
