from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from target_applied_events.errors import MappingError
from target_applied_events.event import Event, Rejection
from target_applied_events.mapping import Mapping, Passed, compile_mappings, declare
from target_applied_events.sandbox.body import read_body
from target_applied_events.sandbox.contract import Refusal, Rules

SHOP = "66e4b0f0-8c1f-4d8e-9d43-0d5f2a1c7e11"
OTHER_SHOP = "11111111-8c1f-4d8e-9d43-0d5f2a1c7e11"
ID = "0b7f0a52-3c55-4a4e-9d0e-6f2a7f6f9a01"
ORIGIN = "https://core.appliedlabs.ai"

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "number": {"type": ["null", "integer"]},
        "status": {"type": ["null", "string"]},
        "total": {"type": ["null", "number", "string"]},
        "currency": {"type": ["null", "string"]},
        "created_at": {"type": ["null", "string"], "format": "date-time"},
        "email": {"type": ["null", "string"]},
        "phone": {"type": ["null", "string"]},
        "customer_id": {"type": ["null", "integer"]},
        "customer": {"type": ["null", "object"], "properties": {"name": {"type": ["null", "string"]}}},
        "paid": {"type": ["null", "boolean"]},
        "tags": {"type": ["null", "array"]},
        "attributes": {"type": ["null", "object"]},
        "shop_uuid": {"type": ["null", "string"]},
        "any": {},
    },
}
RECORD: dict[str, Any] = {
    "id": ID,
    "number": 1001,
    "status": "paid",
    "total": Decimal("129.90"),
    "currency": "EUR",
    "created_at": "2026-04-07T16:30:00.120+02:00",
    "email": " Ann@Example.com ",
    "phone": "+49 30 1",
    "customer_id": 7,
    "customer": {"name": "Ann"},
    "paid": True,
    "tags": ["red"],
    "attributes": {"a": 1, "b": None, "c": {"d": Decimal("1.50")}, "e": "", "f": True},
    "shop_uuid": OTHER_SHOP.upper(),
    "any": None,
}
CONTACT = {"email": "{{ email }}"}
METRIC = {"metric_name": "order_value"}


def compiled(raw: dict[str, Any], **changes: object) -> Mapping:
    declaration, problems = declare({"stream": "orders", "name": "Order placed", **raw}, "mappings[0]")
    assert declaration is not None, problems
    given: dict[str, Any] = {"stream": "orders", "schema": SCHEMA, "key_properties": ["id"], "shop_id": SHOP}
    (mapping,) = compile_mappings([declaration], origin=ORIGIN, **{**given, **changes})
    return mapping


def event(raw: dict[str, Any], record: dict[str, Any] | None = None, **changes: object) -> Event:
    found = compiled(raw, **changes).event({**RECORD, **(record or {})})
    assert isinstance(found, Event), found
    return found


def body(raw: dict[str, Any], record: dict[str, Any] | None = None) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(event(raw, record).body, parse_float=Decimal)
    found.get("metric", {}).pop("deduping_key", None)
    return found


def rejected(raw: dict[str, Any], record: dict[str, Any] | None = None) -> dict[str, str]:
    found = compiled(raw).event({**RECORD, **(record or {})})
    assert isinstance(found, Rejection), found
    assert (found.reason, found.mapping) == ("unmappable", "mappings[0]")
    return {error.path: error.message for error in found.errors}


