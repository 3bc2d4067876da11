from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_applied_events.mapping.contract import CONTACT, EVENT, METRIC
from target_applied_events.mapping.declaration import Declaration, declare
from target_applied_events.mapping.fields import Fields
from target_applied_events.mapping.template.notation import Unmappable

UUID = "0b7f0a52-3c55-4a4e-9d0e-6f2a7f6f9a01"
CONTACT_OF_ALL = {"email": "{{ email }}", "phone": "{{ phone }}", "remote_id": "x-{{ id }}", "name": "x-{{ id }}"}
METRIC_OF_ALL: dict[str, Any] = {
    "metric_name": "orders",
    "value": "{{ total }}",
    "deduping_key": "o-{{ id }}",
    "metric_object_id": "{{ uuid }}",
    "metric_object_type": "order",
    "additional_properties": {"currency": "{{ currency }}", "none": "{{ absent }}", "weight": 1.50},
}
SCALARS = st.none() | st.sampled_from(["", " ", "a", " b "]) | st.integers() | st.just(Decimal("1.50"))


def declared(**raw: object) -> Declaration:
    found, problems = declare({"stream": "orders", "name": "Order placed", "contact": CONTACT_OF_ALL, **raw}, "m")
    assert found is not None, problems
    return found


def read(record: dict[str, Any], **raw: object) -> dict[str, object]:
    """Give the value of each field; of one that can't be read, what was said."""
    found: dict[str, object] = {}
    for field, reader in Fields(declared(**raw), "orders").readers.items():
        try:
            found[field] = reader(record)
        except Unmappable as refused:
            found[field] = str(refused)
    return found


def metric(record: dict[str, Any], **raw: object) -> dict[str, Any]:
    _, _, found, _ = Fields(declared(**raw), "orders").objects()(record)
    return found


# --- each field ----------------------------------------------------------------------------------------------------


def test_what_is_mapped_has_a_reader_and_nothing_else() -> None:
    fields = Fields(declared(metric=METRIC_OF_ALL, when="{{ paid }}", once_per="{{ id }}"), "orders")
    assert set(fields.readers) == {
        *("name", "when", "once_per"),
        *(f"contact.{name}" for name in CONTACT_OF_ALL),
        *(f"metric.{name}" for name in METRIC_OF_ALL if name != "additional_properties"),
        *(f"metric.additional_properties.{name}" for name in ("currency", "none", "weight")),
    }


def test_a_constant_is_what_its_field_wants_whatever_the_record() -> None:
    constants = {"metric_name": 5, "value": "12.50", "metric_object_id": f" {UUID} ", "metric_object_type": True}
    for record in ({}, {"value": 7, "metric_name": "x"}):
        found = read(record, event_time="2026-04-07T16:30+02:00", description=" ", metric=constants)
        assert found["event_time"] == "2026-04-07T14:30:00Z"
        assert found["description"] is None
        assert {name: found[f"metric.{name}"] for name in constants} == {
            "metric_name": "5",
            "value": Decimal("12.50"),
            "metric_object_id": UUID,
            "metric_object_type": "true",
        }


@pytest.mark.parametrize("source", ["{{ stream }}", "{{ record['stream'] }}", "{{ record.stream }}"])
def test_a_reserved_name_means_what_it_always_means_though_a_column_has_it(source: str) -> None:
    found = read({"stream": "of the column"}, description=source)
    assert found["description"] == ("orders" if source == "{{ stream }}" else "of the column")


def test_a_null_makes_null_of_what_identifies_and_is_left_out_of_other_text() -> None:
    found = read({"id": None}, metric=METRIC_OF_ALL, description="x-{{ id }}", shard_by="x-{{ id }}")
    null = {field for field, value in found.items() if value is None}
    assert {"contact.remote_id", "metric.deduping_key", "shard_by"} <= null
    assert (found["description"], found["contact.name"]) == ("x-", "x-")


@pytest.mark.parametrize(
    ("field", "raw"),
    [
        ("name", {"name": "{{ absent }}"}),
        ("event_time", {"event_time": "{{ absent }}"}),
        ("shop_id", {"shop_id": "{{ absent }}"}),
        ("once_per", {"once_per": "{{ absent }}"}),
        ("metric.metric_name", {"metric": {"metric_name": "{{ absent }}"}}),
        ("metric.value", {"metric": {**METRIC_OF_ALL, "value": "{{ absent }}"}}),
    ],
)
@pytest.mark.parametrize("empty", [None, "", " \n"])
def test_what_may_not_come_out_empty_says_so_and_what_to_do(field: str, raw: dict[str, Any], empty: str | None) -> None:
    said = read({"absent": empty}, **raw)[field]
    assert str(said).startswith("came out ")
    assert "; " in str(said)


@pytest.mark.parametrize("number", [7, Decimal("7.0"), Decimal("7E0"), "7", " 7 "])
def test_a_key_read_as_another_number_today_is_the_same_occasion(number: object) -> None:
    assert read({"id": number}, once_per="{{ id }}")["once_per"] == "7"


