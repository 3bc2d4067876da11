"""Rejected records are listed, sent again once the mapping is mended, or given up for good."""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from target_applied_events.commands.rejected_runs import Group, LeftRuns
from tests.target_process import (
    API_KEY,
    PROGRAM,
    SIZED,
    SIZED_MENDED,
    Message,
    config,
    record,
    run_target,
    schema,
    state,
)
from tests.with_sandbox.forked_target import ForkedTarget

if TYPE_CHECKING:
    from tests.sandbox_process import Sandbox

SECRET = "a-value-that-no-log-may-show"
SCHEMA = schema("rows", {"id": {"type": "integer"}, "size": {"type": ["string", "null"]}})
ANOTHER: Message = {"stream": "rows", "name": "Another of {{ id }}", "contact": {"remote_id": "{{ id }}"}}
THIRD: Message = {"stream": "rows", "name": "Third of {{ id }}", "contact": {"remote_id": "{{ id }}"}}
MESSAGES = [
    SCHEMA,
    record("rows", id=1, size="1"),
    record("rows", id=2, size="x2"),
    record("rows", id=3, size="3"),
    record("rows", id=4, size="x4"),
    state(4),
]


def command(settings: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    whole = [str(PROGRAM), "rejected", "--config", str(settings), *arguments]
    done = subprocess.run(whole, capture_output=True, check=False, timeout=50, text=True)
    assert API_KEY not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def left(settings: Path) -> list[Group]:
    return list(LeftRuns(settings.parent / "data" / "rejected", None).groups())


def file_of(group: Group) -> str:
    assert group.file is not None
    return group.file


def names(sandbox: Sandbox) -> list[str]:
    return [event["body"]["name"] for event in sandbox.events()]


@pytest.fixture(scope="module")
def rejecting_run(_one_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a run left that delivered the rows 1 and 3 and rejected 2 and 4."""
    path = config(tmp_path_factory.mktemp("run"), _one_sandbox.url, [SIZED])
    _one_sandbox.put_faults({})
    _one_sandbox.clear()
    assert run_target(path, MESSAGES).status == 1
    assert sorted(names(_one_sandbox)) == ["Row 1", "Row 3"]
    return path.parent / "data"


@pytest.fixture
def settings(rejecting_run: Path, sandbox: Sandbox, tmp_path: Path) -> Path:
    """The config of such a run, whose endpoint has forgotten it."""
    shutil.copytree(rejecting_run, tmp_path / "data")
    return config(tmp_path, sandbox.url, [SIZED])


def mend(settings: Path, *mappings: Message, **others: object) -> None:
    settings.write_text(json.dumps(json.loads(settings.read_text()) | {"mappings": list(mappings), **others}))


def test_what_is_left_is_listed_by_run_stream_and_reason_and_ends_with_status_1(settings: Path) -> None:
    (kept,) = (settings.parent / "data" / "rejected").glob("*.jsonl")
    done = command(settings, "--format", "json")
    assert done.returncode == 1
    (group,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert group == {
        "run": kept.stem,
        "stream": "rows",
        "reason": "unmappable",
        "message": group["message"],
        "count": 2,
        "file": str(kept),
    }
    assert group["message"].startswith("$.metric.value: ")
    assert "2 rejected records left in" in done.stderr


def test_the_table_shows_the_same_and_never_a_value(settings: Path) -> None:
    done = command(settings)
    assert done.returncode == 1
    for shown in ("rows", "unmappable", "$.metric.value", " 2"):
        assert shown in done.stdout
    assert "x2" not in done.stdout


def test_with_nothing_left_it_ends_well_and_makes_no_directory(sandbox: Sandbox, tmp_path: Path) -> None:
    done = command(config(tmp_path, sandbox.url, [SIZED]))
    assert (done.returncode, done.stdout) == (0, "")
    assert not (tmp_path / "data").exists()


def test_fed_back_after_mending_exactly_the_missing_events_are_delivered_and_the_file_is_done(
    sandbox: Sandbox, settings: Path
) -> None:
    mend(settings, SIZED_MENDED, ledger_url="none")
    done = run_target(settings, b"", "--input", file_of(left(settings)[0]))
    assert done.status == 0, done.log
    assert sorted(names(sandbox)) == ["Row 2", "Row 4"]
    assert left(settings) == []


def test_fed_back_before_mending_they_are_rejected_anew_in_a_new_file(sandbox: Sandbox, settings: Path) -> None:
    (before,) = left(settings)
    assert run_target(settings, b"", "--input", file_of(before)).status == 1
    (after,) = left(settings)
    assert after.run != before.run
    assert after.count == 2
    assert names(sandbox) == []


def test_a_record_fed_back_goes_to_the_mapping_that_rejected_it_alone(sandbox: Sandbox, settings: Path) -> None:
    mend(settings, SIZED_MENDED, ANOTHER)
    assert run_target(settings, b"", "--input", file_of(left(settings)[0])).status == 0
    assert sorted(names(sandbox)) == ["Row 2", "Row 4"]


def test_an_invalid_record_fed_back_goes_to_all_mappings(sandbox: Sandbox, tmp_path: Path) -> None:
    settings = config(tmp_path, sandbox.url, [SIZED, ANOTHER])
    assert run_target(settings, [SCHEMA, record("rows", id=1, size=7)]).status == 1
    (group,) = left(settings)
    assert group.reason == "invalid"
    mend(settings, SIZED, ANOTHER, validate_records=False)
    assert run_target(settings, b"", "--input", file_of(group)).status == 0
    assert sorted(names(sandbox)) == ["Another of 1", "Row 1"]


def test_a_mapping_that_is_gone_stops_the_run_and_the_file_stays(sandbox: Sandbox, tmp_path: Path) -> None:
    settings = config(tmp_path, sandbox.url, [ANOTHER, SIZED])
    assert run_target(settings, MESSAGES).status == 1
    (group,) = left(settings)
    mend(settings, ANOTHER)
    done = run_target(settings, b"", "--input", file_of(group))
    assert done.status == 1
    assert "was rejected by mappings[1], which is none of the stream's mappings now" in done.log
    assert left(settings) == [group]


def test_a_mapping_put_in_front_while_mending_takes_nothing_from_the_one_that_rejected(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    settings = config(tmp_path, sandbox.url, [ANOTHER, SIZED])
    assert run_target(settings, MESSAGES).status == 1
    (group,) = left(settings)
    sandbox.clear()
    mend(settings, THIRD, ANOTHER, SIZED_MENDED)
    done = run_target(settings, b"", "--input", file_of(group))
    assert done.status == 0, done.log
    assert sorted(names(sandbox)) == ["Row 2", "Row 4"]
    assert done.log.count("mappings[1] rejected go to mappings[2], which has the name now that it had.") == 1
    assert left(settings) == []


def test_what_the_endpoint_refused_finds_its_mapping_by_name_too(sandbox: Sandbox, tmp_path: Path) -> None:
    settings = config(tmp_path, sandbox.url, [ANOTHER, SIZED])
    sandbox.put_faults({"faults": [{"kind": "status", "status": 422}]})
    assert run_target(settings, [SCHEMA, record("rows", id=1, size="1")]).status == 1
    (group,) = left(settings)
    sandbox.put_faults({})
    mend(settings, THIRD, ANOTHER, SIZED)
    assert run_target(settings, b"", "--input", file_of(group)).status == 0
    assert sorted(names(sandbox)) == ["Another of 1", "Row 1"]


def test_a_mapping_renamed_while_mending_is_taken_for_the_one_at_its_place_with_a_warning(
    sandbox: Sandbox, settings: Path
) -> None:
    (group,) = left(settings)
    mend(settings, SIZED_MENDED | {"name": "Size of {{ id }}"}, ANOTHER)
    done = run_target(settings, b"", "--input", file_of(group))
    assert done.status == 0, done.log
    assert sorted(names(sandbox)) == ["Size of 2", "Size of 4"]
    warning = 'when its name was "Row {{ id }}" go to the mapping at its place, which has the name "Size of {{ id }}"'
    assert done.log.count(warning) == 1


def test_several_mappings_of_the_name_stop_the_run_and_the_file_stays(sandbox: Sandbox, tmp_path: Path) -> None:
    settings = config(tmp_path, sandbox.url, [ANOTHER, SIZED])
    assert run_target(settings, MESSAGES).status == 1
    (group,) = left(settings)
    mend(settings, SIZED_MENDED, ANOTHER, SIZED_MENDED | {"when": "{{ id > 3 }}"})
    done = run_target(settings, b"", "--input", file_of(group))
    assert done.status == 1
    assert "several of the stream's mappings have its name now: mappings[0], mappings[2]" in done.log
    assert left(settings) == [group]


def test_stream_maps_and_flattening_are_not_applied_again(sandbox: Sandbox, tmp_path: Path) -> None:
    mapping = {
        "stream": "renamed",
        "name": "{{ shout }}",
        "contact": {"remote_id": "{{ id }}"},
        "metric": {"metric_name": "m", "value": "{{ a__b }}"},
    }
    nested = {"id": {"type": "integer"}, "a": {"type": "object", "properties": {"b": {"type": "string"}}}}
    settings = config(
        tmp_path,
        sandbox.url,
        [mapping],
        stream_maps={"rows": {"__alias__": "renamed", "shout": "'n' + str(id)", "id": "id + 1"}},
        flattening_enabled=True,
        flattening_max_depth=2,
    )
    assert run_target(settings, [schema("rows", nested), record("rows", id=1, a={"b": "x1"})]).status == 1
    mend(settings, mapping | {"metric": {"metric_name": "m", "value": "{{ a__b | replace('x', '') }}"}})
    done = run_target(settings, b"", "--input", file_of(left(settings)[0]))
    assert done.status == 0, done.log
    (event,) = sandbox.events()
    assert event["body"]["name"] == "n1"
    assert event["body"]["contact"] == {"remote_id": "2"}
    assert event["body"]["metric"]["value"] == 1


def test_a_tap_of_the_same_stream_after_rejected_records_goes_through_its_stream_maps(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    mapping = {"stream": "rows", "name": "{{ shout }}", "contact": {"remote_id": "{{ id }}"}}
    settings = config(tmp_path, sandbox.url, [mapping], stream_maps={"rows": {"shout": "'n' + str(id)"}})
    plain = schema("rows", {"id": {"type": "integer"}, "shout": {"type": "string"}})
    kept = plain | {"rejected": True}
    messages = [kept, record("rows", id=1, shout="as kept"), plain, record("rows", id=2, shout="as read"), kept]
    assert run_target(settings, [*messages, record("rows", id=3, shout="kept too")]).status == 0
    assert sorted(names(sandbox)) == ["as kept", "kept too", "n2"]


def test_sdc_columns_stay_as_they_were_kept(sandbox: Sandbox, tmp_path: Path) -> None:
    mapping = SIZED | {"description": "{{ _sdc_received_at }}"}
    settings = config(tmp_path, sandbox.url, [mapping], add_record_metadata=True)
    run_target(settings, [SCHEMA, record("rows", id=2, size="x2")])
    (group,) = left(settings)
    with Path(file_of(group)).open(encoding="utf-8") as file:
        kept = [json.loads(line) for line in file][1]["record"]["_sdc_received_at"]
    mend(settings, SIZED_MENDED | {"description": "{{ _sdc_received_at }}"})
    run_target(settings, b"", "--input", file_of(group))
    assert [event["body"]["description"] for event in sandbox.events()] == [kept]


def test_a_record_passed_over_keeps_its_file_from_being_done(sandbox: Sandbox, settings: Path) -> None:
    del sandbox
    (group,) = left(settings)
    mend(settings, SIZED | {"stream": "others"}, unmapped_streams="ignore")
    done = run_target(settings, b"", "--input", file_of(group))
    assert done.status == 0
    assert "isn't marked done: 2 of its records were passed over" in done.log
    assert left(settings) == [group]


def test_a_run_that_fails_leaves_the_file_that_it_was_fed(sandbox: Sandbox, settings: Path) -> None:
    (group,) = left(settings)
    mend(settings, SIZED_MENDED)
    sandbox.put_faults({"faults": [{"kind": "status", "status": 401}]})
    assert run_target(settings, b"", "--input", file_of(group)).status == 1
    assert left(settings) == [group]


def test_a_file_in_use_is_neither_fed_back_nor_given_up(settings: Path) -> None:
    (group,) = left(settings)
    with Path(file_of(group)).open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert "is in use" in run_target(settings, b"", "--input", file_of(group)).log
        assert "is in use" in command(settings, "--done", group.run).stderr
    assert left(settings) == [group]


def test_what_is_given_up_for_good_is_counted_when_it_comes_again_but_neither_kept_nor_held_against_the_limit(
    settings: Path,
) -> None:
    (group,) = left(settings)
    assert command(settings, "--done", group.run).stdout == "Gave up 2 rejected records for good.\n"
    assert left(settings) == []
    done = run_target(settings, MESSAGES)
    assert done.status == 0
    assert "rejected 2 (unmappable 2)" in done.log
    assert "`rejected --done` gave them up before: 2 of these records" in done.log
    assert left(settings) == []
    changed = run_target(settings, [SCHEMA, record("rows", id=2, size="x2!")])
    assert changed.status == 1
    assert [group.count for group in left(settings)] == [1]


def test_a_run_that_left_nothing_can_not_be_given_up(settings: Path) -> None:
    done = command(settings, "--done", "../done/some")
    assert done.returncode == 1
    assert "No rejected records of a run ../done/some are left" in done.stderr


def test_what_is_in_a_file_is_not_exported(settings: Path) -> None:
    (group,) = left(settings)
    done = command(settings, "--export", group.run)
    assert done.returncode == 1
    assert f"are in {group.file}" in done.stderr


def cut_off(group: Group) -> None:
    """Leave what a run does that is killed while it writes."""
    with Path(file_of(group)).open("ab") as file:
        file.write('{"type":"RECORD","stream":"rows","record":{"id":5,"size":"ü'.encode()[:-1])


def test_a_line_cut_off_by_a_kill_is_none_of_what_is_left(settings: Path) -> None:
    (group,) = left(settings)
    cut_off(group)
    assert left(settings) == [group]
    command(settings, "--done", group.run)
    assert left(settings) == []


def test_a_line_cut_off_by_a_kill_is_passed_over_when_its_file_is_fed_back(sandbox: Sandbox, settings: Path) -> None:
    (group,) = left(settings)
    cut_off(group)
    mend(settings, SIZED_MENDED)
    done = run_target(settings, b"", "--input", file_of(group))
    assert done.status == 0, done.log
    assert "Line 4 was cut off when the run that wrote it was killed" in done.log
    assert sorted(names(sandbox)) == ["Row 2", "Row 4"]
    assert left(settings) == []


def test_a_whole_line_that_is_no_json_is_shown_as_unreadable_and_ends_a_run_that_is_fed_it(settings: Path) -> None:
    (group,) = left(settings)
    with Path(file_of(group)).open("a", encoding="utf-8") as file:
        file.write('{"type":"RECORD","str\n')
    assert [(group.reason, group.count) for group in left(settings)] == [("unmappable", 2), ("unreadable", 1)]
    done = run_target(settings, b"", "--input", file_of(group))
    assert done.status == 1
    assert "Input line 4 can't be read as JSON" in done.log


def test_what_a_kill_cut_off_is_kept_by_the_next_run_and_its_file_can_be_fed_back(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    settings = config(tmp_path, sandbox.url, [SIZED])
    with ForkedTarget() as target:
        assert target.run(settings, MESSAGES, point=("amid write of rejected records", 1)).status == -9
    (file,) = (tmp_path / "data" / "rejected").glob("*.jsonl")
    assert not file.read_bytes().endswith(b"\n")
    assert run_target(settings, MESSAGES).status == 1
    assert sum(group.count for group in left(settings) if group.file != str(file)) == 2
    mend(settings, SIZED_MENDED)
    assert run_target(settings, b"", "--input", str(file)).status == 0
    assert not file.exists()