BODIES = [
    pytest.param({"contact": CONTACT}, {}, {"contact": {"email": "Ann@Example.com"}}, id="identifiers are trimmed"),
    pytest.param(
        {
            "contact": {
                "email": "{{ email | lower }}",
                "name": "{{ customer.name }}",
                "remote_id": "{{ customer_id }}",
            },
            "description": "Order {{ number }} for {{ total }} {{ currency }}",
            "event_time": "{{ created_at }}",
        },
        {},
        {
            "description": "Order 1001 for 129.90 EUR",
            "event_time": "2026-04-07T14:30:00.12Z",
            "contact": {"email": "ann@example.com", "name": "Ann", "remote_id": "7"},
        },
        id="numbers become strings where strings are wanted, times UTC",
    ),
    pytest.param(
        {
            "metric": {
                "metric_name": "order_value",
                "value": "{{ total }}",
                "metric_object_id": "{{ id }}",
                "metric_object_type": "order",
                "context_object_id": "{{ customer_id | uuid('customer') }}",
                "context_object_type": "customer",
                "additional_properties": {
                    "currency": "{{ currency }}",
                    "paid": "{{ paid }}",
                    "none": "{{ any }}",
                    "n": 1.50,
                },
            }
        },
        {},
        {
            "metric": {
                "metric_name": "order_value",
                "value": Decimal("129.90"),
                "metric_object_id": ID,
                "metric_object_type": "order",
                "context_object_id": "UUID",
                "context_object_type": "customer",
                "additional_properties": {"currency": "EUR", "paid": "true", "n": "1.5"},
            }
        },
        id="a metric whole",
    ),
    pytest.param(
        {"metric": {**METRIC, "additional_properties": "{{ attributes }}"}},
        {},
        {"metric": {**METRIC, "additional_properties": {"a": "1", "c": '{"d":1.50}', "f": "true"}}},
        id="an object's values become strings, nulls and empty ones go",
    ),
    pytest.param(
        {"metric": {**METRIC, "additional_properties": "{{ attributes }}"}},
        {"attributes": None},
        {"metric": METRIC},
        id="no properties, no field",
    ),
    pytest.param(
        {"contact": CONTACT, "description": "{{ any }}"}, {}, {"contact": {"email": "Ann@Example.com"}}, id="null drops"
    ),
    pytest.param(
        {"contact": CONTACT, "description": "{{ any }} "},
        {},
        {"contact": {"email": "Ann@Example.com"}},
        id="blank drops",
    ),
    pytest.param(
        {"contact": {**CONTACT, "remote_id": "cust-{{ customer_id }}"}},
        {"customer_id": None},
        {"contact": {"email": "Ann@Example.com"}},
        id="a null in an identifier makes it null",
    ),
    pytest.param(
        {"contact": CONTACT, "metric": METRIC},
        {"email": "  "},
        {"metric": METRIC},
        id="a contact without identifier goes",
    ),
    pytest.param(
        {"contact": CONTACT, "event_time": "{{ any or 'now' }}"},
        {},
        {"contact": {"email": "Ann@Example.com"}},
        id="now",
    ),
    pytest.param(
        {"contact": CONTACT, "event_time": "now"}, {}, {"contact": {"email": "Ann@Example.com"}}, id="now as a constant"
    ),
    pytest.param(
        {"metric": {**METRIC, "value": "{{ total }}"}},
        {"total": " 12.50 "},
        {"metric": {**METRIC, "value": Decimal("12.50")}},
        id="a string that reads as a number is one",
    ),
    pytest.param({"metric": {**METRIC, "value": 1}}, {}, {"metric": {**METRIC, "value": 1}}, id="YAML's numbers"),
    pytest.param(
        {"metric": {**METRIC, "value": 0.1}}, {}, {"metric": {**METRIC, "value": Decimal("0.1")}}, id="YAML's floats"
    ),
    pytest.param(
        {"metric": {**METRIC, "value": "{{ number / 100 * 1.19 }}"}},
        {},
        {"metric": {**METRIC, "value": Decimal("11.9119")}},
        id="arithmetic is exact",
    ),
    pytest.param(
        {"metric": {**METRIC, "value": "{{ total }}"}},
        {"total": Decimal("12345678901234567890123456789012345678.9")},
        {"metric": {**METRIC, "value": Decimal("12345678901234567890123456789012345678.9")}},
        id="39 digits",
    ),
    pytest.param(
        {"metric": {**METRIC, "value": "{{ total }}"}},
        {"total": 2**64 + 1},
        {"metric": {**METRIC, "value": 2**64 + 1}},
        id="2^64+1",
    ),
    pytest.param(
        {"contact": CONTACT, "name": '{{ customer.name }} 🎉 "{{ status }}"'},
        {},
        {"name": 'Ann 🎉 "paid"', "contact": {"email": "Ann@Example.com"}},
        id="emoji and quotes",
    ),
]


