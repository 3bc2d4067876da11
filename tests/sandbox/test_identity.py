from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_applied_events.sandbox.identity import IDENTIFIERS, Contact, comparable, filled

VALUES = st.sampled_from(["a", "b", "c"])
CONTACTS = st.builds(
    Contact,
    number=st.integers(1, 9),
    id=VALUES,
    email=st.none() | VALUES,
    phone=st.none() | VALUES,
    remote_id=st.none() | VALUES,
    name=st.none() | VALUES,
)


@pytest.mark.parametrize(
    ("name", "text", "compared"),
    [
        ("email", " Ada@Example.COM\n", "ada@example.com"),
        ("phone", "+44 (20) 7946-0018", "+442079460018"),
        ("phone", "ask at the desk", None),
        ("phone", " + ", None),
        ("phone", "٠١٢", None),
        ("remote_id", " A 1 ", "A 1"),
        ("email", " \t", None),
        ("remote_id", "", None),
    ],
)
def test_identifiers_are_compared_by_what_people_mean_by_them(name: str, text: str, compared: str | None) -> None:
    assert comparable(name, text) == compared


@given(st.sampled_from(IDENTIFIERS), st.text())
def test_what_was_made_comparable_stays_as_it_is(name: str, text: str) -> None:
    once = comparable(name, text)
    assert once is None or comparable(name, once) == once


@given(CONTACTS, st.dictionaries(st.sampled_from([*IDENTIFIERS, "name"]), VALUES), st.data())
def test_a_contact_keeps_what_it_has_and_gets_only_what_is_nobody_elses(
    contact: Contact, told: dict[str, str], data: st.DataObject
) -> None:
    free = frozenset(name for name in IDENTIFIERS if name in told and data.draw(st.booleans()))
    richer = contact.enriched(told, free)
    assert (richer.number, richer.id, richer.name) == (contact.number, contact.id, told.get("name", contact.name))
    for name in IDENTIFIERS:
        lacked = told[name] if name in free else None
        assert getattr(richer, name) == (getattr(contact, name) or lacked)


def test_a_contact_is_compared_by_each_of_its_identifiers_in_the_order_in_which_they_decide() -> None:
    contact = Contact(1, "c", email="Ada@B.C", remote_id=" r ", name="Ada")
    assert list(contact.keys().items()) == [("email", "ada@b.c"), ("phone", None), ("remote_id", "r")]


def test_a_contact_is_answered_without_its_name_and_number() -> None:
    contact = Contact(1, "c", phone="1", name="Ada")
    assert contact.answer() == {"id": "c", "email": None, "phone": "1", "remote_id": None}


def test_what_is_blank_was_not_given() -> None:
    assert filled({"email": " a@b.c ", "phone": "\n", "name": ""}) == {"email": "a@b.c"}
