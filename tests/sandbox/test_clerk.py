from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_applied_events.sandbox.clerk import Clerk, Request
from target_applied_events.sandbox.contract import Rules
from target_applied_events.sandbox.store import Store
from target_applied_events.sandbox.visit import Visit
from tests.sandbox.keeping import OTHER_SHOP, SHOP, contacts, take

if TYPE_CHECKING:
    from target_applied_events.sandbox.answers import Answer

GOOD = {"authorization": "Bearer ALabc", "x-shop-id": SHOP, "content-type": "application/json"}
EVENT = b'{"name": "x", "contact": {"email": "ada@example.com"}}'


def deal(
    store: Store,
    what: Literal["events", "contacts"] = "events",
    raw: bytes = EVENT,
    query: str = "",
    headers: dict[str, str] = GOOD,
) -> tuple[Answer, Visit]:
    visit = Visit(7, 1000.0, 0.0, "POST", "/v1/events/", None)
    return Clerk(store, Rules()).deal(Request(what, headers, query, raw), visit), visit


def told(answer: Answer) -> Any:  # noqa: ANN401 - any JSON
    return json.loads(answer.body)


def test_what_is_taken_is_noted_with_its_event_and_answered_with_its_contact(store: Store) -> None:
    answer, visit = deal(store)
    [contact] = contacts(store)
    assert answer.status == 200
    assert told(answer)["contact"]["id"] == contact["id"]
    assert (visit.event_id, visit.problems) == (1, None)


@pytest.mark.parametrize(
    ("wrong", "status", "field"),
    [
        ({"headers": GOOD | {"authorization": "Bearer sk-x"}}, 401, "Authorization"),
        ({"headers": GOOD | {"x-shop-id": "my-shop"}}, 422, "X-Shop-Id"),
        ({"headers": GOOD | {"content-type": "text/plain"}}, 415, "Content-Type"),
        ({"raw": b"{"}, 400, "body"),
        ({"raw": b'{"name": "x", "metric": {}}'}, 422, "metric.metric_name"),
        ({"what": "contacts", "query": "limit=0"}, 422, "limit"),
        ({"what": "contacts", "query": "cursor=x"}, 422, "cursor"),
    ],
)
def test_whatever_is_refused_is_noted_with_its_reason_and_leaves_nothing(
    store: Store, wrong: dict[str, Any], status: int, field: str
) -> None:
    answer, visit = deal(store, **wrong)
    assert answer.status == status
    assert [problem["field"] for problem in told(answer)["error"]["fields"]] == [field]
    assert json.loads(visit.problems or "") == told(answer)["error"]["fields"]
    assert (store.events, store.contacts, visit.event_id) == (0, 0, None)


def test_a_key_is_looked_at_before_all_else_and_a_body_last(store: Store) -> None:
    wrong = {"authorization": "x", "x-shop-id": "x", "content-type": "x"}
    statuses = []
    for name in [*wrong, "nothing"]:
        statuses.append(deal(store, raw=b"{", headers=GOOD | wrong)[0].status)
        wrong.pop(name, None)
    assert statuses == [401, 422, 415, 400]


def test_a_shop_is_the_same_in_capitals(store: Store) -> None:
    deal(store, headers=GOOD | {"x-shop-id": SHOP.upper()})
    deal(store)
    assert store.contacts == 1


def test_contacts_are_those_of_the_shop_alone_and_make_no_event(store: Store) -> None:
    ours = take(store, contact={"email": "ada@example.com"})
    take(store, shop=OTHER_SHOP, contact={"email": "ada@example.com"})
    answer, visit = deal(store, "contacts", query=urlencode({"email": "ADA@example.com"}))
    assert [contact["id"] for contact in told(answer)["contacts"]] == [ours]
    assert visit.event_id is None


@given(st.integers(0, 7), st.integers(1, 4))
def test_cursors_lead_through_all_contacts_once_and_end(count: int, limit: int) -> None:
    store = Store()
    made = [take(store, contact={"remote_id": str(number)}) for number in range(count)]
    listed: list[str] = []
    asked: dict[str, Any] = {"limit": limit}
    while True:
        page = told(deal(store, "contacts", query=urlencode(asked))[0])
        assert len(page["contacts"]) <= limit
        listed += [contact["id"] for contact in page["contacts"]]
        if page["next_cursor"] is None:
            break
        asked["cursor"] = page["next_cursor"]
    assert listed == made
    store.close()


def test_a_list_holds_fifty_where_no_limit_is_asked_for(store: Store) -> None:
    for number in range(51):
        take(store, contact={"remote_id": str(number)})
    assert len(told(deal(store, "contacts")[0])["contacts"]) == 50