@pytest.mark.parametrize(("raw", "record", "expected"), BODIES)
def test_a_mapping_and_a_record_make_a_body(
    raw: dict[str, Any], record: dict[str, Any], expected: dict[str, Any]
) -> None:
    found = body(raw, record)
    if "context_object_id" in found.get("metric", {}):
        found["metric"]["context_object_id"] = "UUID"
    assert found == {"name": "Order placed", **expected}


def test_a_body_is_compact_and_its_fields_always_come_in_one_order() -> None:
    raw = {"metric": {"value": "{{ total }}", **METRIC}, "contact": {"remote_id": "{{ number }}", **CONTACT}}
    found = event({**raw, "description": "x"}).body
    assert re.fullmatch(
        rb'{"name":"Order placed","description":"x","contact":{"email":"Ann@Example.com","remote_id":"1001"},'
        rb'"metric":{"metric_name":"order_value","value":129.90,"deduping_key":"[0-9a-f]{32}"}}',
        found,
    )


UNMAPPABLE = [
    ({"contact": CONTACT, "event_time": "{{ created_at }}"}, {"created_at": None}, "$.event_time", "came out empty"),
    ({"contact": CONTACT, "event_time": "{{ created_at }}"}, {"created_at": " "}, "$.event_time", "came out empty"),
    ({"contact": CONTACT, "event_time": "{{ created_at }}"}, {"created_at": "soon"}, "$.event_time", "is no time"),
    ({"contact": CONTACT, "event_time": "{{ any }}"}, {"any": 1775572200}, "$.event_time", "the filter timestamp"),
    ({"contact": CONTACT, "event_time": "{{ created_at }}"}, {"created_at": "2026-02-30"}, "$.event_time", "calendar"),
    ({"metric": {**METRIC, "value": "{{ total }}"}}, {"total": None}, "$.metric.value", "passed over by a `when`"),
    ({"metric": {**METRIC, "value": "{{ total }}"}}, {"total": "abc"}, "$.metric.value", "text that is no number"),
    ({"metric": {**METRIC, "value": "{{ total }}"}}, {"total": True}, "$.metric.value", "found a boolean"),
    ({"metric": {**METRIC, "value": "{{ total }}"}}, {"total": "NaN"}, "$.metric.value", "text that is no number"),
    ({"metric": {**METRIC, "value": "{{ total }}"}}, {"total": Decimal("NaN")}, "$.metric.value", "isn't finite"),
    ({"metric": {**METRIC, "metric_object_id": "{{ id }}"}}, {"id": "7"}, "$.metric.metric_object_id", "no uuid"),
    ({"metric": {**METRIC, "metric_object_id": "{{ any }}"}}, {"any": 7}, "$.metric.metric_object_id", "filter uuid"),
    ({"metric": {"metric_name": "{{ any }}"}}, {}, "$.metric.metric_name", "came out empty"),
    (
        {"metric": {**METRIC, "additional_properties": "{{ any }}"}},
        {"any": "{}"},
        "$.metric.additional_properties",
        "fromjson",
    ),
    (
        {"metric": {**METRIC, "additional_properties": {"a": "{{ any.x }}"}}},
        {"any": "x"},
        "$.metric.additional_properties.a",
        "path",
    ),
    ({"contact": CONTACT, "name": "{{ any }}"}, {}, "$.name", "an event needs a name"),
    ({"contact": CONTACT, "name": "{{ any }}"}, {"any": ["x"]}, "$.name", "found an array; the endpoint wants text"),
    (
        {"contact": {"email": "{{ any }}"}},
        {"any": {"x": 1}},
        "$.contact.email",
        "found an object; the endpoint wants text",
    ),
    ({"contact": CONTACT}, {"email": None}, "$", "no contact is left"),
    ({"contact": CONTACT, "when": "{{ any }}"}, {"any": "true"}, "$.when", "a condition is true, false or null"),
    ({"contact": CONTACT, "when": "{{ any }}"}, {"any": 1}, "$.when", "found a number"),
    ({"contact": CONTACT, "once_per": "{{ any }}"}, {}, "$.once_per", "came out empty"),
    ({"contact": CONTACT, "once_per": "{{ id }}-{{ any }}"}, {}, "$.once_per", "came out empty"),
    (
        {"contact": CONTACT, "event_time": "{{ status }} {{ any }}"},
        {"status": "2026-04-07"},
        "$.event_time",
        "came out empty",
    ),
    ({"metric": {**METRIC, "value": "{{ id }}.{{ any }}"}}, {"id": 7}, "$.metric.value", "came out null"),
    ({"contact": CONTACT, "shop_id": "{{ shop_uuid }}"}, {"shop_uuid": None}, "$.shop_id", "came out empty"),
    ({"contact": CONTACT, "shop_id": "{{ shop_uuid }}"}, {"shop_uuid": "my shop"}, "$.shop_id", "no uuid"),
    ({"contact": CONTACT, "description": "{{ any }}"}, {"any": "\ud800"}, "$.description", "half a surrogate pair"),
    ({"contact": CONTACT, "description": "x{{ any }}"}, {"any": ["\ud800"]}, "$.description", "half a surrogate pair"),
    ({"contact": CONTACT, "description": "{{ total }}"}, {"total": Decimal("1E+999999999")}, "$.description", "digits"),
    (
        {"contact": CONTACT, "description": "{{ any[1:'x'] }}"},
        {"any": [1]},
        "$.description",
        "can't work on this record: a value of a type that it doesn't take",
    ),
]


