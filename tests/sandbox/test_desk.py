from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import pytest
import requests

from target_applied_events.sandbox.store import Store
from tests.sandbox.keeping import take
from tests.sandbox.posting import post, put
from tests.sandbox_process import running_sandbox

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox_process import Sandbox


def test_a_wrong_question_is_told_so(sandbox: Sandbox) -> None:
    wrong = ["limit=x", "limit=-1", "order=up", "after=x", "after=1.5", f"after={1 << 64}", "order=latest&after=1,x"]
    questions = [f"{what}?{asked}" for what in ("events", "requests") for asked in wrong]
    for question in [*questions, "requests?outcome=lost", "contacts?after=7", "contacts?after=nan,"]:
        answer = requests.get(f"{sandbox.base}/sandbox/{question}", timeout=10)
        assert answer.status_code == 422
        assert answer.json()["error"]["message"]


def test_wrong_faults_are_told_so_and_those_in_force_stay(sandbox: Sandbox) -> None:
    sandbox.put_faults({"faults": [{"kind": "latency", "seconds": 0}]})
    wrong: list[Any] = [[], {"faults": [{"kind": "x"}]}, {"seed": "1"}, {"other": 1}]
    for declared in wrong:
        answer = requests.put(f"{sandbox.base}/sandbox/faults", json=declared, timeout=10)
        assert answer.status_code == 422
        assert answer.json()["error"]["message"]
    assert [fault["kind"] for fault in sandbox.get("faults")["faults"]] == ["latency"]


def test_the_page_loads_nothing_from_elsewhere(sandbox: Sandbox) -> None:
    page = requests.get(f"{sandbox.base}/", timeout=10)
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for path in ("/page.css", "/page.js", "/parts.js", "/timelines.js", "/favicon.svg"):
        asset = requests.get(f"{sandbox.base}{path}", timeout=10)
        assert asset.status_code == 200
        outside = asset.text.replace("http://www.w3.org/", "")
        assert "http://" not in outside
        assert "https://" not in outside


def test_the_stream_tells_at_once_that_something_came(sandbox: Sandbox) -> None:
    with requests.get(f"{sandbox.base}/sandbox/live", stream=True, timeout=10) as stream:
        lines = stream.iter_lines(chunk_size=1)
        pulses = (json.loads(line.removeprefix(b"data: ")) for line in lines if line.startswith(b"data: "))
        assert next(pulses)["events"] == 0
        post(sandbox)
        assert next(pulse for pulse in pulses if pulse["events"])["contacts"] == 1


def test_looking_leaves_no_trace(sandbox: Sandbox) -> None:
    for what in ("events", "contacts", "metrics", "requests", "faults"):
        sandbox.get(what)
    assert sandbox.requests() == []


def test_what_each_fault_has_left_is_told(sandbox: Sandbox) -> None:
    put(sandbox, {"kind": "status", "status": 503, "times": 3}, {"kind": "latency", "seconds": 0})
    post(sandbox)
    told = sandbox.get("faults")["faults"]
    assert [(fault["kind"], fault["times"], fault["left"]) for fault in told] == [
        ("status", 3, 2),
        ("latency", None, None),
    ]


def test_every_kind_is_told_as_it_can_be_put(sandbox: Sandbox) -> None:
    kinds = sandbox.get("faults")["kinds"]
    put(sandbox, *kinds.values())
    told = sandbox.get("faults")["faults"]
    assert [fault["kind"] for fault in told] == list(kinds)
    assert [{name: fault[name] for name in fault if name != "left"} for fault in told] == list(kinds.values())


def test_clearing_forgets_what_came_and_leaves_the_faults_in_force(sandbox: Sandbox) -> None:
    put(sandbox, {"kind": "latency", "seconds": 0})
    post(sandbox, {"name": "x", "contact": {"email": "a@b.c"}, "metric": {"metric_name": "m"}})
    assert requests.delete(f"{sandbox.base}/sandbox", timeout=10).status_code == 204
    assert [sandbox.get(what)[what] for what in ("events", "contacts", "metrics", "requests")] == [[], [], [], []]
    assert [fault["kind"] for fault in sandbox.get("faults")["faults"]] == ["latency"]


def test_a_part_of_a_list_has_one_row_at_least_and_a_thousand_at_most(tmp_path: Path) -> None:
    kept = str(tmp_path / "kept.sqlite")
    with contextlib.closing(Store(kept)) as store:
        for _ in range(1001):
            take(store, metric={"metric_name": "m"})
    with running_sandbox("--data", kept) as filled:
        assert [len(filled.get("events", limit=limit)["events"]) for limit in (0, 7, 10**12)] == [1, 7, 1000]
        assert len(filled.get("events")["events"]) == 100
        assert [event["id"] for event in filled.events()] == list(range(1, 1002))


@pytest.mark.parametrize("path", ["/", "/page.js", "/sandbox/events", "/sandbox/events?limit=x", "/sandbox/nowhere"])
def test_no_answer_can_be_framed_sniffed_or_kept(sandbox: Sandbox, path: str) -> None:
    headers = requests.get(f"{sandbox.base}{path}", timeout=10).headers
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert (headers["x-content-type-options"], headers["cache-control"]) == ("nosniff", "no-store")
