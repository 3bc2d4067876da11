from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_applied_events.sandbox.questions import (
    CursorError,
    list_contacts,
    list_events,
    list_metrics,
    list_requests,
    rfc3339,
)
from target_applied_events.sandbox.store import Store
from target_applied_events.sandbox.visit import Visit
from tests.sandbox.keeping import OTHER_SHOP, contacts, take


def test_the_bars_of_a_metric_add_up_to_its_account(store: Store) -> None:
    times = ["1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z", "2026-04-07T14:30:00Z", "9999-12-31T23:59:59Z"]
    for time in times:
        take(store, event_time=time, metric={"metric_name": "m", "value": 2.5})
    [metric] = list_metrics(store)
    assert sum(bar["count"] for bar in metric["bars"]) == metric["count"] == 4
    assert sum(bar["sum"] for bar in metric["bars"]) == 10
    assert (metric["first_at"], metric["last_at"]) == (times[0], times[-1])


def test_the_bars_are_as_narrow_as_their_number_allows(store: Store) -> None:
    for minute in range(40):
        take(store, event_time=f"2026-04-07T14:{minute:02}:00Z", metric={"metric_name": "m"})
    [metric] = list_metrics(store)
    assert metric["step_seconds"] == 60
    assert len(metric["bars"]) == 40
    assert metric["bars"][0]["at"] == "2026-04-07T14:00:00Z"


@given(st.lists(st.integers(0, 5), max_size=30), st.integers(1, 7), st.booleans())
def test_pages_give_every_event_once_and_in_order(seconds: list[int], limit: int, latest: bool) -> None:  # noqa: FBT001 - hypothesis chooses it
    store = Store()
    for second in seconds:
        take(store, event_time=f"2026-04-07T14:30:0{second}Z", contact={"email": "a"})
    rows: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = list_events(store.db, {}, latest=latest, cursor=cursor, limit=limit)
        rows += page.rows
        assert len(rows) <= len(seconds)
        cursor = page.next
    wanted = sorted(rows, key=lambda row: (row["at"], row["id"]), reverse=True) if latest else rows
    assert rows == wanted
    assert sorted(row["id"] for row in rows) == list(range(1, len(seconds) + 1))
    store.close()


def test_events_are_filtered_by_contact_shop_name_metric_and_text(store: Store) -> None:
    ada = take(store, name="Order", contact={"email": "ada@b.c"}, metric={"metric_name": "m"})
    take(store, name="Order", contact={"email": "bob@b.c"})
    take(store, name="Refund", shop=OTHER_SHOP, contact={"email": "ada@b.c"})
    assert ada is not None

    def ids(**asked: str) -> list[int]:
        return [row["id"] for row in list_events(store.db, asked, latest=False, cursor="", limit=10).rows]

    assert ids(contact_id=ada) == [1]
    assert ids(shop_id=OTHER_SHOP) == [3]
    assert ids(name="Order") == [1, 2]
    assert ids(metric_name="m") == [1]
    assert ids(q="ADA@") == [1, 3]
    assert ids(q="%") == []


@pytest.mark.parametrize("q", ["LOVE", "ada@", "7946", "+44 20", "+44207946", "c-1"])
def test_a_contact_is_found_by_whatever_it_is_known_by(store: Store, q: str) -> None:
    contact = {"name": "Ada Lovelace", "email": "ada@b.c", "phone": "+44 20 7946 0018", "remote_id": "c-1"}
    wanted = take(store, contact=contact)
    take(store, contact={"name": "Bob", "email": "bob@b.c", "phone": "2", "remote_id": "d-2"})
    assert [row["id"] for row in contacts(store, q=q)] == [wanted]


def test_the_contact_heard_of_last_comes_first(store: Store) -> None:
    for now, email in enumerate(["a", "b", "a"]):
        take(store, now=float(now), contact={"email": email})
    assert [row["email"] for row in contacts(store)] == ["a", "b"]


def test_requests_are_listed_by_what_became_of_them(store: Store) -> None:
    store.log_visit(Visit(1, 0.0, 0.0, "POST", "/v1/events/", None, finished=1.0, status=200, event_id=7))
    store.log_visit(Visit(2, 0.0, 0.0, "POST", "/v1/events/", None, finished=1.0, status=422, problems="[]"))
    store.log_visit(Visit(3, 0.0, 0.0, "POST", "/v1/events/", None, finished=1.0, fault="drop"))

    def ids(outcome: str | None, *, latest: bool = False) -> list[int]:
        return [row["id"] for row in list_requests(store.db, outcome, latest=latest, cursor="", limit=10).rows]

    assert ids(None) == [1, 2, 3]
    assert ids(None, latest=True) == [3, 2, 1]
    assert (ids("taken"), ids("refused"), ids("faulted")) == ([1], [2], [3])