@pytest.mark.parametrize("number", [7, Decimal("7.0"), Decimal("7.00"), Decimal("7E0")])
def test_a_number_by_itself_is_one_contact_and_one_deduping_key_however_it_is_written(number: int | Decimal) -> None:
    raw = {"contact": {"remote_id": "{{ any }}"}, "metric": {**METRIC, "deduping_key": "{{ any }}"}}
    found = event(raw, {"any": number})
    assert b'"remote_id":"7"' in found.body
    assert b'"deduping_key":"7"' in found.body
    assert compiled({"contact": CONTACT, "shard_by": "{{ any }}"}).shard_value({**RECORD, "any": number}) == "7"


@pytest.mark.parametrize(("raw", "record", "path", "said"), UNMAPPABLE)
def test_what_the_contract_forbids_is_rejected_with_the_field_named(
    raw: dict[str, Any], record: dict[str, Any], path: str, said: str
) -> None:
    found = rejected(raw, record)
    assert list(found) == [path]
    assert said in found[path]


def test_all_that_is_wrong_with_a_record_is_named_at_once() -> None:
    raw = {
        "event_time": "{{ created_at }}",
        "metric": {**METRIC, "value": "{{ total }}", "metric_object_id": "{{ id }}"},
    }
    found = rejected(raw, {"created_at": "x", "total": "y", "id": "z"})
    assert set(found) == {"$.event_time", "$.metric.value", "$.metric.metric_object_id"}


def test_a_rejection_never_holds_a_value() -> None:
    raw = {"event_time": "{{ created_at }}", "contact": {"email": "{{ any }}"}, "name": "{{ status + number }}"}
    assert "sekret" not in str(rejected(raw, {"created_at": "sekret", "any": ["sekret"], "status": "sekret"}))