@pytest.mark.parametrize(
    ("properties", "record", "expected"),
    [
        (METRIC_OF_ALL["additional_properties"], {"currency": "EUR"}, {"currency": "EUR", "weight": "1.5"}),
        ({"a": "{{ a }}", "b": "{{ b }}"}, {"a": None, "b": ""}, None),
        ({"a": "{{ a }} {{ b }}"}, {"a": True, "b": None}, {"a": "true "}),
        ("{{ a }}", {"a": {"x": 1, "y": None, "z": [Decimal("1.50")]}}, {"x": "1", "z": "[1.50]"}),
        ("{{ a }}", {"a": {"x": ""}}, None),
        ("{{ a }}", {"a": None}, None),
    ],
)
def test_additional_properties_are_texts_without_the_empty_ones_and_left_out_where_none_is_left(
    properties: object, record: dict[str, Any], expected: dict[str, str] | None
) -> None:
    metric = {"metric_name": "orders", "value": 1, "additional_properties": properties}
    _, _, found, by_themselves = Fields(declared(metric=metric), "orders").objects()(record)
    assert (found.get("additional_properties") or by_themselves or None) == expected


def test_a_property_keeps_its_place_whatever_it_is_called() -> None:
    mapped = {"z": "{{ z }}", "name": "{{ z }}", "contact.email": "x", "a": "{{ z }}"}
    metric = {"metric_name": "orders", "value": 1, "additional_properties": mapped}
    *_, found = Fields(declared(metric=metric), "orders").objects()({"z": 1})
    assert list(found.items()) == [("z", "1"), ("name", "1"), ("contact.email", "x"), ("a", "1")]


# --- the objects of an event ---------------------------------------------------------------------------------------


@given(
    record=st.fixed_dictionaries({}, optional=dict.fromkeys(("email", "phone", "id", "text", "currency"), SCALARS)),
    templates=st.lists(st.sampled_from(["{{ text }}", "<{{ text }}>", "a constant", " "]), min_size=3, max_size=3),
)
def test_each_object_is_its_fields_in_order_without_those_that_come_out_empty(
    record: dict[str, Any], templates: list[str]
) -> None:
    description, contact_name, object_type = templates
    declaration = declared(
        description=description,
        contact={**CONTACT_OF_ALL, "name": contact_name},
        metric={**METRIC_OF_ALL, "value": 1, "metric_object_id": UUID, "metric_object_type": object_type},
    )
    fields = Fields(declaration, "orders")
    reads = fields.readers
    of_metric = [*(name for name in METRIC if name != "deduping_key"), "additional_properties"]
    each_by_itself = METRIC_OF_ALL["additional_properties"]
    objects = (
        ("", EVENT),
        ("contact.", CONTACT),
        ("metric.", of_metric),
        ("metric.additional_properties.", each_by_itself),
    )
    for found, (section, names) in zip(fields.objects()(record), objects, strict=True):
        each = [(name, reads[section + name](record)) for name in names if section + name in reads]
        assert list(found.items()) == [(name, value) for name, value in each if value is not None]


def test_what_is_done_to_one_object_is_not_seen_in_the_next() -> None:
    mapped = {"metric_name": "orders", "value": 1, "additional_properties": {"a": "b"}}
    objects = Fields(declared(metric=mapped), "orders").objects()
    _, _, first, properties = objects({})
    first["deduping_key"] = "of the first"
    properties["c"] = "d"
    del first["value"]
    assert objects({})[2:] == ({"metric_name": "orders", "value": 1}, {"a": "b"})


def test_a_field_that_cant_be_read_keeps_its_object_from_being_made() -> None:
    with pytest.raises(Unmappable, match="no number"):
        metric({"total": "many"}, metric=METRIC_OF_ALL)


def test_an_object_that_isnt_mapped_is_empty() -> None:
    assert metric({"total": 5}) == {}


# --- what chooses the shard ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("identifier", "raw", "expected"),
    [
        ("email", {}, "ann@example.com"),
        ("phone", {}, "+49301"),
        ("remote_id", {}, "x-7"),
        ("email", {"shard_by": "{{ account }}"}, "A-1"),
        (None, {"shard_by": "{{ account }}"}, "A-1"),
        ("email", {"shard_by": "{{ absent }}"}, None),
        ("remote_id", {"contact": {"email": "{{ email }}", "remote_id": "{{ absent }}"}}, None),
    ],
)
def test_a_shard_is_chosen_by_shard_by_else_by_an_identifier_as_contacts_compare_it(
    identifier: str | None, raw: dict[str, Any], expected: str | None
) -> None:
    record: dict[str, Any] = {"email": " Ann@Example.com", "phone": "+49 (30) 1", "id": 7, "account": "A-1"}
    reader = Fields(declared(**raw), "orders").shard_value(identifier)
    assert reader is not None
    assert reader(record) == expected


@pytest.mark.parametrize("identifier", [None, "phone"])
def test_where_nothing_chooses_the_shard_there_is_no_reader(identifier: str | None) -> None:
    fields = Fields(declared(contact={"email": "{{ email }}"}), "orders")
    assert fields.shard_value(identifier) is None
