"""A compiled mapping: from a record to its event, or to why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from target_applied_events.errors import MappingError
from target_applied_events.event import Event, Rejection, Violation
from target_applied_events.mapping.checking import mistakes, notes
from target_applied_events.mapping.contract import IDENTIFIERS, NOW
from target_applied_events.mapping.fields import Fields, row_reader
from target_applied_events.mapping.identity import (
    contact_identifiers,
    deduping_key,
    identity_of_content,
    identity_of_occasion,
    ledger_key,
)
from target_applied_events.mapping.template import why_not
from target_applied_events.mapping.template.notation import Unmappable, compact, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_applied_events.event import Json, Record
    from target_applied_events.mapping.declaration import Declaration


@dataclass(frozen=True, slots=True)
class Passed:
    """The mapping passes over this record: its `when` was false or null."""


_PASSED: Final = Passed()
_IDENTIFIERS: Final = frozenset(IDENTIFIERS)


@dataclass(frozen=True, slots=True)
class _Stream:
    """What is the same for all records of a stream."""

    name: str
    key_properties: tuple[str, ...]
    shop_id: str
    origin: bytes
    shard_identifier: str | None


class Mapping:
    """One declaration compiled against one stream's schema: a record gives the same event always.

    Attributes:
        label: How users find it in their settings, `mappings[0]`.
        speaks_of_deleted: Whether its `when` names `_sdc_deleted_at`, so that it's asked about deleted records.
        notes: What its user should know though it's no mistake, each a sentence.
    """

    def __init__(self, declaration: Declaration, stream: _Stream, notes: tuple[str, ...] = ()) -> None:
        """Turn each template into a function."""
        self.label = declaration.label
        self.notes = notes
        self._stream = stream
        self._name_template = text(declaration.fields["name"].source)
        self._ordered = declaration.ordered
        when = declaration.fields.get("when")
        self.speaks_of_deleted = when is not None and any("_sdc_deleted_at" in path[:2] for path in when.paths)
        self._fields = fields = Fields(declaration, stream.name)
        self._objects = fields.objects()
        self._row = row_reader(stream.key_properties)
        self._when, self._shop = fields.reader("when"), fields.reader("shop_id")
        self._once_per, self._deduping = fields.reader("once_per"), fields.reader("metric.deduping_key")
        self._shard_value = fields.shard_value(stream.shard_identifier)

    def __repr__(self) -> str:
        """Tell which mapping it is, of which stream."""
        return f"<{type(self).__name__} {self.label} of {self._stream.name}>"

    def event(self, record: Record, deleted: bool = False) -> Event | Passed | Rejection:  # noqa: FBT001, FBT002  one flag
        """Make the event of a record; nothing that a record holds makes it raise.

        Args:
            record: The record, its numbers exact.
            deleted: Whether the source says that the row is gone.

        Returns:
            The event; that the mapping passes over this record; or why it can't be mapped.
        """
        if deleted and not self.speaks_of_deleted:
            return _PASSED
        try:
            if self._when is not None and not self._when(record):
                return _PASSED
            return self._event(record)
        except Exception as error:  # noqa: BLE001  whatever a template raises, only its record is given up
            return Rejection("unmappable", self._violations(record) or (_violation("$", error),), self.label)

    def shard_value(self, record: Record) -> str | None:
        """What chooses the shard of a record's event; None where there is nothing, or nothing that can be read."""
        try:
            return None if self._shard_value is None else self._shard_value(record)
        except Exception:  # noqa: BLE001  as in event(), which tells what is wrong
            return None

    def _event(self, record: Record) -> Event:
        stream = self._stream
        shop = stream.shop_id if self._shop is None else self._shop(record).lower()
        body = self._body(record)
        row = self._row(record)
        identity = self._identity(record, shop, row, body)
        if "metric" in body:
            mapped = None if self._deduping is None else self._deduping(record)
            body["metric"]["deduping_key"] = mapped or deduping_key(identity)
        return Event(
            stream=stream.name,
            mapping=self.label,
            shop_id=shop,
            body=compact(body),
            key=ledger_key(identity, stream.origin),
            identifiers=contact_identifiers(shop, body["contact"]) if self._ordered and "contact" in body else (),
            key_properties=row,
            record=record,
        )

    def _body(self, record: Record) -> dict[str, Any]:
        """Give what is sent, but for the deduping key, which may be made from it."""
        body, contact, metric, properties = self._objects(record)
        if properties:
            metric["additional_properties"] = properties
        if body.get("event_time") == NOW:
            del body["event_time"]
        if not _IDENTIFIERS.isdisjoint(contact):
            body["contact"] = contact
        elif not metric:
            raise Unmappable("no contact is left, every identifier came out empty, and there is no metric")
        if metric:
            body["metric"] = metric
        return body

    def _identity(self, record: Record, shop: str, row: Record, body: dict[str, Json]) -> bytes:
        stream = self._stream.name
        if self._once_per is not None:
            return identity_of_occasion(shop, stream, self._name_template, self._once_per(record))
        if not self._stream.key_properties:
            row = {name: value for name, value in record.items() if not name.startswith("_sdc_")}
        return identity_of_content(shop, stream, row, body)

    def _violations(self, record: Record) -> tuple[Violation, ...]:
        """Try each field by itself, to name all that can't be read or written."""
        found = []
        for field, read in self._fields.readers.items():
            try:
                compact(read(record))
            except Exception as error:  # noqa: BLE001  as in event()
                found.append(_violation(f"$.{field}", error))
        return tuple(found)


def _violation(path: str, error: Exception) -> Violation:
    if isinstance(error, Unmappable):
        return Violation(path, str(error))
    return Violation(path, f"the template can't work on this record: {why_not(error)}")


def compile_mappings(  # noqa: PLR0913  what a stream is, each by its name
    declarations: Sequence[Declaration],
    *,
    stream: str,
    schema: dict[str, Any],
    key_properties: Sequence[str],
    shop_id: str | None,
    origin: str,
    shard_identifier: str | None = None,
) -> tuple[Mapping, ...]:
    """Compile the mappings of a stream, held against its schema.

    Args:
        declarations: Those that `choose` gave for the stream.
        stream: The stream's name.
        schema: Its JSON Schema.
        key_properties: Its primary key; empty where it has none.
        shop_id: The shop of mappings that name none.
        origin: Scheme, host and port of the endpoint.
        shard_identifier: What chooses the shard where a mapping has no `shard_by`: email, phone or remote_id.

    Raises:
        MappingError: A mapping can't work on this schema; it holds all the mistakes of all of them.
    """
    if found := [problem for item in declarations for problem in mistakes(item, stream, schema)]:
        raise MappingError(found)
    shared = _Stream(stream, tuple(key_properties), (shop_id or "").strip().lower(), origin.encode(), shard_identifier)
    return tuple(Mapping(item, shared, notes(item, stream, schema)) for item in declarations)
