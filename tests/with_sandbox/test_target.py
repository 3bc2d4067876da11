"""The SDK's own standard tests, and each seam of the SDK that this program stands on, pinned.

A seam's test looks at the SDK's own code, not at ours: it fails when an SDK does something else at that place.
"""

from __future__ import annotations

import inspect
import io
import signal
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk import Target
from singer_sdk.plugin_base import BaseSingerReader, PluginBase
from singer_sdk.singerlib.encoding.base import GenericSingerReader
from singer_sdk.sinks import BatchSink, Sink
from singer_sdk.testing.runners import TargetTestRunner
from singer_sdk.testing.suites import target_tests
from singer_sdk.testing.target_tests import TargetMultipleStateMessages, TargetRecordMissingKeyProperty

from target_applied_events.errors import StopReading
from target_applied_events.target import TargetAppliedEvents
from tests.in_process import handlers_put_back
from tests.target_process import SHOP, as_lines, record, schema, state

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.sandbox_process import Sandbox

ANY_STREAM = {"stream": "*", "name": "A row of {{ stream }}", "metric": {"metric_name": "rows"}}
"""A mapping for whatever the SDK's tests send."""


@pytest.fixture
def settings(sandbox: Sandbox, tmp_path: Path) -> dict[str, Any]:
    return {
        "api_key": "AL-test",
        "shop_id": SHOP,
        "api_url": sandbox.url,
        "data_dir": str(tmp_path),
        "mappings": [ANY_STREAM],
    }


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    with handlers_put_back():
        yield


STANDARD = [test for test in target_tests.tests if test is not TargetRecordMissingKeyProperty]
"""All but one: the SDK wants a record without its key to end the run; here it is rejected and the run goes on."""


class ClosingTarget(TargetAppliedEvents):
    """Closes its run at the end of the input, as the command does."""

    def process_endofpipe(self) -> None:
        super().process_endofpipe()
        self.run.close(None)


@pytest.fixture
def runner(settings: dict[str, Any]) -> Iterator[TargetTestRunner]:
    """The SDK's runner, whose input file nobody else closes."""
    runner = TargetTestRunner(ClosingTarget, config=settings)
    yield runner
    if runner.target_input is not None:
        runner.target_input.close()


@pytest.mark.parametrize("standard", STANDARD, ids=lambda test: str(test.name))
def test_the_sdks_standard_tests_pass(standard: Any, runner: TargetTestRunner) -> None:  # noqa: ANN401 - a test class
    standard().run(None, None, runner)


def test_of_several_states_the_last_always_leaves(runner: TargetTestRunner) -> None:
    """The SDK's own test of this wants each; here at most one a second leaves."""
    runner.input_filepath = TargetMultipleStateMessages().singer_filepath
    runner.sync_all()
    assert runner.state_messages[-1] == {"test_multiple_state_messages_a": 5, "test_multiple_state_messages_b": 6}


def test_a_record_without_its_key_is_rejected_and_the_run_goes_on(settings: dict[str, Any], sandbox: Sandbox) -> None:
    target = ClosingTarget(config=settings)
    rows = [record("rows", name="no key"), record("rows", id=2)]
    messages = as_lines([schema("rows", {"id": {"type": "integer"}}), *rows, state("end")]).decode()
    with redirect_stdout(io.StringIO()) as out:
        target.listen(io.StringIO(messages))
    assert out.getvalue() == '"end"\n'
    assert len(sandbox.events()) == 1


# --- the seams -------------------------------------------------------------------------------------------------------


class Recorder(BatchSink):
    """A sink of the SDK's own that keeps what reaches it."""

    seen: list[dict[str, Any]]

    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:
        del context
        type(self).seen.append(record)

    def process_batch(self, context: dict[str, Any]) -> None:
        type(self).seen.extend(context.get("records", []))


class PlainTarget(Target):
    """A target of the SDK's own."""

    name = "target-plain"
    default_sink_class = Recorder


STAMPED = schema("rows", {"id": {"type": "integer"}, "at": {"type": "string", "format": "date-time"}})


def sdk_run(messages: list[dict[str, Any]], sink: type[Recorder] = Recorder) -> tuple[list[dict[str, Any]], str]:
    sink.seen = []
    target = type("OneTarget", (PlainTarget,), {"default_sink_class": sink})(config={})
    with redirect_stdout(io.StringIO()) as out:
        target.listen(io.StringIO(as_lines(messages).decode()))
    return sink.seen, out.getvalue()


def test_seam_the_sdk_makes_datetimes_where_parse_timestamps_is_not_overridden() -> None:
    message = record("rows", id=1, at="2026-04-07T14:30:00Z")
    seen, _ = sdk_run([STAMPED, message])
    assert not isinstance(seen[0]["at"], str)

    class Plain(Recorder):
        def _parse_timestamps_in_record(self, *args: object, **kwargs: object) -> None: ...

    seen, _ = sdk_run([STAMPED, message], Plain)
    assert seen[0]["at"] == "2026-04-07T14:30:00Z"


