from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_applied_events.sandbox.questions import list_events, list_metrics
from target_applied_events.sandbox.store import Store
from target_applied_events.sandbox.visit import Visit
from tests.sandbox.keeping import OTHER_SHOP, SHOP, contacts, take

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"email": "Ada@Example.com"}, {"email": " ada@example.com "}),
        ({"phone": "+44 (20) 7946-0018"}, {"phone": "+442079460018"}),
        ({"remote_id": "a"}, {"remote_id": "a"}),
        ({"email": "a@b.c", "phone": "1"}, {"phone": "1", "remote_id": "r"}),
    ],
)
def test_one_known_identifier_finds_the_contact(store: Store, first: dict[str, str], second: dict[str, str]) -> None:
    assert take(store, contact=first) == take(store, contact=second)


def test_remote_ids_are_compared_as_they_are(store: Store) -> None:
    assert take(store, contact={"remote_id": "a"}) != take(store, contact={"remote_id": "A"})


def test_another_shop_has_other_contacts(store: Store) -> None:
    contact = {"email": "a@b.c"}
    assert take(store, contact=contact) != take(store, shop=OTHER_SHOP, contact=contact)


def test_where_identifiers_disagree_email_decides_then_phone_and_both_contacts_stay_as_they_were(store: Store) -> None:
    by_email = take(store, contact={"email": "a@b.c"})
    by_phone = take(store, contact={"phone": "1"})
    by_remote_id = take(store, contact={"remote_id": "r"})
    assert take(store, contact={"email": "a@b.c", "phone": "1", "remote_id": "r"}) == by_email
    assert take(store, contact={"phone": "1", "remote_id": "r"}) == by_phone
    assert {row["id"]: (row["email"], row["phone"], row["remote_id"]) for row in contacts(store)} == {
        by_email: ("a@b.c", None, None),
        by_phone: (None, "1", None),
        by_remote_id: (None, None, "r"),
    }


def test_a_contact_gets_what_it_lacked_and_keeps_what_it_has(store: Store) -> None:
    take(store, contact={"email": "a@b.c", "name": "Ada", "phone": "1"})
    take(store, contact={"email": "A@B.C", "name": "Ada L.", "phone": "2", "remote_id": "r"})
    [found] = contacts(store)
    assert (found["email"], found["phone"], found["remote_id"], found["name"]) == ("a@b.c", "1", "r", "Ada L.")
    assert found["events"] == 2


def test_an_identifier_that_was_only_offered_finds_nobody(store: Store) -> None:
    first = take(store, contact={"email": "a@b.c", "phone": "1"})
    take(store, contact={"email": "a@b.c", "phone": "2"})
    assert take(store, contact={"phone": "2"}) != first


def test_blank_identifiers_join_nobody(store: Store) -> None:
    first = take(store, contact={"email": " ", "remote_id": "a"})
    assert take(store, contact={"email": " ", "remote_id": "b"}) != first


def test_contacts_without_identifiers_are_each_their_own(store: Store) -> None:
    assert take(store, contact={"name": "Ada"}) != take(store, contact={"name": "Ada"})


identifiers = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from(["1", "2", "3"]) for name in ("email", "phone", "remote_id")}
)


@given(st.lists(identifiers.filter(bool), max_size=12))
def test_no_two_contacts_of_a_shop_share_an_identifier(given_contacts: list[dict[str, str]]) -> None:
    store = Store()
    for contact in given_contacts:
        take(store, contact=contact)
    rows = contacts(store)
    for name in ("email", "phone", "remote_id"):
        known = [row[name] for row in rows if row[name] is not None]
        assert len(known) == len(set(known))
    assert sum(row["events"] for row in rows) == len(given_contacts)
    store.close()


def test_sums_are_exact(store: Store) -> None:
    for value in ("0.1", "0.2", "1e-20", "123456789012345678901234567890"):
        body = f'{{"name": "x", "metric": {{"metric_name": "m", "value": {value}}}}}'
        store.take(1, SHOP, json.loads(body, parse_float=Decimal), body, 0.0)
    [metric] = list_metrics(store)
    assert metric["sum"] == "123456789012345678901234567890.30000000000000000001"
    assert metric["count"] == 4


def test_a_metric_without_value_counts_as_one(store: Store) -> None:
    take(store, metric={"metric_name": "m"})
    assert list_metrics(store)[0]["sum"] == "1"


def test_a_deduping_key_that_was_seen_in_its_shop_is_not_counted_again(store: Store) -> None:
    metric = {"metric_name": "m", "value": 5, "deduping_key": "k"}
    take(store, metric=metric)
    take(store, metric=metric)
    take(store, shop=OTHER_SHOP, metric=metric)
    [told] = list_metrics(store)
    assert (told["count"], told["sum"], told["repeated"]) == (2, "10", 1)
    events = list_events(store.db, {}, latest=False, cursor="", limit=10).rows
    assert [event["counted"] for event in events] == [True, False, True]


def test_a_file_keeps_everything_for_the_next_start(tmp_path: Path) -> None:
    path = str(tmp_path / "kept.sqlite")
    metric = {"metric_name": "m", "value": 0.1, "deduping_key": "k"}
    first = Store(path)
    contact = take(first, contact={"email": "a@b.c"}, metric=metric)
    first.log_visit(Visit(5, 0.0, 0.0, "POST", "/", None, finished=1.0))
    first.close()
    second = Store(path)
    assert take(second, contact={"email": "a@b.c"}, metric=metric) == contact
    assert (second.events, second.contacts, second.last_request()) == (2, 1, 5)
    assert (second.totals["m"].count, second.totals["m"].repeated) == (1, 1)
    second.close()


def test_clearing_forgets_everything(store: Store) -> None:
    take(store, contact={"email": "a"}, metric={"metric_name": "m", "deduping_key": "k"})
    store.clear()
    assert (contacts(store), list_metrics(store), store.events, store.contacts) == ([], [], 0, 0)
    take(store, metric={"metric_name": "m", "deduping_key": "k"})
    assert store.totals["m"].count == 1