@pytest.mark.parametrize(
    ("when", "record"),
    [
        ("{{ status == 'open' }}", {}),
        ("{{ paid }}", {"paid": None}),
        ("{{ number > 5 }}", {"number": None}),
        (False, {}),
    ],
)
def test_a_record_is_passed_over_when_its_condition_is_false_or_null(when: object, record: dict[str, Any]) -> None:
    raw = {"contact": CONTACT, "when": when, "event_time": "{{ status }}"}
    assert compiled(raw).event({**RECORD, **record}) == Passed()


def test_a_deleted_record_is_passed_over_unless_the_condition_speaks_of_it() -> None:
    mute, speaking = (
        compiled({"contact": CONTACT}),
        compiled({"contact": CONTACT, "when": "{{ _sdc_deleted_at is none }}"}),
    )
    gone = {**RECORD, "_sdc_deleted_at": "2026-04-07T16:30:00Z"}
    assert (mute.speaks_of_deleted, speaking.speaks_of_deleted) == (False, True)
    assert mute.event(gone, deleted=True) == Passed()
    assert speaking.event(gone, deleted=True) == Passed()
    wanted = compiled({"contact": CONTACT, "when": "{{ record._sdc_deleted_at is not none }}"})
    assert wanted.speaks_of_deleted
    assert isinstance(wanted.event(gone, deleted=True), Event)
    assert wanted.event(RECORD) == Passed()


WHOLE: dict[str, Any] = {
    "description": "Order {{ number }} for {{ total }} {{ currency }}",
    "event_time": "{{ created_at }}",
    "contact": {"email": "{{ email | lower }}", "name": "{{ customer.name }}", "remote_id": "{{ customer_id }}"},
    "metric": {
        **METRIC,
        "value": "{{ total }}",
        "metric_object_id": "{{ id }}",
        "additional_properties": {"currency": "{{ currency }}", "paid": "{{ paid }}"},
    },
}


@pytest.mark.parametrize(
    ("raw", "key_properties", "key", "deduping_key"),
    [
        (WHOLE, ["id"], "d4e9eb65b9164c4799dac843a6951906", "828a82263b96b87fc46a791f711f0314"),
        (
            {**WHOLE, "once_per": "{{ number }}"},
            ["id"],
            "1ace148bec46a5e6154d58a024c53b5b",
            "a46555530c72e1e1325068ff7c23bb35",
        ),
        ({"contact": CONTACT}, [], "ebd55b4171756b1dc211c7d2a3627787", None),
        (
            {**WHOLE, "metric": {**METRIC, "value": "{{ number }}00"}},
            ["id", "total"],
            "b548bfe18f5bc774acfa0f946ac7db82",
            "b0a486016fe6723a5ae9b5017f6603a7",
        ),
    ],
    ids=["by content", "by occasion", "by the whole record", "by two keys"],
)
def test_what_an_event_is_known_by_never_changes_from_release_to_release(
    raw: dict[str, Any], key_properties: list[str], key: str, deduping_key: str | None
) -> None:
    found = event(raw, {"total": Decimal("129.90"), "_sdc_sequence": 5}, key_properties=key_properties)
    assert found.key.hex() == key
    assert json.loads(found.body).get("metric", {}).get("deduping_key") == deduping_key


def test_an_event_goes_to_its_mappings_own_shop() -> None:
    assert event({"contact": CONTACT}).shop_id == SHOP
    assert event({"contact": CONTACT, "shop_id": "{{ shop_uuid }}"}).shop_id == OTHER_SHOP
    assert event({"contact": CONTACT, "shop_id": OTHER_SHOP.upper()}).shop_id == OTHER_SHOP
    fallback = {"contact": CONTACT, "shop_id": f"{{{{ shop_uuid or '{OTHER_SHOP}' }}}}"}
    assert event(fallback, {"shop_uuid": None}).shop_id == OTHER_SHOP


def test_an_event_knows_where_it_comes_from() -> None:
    found = event({"contact": CONTACT}, key_properties=["id", "number"])
    assert (found.stream, found.mapping) == ("orders", "mappings[0]")
    assert found.key_properties == {"id": ID, "number": 1001}
    assert found.record == RECORD


