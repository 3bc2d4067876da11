from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sandbox.posting import SHOP, post

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
