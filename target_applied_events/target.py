"""The Singer shell: takes messages as the SDK reads them, hands them over to the run, and brings that to its end.

Seams of singer-sdk 0.54 that this program stands on, each pinned by a test in
tests/with_sandbox/test_target.py:

- `Target._process_record_message` calls, for each stream map, `_validate_and_parse`, `_singer_validate_message` and
  `process_record` of the sink. A sink whose `get_validator` returns None isn't validated by the SDK, which could only
  end the run or log the failure with the value in it.
- `Sink._parse_timestamps_in_record` turns date-times into datetime objects; overridden, they stay as read.
- `Sink._singer_validate_message` ends the run on a record without its key; overridden, validation rejects it.
- `Sink._remove_sdc_metadata_from_record` and `…_from_schema` take `_sdc_*` columns out; overridden, they stay.
- `_process_state_message` and `process_endofpipe` hold STATE until all is drained, five minutes or the end;
  overridden, STATE leaves when all before it is settled. `_handle_max_record_age` would drain by time.
- `mapper.stream_maps` holds what a stream's records go through, made at its SCHEMA; rejected records that are sent
  again went through it before, so theirs is a map that changes nothing.
- BATCH goes past validation and stream maps as one list; `_process_batch_message` is overridden, so that each of its
  records takes the way of a RECORD.
- `_handle_termination` drains inside the signal handler and exits 0; overridden, it only notes the signal.
- `message_reader_class` and `GenericSingerReader.process_lines`: our reader never waits on a quiet tap.
- `_validate_config` prints values of wrong settings; overridden for our own settings, which are checked by `Settings`.
"""

from __future__ import annotations

from functools import cached_property
from typing import IO, TYPE_CHECKING, Any, ClassVar

from singer_sdk import Target
from singer_sdk.exceptions import SingerSDKError
from singer_sdk.helpers.capabilities import PluginCapabilities, TargetCapabilities
from singer_sdk.mapper import SameRecordTransform

from target_applied_events.batch_files import batch_records
from target_applied_events.errors import SettingsError, StopReading, TargetError
from target_applied_events.handover import HeldState
from target_applied_events.interruption import Interruption
from target_applied_events.message_checks import check_record, check_schema
from target_applied_events.reader import Reader
from target_applied_events.rejected import FedBack, KeptFile
from target_applied_events.run import Run
from target_applied_events.settings import PROPERTIES, Settings
from target_applied_events.settings.sdk import misspelt, sdk_problems
from target_applied_events.sinks import EventSink, Receiver
from target_applied_events.stream_map import guard

if TYPE_CHECKING:
    from types import FrameType

    from singer_sdk.helpers.capabilities import CapabilitiesEnum