def test_an_events_order_hangs_on_its_contacts_identifiers() -> None:
    contact = {**CONTACT, "remote_id": "{{ customer_id }}"}
    assert event({"contact": contact}).identifiers == (
        f"{SHOP}\x1femail\x1fann@example.com",
        f"{SHOP}\x1fremote_id\x1f7",
    )
    assert event({"contact": contact, "ordered": False}).identifiers == ()
    assert event({"metric": METRIC}).identifiers == ()


def test_the_deduping_key_is_filled_in_where_no_mapping_gives_it() -> None:
    def deduping(raw: dict[str, Any], record: dict[str, Any] | None = None) -> str:
        return str(json.loads(event({"metric": raw}, record).body)["metric"]["deduping_key"])

    assert re.fullmatch(r"[0-9a-f]{32}", deduping(METRIC))
    assert deduping({**METRIC, "deduping_key": "o-{{ number }}"}) == "o-1001"
    assert deduping({**METRIC, "deduping_key": "o-{{ number }}"}, {"number": None}) == deduping(METRIC)


def test_a_repeated_row_has_the_same_key_and_a_changed_event_another() -> None:
    raw = {"contact": CONTACT, "description": "{{ status }}", "metric": {**METRIC, "value": "{{ total }}"}}
    first = event(raw).key
    assert event(raw, {"total": Decimal("129.9000")}).key == first
    assert event(raw, {"tags": ["unmapped"], "_sdc_batched_at": "now"}).key == first
    assert event(raw, {"status": "open"}).key != first
    assert event(raw, {"id": ID.replace("0", "1")}).key != first
    assert event({**raw, "metric": {**raw["metric"], "deduping_key": "{{ number }}"}}).key == first  # type: ignore[dict-item]
    assert event(raw, key_properties=["id", "number"]).key != first


def test_the_same_moment_in_another_zone_is_the_same_event() -> None:
    raw = {"contact": CONTACT, "event_time": "{{ created_at }}"}
    assert event(raw, {"created_at": "2026-04-07 14:30:00.12+00"}).key == event(raw).key


def test_without_a_primary_key_the_whole_record_is_the_key() -> None:
    raw = {"contact": CONTACT}
    one = event(raw, key_properties=[])
    assert one.key_properties == {}
    assert event(raw, {"tags": ["blue"]}, key_properties=[]).key != one.key
    assert event(raw, {"_sdc_batched_at": "later"}, key_properties=[]).key == one.key


def test_with_once_per_a_changed_row_makes_no_new_event() -> None:
    raw = {"contact": CONTACT, "once_per": "{{ number }}", "description": "{{ status }}"}
    first = event(raw).key
    assert event(raw, {"status": "open", "id": "other"}).key == first
    assert event(raw, {"number": Decimal("1001.0")}).key == first
    assert event(raw, {"number": 1002}).key != first
    assert event({**raw, "name": "Another"}).key != first


