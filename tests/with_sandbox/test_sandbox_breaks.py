from __future__ import annotations

import contextlib
import http.client
import json
import time
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.sandbox.posting import EVENT, HEADERS, post, post_and_see, put

if TYPE_CHECKING:
    from tests.sandbox_process import Sandbox


@pytest.mark.parametrize("taken", [False, True])
def test_a_dropped_connection_is_a_reset_and_says_nothing_of_the_event(sandbox: Sandbox, taken: bool) -> None:  # noqa: FBT001 - pytest's
    put(sandbox, {"kind": "drop", "taken": taken})
    with pytest.raises(requests.ConnectionError, match="reset"):
        post_and_see(sandbox)
    assert len(sandbox.events()) == taken


def test_a_truncated_answer_announces_more_than_it_sends(sandbox: Sandbox) -> None:
    put(sandbox, {"kind": "truncate"})
    answer = post_and_see(sandbox)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        _ = answer.content
    assert len(sandbox.events()) == 1


def test_a_slow_answer_comes_whole_in_the_end(sandbox: Sandbox) -> None:
    put(sandbox, {"kind": "slow", "byte_seconds": 0.002})
    began = time.monotonic()
    assert post_and_see(sandbox).json()["contact"]["email"] == "ada@example.com"
    assert time.monotonic() - began > 0.2


def test_an_endless_answer_has_no_end(sandbox: Sandbox) -> None:
    put(sandbox, {"kind": "endless"})
    answer = post_and_see(sandbox)
    assert len(answer.raw.read(1_000_000)) == 1_000_000
    answer.close()


def test_garbage_is_no_http(sandbox: Sandbox) -> None:
    put(sandbox, {"kind": "garbage"})
    with pytest.raises(requests.ConnectionError) as raised:
        post_and_see(sandbox)
    assert "BadStatusLine" in str(raised.value)
    assert issubclass(http.client.BadStatusLine, http.client.HTTPException)


def test_silence_lasts_until_the_client_goes(sandbox: Sandbox) -> None:
    put(sandbox, {"kind": "silent"})
    with pytest.raises(requests.ReadTimeout):
        post_and_see(sandbox, timeout_seconds=0.5)
    put(sandbox)
    assert post_and_see(sandbox).status_code == 200


def test_half_of_what_a_truncated_answer_announces_comes(sandbox: Sandbox) -> None:
    put(sandbox, {"kind": "truncate"})
    connection = http.client.HTTPConnection(sandbox.base.removeprefix("http://"), timeout=10)
    with contextlib.closing(connection):
        connection.request("POST", "/v1/events/", json.dumps(EVENT), {**HEADERS, "Content-Type": "application/json"})
        answer = connection.getresponse()
        with pytest.raises(http.client.IncompleteRead) as cut:
            answer.read()
    assert len(cut.value.partial) == int(answer.headers["Content-Length"]) // 2 > 0


def test_a_refusal_is_broken_as_an_answer_is(sandbox: Sandbox) -> None:
    put(sandbox, {"kind": "slow", "byte_seconds": 0})
    answer = post(sandbox, {"name": ""})
    assert (answer.status_code, answer.json()["error"]["fields"][0]["field"]) == (422, "name")


@pytest.mark.parametrize("fault", [{"kind": "slow", "byte_seconds": 0.01}, {"kind": "endless"}, {"kind": "silent"}])
def test_nothing_goes_on_for_a_client_that_has_gone(sandbox: Sandbox, fault: dict[str, Any]) -> None:
    put(sandbox, fault)
    with contextlib.suppress(requests.ReadTimeout):
        post_and_see(sandbox, timeout_seconds=0.2).close()
    while sandbox.get("requests")["open"]:
        pass
    assert sandbox.requests()[0]["fault"] == fault["kind"]


def test_what_is_not_taken_is_answered_as_if_nothing_had_come(sandbox: Sandbox) -> None:
    put(sandbox, {"kind": "slow", "byte_seconds": 0, "taken": False})
    assert post(sandbox).json() == {"contact": None}
    assert sandbox.events() == []
