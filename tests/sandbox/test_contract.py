from __future__ import annotations

import pytest

from target_applied_events.sandbox.contract import (
    Refusal,
    Rules,
    check_content_type,
    check_headers,
    check_query,
    check_route,
)

SHOP = "66e4a5f0-0000-4000-8000-000000000001"
HEADERS = {"authorization": "Bearer ALabc", "x-shop-id": SHOP, "content-type": "application/json"}


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        ("Bearer ALabc", None),
        ("bearer ALabc", None),
        ("Bearer sk-1", 401),
        ("Bearer ", 401),
        ("Basic ALx", 401),
        ("", 401),
    ],
)
def test_a_key_is_a_bearer_key_that_begins_with_al(authorization: str, status: int | None) -> None:
    outcome = check_headers(HEADERS | {"authorization": authorization}, Rules())
    assert (outcome.status if outcome else None) == status


def test_the_key_that_was_given_is_the_only_good_one() -> None:
    assert check_headers(HEADERS, Rules(api_key="ALabc")) is None
    assert check_headers(HEADERS, Rules(api_key="ALabcd")) is not None


def test_a_refused_key_is_not_repeated() -> None:
    outcome = check_headers(HEADERS | {"authorization": "Bearer hush"}, Rules(api_key="ALsecret"))
    assert "hush" not in repr(outcome)
    assert "ALsecret" not in repr(outcome)


@pytest.mark.parametrize("shop", ["", "shop", SHOP + "0", SHOP.replace("-", ""), "{" + SHOP + "}"])
def test_a_shop_is_a_uuid(shop: str) -> None:
    outcome = check_headers(HEADERS | {"x-shop-id": shop}, Rules())
    assert outcome is not None
    assert (outcome.status, outcome.problems[0].field) == (422, "X-Shop-Id")


def test_a_content_type_may_have_a_charset() -> None:
    assert check_content_type({"content-type": "application/json; charset=utf-8"}) is None
    for other in ("", "text/plain", "application/jsonp", "application/x-www-form-urlencoded"):
        outcome = check_content_type({"content-type": other})
        assert outcome is not None
        assert outcome.status == 415


def test_any_version_stands_in_the_path() -> None:
    assert check_route("POST", "/v2026-04/events/") == "events"
    assert check_route("POST", "/v1/events/") == "events"
    assert check_route("GET", "/v2026-04/contacts/") == "contacts"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/v2026-04/events", 404),
        ("POST", "/v2026-04/event/", 404),
        ("POST", "/v2026-04/v1/events/", 404),
        ("GET", "/v2026-04/events/", 405),
        ("POST", "/v2026-04/contacts/", 405),
        ("PUT", "/v2026-04/events/", 405),
    ],
)
def test_other_paths_and_methods_are_told_so(method: str, path: str, status: int) -> None:
    outcome = check_route(method, path)
    assert isinstance(outcome, Refusal)
    assert outcome.status == status


@pytest.mark.parametrize(
    ("asked", "field"),
    [({"limit": "0"}, "limit"), ({"limit": "x"}, "limit"), ({"limit": "201"}, "limit"), ({"cursor": "-1"}, "cursor")],
)
def test_a_wrong_query_is_refused(asked: dict[str, str], field: str) -> None:
    outcome = check_query(asked)
    assert outcome is not None
    assert outcome.problems[0].field == field
    assert check_query({"limit": "200", "cursor": "7"}) is None