def test_all_the_mistakes_of_all_the_mappings_are_raised_at_once() -> None:
    raws: list[dict[str, Any]] = [
        {"contact": {"email": "{{ emial }}"}, "description": "{{ customer.namx }}"},
        {"metric": {**METRIC, "value": "{{ paid }}", "metric_object_id": "{{ number }}"}, "when": "{{ status }}"},
    ]
    found = [declare({"stream": "orders", "name": "x", **raw}, f"mappings[{i}]")[0] for i, raw in enumerate(raws)]
    with pytest.raises(MappingError) as caught:
        compile_mappings(
            [item for item in found if item],
            stream="orders",
            schema=SCHEMA,
            key_properties=[],
            shop_id=SHOP,
            origin=ORIGIN,
        )
    lacking, unfit = "the stream orders has no column", "which never is"
    for problem, (field, said) in zip(
        caught.value.problems,
        [
            ("mappings[0].description", 'the column "customer" of the stream orders has no property "namx"; did you'),
            ("mappings[0].contact.email", f'{lacking} "emial"; did you mean "email"?'),
            ("mappings[1].metric.value", f'the column "paid" is a boolean, {unfit} a number'),
            (
                "mappings[1].metric.metric_object_id",
                f'the column "number" is an integer, {unfit} a uuid; the filter uuid',
            ),
            ("mappings[1].when", f'the column "status" is a string, {unfit} true or false; compare it'),
        ],
        strict=True,
    ):
        assert problem.startswith(f"{field}: {said}")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(
        [2**64 + 1, 10**4000, Decimal("1E+400"), Decimal("1E-999999999"), Decimal("-0"), "\ud800", "\x00"]
    )
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from(["2026-04-07", "2026-04-07T14:30:00Z", ID, "a@b.c", "1e5", "now", "{}", "true"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
POOL: list[dict[str, Any]] = [
    {
        "contact": {"email": "{{ any }}", "phone": "{{ any | upper }}", "remote_id": "x-{{ any }}"},
        "name": "{{ email }}",
    },
    {"contact": CONTACT, "event_time": "{{ any }}", "description": "{{ any }} {{ tags }} {{ record }}"},
    {"contact": CONTACT, "event_time": "{{ any | timestamp }}", "once_per": "{{ tags }}"},
    {"metric": {**METRIC, "value": "{{ any }}", "metric_object_id": "{{ email }}", "deduping_key": "{{ any }}"}},
    {"metric": {**METRIC, "value": "{{ any * 3 / tags }}", "additional_properties": "{{ attributes or any }}"}},
    {"metric": {**METRIC, "value": "{{ any | round(2) + (tags | int) }}", "context_object_id": "{{ any | uuid }}"}},
    {"metric": {**METRIC, "additional_properties": {"a": "{{ any }}", "b": "{{ any.a[0] }}", "c": "{{ any ~ tags }}"}}},
    {"contact": CONTACT, "when": "{{ any > tags }}", "shop_id": "{{ any | uuid('shop') }}", "shard_by": "{{ tags }}"},
    {"contact": CONTACT, "description": "{% for x in any %}{{ x }}{{ loop.last }}{% endfor %}{{ any | tojson }}"},
    {"contact": CONTACT, "description": "{{ any | fromjson | string | sha256 }}{{ any[:2] }}{{ any ** tags % 7 }}"},
    {"contact": {"email": "{{ any | lower | trim }}"}, "metric": {**METRIC, "value": "{{ tags | sum }}"}},
]
ANYTHING = {"properties": dict.fromkeys(SCHEMA["properties"], True)}
MAPPINGS = [compiled(raw, key_properties=keys, schema=ANYTHING) for raw in POOL for keys in (["id"], [])]


def keeps_the_contract(found: dict[str, Any]) -> None:
    """The endpoint's contract, written anew from its documentation."""
    assert found["name"].strip()
    assert set(found) <= {"name", "description", "event_time", "contact", "metric"}
    assert found.get("contact") or found.get("metric")
    if "event_time" in found:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", found["event_time"])
    contact = found.get("contact", {"email": "x"})
    assert set(contact) <= {"email", "name", "phone", "remote_id"}
    assert set(contact) - {"name"}
    assert all(isinstance(item, str) and item for item in contact.values())
    metric = found.get("metric", {"metric_name": "x"})
    assert metric["metric_name"]
    assert not isinstance(metric.get("value", 0), bool | str)
    for name in ("metric_object_id", "context_object_id"):
        assert re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", metric.get(name, ID))
    assert all(isinstance(item, str) and item for item in metric.get("additional_properties", {}).values())


@settings(max_examples=400)
@given(
    mapping=st.sampled_from(MAPPINGS),
    record=st.fixed_dictionaries(
        {}, optional=dict.fromkeys(("id", "any", "tags", "email", "attributes", "total", "created_at"), JSON)
    ),
)
def test_no_record_makes_a_mapping_raise_and_what_comes_out_keeps_the_contract(
    mapping: Mapping, record: dict[str, Any]
) -> None:
    found = mapping.event(record)
    if isinstance(found, Event):
        assert not isinstance(read_body(found.body, Rules()), Refusal)
        keeps_the_contract(json.loads(found.body, parse_float=Decimal, parse_int=Decimal))
        assert mapping.event(record) == found
    else:
        assert isinstance(found, Passed | Rejection)


def through_jinja(raw: Any) -> Any:  # noqa: ANN401  a mapping, or a part of it
    """Write each expression so that nothing but Jinja can work it out."""
    if isinstance(raw, dict):
        return {name: value if name == "name" else through_jinja(value) for name, value in raw.items()}
    return raw.replace(" }}", " if true }}") if isinstance(raw, str) else raw


BOTH_WAYS = [
    (compiled(raw, schema=ANYTHING), compiled(through_jinja(raw), schema=ANYTHING))
    for raw in (
        WHOLE,
        {"contact": {"email": "{{ any }}", "phone": "{{ tags }}", "name": "{{ attributes }}"}, "once_per": "{{ any }}"},
        {"contact": CONTACT, "event_time": "{{ any }}", "description": "<{{ any }}|{{ tags }}|{{ total | lower }}>"},
        {"metric": {**METRIC, "value": "{{ any }}", "metric_object_id": "{{ email }}", "deduping_key": "{{ tags }}"}},
        {"metric": {**METRIC, "value": 1, "additional_properties": {"a": "{{ any }}", "b": "{{ tags }}", "c": 5}}},
        {"contact": CONTACT, "when": "{{ any }}", "shop_id": "{{ id }}", "shard_by": "{{ tags }}"},
    )
]


@settings(max_examples=300, deadline=None)
@given(both=st.sampled_from(BOTH_WAYS), record=st.fixed_dictionaries({}, optional=dict.fromkeys(RECORD, JSON)))
def test_what_is_done_without_jinja_makes_the_events_that_jinja_would(
    both: tuple[Mapping, Mapping], record: dict[str, Any]
) -> None:
    quick, full = (mapping.event({**RECORD, **record}) for mapping in both)
    assert quick == full


BEYOND = [10**5000, -(10**5000), Decimal("1E+999999999999999999"), Decimal("-1E-999999999999999999")]


@pytest.mark.parametrize("value", BEYOND, ids=["large", "small", "exponent", "fraction"])
def test_a_number_beyond_all_bounds_is_mapped_or_rejected(value: Decimal) -> None:
    for mapping in MAPPINGS:
        for name in ("any", "id", "tags", "email"):
            assert isinstance(mapping.event({**RECORD, name: value}), Event | Passed | Rejection)


def test_an_integer_of_5000_digits_arrives_to_its_last_digit() -> None:
    number = 10**5000 + 7
    found = event({"metric": METRIC, "description": "{{ any }} {{ [any] }}"}, {"any": number})
    assert found.body.count(b"1" + b"0" * 4999 + b"7") == 2


def test_a_record_nested_a_thousand_deep_is_mapped_or_rejected() -> None:
    deep: Any = []
    for _ in range(1000):
        deep = [deep]
    for mapping in MAPPINGS:
        assert isinstance(mapping.event({**RECORD, "any": deep}), Event | Passed | Rejection)


def test_a_column_called_as_a_reserved_name_is_told() -> None:
    schema = {"properties": {**SCHEMA["properties"], "record": {}, "stream": {}}}
    found = compiled({"contact": CONTACT, "description": "{{ stream }} {{ record['stream'] }}"}, schema=schema).notes
    assert len(found) == 2
    assert "mappings[0].description" in found[0]
    assert "record['record']" in found[0]
    assert compiled({"contact": CONTACT}, schema=schema).notes == ()
