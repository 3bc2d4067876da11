from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.posting import post_and_see, put

if TYPE_CHECKING:
    from tests.sandbox_process import Sandbox


def logged(sandbox: Sandbox) -> list[tuple[Any, Any, Any]]:
    return [(request["fault"], request["status"], request["event_id"]) for request in sandbox.requests()]


def test_latency_keeps_the_answer_back_and_not_the_event(sandbox: Sandbox) -> None:
    put(sandbox, {"kind": "latency", "seconds": 0.5})
    began = time.monotonic()
    assert post_and_see(sandbox).status_code == 200
    assert time.monotonic() - began >= 0.5
    assert logged(sandbox) == [("latency", 200, 1)]


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_a_rate_limit_answers_429_and_when_to_come_again(sandbox: Sandbox, form: str) -> None:
    put(sandbox, {"kind": "rate_limit", "requests_per_second": 0.1, "burst": 1, "retry_after": form})
    assert post_and_see(sandbox).status_code == 200
    answer = post_and_see(sandbox)
    assert answer.status_code == 429
    told = answer.headers["Retry-After"]
    if form == "seconds":
        assert int(told) in {9, 10}
    else:
        wait = parsedate_to_datetime(told) - parsedate_to_datetime(answer.headers["Date"])
        assert 8 <= wait.total_seconds() <= 12
    assert len(sandbox.events()) == 1


@pytest.mark.parametrize("status", [204, 302, 400, 401, 404, 418, 429, 500, 501, 503, 599])
def test_any_status_can_be_answered(sandbox: Sandbox, status: int) -> None:
    put(sandbox, {"kind": "status", "status": status, "headers": {"X-Said": "so", "Location": "/elsewhere"}})
    answer = post_and_see(sandbox)
    assert answer.status_code == status
    assert answer.headers["X-Said"] == "so"
    assert sandbox.events() == []


def test_a_status_may_have_any_body_and_the_event_be_kept(sandbox: Sandbox) -> None:
    page = "<html>welcome to the hotel</html>"
    put(
        sandbox,
        {"kind": "status", "status": 200, "body": page, "headers": {"Content-Type": "text/html"}, "taken": True},
    )
    answer = post_and_see(sandbox)
    assert (answer.text, answer.headers["Content-Type"]) == (page, "text/html")
    assert logged(sandbox) == [("status", 200, 1)]


def test_a_request_that_is_open_when_all_is_cleared_is_forgotten_too(sandbox: Sandbox) -> None:
    put(sandbox, {"kind": "endless"})
    answer = post_and_see(sandbox)
    sandbox.clear()
    put(sandbox)
    answer.close()
    while sandbox.get("requests")["open"]:
        pass
    assert post_and_see(sandbox).status_code == 200
    assert logged(sandbox) == [(None, 200, 1)]


def test_only_those_that_match_meet_a_fault_and_only_so_often(sandbox: Sandbox) -> None:
    put(sandbox, {"kind": "status", "status": 503, "match": '"name": ?"bad"', "times": 2})
    statuses = [post_and_see(sandbox, name).status_code for name in ("good", "bad", "good", "bad", "bad")]
    assert statuses == [200, 503, 200, 503, 200]


def test_the_same_seed_meets_the_same_requests(sandbox: Sandbox) -> None:
    runs = []
    for _ in range(2):
        put(sandbox, {"kind": "status", "status": 500, "share": 0.5})
        runs.append([post_and_see(sandbox).status_code for _ in range(20)])
    assert runs[0] == runs[1]
    assert set(runs[0]) == {200, 500}
