from __future__ import annotations

import hashlib
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_applied_events.mapping.identity import (
    VERSION,
    comparable,
    contact_identifiers,
    deduping_key,
    identity_of_content,
    identity_of_occasion,
    ledger_key,
)

ORIGIN = "https://core.appliedlabs.ai"
SHOP = "66e4b0f0-8c1f-4d8e-9d43-0d5f2a1c7e11"
BODY: dict[str, Any] = {
    "name": "Order placed",
    "event_time": "2026-04-07T14:30:00Z",
    "contact": {"email": "ann@example.com"},
    "metric": {"metric_name": "order_value", "value": Decimal("129.90")},
}


@dataclass(frozen=True)
class Keys:
    ledger: bytes
    deduping: str


def keys(identity: bytes, origin: str) -> Keys:
    return Keys(ledger_key(identity, origin.encode()), deduping_key(identity))


def content(
    *,
    origin: str = ORIGIN,
    shop: str = SHOP,
    stream: str = "orders",
    source: dict[str, Any] | None = None,
    body: dict[str, Any] = BODY,
) -> Keys:
    return keys(identity_of_content(shop, stream, {"id": 7} if source is None else source, body), origin)


def occasion(
    *, origin: str = ORIGIN, shop: str = SHOP, stream: str = "orders", name: str = "Paid", once: str = "7"
) -> Keys:
    return keys(identity_of_occasion(shop, stream, name, once), origin)


@given(st.text("aA+( )1\u0661", max_size=6))
def test_lanes_and_shards_compare_an_identifier_alike(value: str) -> None:
    for kind in ("email", "phone", "remote_id"):
        (identifier,) = contact_identifiers(SHOP, {kind: value})
        assert identifier.split("\x1f") == [SHOP, kind, comparable(kind, value)]


def test_the_keys_of_an_event_never_change_from_release_to_release() -> None:
    assert VERSION == 1
    assert content().ledger.hex() == "810867956ab0effc4cf13c4fdb799706"
    assert content().deduping == "f718bdf0a1893fb0a32c087f760dfd4a"
    assert occasion().ledger.hex() == "66173c1f7c68e0dc7e05fc60b1b08ca4"
    assert occasion().deduping == "ea4d28f15204bbe864d5d73480c55cef"
    awkward = {"id": [None, True, {"ü": 2**70, "a": Decimal("-0.00")}, Decimal("1E+400")], "é\n\x1f": '"'}
    assert content(source=awkward).ledger.hex() == "e7de276e4adc0ce0abc09d3b3cef4480"


def test_a_key_is_a_hash_of_canonical_json() -> None:
    text = (
        '[1,"content","66e4b0f0-8c1f-4d8e-9d43-0d5f2a1c7e11","orders",{"id":7},'
        '{"contact":{"email":"ann@example.com"},"event_time":"2026-04-07T14:30:00Z",'
        '"metric":{"metric_name":"order_value","value":129.9},"name":"Order placed"}]'
    )
    assert content().deduping == hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
    assert content().ledger == hashlib.blake2b(f"{text}{ORIGIN}".encode(), digest_size=16).digest()


def test_a_key_has_16_bytes() -> None:
    assert len(content().ledger) == len(occasion().ledger) == 16
    assert len(content().deduping) == 32


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (7, Decimal("7.00")),
        (100, Decimal("1E+2")),
        (0, Decimal("-0.0")),
        (2**70, Decimal(2**70)),
        (10**30, Decimal("1E+30")),
        (10**18, Decimal("1.0E+18")),
        (10**18 - 1, Decimal("999999999999999999.0")),
        (Decimal("1.50"), Decimal("1.5")),
        (Decimal("1E-30"), Decimal("0.000000000000000000000000000001")),
        ({"a": 1, "b": [Decimal("2.0")]}, {"b": [2], "a": Decimal("1.0")}),
    ],
)
def test_equal_values_give_the_same_key_however_they_are_written(one: object, other: object) -> None:
    assert content(source={"id": one}) == content(source={"id": other})
    metric = BODY["metric"]
    if not isinstance(one, dict):
        first, second = ({**BODY, "metric": {**metric, "value": value}} for value in (one, other))
        assert content(body=first) == content(body=second)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, "1"),
        (1, True),
        (0, False),
        (None, ""),
        (None, "null"),
        ([], {}),
        (10**18, 10**18 + 1),
        (2**64, 2**64 + 1),
        (Decimal("0.1"), Decimal("0.10000000000000000000000000000000000001")),
        (["a", "b"], ["b", "a"]),
        (["ab"], ["a", "b"]),
    ],
)
def test_different_values_give_different_keys(one: object, other: object) -> None:
    assert content(source={"id": one}).ledger != content(source={"id": other}).ledger


@pytest.mark.parametrize(
    "change",
    [
        {"shop": "11111111-8c1f-4d8e-9d43-0d5f2a1c7e11"},
        {"stream": "orders2"},
        {"source": {"id": 8}},
        {"source": {"key": 7}},
        {"body": {**BODY, "name": "Order paid"}},
        {"body": {**BODY, "metric": {"metric_name": "order_value", "value": 130}}},
    ],
)
def test_whatever_tells_two_events_apart_is_in_both_keys(change: dict[str, Any]) -> None:
    assert content(**change).ledger != content().ledger
    assert content(**change).deduping != content().deduping


def test_the_endpoint_is_in_the_ledgers_key_and_not_in_the_deduping_key() -> None:
    for make in (content, occasion):
        assert make(origin="http://127.0.0.1:8080").ledger != make().ledger
        assert make(origin="http://127.0.0.1:8080").deduping == make().deduping


@pytest.mark.parametrize("change", [{"shop": "x"}, {"stream": "x"}, {"name": "x"}, {"once": "x"}])
def test_an_occasion_is_told_by_shop_stream_name_and_what_it_happens_once_for(change: dict[str, str]) -> None:
    assert occasion(**change).ledger != occasion().ledger


def test_parts_of_an_occasion_do_not_run_into_each_other() -> None:
    assert occasion(name="ab", once="c").ledger != occasion(name="a", once="bc").ledger


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"email": "Ann@Example.com"}, {"email": "ann@example.COM"}),
        ({"phone": "+49 (30) 123-456"}, {"phone": "+4930123456"}),
        ({"phone": "030/123 456"}, {"phone": "030123456"}),
    ],
)
def test_identifiers_that_mean_one_contact_compare_as_equal(one: dict[str, str], other: dict[str, str]) -> None:
    assert contact_identifiers(SHOP, one) == contact_identifiers(SHOP, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"remote_id": "a"}, {"remote_id": "A"}),
        ({"phone": "+4930"}, {"phone": "4930"}),
        ({"phone": "n/a"}, {"phone": "none"}),
        ({"email": "7"}, {"remote_id": "7"}),
    ],
)
def test_identifiers_that_mean_two_contacts_differ(one: dict[str, str], other: dict[str, str]) -> None:
    assert set(contact_identifiers(SHOP, one)).isdisjoint(contact_identifiers(SHOP, other))


def test_a_contact_of_another_shop_is_another_contact() -> None:
    contact = {"email": "a@b.c", "phone": "1", "remote_id": "x", "name": "Ann"}
    assert len(contact_identifiers(SHOP, contact)) == 3
    assert set(contact_identifiers(SHOP, contact)).isdisjoint(contact_identifiers("other", contact))