class TargetAppliedEvents(Target):
    """Singer target that delivers records to the Applied Labs events endpoint."""

    name = "target-applied-events"
    config_jsonschema: ClassVar[dict[str, Any]] = PROPERTIES.to_dict()
    default_sink_class = EventSink
    message_reader_class = Reader
    message_reader: Reader
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.BATCH,
        PluginCapabilities.STRUCTURED_LOGGING,
        TargetCapabilities.VALIDATE_RECORDS,
    ]
    offline: ClassVar[bool] = False
    """Whether nothing will be sent, so that neither key nor shop is needed."""

    @cached_property
    def interruption(self) -> Interruption:
        """Whether a signal asked the run to end."""
        return Interruption()

    @cached_property
    def settings(self) -> Settings:
        """What this program sees of the config.

        Raises:
            SettingsError: With every problem at once.
        """
        return Settings.read(self.config, offline=self.offline)

    @cached_property
    def fed_back(self) -> FedBack:
        """What of the input are rejected records that are sent again."""
        return FedBack()

    @cached_property
    def run(self) -> Run:
        """The run's parts; built, and the ledger opened, at first use."""
        run = Run(self.settings, version=self.plugin_version, check_interrupted=self.interruption.look)
        self.message_reader.on_pause = run.tick
        return run

    @property
    def receiver(self) -> Receiver:
        """What the sinks hand over to."""
        return self.run

    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Check all settings at once; the SDK's own check would print their values."""
        sdks: dict[str, Any] = {"properties": {}}
        self.append_builtin_config(sdks)
        mistakes, unknown = misspelt(self._config, sdks["properties"])
        problems = [*sdk_problems(self._config, sdks["properties"]), *mistakes]
        for name in unknown:
            self.logger.warning("%s is no setting of this target: it is ignored.", name)
        try:
            _ = self.settings
        except SettingsError as error:
            problems = [*error.problems, *problems]
        if problems and raise_errors:
            raise SettingsError(problems)
        return problems

    # --- messages ------------------------------------------------------------------------------------------------

    def _process_schema_message(self, message_dict: dict[str, Any]) -> None:
        self._assert_line_requires(message_dict, {"stream", "schema"})
        check_schema(message_dict)
        stream = message_dict["stream"]
        if self.fed_back.declare(message_dict):
            self._forget(stream)
        if stream in self.fed_back.streams:
            self._take_as_kept(message_dict)
        else:
            super()._process_schema_message(message_dict)
            guard(self.mapper.stream_maps.get(stream, []))
        for replaced in self._sinks_to_clear:
            replaced.clean_up()
        self._sinks_to_clear.clear()

    def _forget(self, stream: str) -> None:
        """Let what was made for a stream be made anew."""
        self.mapper.stream_maps.pop(stream, None)
        if (sink := self._sinks_active.pop(stream, None)) is not None:
            self._sinks_to_clear.append(sink)

    def _take_as_kept(self, message: dict[str, Any]) -> None:
        """Take a stream of rejected records: stream maps and flattening were applied before they were kept."""
        stream, schema, keys = message["stream"], message["schema"], message.get("key_properties")
        self.mapper.stream_maps[stream] = [SameRecordTransform(stream, schema, keys, None)]
        self.get_sink(stream, schema=schema, key_properties=keys)

    def _process_record_message(self, message_dict: dict[str, Any]) -> None:
        check_record(message_dict)
        self.fed_back.begin(message_dict)
        super()._process_record_message(message_dict)

    def _process_batch_message(self, message_dict: dict[str, Any]) -> None:
        """Let each record of the batch's files take the way of a RECORD, stream maps and validation included."""
        self._assert_line_requires(message_dict, {"stream", "encoding", "manifest"})
        storage = self.config.get("batch_config", {}).get("storage")
        reader, encoding, manifest = self.message_reader, message_dict["encoding"], message_dict["manifest"]
        for record in batch_records(encoding, manifest, storage, reader.parse, reader.on_pause):
            self._process_record_message({"type": "RECORD", "stream": message_dict["stream"], "record": record})

    def _process_state_message(self, message_dict: dict[str, Any]) -> None:
        """Hold the state until all before it is settled."""
        self._assert_line_requires(message_dict, {"value"})
        self.receiver.hand_over([HeldState(message_dict["value"], self.message_reader.size_bytes)])

    def _process_activate_version_message(self, message_dict: dict[str, Any]) -> None:
        """Pass over it: events that were delivered can't be taken back."""
        self.logger.debug("ACTIVATE_VERSION of the stream %s is passed over.", message_dict.get("stream"))

    def _handle_max_record_age(self) -> None:
        """Do nothing: a batch closes after 100 ms, not after five minutes."""

    def process_endofpipe(self) -> None:
        """Wait until all is settled and the last STATE has left.

        Raises:
            TargetError: What kept something from being delivered.
        """
        self.run.finish()
        for sink in self._sinks_active.values():
            sink.clean_up()

    # --- the run -------------------------------------------------------------------------------------------------

    def deliver(self, file_input: IO[str] | None = None) -> None:
        """Read the input to its end and deliver it.

        Raises:
            TargetError: What ended the run, or what it can't call a success.
        """
        kept = KeptFile.of_input(file_input, self.settings.data_dir / "rejected")
        self.message_reader.may_be_cut_off = kept is not None
        run = self.run  # the ledger is opened before any input is read
        failure: Exception | None = None
        try:
            self._read_and_deliver(file_input)
            if kept is None:
                run.tell_sharded_by_key()
                self.tell_unmet_mappings()
            else:
                run.end_input(kept)
            run.judge_rejected()
        except Exception as error:
            failure = error
            raise
        finally:
            run.close(failure)

    def _read_and_deliver(self, file_input: IO[str] | None) -> None:
        try:
            self.listen(file_input)
        except StopReading as asked:
            self.run.abort(asked)
            raise
        except (TargetError, SingerSDKError):
            self._deliver_what_was_read()
            raise

    def _deliver_what_was_read(self) -> None:
        """Bring what came before a bad line to its end; what the delivery itself ended on is known already."""
        try:
            self.run.finish()
        except StopReading as asked:
            self.run.abort(asked)
        except TargetError:
            self.logger.debug("The delivery had ended.")

    def tell_unmet_mappings(self) -> None:
        """Warn of each mapping that no stream of the input had a use for."""
        for declaration in self.settings.declarations:
            if declaration.label not in self.receiver.met:
                self.logger.warning(
                    "%s met no stream: %s didn't come. See its `stream`, and what the tap selects.",
                    declaration.label,
                    declaration.stream,
                )

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        del frame
        self.interruption.note(signum)
