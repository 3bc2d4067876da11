"""One sink a stream: each record is validated, mapped and handed over as it's read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from singer_sdk.sinks import Sink

from target_applied_events.errors import MappingError
from target_applied_events.intake import Intake
from target_applied_events.mapping import Declaration, Mapping, choose, compile_mappings, near_miss
from target_applied_events.mapping.matching import names
from target_applied_events.rejected import MappedStream
from target_applied_events.validation import Validator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from singer_sdk import Target

    from target_applied_events.handover import Item
    from target_applied_events.reader import Reader
    from target_applied_events.rejected import FedBack
    from target_applied_events.settings import Settings
    from target_applied_events.summary import Summary

MELTANO_TEST_STREAM = "meltano_test_stream"
MOST_NAMED = 5


class Receiver(Protocol):
    """What a sink hands over to: a run, or a command that only looks."""

    settings: Settings
    summary: Summary
    met: set[str]

    def hand_over(self, items: Sequence[Item]) -> None:
        """Take all that one message came to, which comes next in the order read."""


class EventSink(Sink):
    """Turns each record of its stream into events, or into a rejected record with its reason."""

    def __init__(
        self,
        target: Target,
        stream_name: str,
        schema: dict[str, Any],
        key_properties: Sequence[str] | None,
    ) -> None:
        """Compile the stream's schema, and its mappings against it.

        Raises:
            SchemaError: The schema is itself invalid.
            MappingError: A mapping can't work with this schema, or the stream has none.
        """
        self._fed_back: FedBack = target.fed_back  # type: ignore[attr-defined]  # as below
        self._is_fed_back = stream_name in self._fed_back.streams
        super().__init__(target, stream_name, schema, key_properties)
        self._receiver: Receiver = target.receiver  # type: ignore[attr-defined]  # only this program's own target makes sinks of this kind
        self._reader: Reader = target.message_reader  # type: ignore[assignment]  # as above
        settings = self._receiver.settings
        self._chosen = choose(settings.declarations, stream_name)
        self._stream = MappedStream(stream_name, self.schema, tuple(self.key_properties), names(self._chosen))
        validator = Validator(stream_name, self.schema, self._stream.key_properties)
        checks = validator if settings.validate_records else None
        self._intake = Intake(self._stream, checks, settings.shard, self._receiver.summary)
        self._mappings = self._compile()

    def _compile(self) -> tuple[Mapping, ...]:
        settings, chosen = self._receiver.settings, self._chosen
        if not chosen:
            self._pass_over_or_stop()
        self._receiver.met.update(declaration.label for declaration in chosen)
        compiled = compile_mappings(
            chosen,
            stream=self.stream_name,
            schema=self.schema,
            key_properties=self._stream.key_properties,
            shop_id=settings.shop_id,
            origin=settings.origin,
            shard_identifier=settings.shard_identifier,
        )
        for mapping in compiled:
            for note in mapping.notes:
                self.logger.warning("%s", note)
        return compiled

    def _pass_over_or_stop(self) -> None:
        """Decide what a stream without a mapping gets, at its SCHEMA."""
        settings, name = self._receiver.settings, self.stream_name
        similar = near_miss(settings.declarations, name)
        mapped = _mapped(settings.declarations, similar)
        if name == MELTANO_TEST_STREAM:
            self.logger.info("The stream %s is Meltano's own test: its records are read and passed over.", name)
        elif settings.unmapped_streams == "error" or similar:
            problem = (
                f"No mapping matches the stream {name}. {mapped} Add one to `mappings`, deselect the stream in the "
                "tap, or set `unmapped_streams: ignore`."
            )
            raise MappingError([problem])
        else:
            self.logger.info("No mapping matches the stream %s: its records are passed over.", name)

    # --- the way of a record -------------------------------------------------------------------------------------

    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:
        """Hand over what becomes of a record: its events, or its rejection."""
        del context
        deleted = record.get("_sdc_deleted_at") is not None
        mappings = self._applying(deleted=deleted)
        reader = self._reader
        self._receiver.hand_over(
            self._intake.take(record, mappings, deleted=deleted, strange=reader.strange, size_bytes=reader.size_bytes)
        )

    def _applying(self, *, deleted: bool) -> Sequence[Mapping]:
        """The mappings that look at such a record."""
        mappings = self._mappings if self._fed_back.mapping is None else self._again()
        if not deleted:
            return mappings
        return [mapping for mapping in mappings if mapping.speaks_of_deleted]

    def _again(self) -> Sequence[Mapping]:
        """The mapping that a record was rejected by: the events of the others were made when it was first read.

        Raises:
            InputError: The stream has mappings, but not that one.
        """
        if not self._mappings:
            return ()
        label = self._fed_back.label_among(self._stream.names, self.stream_name)
        return [mapping for mapping in self._mappings if mapping.label == label]

    # --- what of the SDK's sink is switched off (each reason stands in target.py) --------------------------------

    def get_validator(self) -> None:
        """None: records are validated here, where a bad one can be rejected and the run go on."""

    def _parse_timestamps_in_record(self, *args: object, **kwargs: object) -> None:
        """Leave times as the tap wrote them."""

    def _singer_validate_message(self, record: dict[str, Any]) -> None:
        """Leave a missing key property to validation, which rejects the record and lets the run go on."""

    @property
    def include_sdc_metadata_properties(self) -> bool:
        """As the SDK has it, save for what is fed back: that keeps the `_sdc_*` columns that it has."""
        return super().include_sdc_metadata_properties and not self._is_fed_back

    def _remove_sdc_metadata_from_record(self, record: dict[str, Any]) -> None:
        """Leave `_sdc_*` columns as read: `_sdc_deleted_at` tells a deleted row."""

    def _remove_sdc_metadata_from_schema(self) -> None:
        """Leave the schema as read, like its records."""

    def _after_process_record(self, context: dict[str, Any]) -> None:
        """Do nothing for each record."""

    def process_batch(self, context: dict[str, Any]) -> None:
        """Nothing is left for it: each record is handed over as it's read."""

    @property
    def is_full(self) -> bool:
        """Never: batches are the target's, one for all streams in the order read."""
        return False


def _mapped(declarations: Sequence[Declaration], similar: str | None) -> str:
    """Say which streams have mappings, so that a name that is meant and written otherwise is seen."""
    if similar:
        return f"A mapping names {similar}, which differs only in case or punctuation."
    names = sorted({declaration.stream for declaration in declarations})
    return f"There are mappings for {', '.join(names[:MOST_NAMED])}{' and others' if names[MOST_NAMED:] else ''}."
