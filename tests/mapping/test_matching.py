from __future__ import annotations

import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_applied_events.mapping.declaration import Declaration, declare
from target_applied_events.mapping.matching import choose, clashes, names, near_miss


def declared(stream: str, label: str = "mappings[0]", **changes: object) -> Declaration:
    raw = {"stream": stream, "name": "x", "contact": {"email": "{{ email }}"}, **changes}
    declaration, problems = declare(raw, label)
    assert declaration is not None, problems
    return declaration


def chosen(streams: list[str], stream: str) -> list[str]:
    return [item.stream for item in choose([declared(name) for name in streams], stream)]


def test_mappings_with_the_exact_name_replace_patterns() -> None:
    assert chosen(["public-*", "public-orders", "*", "public-orders"], "public-orders") == ["public-orders"] * 2


def test_all_patterns_that_fit_are_chosen_in_the_order_written() -> None:
    assert chosen(["p*", "public-orders", "*s", "x*"], "public-customers") == ["p*", "*s"]


def test_names_are_told_apart_by_case() -> None:
    assert chosen(["Orders", "ORD*"], "orders") == []


@pytest.mark.parametrize(
    ("declared_stream", "stream"),
    [("public-orders", "public_orders"), ("public-orders", "Public.Orders"), ("public-*", "PUBLIC_orders")],
)
def test_a_name_that_nearly_fits_is_found(declared_stream: str, stream: str) -> None:
    assert near_miss([declared("other"), declared(declared_stream)], stream) == declared_stream


@pytest.mark.parametrize("stream", ["public-orders", "public-order", "invoices"])
def test_a_name_that_fits_or_is_far_is_no_near_miss(stream: str) -> None:
    assert near_miss([declared("public-orders")], stream) is None


ONCE = {"once_per": "{{ id }}"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (declared("orders", "a", **ONCE), declared("orders", "b", once_per="{{id}}")),
        (declared("orders", "a", **ONCE), declared("orders", "b", once_per="{{ record['id'] }}")),
        (declared("orders", "a", once_per="{{ record.a.b }}"), declared("orders", "b", once_per="{{ a['b'] }}")),
        (declared("public-*", "a", **ONCE), declared("*-orders", "b", **ONCE)),
        (declared("p?", "a", **ONCE), declared("[a-z]*", "b", **ONCE)),
    ],
)
def test_two_mappings_that_would_take_each_others_events_for_their_own_clash(
    one: Declaration, other: Declaration
) -> None:
    (said,) = clashes([one, other])
    assert said.startswith("b: has the same name and once_per as a,")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (declared("orders", **ONCE), declared("customers", **ONCE)),
        (declared("orders", **ONCE), declared("orders", once_per="{{ number }}")),
        (declared("orders", **ONCE), declared("orders", name="y", once_per="{{ id }}")),
        (declared("orders", **ONCE), declared("orders")),
        (declared("orders"), declared("orders")),
        (declared("orders", **ONCE), declared("ord*", **ONCE)),
        (declared("public-*", **ONCE), declared("private-*", **ONCE)),
        (declared("*-a", **ONCE), declared("*-b", **ONCE)),
    ],
)
def test_mappings_that_never_meet_or_differ_do_not_clash(one: Declaration, other: Declaration) -> None:
    assert clashes([one, other]) == ()


SHOP = "66e4c0de-0000-4000-8000-000000000001"
OTHER_SHOP = "66e4c0de-0000-4000-8000-000000000002"


def with_metric(stream: str, label: str, key: str | None, name: str = "m", **changes: object) -> Declaration:
    deduping = {} if key is None else {"deduping_key": key}
    return declared(stream, label, name=label, metric={"metric_name": name, **deduping}, **changes)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (with_metric("orders", "a", "{{ id }}"), with_metric("orders", "b", "{{id}}", "another")),
        (with_metric("orders", "a", "{{ id }}"), with_metric("orders", "b", "{{ record.id }}")),
        (with_metric("orders", "a", "o-{{ id }}"), with_metric("orders", "b", "o-{{ id }}", **ONCE)),
        (with_metric("public-*", "a", "{{ id }}"), with_metric("*-orders", "b", "{{ id }}")),
        (with_metric("orders", "a", "{{ id }}", shop_id=SHOP), with_metric("orders", "b", "{{ id }}", shop_id=SHOP)),
    ],
)
def test_two_mappings_of_whose_metrics_the_endpoint_would_count_one_alone_clash(
    one: Declaration, other: Declaration
) -> None:
    (said,) = clashes([one, other])
    assert said.startswith("b.metric.deduping_key: is the same as that of a, ")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (with_metric("orders", "a", "{{ id }}"), with_metric("orders", "b", "refund-{{ id }}")),
        (with_metric("orders", "a", "{{ id }}"), with_metric("customers", "b", "{{ id }}")),
        (with_metric("orders", "a", "{{ id }}"), with_metric("ord*", "b", "{{ id }}")),
        (with_metric("orders", "a", "{{ id }}"), with_metric("orders", "b", None)),
        (with_metric("orders", "a", None), with_metric("orders", "b", None)),
    ],
)
def test_metrics_with_keys_of_their_own_do_not_clash(one: Declaration, other: Declaration) -> None:
    assert clashes([one, other]) == ()


def test_what_two_mappings_make_for_two_shops_never_clashes() -> None:
    same = {"name": "x", "metric": {"metric_name": "m", "deduping_key": "{{ id }}"}, **ONCE}
    shops = [declared("orders", "a", shop_id=SHOP, **same), declared("orders", "b", shop_id=OTHER_SHOP, **same)]
    assert clashes(shops) == ()
    assert len(clashes([declared("orders", "a", **same), declared("orders", "b", **same)])) == 2


def test_names_are_given_as_they_are_written() -> None:
    mappings = [declared("a", "mappings[0]", name="Row {{ id }}"), declared("b", "mappings[1]", name=7)]
    assert names(mappings) == {"mappings[0]": "Row {{ id }}", "mappings[1]": "7"}


PATTERN = st.text("ab*?", min_size=1, max_size=6)


@given(one=PATTERN, other=PATTERN, name=st.text("ab", max_size=8))
def test_patterns_that_one_name_fits_are_known_to_meet(one: str, other: str, name: str) -> None:
    if {"*", "?"} & set(one) and {"*", "?"} & set(other):
        both = fnmatch.fnmatchcase(name, one) and fnmatch.fnmatchcase(name, other)
        assert not both or clashes([declared(one, "a", **ONCE), declared(other, "b", **ONCE)])