def test_a_chart_spans_what_was_counted_alone(store: Store) -> None:
    metric = {"metric_name": "m", "deduping_key": "k"}
    take(store, event_time="2026-04-07T14:30:00Z", metric=metric)
    take(store, event_time="2027-04-07T14:30:00Z", metric=metric)
    assert list_metrics(store)[0]["last_at"] == "2026-04-07T14:30:00Z"


@given(
    st.lists(st.floats(min_value=0, max_value=2e9, allow_subnormal=False), max_size=12),
    st.integers(1, 5),
)
def test_pages_give_every_contact_once_the_one_heard_of_last_first(heard_at: list[float], limit: int) -> None:
    store = Store()
    for number, now in enumerate(heard_at):
        take(store, now=now, contact={"remote_id": str(number)})
    listed: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = list_contacts(store.db, {}, cursor, limit)
        listed += [row["remote_id"] for row in page.rows]
        cursor = page.next
    latest_first = sorted(range(len(heard_at)), key=lambda number: (heard_at[number], number), reverse=True)
    assert listed == [str(number) for number in latest_first]
    store.close()


@given(st.integers(0, 12), st.integers(1, 5), st.booleans())
def test_pages_give_every_request_once_in_the_order_asked_for(count: int, limit: int, latest: bool) -> None:  # noqa: FBT001 - hypothesis chooses it
    store = Store()
    for number in range(1, count + 1):
        store.log_visit(Visit(number, 0.0, 0.0, "POST", "/", None, finished=1.0))
    listed: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        page = list_requests(store.db, None, latest=latest, cursor=cursor, limit=limit)
        listed += [row["id"] for row in page.rows]
        cursor = page.next
    assert listed == (list(range(count, 0, -1)) if latest else list(range(1, count + 1)))
    store.close()


@pytest.mark.parametrize("cursor", ["x", "1.5", "-1", "٣", str(2**62 + 1), "1,2"])
def test_a_list_goes_on_from_no_place_that_none_has_named(store: Store, cursor: str) -> None:
    with pytest.raises(CursorError, match="an earlier answer"):
        list_events(store.db, {}, latest=False, cursor=cursor, limit=1)
    with pytest.raises(CursorError):
        list_requests(store.db, None, latest=True, cursor=cursor, limit=1)


@pytest.mark.parametrize("cursor", ["7", "x,1", ",1", "1.0,", "1.0,x"])
def test_a_list_by_time_goes_on_from_a_time_and_a_number(store: Store, cursor: str) -> None:
    with pytest.raises(CursorError):
        list_contacts(store.db, {}, cursor, 1)
    with pytest.raises(CursorError):
        list_events(store.db, {}, latest=True, cursor=cursor, limit=1)


@given(st.lists(st.integers(-400, 400), min_size=1, max_size=8))
def test_whatever_was_counted_lies_within_its_bar(seconds: list[int]) -> None:
    store = Store()
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    for second in seconds:
        at = (epoch + timedelta(seconds=second)).isoformat()
        take(store, event_time=at, metric={"metric_name": "m"})
    [metric] = list_metrics(store)
    step = metric["step_seconds"]
    starts = [(datetime.fromisoformat(bar["at"]) - epoch).total_seconds() for bar in metric["bars"]]
    counted = [sum(start <= second < start + step for second in seconds) for start in starts]
    assert [bar["count"] for bar in metric["bars"]] == counted
    store.close()


def test_a_bar_whose_sum_no_float_holds_has_none_and_the_account_is_exact(store: Store) -> None:
    for _ in range(2):
        take(store, metric={"metric_name": "m", "value": 10**308})
    [metric] = list_metrics(store)
    assert [bar["sum"] for bar in metric["bars"]] == [None]
    assert metric["sum"] == str(2 * 10**308)


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0.25, "1970-01-01T00:00:00.250000Z"),
        (-1e300, "0001-01-01T00:00:00Z"),
        (1e300, "9999-12-31T23:59:59Z"),
    ],
)
def test_a_time_is_written_in_utc_within_the_years_that_can_be(seconds: float, written: str) -> None:
    assert rfc3339(seconds) == written


def test_what_is_looked_for_in_a_contact_is_no_pattern_and_may_be_given_with_space(store: Store) -> None:
    take(store, contact={"email": "ada@b.c", "name": "Ada_L"})
    take(store, contact={"email": "bob@b.c", "name": "Bob"})
    assert [row["email"] for row in contacts(store, q=" a_l ")] == ["ada@b.c"]
    assert contacts(store, q="%") == []
