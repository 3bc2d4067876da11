"""The fields of an event: from a record to what the contract wants in each."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from target_applied_events.mapping.contract import CONTACT, EVENT, METRIC, NEVER_EMPTY, fit, fitting, properties
from target_applied_events.mapping.declaration import WANTS
from target_applied_events.mapping.identity import comparable
from target_applied_events.mapping.template import Template
from target_applied_events.mapping.template.notation import Unmappable, text
from target_applied_events.mapping.template.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from target_applied_events.event import Json, Record
    from target_applied_events.mapping.declaration import Declaration

FieldReader: TypeAlias = "Callable[[Record], Any]"
"""From a record to what a field holds, None where it comes out empty; may raise anything: then it can't be mapped."""

_PROPERTIES: Final = "metric.additional_properties"
_METRIC: Final = (*(name for name in METRIC if name != "deduping_key"), "additional_properties")


class Fields:
    """What a mapping says of each field, as expressions of one source; all that is made of them agrees."""

    def __init__(self, declaration: Declaration, stream: str) -> None:
        """Write the expressions for the fields that are mapped."""
        self._source = Source()
        self._stream = stream
        self._written = {field: self._field(field, template) for field, template in declaration.fields.items()}
        if declaration.properties is not None:
            self._written |= self._properties(declaration.properties)

    def __repr__(self) -> str:
        """Tell which fields are mapped."""
        return f"<{type(self).__name__} {', '.join(self._written)}>"

    def reader(self, field: str) -> FieldReader | None:
        """Make the function that gives a field's value as the contract wants it; None where the field isn't mapped."""
        return None if field not in self._written else self._source.function(self._written[field])

    @cached_property
    def readers(self) -> dict[str, FieldReader]:
        """The functions of all fields that are mapped."""
        return {field: self._source.function(written) for field, written in self._written.items()}

    def objects(self) -> Callable[[Record], tuple[dict[str, Any], ...]]:
        """Make the function that gives an event's own fields, its contact, its metric and the metric's properties.

        A field that comes out empty is left out of them. The metric lacks its deduping key, and holds its properties
        only where all of them are mapped as one.
        """
        each = f"{_PROPERTIES}."
        names = [field.removeprefix(each) for field in self._written if field.startswith(each)]
        sections = {"": EVENT, "contact.": CONTACT, "metric.": _METRIC, each: names}
        return self._source.objects(*(self._mapped(section, names) for section, names in sections.items()))

    def _mapped(self, section: str, names: Iterable[str]) -> dict[str, str]:
        return {name: self._written[section + name] for name in names if section + name in self._written}

    def shard_value(self, identifier: str | None) -> FieldReader | None:
        """Make the function that gives what chooses the shard; None where nothing does.

        Args:
            identifier: The contact's identifier that chooses where there is no `shard_by`.
        """
        own, shared = self.reader("shard_by"), self.reader(f"contact.{identifier}")
        if own is not None or identifier is None or shared is None:
            return own
        return lambda record: None if (value := shared(record)) is None else comparable(identifier, value)

    def _field(self, field: str, template: Template) -> str:
        want, source = WANTS[field], self._source
        if template.is_constant:
            return source.value(fit(want, template.source))
        value = source.call(fitting(want), template.expression(self._stream, source, strict=want.is_strict))
        return source.if_null(_refusal(NEVER_EMPTY[field]), value) if field in NEVER_EMPTY else value

    def _properties(self, mapped: Mapping[str, Template] | Template) -> dict[str, str]:
        if isinstance(mapped, Template):
            return {_PROPERTIES: self._filled(properties, mapped)}
        return {f"{_PROPERTIES}.{name}": self._filled(text, template) for name, template in mapped.items()}

    def _filled(self, finish: Callable[[Json], Any], template: Template) -> str:
        value = template.expression(self._stream, self._source, strict=False)
        return self._source.or_null(self._source.call(finish, value))


def row_reader(columns: Iterable[str]) -> Callable[[Record], dict[str, Json]]:
    """Make the function that gives some columns as they are, null where a record lacks them."""
    source = Source()
    return source.function(source.object({name: source.column(name) for name in columns}))


def _refusal(said: str) -> Callable[[], None]:
    def refuse() -> None:
        raise Unmappable(said)

    return refuse
