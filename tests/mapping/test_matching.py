from __future__ import annotations

import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_applied_events.mapping.declaration import Declaration, declare
from target_applied_events.mapping.matching import choose, clashes, near_miss


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


PATTERN = st.text("ab*?", min_size=1, max_size=6)


@given(one=PATTERN, other=PATTERN, name=st.text("ab", max_size=8))
def test_patterns_that_one_name_fits_are_known_to_meet(one: str, other: str, name: str) -> None:
    if {"*", "?"} & set(one) and {"*", "?"} & set(other):
        both = fnmatch.fnmatchcase(name, one) and fnmatch.fnmatchcase(name, other)
        assert not both or clashes([declared(one, "a", **ONCE), declared(other, "b", **ONCE)])
