from __future__ import annotations

import json
import logging
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from target_applied_events.errors import InternalError, LedgerError, RejectedRecordsError, StopReading
from target_applied_events.event import Event, Rejection
from target_applied_events.handover import HeldState, Pending, RejectedRecord, Stream, Tally
from target_applied_events.run import BATCH_SECONDS, Run
from target_applied_events.settings import Settings
from tests.target_process import API_KEY, SHOP

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.sandbox_process import Sandbox

ROWS = Stream("rows", {}, ("id",))
MAPPING = {"stream": "rows", "name": "Row {{ id }}", "contact": {"remote_id": "{{ id }}"}}


def pending(number: int) -> Pending:
    body = json.dumps({"name": f"Row {number}", "contact": {"remote_id": str(number)}}).encode()
    event = Event("rows", "mappings[0]", SHOP, body, number.to_bytes(16, "big"), (), {"id": number}, {"id": number})
    return Pending(event, ROWS, Tally())


def invalid(number: int) -> RejectedRecord:
    return RejectedRecord(ROWS, {"id": number}, Rejection("invalid"), Tally())


def built(
    sandbox: Sandbox,
    folder: Path,
    check_interrupted: Callable[[], None] = lambda: None,
    **more: Any,  # noqa: ANN401 - any JSON
) -> Run:
    whole = {"api_key": API_KEY, "shop_id": SHOP, "api_url": sandbox.url, "mappings": [MAPPING], **more}
    settings = Settings.read({"data_dir": str(folder / "data"), **whole})
    return Run(settings, version="1", check_interrupted=check_interrupted)


@contextmanager
def running(sandbox: Sandbox, folder: Path, **more: Any) -> Iterator[Run]:  # noqa: ANN401 - any JSON
    run = built(sandbox, folder, **more)
    try:
        yield run
    finally:
        run.close(None)


def hand_over(run: Run, *items: Pending | RejectedRecord | HeldState) -> None:
    for item in items:
        run.summary.read += not isinstance(item, HeldState)
        run.hand_over([item])


def test_a_batch_closes_when_it_is_full(sandbox: Sandbox, tmp_path: Path) -> None:
    with running(sandbox, tmp_path, batch_size_rows=2) as run:
        hand_over(run, pending(1), pending(2), pending(3))
        assert repr(run).startswith(f"<Run {run.run_id} batch=1 ")
        while len(sandbox.events()) < 2:
            pass
        run.finish()
    assert len(sandbox.events()) == 3


def test_a_batch_closes_when_it_has_waited_a_tenth_of_a_second(sandbox: Sandbox, tmp_path: Path) -> None:
    assert BATCH_SECONDS == 0.1
    with running(sandbox, tmp_path) as run:
        hand_over(run, pending(1))
        run.tick()
        while "batch=0" not in repr(run):
            run.tick()
        while not sandbox.events():
            pass


def test_finishing_delivers_all_and_lets_the_last_state_leave(
    sandbox: Sandbox, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with running(sandbox, tmp_path) as run:
        hand_over(run, pending(1), HeldState("between"), pending(2), HeldState({"at": 2}))
        run.finish()
        snapshot = run.snapshot()
        assert (snapshot.read, snapshot.delivered, snapshot.unsettled, snapshot.in_flight) == (2, 2, 0, 0)
    assert capfd.readouterr().out.splitlines()[-1] == '{"at": 2}'
    assert {event["body"]["name"] for event in sandbox.events()} == {"Row 1", "Row 2"}


def test_whoever_hands_over_is_stopped_where_the_run_is_asked_to_end(sandbox: Sandbox, tmp_path: Path) -> None:
    asked = StopReading("asked", 143)

    def stop() -> None:
        raise asked

    run = built(sandbox, tmp_path, check_interrupted=stop)
    hand_over(run, pending(1))
    with pytest.raises(StopReading):
        run.tick()
    run.abort(asked)
    run.close(asked)
    assert sandbox.events() == []
    [report] = (tmp_path / "data" / "runs").glob("*.json")
    told = json.loads(report.read_text())
    assert (told["run"], told["error"], told["summary"]["unsettled"]) == (run.run_id, "asked", 1)


def test_what_one_record_came_to_is_in_the_accounts_though_the_run_ends_while_it_is_handed_over(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    asked = StopReading("asked", 143)
    run = built(sandbox, tmp_path, batch_size_rows=1)
    run.abort(asked)
    run.summary.read += 3
    with pytest.raises(StopReading):
        run.hand_over([pending(1), pending(2), pending(3)])
    run.close(None)
    assert repr(run).startswith(f"<Run {run.run_id} batch=3 ")


def test_a_run_that_is_closed_before_its_end_sends_nothing_more_and_notes_what_it_sent(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    run = built(sandbox, tmp_path, batch_size_rows=1, max_concurrency=1)
    hand_over(run, *map(pending, range(200)))
    while not sandbox.events():
        pass
    run.close(ValueError("unforeseen"))
    sent = len(sandbox.requests())
    assert 0 < sent == run.summary.delivered < 200
    assert len(sandbox.requests()) == sent


def test_what_ended_a_run_is_told_even_where_its_accounts_do_not_add_up(
    sandbox: Sandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = built(sandbox, tmp_path)
    run.finish()
    run.summary.read += 1
    run.close(RejectedRecordsError("a disk is full"))
    assert "The accounts don't add up: read 1, settled 0, unsettled 0." in caplog.text


def test_accounts_that_do_not_add_up_are_a_mistake_of_the_program(sandbox: Sandbox, tmp_path: Path) -> None:
    run = built(sandbox, tmp_path)
    hand_over(run, pending(1))
    run.finish()
    run.summary.read += 1
    with pytest.raises(InternalError, match=r"read 2, settled 1, unsettled 0"):
        run.close(None)


def test_more_rejected_records_than_allowed_are_held_against_the_run_and_where_they_are_is_told(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    with running(sandbox, tmp_path, max_rejected=1) as run:
        hand_over(run, invalid(1), invalid(2))
        run.finish()
        kept = re.escape(str(tmp_path / "data" / "rejected" / f"{run.run_id}.jsonl"))
        with pytest.raises(RejectedRecordsError, match=rf"\(2\) than max_rejected allows \(1\).*--input {kept}`"):
            run.judge_rejected()


def test_as_many_rejected_records_as_allowed_are_not(sandbox: Sandbox, tmp_path: Path) -> None:
    with running(sandbox, tmp_path, max_rejected=2) as run:
        hand_over(run, invalid(1), invalid(2))
        run.finish()
        run.judge_rejected()


def test_a_new_ledger_is_a_warning_and_one_that_was_there_is_not(
    sandbox: Sandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        for _ in range(2):
            with running(sandbox, tmp_path) as run:
                run.finish()
    levels = [line.levelno for line in caplog.records if line.getMessage().startswith("The ledger: ")]
    assert levels == [logging.WARNING, logging.INFO]


def test_a_ledger_that_cannot_be_opened_ends_it_before_anything_is_sent(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no ledger" * 200)
    with pytest.raises(LedgerError):
        built(sandbox, tmp_path, ledger_url=f"sqlite:///{tmp_path}/text")
    assert sandbox.requests() == []


def test_what_two_runs_leave_bears_their_own_names(sandbox: Sandbox, tmp_path: Path) -> None:
    names = set()
    for _ in range(2):
        with running(sandbox, tmp_path) as run:
            names.add(run.run_id)
            run.finish()
    assert {path.stem for path in (tmp_path / "data" / "runs").glob("*.json")} == names
    assert len(names) == 2
