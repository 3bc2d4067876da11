from __future__ import annotations

import http.client
import time
from typing import TYPE_CHECKING

import pytest
import requests

from tests.sandbox.posting import post_and_see, put

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
