from __future__ import annotations

from typing import Any

import pytest

from target_applied_events.settings import values
from target_applied_events.settings.reader import SettingReader

SHOP = "66e4c0de-0000-4000-8000-000000000001"
MAPPING: dict[str, Any] = {"stream": "orders", "name": "Order placed", "contact": {"email": "{{ email }}"}}
BY_PHONE = {**MAPPING, "name": "Called", "contact": {"phone": "{{ phone }}"}}
BY_BOTH = {**MAPPING, "name": "Written", "contact": {"email": "{{ email }}", "remote_id": "{{ id }}"}}
OF_NO_CONTACT = {"stream": "orders", "name": "Counted", "metric": {"metric_name": "orders"}}
OWN_SHOP = {**MAPPING, "shop_id": "{{ shop_uuid }}"}
OWN_SHARD = {**BY_PHONE, "shard_by": "{{ account }}"}


def read_shard_identifier(*mappings: dict[str, Any], shard: str | None = "2/8") -> tuple[str | None, list[str]]:
    reader = SettingReader({"mappings": list(mappings), "shard": shard})
    return reader.shard_identifier(reader.mappings()), reader.problems


def read_shop_id(*mappings: dict[str, Any], shop_id: str | None, needed: bool = True) -> tuple[str | None, list[str]]:
    reader = SettingReader({"mappings": list(mappings), "shop_id": shop_id})
    return reader.shop_id(reader.mappings(), needed=needed), reader.problems


@pytest.mark.parametrize("config", [{}, {"retry_timeout": None}, {"retry_timeout": ""}])
def test_what_isnt_given_is_its_default_and_no_problem_unless_it_is_required(
    config: dict[str, object],
) -> None:
    reader = SettingReader(config)
    assert reader.optional("retry_timeout", values.positive) is None
    assert reader.take("retry_timeout", values.positive, 300.0) == 300
    assert reader.problems == []
    reader.take("retry_timeout", values.positive, None)
    assert reader.problems == ["retry_timeout is missing; it is required."]


def test_a_setting_that_is_given_is_read_even_where_it_counts_as_false() -> None:
    reader = SettingReader({"max_rejected": 0, "validate_records": False})
    assert reader.take("max_rejected", values.whole(0, None), 7) == 0
    assert reader.take("validate_records", values.boolean, default=True) is False


def test_a_wrong_setting_is_told_once_by_its_name_and_reading_goes_on() -> None:
    reader = SettingReader({"shop_id": "x", "request_timeout": 0, "retry_timeout": 60})
    assert reader.optional("shop_id", values.uuid_text) is None
    assert reader.take("request_timeout", values.positive, 30.0) == 30
    assert reader.take("retry_timeout", values.positive, 300.0) == 60
    assert [problem.partition(" ")[0] for problem in reader.problems] == ["shop_id", "request_timeout"]


@pytest.mark.parametrize(
    ("given", "seen"),
    [
        (MAPPING, "is an object"),
        ("- stream: orders", "is text"),
        (5, "is a number"),
        (None, "is missing or empty"),
        ([], "is missing or empty"),
        ("", "is missing or empty"),
    ],
)
def test_mappings_that_are_no_list_are_told_as_what_they_are(given: object, seen: str) -> None:
    reader = SettingReader({"mappings": given})
    assert reader.mappings() == ()
    assert reader.problems == [
        f"mappings {seen}; it must be a list of at least one mapping, in YAML each begins with `- stream:`."
    ]


def test_a_mapping_that_is_wrong_is_told_by_its_place_and_the_others_are_read() -> None:
    reader = SettingReader({"mappings": [MAPPING, {"stream": "orders"}, BY_PHONE, "orders"]})
    assert [declaration.label for declaration in reader.mappings()] == ["mappings[0]", "mappings[2]"]
    assert {problem.partition("]")[0] for problem in reader.problems} == {"mappings[1", "mappings[3"}


def test_two_mappings_that_could_make_one_event_of_two_are_told() -> None:
    once = {**MAPPING, "once_per": "{{ id }}"}
    reader = SettingReader({"mappings": [once, once]})
    assert len(reader.mappings()) == 2
    (problem,) = reader.problems
    assert "mappings[0]" in problem
    assert "mappings[1]" in problem


@pytest.mark.parametrize(
    ("mappings", "identifier"),
    [
        ([MAPPING], "email"),
        ([MAPPING, BY_BOTH], "email"),
        ([BY_BOTH], "remote_id"),
        ([MAPPING, OWN_SHARD], "email"),
        ([MAPPING, OF_NO_CONTACT], "email"),
    ],
)
def test_contacts_fall_into_shards_by_an_identifier_that_every_mapping_without_a_shard_by_names(
    mappings: list[dict[str, Any]], identifier: str
) -> None:
    assert read_shard_identifier(*mappings) == (identifier, [])


def test_a_shard_asks_for_what_chooses_it_where_no_identifier_is_in_every_mapping() -> None:
    found, (problem,) = read_shard_identifier(MAPPING, BY_PHONE)
    assert found is None
    assert problem.startswith("shard needs one identifier")
    assert "shard_by" in problem


def test_a_run_without_a_shard_asks_for_nothing_that_chooses_it() -> None:
    assert read_shard_identifier(MAPPING, BY_PHONE, shard=None) == (None, [])


def test_a_shop_is_needed_unless_every_mapping_has_its_own_or_nothing_is_sent() -> None:
    assert read_shop_id(OWN_SHOP, shop_id=None) == (None, [])
    assert read_shop_id(MAPPING, shop_id=None, needed=False) == (None, [])
    assert read_shop_id(OWN_SHOP, MAPPING, shop_id=SHOP.upper()) == (SHOP, [])
    assert read_shop_id(OWN_SHOP, MAPPING, shop_id=None) == (
        None,
        ["shop_id is missing; it is required unless every mapping has its own (mappings[1] has none)."],
    )


def test_a_shop_that_is_wrong_is_not_told_as_missing_too() -> None:
    _, (problem,) = read_shop_id(MAPPING, shop_id="my shop", needed=True)
    assert problem.startswith("shop_id must be a uuid")
