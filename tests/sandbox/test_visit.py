from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.sandbox.posting import SHOP, post, put

if TYPE_CHECKING:
    from tests.sandbox_process import Sandbox


def test_a_request_carries_when_it_came_and_what_became_of_it(sandbox: Sandbox) -> None:
    post(sandbox)
    [request] = sandbox.requests()
    [event] = sandbox.events()
    assert request["status"] == 200
    assert (request["id"], request["event_id"]) == (event["request_id"], event["id"])
    assert request["shop_id"] == SHOP
    assert request["started"] <= request["finished"]


TAKEN, REFUSED = {"name": "x", "contact": {"email": "a@b.c"}}, {"name": ""}
STATUS: dict[str, Any] = {"kind": "status", "status": 503}


@pytest.mark.parametrize(
    ("faults", "body", "noted"),
    [
        ([], TAKEN, {"status": 200, "event_id": 1}),
        ([], REFUSED, {"status": 422, "refused": True, "body": json.dumps(REFUSED)}),
        ([STATUS], TAKEN, {"status": 503, "fault": "status", "body": json.dumps(TAKEN)}),
        ([{**STATUS, "taken": True}], TAKEN, {"status": 503, "fault": "status", "event_id": 1}),
        ([{"kind": "latency", "seconds": 0}], TAKEN, {"status": 200, "fault": "latency", "event_id": 1}),
        ([{"kind": "drop", "taken": True}], TAKEN, {"fault": "drop", "event_id": 1}),
        (
            [{"kind": "latency", "seconds": 0}, {"kind": "garbage"}],
            TAKEN,
            {"fault": "latency, garbage", "body": json.dumps(TAKEN)},
        ),
    ],
)
def test_a_request_is_logged_by_what_came_back_by_the_faults_it_met_and_by_its_event_or_its_body(
    sandbox: Sandbox, faults: list[dict[str, Any]], body: dict[str, Any], noted: dict[str, Any]
) -> None:
    put(sandbox, *faults)
    with contextlib.suppress(requests.ConnectionError):
        post(sandbox, body)
    [request] = sandbox.requests()
    usual = {"status": None, "fault": None, "refused": False, "event_id": None, "body": None}
    assert {**request, "refused": bool(request["problems"])}.items() >= (usual | noted).items()


def test_a_request_that_is_none_is_logged_by_its_method_and_path_and_where_it_came_from(sandbox: Sandbox) -> None:
    requests.put(f"{sandbox.base}/v1/nothing", headers={"X-Shop-Id": "as it came"}, timeout=10)
    [request] = sandbox.requests()
    assert (request["method"], request["path"], request["shop_id"]) == ("PUT", "/v1/nothing", None)
    assert request["client"].startswith("127.0.0.1:")
    assert request["problems"][0]["field"] == "path"