def test_seam_the_sdk_takes_sdc_columns_out_where_it_is_not_overridden() -> None:
    message = record("rows", id=1, _sdc_deleted_at="2026-04-07T14:30:00Z")
    seen, _ = sdk_run([STAMPED, message])
    assert "_sdc_deleted_at" not in seen[0]

    class Whole(Recorder):
        def _remove_sdc_metadata_from_record(self, record: dict[str, Any]) -> None: ...

    seen, _ = sdk_run([STAMPED, message], Whole)
    assert seen[0]["_sdc_deleted_at"] == "2026-04-07T14:30:00Z"


def test_seam_the_sdk_ends_the_run_on_a_missing_key_where_it_is_not_overridden() -> None:
    with pytest.raises(Exception, match="missing one or more key_properties"):
        sdk_run([STAMPED, record("rows", at="2026-04-07T14:30:00Z")])

    class Lenient(Recorder):
        def _singer_validate_message(self, record: dict[str, Any]) -> None: ...

    seen, _ = sdk_run([STAMPED, record("rows", at="2026-04-07T14:30:00Z")], Lenient)
    assert len(seen) == 1


def test_seam_a_sink_without_a_validator_is_not_validated() -> None:
    class Unvalidated(Recorder):
        def get_validator(self) -> None: ...

    seen, _ = sdk_run([STAMPED, record("rows", id="no integer")], Unvalidated)
    assert len(seen) == 1


def test_seam_state_goes_through_the_two_methods_that_are_overridden() -> None:
    _, out = sdk_run([STAMPED, state(1), record("rows", id=1), state(2)])
    assert out == "2\n"
    assert "_process_state_message" in inspect.getsource(BaseSingerReader.process_lines)
    assert "self.process_endofpipe()" in inspect.getsource(BaseSingerReader.listen)
    assert "self._handle_max_record_age()" in inspect.getsource(Target._process_record_message)  # noqa: SLF001 - a seam


def test_seam_the_reader_is_asked_for_all_lines_at_once() -> None:
    assert "self.message_reader.process_lines(" in inspect.getsource(BaseSingerReader.process_lines)
    assert not hasattr(GenericSingerReader.process_lines, "__final__")


def test_seam_batches_skip_validation_and_come_as_one_list(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"id": "no integer"}\n{"id": 2}\n')
    manifest = [(tmp_path / "rows.jsonl").as_uri()]
    batch = {"type": "BATCH", "stream": "rows", "encoding": {"format": "jsonl"}, "manifest": manifest}
    seen, _ = sdk_run([STAMPED, batch])
    assert [row["id"] for row in seen] == ["no integer", 2]


def test_seam_signals_reach_the_method_that_is_overridden() -> None:
    assert inspect.getsource(PluginBase._setup_signal_handlers).count("self._handle_termination") == 2  # noqa: SLF001 - a seam


def test_seam_config_is_checked_by_the_method_that_is_overridden() -> None:
    assert "self._validate_config(raise_errors=validate_config)" in inspect.getsource(PluginBase.__init__)


def test_every_method_that_a_sink_or_target_overrides_is_still_the_sdks() -> None:
    """A renamed hook would be overridden in vain: nothing would call it."""
    from target_applied_events.sinks import EventSink  # noqa: PLC0415 - beside its only use

    ours = {TargetAppliedEvents: Target, EventSink: Sink}
    for own, sdk in ours.items():
        section = inspect.getsource(own)
        hooks = [name for name in vars(own) if f"def {name}(" in section and name in SDK_HOOKS]
        assert hooks
        assert all(hasattr(sdk, name) for name in hooks)
    assert all(hasattr(Target, name) or hasattr(Sink, name) for name in SDK_HOOKS)


SDK_HOOKS = frozenset(
    {
        "_after_process_record",
        "_handle_max_record_age",
        "_handle_termination",
        "_parse_timestamps_in_record",
        "_process_activate_version_message",
        "_process_batch_message",
        "_process_record_message",
        "_process_schema_message",
        "_process_state_message",
        "_remove_sdc_metadata_from_record",
        "_remove_sdc_metadata_from_schema",
        "_singer_validate_message",
        "_validate_config",
        "get_validator",
        "is_full",
        "process_batch",
        "process_endofpipe",
        "process_record",
    }
)


def test_a_signal_is_noted_and_nothing_else(settings: dict[str, Any]) -> None:
    target = TargetAppliedEvents(config=settings)
    target._handle_termination(signal.SIGTERM, None)  # noqa: SLF001 - what the system calls
    with pytest.raises(StopReading, match=r"^Ended by SIGTERM: "):
        target.interruption.look()
