"""A first mapping is guessed from names and types, and works with the schema that it was guessed from."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_applied_events.commands.guesses import draft, nested, reference
from target_applied_events.mapping import compile_mappings, declare

TEXT, WHOLE, NUMBER = {"type": ["string", "null"]}, {"type": "integer"}, {"type": "number"}
TIME = {"type": "string", "format": "date-time"}


def guessed(stream: str, keys: tuple[str, ...] = ("id",), **columns: dict[str, Any]) -> dict[str, str | int]:
    return draft(stream, {"properties": {"id": WHOLE, **columns}}, keys).fields


def test_an_order_becomes_a_contact_a_metric_and_what_happens_once() -> None:
    assert guessed("public-orders", email=TEXT, total=NUMBER, currency=TEXT, customer_id=WHOLE, placed_at=TIME) == {
        "name": "Order placed",
        "event_time": "{{ placed_at }}",
        "contact.email": "{{ email | lower }}",
        "contact.remote_id": "{{ customer_id }}",
        "metric.metric_name": "order_total",
        "metric.value": "{{ total }}",
        "metric.metric_object_id": "{{ id | uuid('order') }}",
        "metric.metric_object_type": "order",
        "metric.additional_properties.currency": "{{ currency }}",
        "once_per": "{{ id }}",
    }


@pytest.mark.parametrize(
    ("columns", "field", "template"),
    [
        ({"billing_email": TEXT}, "contact.email", "{{ billing_email | lower }}"),
        ({"email_verified": {"type": "boolean"}}, "contact.email", None),
        ({"mobile": TEXT}, "contact.phone", "{{ mobile }}"),
        ({"first_name": TEXT, "last_name": TEXT}, "contact.name", None),
        ({"email": TEXT, "first_name": TEXT, "last_name": TEXT}, "contact.name", "{{ first_name }} {{ last_name }}"),
        ({"created_at": WHOLE}, "event_time", "{{ created_at | timestamp }}"),
        ({"updated_at": TIME, "booked": TIME}, "event_time", "{{ booked }}"),
        ({"updated_at": TIME}, "event_time", "{{ updated_at }}"),
        ({"created_at": {"type": "boolean"}}, "event_time", None),
        ({"total": {"type": "boolean"}}, "metric.value", 1),
        ({"order amount": NUMBER}, "metric.value", 1),
        ({"id": {"type": "string", "format": "uuid"}, "amount": NUMBER}, "metric.metric_object_id", "{{ id }}"),
    ],
)
def test_a_column_is_taken_for_what_its_name_and_type_say(
    columns: dict[str, Any], field: str, template: str | int | None
) -> None:
    assert guessed("rows", **columns).get(field) == template


def test_people_are_known_by_their_own_key() -> None:
    assert guessed("public-customers", name=TEXT)["contact.remote_id"] == "{{ id }}"
    assert guessed("public-customers", name=TEXT)["contact.name"] == "{{ name }}"
    assert "contact.remote_id" not in guessed("public-parcels")


def test_a_key_of_many_columns_is_what_happens_once_whole() -> None:
    assert guessed("rows", ("id", "line no"), **{"line no": WHOLE})["once_per"] == "{{ id }}/{{ record['line no'] }}"


def test_without_a_key_nothing_is_said_to_happen_once() -> None:
    assert "once_per" not in guessed("rows", ())


@pytest.mark.parametrize("name", ["a b", "record", "stream", "true", "None", "if", "größe", "1st", "it's", ""])
def test_a_column_that_a_template_can_not_name_outright_is_taken_from_the_record(name: str) -> None:
    assert reference(name).startswith("record[")


NAMES = st.sampled_from(["id", "email", "phone", "name", "total", "created_at", "user_id", "currency"]) | st.text()
NODES = st.fixed_dictionaries(
    {},
    optional={
        "type": st.lists(st.sampled_from(["null", "string", "integer", "number", "boolean", "array", "object"])),
        "format": st.sampled_from(["date-time", "date", "uuid", "email"]),
    },
)


@given(st.text(min_size=1).filter(str.strip), st.dictionaries(NAMES, NODES), st.lists(NAMES))
def test_whatever_is_guessed_works_with_its_schema(stream: str, columns: dict[str, Any], keys: list[str]) -> None:
    schema = {"properties": columns}
    fields = draft(stream, schema, keys).fields
    declaration, problems = declare(nested({"stream": stream, **fields}), "mappings[0]")
    assert declaration is not None, problems
    compile_mappings([declaration], stream=stream, schema=schema, key_properties=keys, shop_id=None, origin="")
