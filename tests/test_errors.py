from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

import pytest

from target_applied_events.errors import (
    EndpointError,
    MappingError,
    SettingsError,
    StopReading,
    TargetError,
    said,
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("kind", [SettingsError, MappingError])
def test_all_problems_are_told_at_once_each_as_a_line_of_its_own(
    kind: type[SettingsError | MappingError],
) -> None:
    error = kind(["shop_id is missing.", "shard is wrong."])
    assert str(error) == "shop_id is missing.\nshard is wrong."
    assert error.problems == ("shop_id is missing.", "shard is wrong.")


def test_what_stops_a_run_is_caught_as_one_kind_and_none_of_it_ends_in_success() -> None:
    statuses = {kind.__name__: kind.exit_status for kind in TargetError.__subclasses__()}
    assert len(statuses) > 1
    assert {name: status for name, status in statuses.items() if status != 1} == {"SettingsError": 2}


@pytest.mark.parametrize("status", [1, 130, 143])
def test_who_is_asked_to_end_ends_with_the_status_of_what_asked(status: int) -> None:
    with pytest.raises(TargetError) as stopped:
        raise StopReading("asked to end.", status)
    assert (stopped.value.exit_status, str(stopped.value)) == (status, "asked to end.")


def test_what_an_endpoint_answered_is_kept_and_no_log_of_the_error_shows_it() -> None:
    details = {"key_properties": {"email": "ann@example.com"}, "response": "no such shop"}
    error = EndpointError("The endpoint refused the key.", details)
    assert error.details == details
    logged = "".join(traceback.format_exception(error))
    for shown in (str(error), repr(error), logged):
        assert "The endpoint refused the key." in shown
        assert "ann@example.com" not in shown
        assert "no such shop" not in shown


def test_an_endpoint_that_was_silent_leaves_no_details() -> None:
    assert EndpointError("The endpoint is down.").details == {}


def test_the_system_is_quoted_without_the_path_that_the_message_names_already(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="gone") as failed:
        (tmp_path / "gone").read_bytes()
    assert said(failed.value) == "No such file or directory"


def test_a_system_that_says_nothing_is_not_quoted_as_none() -> None:
    assert said(TimeoutError("timed out")) == "the system says no more"
