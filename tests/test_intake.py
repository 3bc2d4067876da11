"""What becomes of a record: of several shards exactly one delivers its event, and exactly one rejects it."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_applied_events.handover import Pending, RejectedRecord, Stream
from target_applied_events.intake import Intake
from target_applied_events.mapping import Mapping, compile_mappings, declare
from target_applied_events.settings import Settings
from target_applied_events.shard import Shard
from target_applied_events.summary import Summary
from target_applied_events.validation import Validator

if TYPE_CHECKING:
    from collections.abc import Sequence

SHOP = "66e4c0de-0000-4000-8000-000000000001"
SCHEMA: dict[str, Any] = {
    "properties": {
        "id": {"type": "integer"},
        "email": {"type": ["string", "null"]},
        "account": {"type": ["string", "null"]},
        "total": {"type": ["number", "string", "null"]},
    }
}
PLACED: dict[str, Any] = {
    "stream": "orders",
    "name": "Order",
    "contact": {"email": "{{ email }}"},
    "metric": {"metric_name": "order_value", "value": "{{ total or 1 }}"},
}
BY_ACCOUNT = {**PLACED, "name": "Account", "shard_by": "{{ account }}", "when": "{{ account != 'none' }}"}
ORDERS = Stream("orders", SCHEMA, ("id",))


def mappings(*raw: dict[str, Any]) -> tuple[Mapping, ...]:
    declared = [declare(item, f"mappings[{index}]") for index, item in enumerate(raw)]
    assert all(not problems for _, problems in declared)
    return compile_mappings(
        [declaration for declaration, _ in declared if declaration is not None],
        stream="orders",
        schema=SCHEMA,
        key_properties=("id",),
        shop_id=SHOP,
        origin="https://example.com:443",
        shard_identifier="email",
    )


def outcome(
    records: Sequence[dict[str, Any]], chosen: Sequence[Mapping], shard: Shard | None
) -> tuple[list[tuple[str, str]], Summary]:
    """What a run hands over, each as text, and its accounts."""
    summary = Summary()
    intake = Intake(ORDERS, Validator("orders", SCHEMA, ("id",)), shard, summary)
    handed = []
    for record in records:
        for item in intake.take(record, chosen, deleted=False, strange=False):
            match item:
                case Pending(event):
                    handed.append((event.mapping, event.body.decode()))
                case RejectedRecord():
                    handed.append((item.rejection.reason, json.dumps(dict(item.record), default=str)))
    return handed, summary


RECORDS = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.integers(0, 50) | st.none(),
            "email": st.sampled_from(["a@example.com", "B@Example.com", "b@example.com", "", None, 7]),
            "account": st.sampled_from(["one", "two", "none", None]),
            "total": st.sampled_from([None, Decimal("1.5"), "a lot"]),
        }
    ),
    max_size=12,
)


@given(RECORDS, st.integers(1, 5))
def test_all_shards_together_hand_over_what_one_run_would_each_exactly_once(
    records: list[dict[str, Any]], count: int
) -> None:
    chosen = mappings(PLACED, BY_ACCOUNT)
    whole, _ = outcome(records, chosen, None)
    shares = [outcome(records, chosen, Shard(number, count)) for number in range(1, count + 1)]
    assert sorted(item for handed, _ in shares for item in handed) == sorted(whole)
    for handed, summary in shares:
        assert summary.read == len(handed) + summary.skipped_by_mapping + summary.passed_over


def test_all_events_of_a_contact_fall_into_one_shard_however_its_email_is_written() -> None:
    emails = ["Ada@Example.com", "ada@example.com", " ADA@example.com "]
    records = [{"id": number, "email": email, "total": 1} for number, email in enumerate(emails)]
    taken = [len(outcome(records, mappings(PLACED), Shard(number, 8))[0]) for number in range(1, 9)]
    assert sorted(taken) == [0] * 7 + [3]


def test_what_has_nothing_to_choose_its_shard_by_falls_by_its_key_and_is_counted() -> None:
    records = [{"id": number, "email": None, "total": 1} for number in range(100)]
    shares = [outcome(records, mappings(PLACED), Shard(number, 4)) for number in range(1, 5)]
    assert sum(len(handed) for handed, _ in shares) == 100
    assert sum(summary.sharded_by_key for _, summary in shares) == 100
    assert all(handed for handed, _ in shares)


def test_without_shards_nothing_is_counted_as_sharded() -> None:
    _, summary = outcome([{"id": 1, "email": None, "total": 1}], mappings(PLACED), None)
    assert (summary.sharded_by_key, summary.passed_over) == (0, 0)


@pytest.mark.parametrize("value", [float("nan"), "\ud800", 10**400, Decimal("1E+400"), [1], {"a": None}])
def test_whatever_a_key_holds_exactly_one_shard_rejects_its_record(value: object) -> None:
    rejected = [outcome([{"id": value}], mappings(PLACED), Shard(number, 3))[0] for number in (1, 2, 3)]
    assert sorted(len(handed) for handed in rejected) == [0, 0, 1]


def test_an_event_counts_with_its_record_which_is_kept_until_it_is_settled() -> None:
    intake = Intake(ORDERS, None, None, Summary())
    (item,) = intake.take({"id": 1, "email": "a@b.c"}, mappings(PLACED), deleted=False, strange=False, size_bytes=100)
    assert isinstance(item, Pending)
    assert item.size_bytes == len(item.event.body) + 100


@pytest.mark.parametrize("total", [[], "a lot"], ids=["invalid", "unmappable"])
def test_a_rejected_record_counts_as_long_as_it_was_read(total: object) -> None:
    intake = Intake(ORDERS, Validator("orders", SCHEMA, ("id",)), None, Summary())
    record: dict[str, Any] = {"id": 1, "email": "a@b.c", "total": total}
    (item,) = intake.take(record, mappings(PLACED), deleted=False, strange=False, size_bytes=100)
    assert isinstance(item, RejectedRecord)
    assert item.size_bytes == 100


def test_settings_hand_the_shard_on() -> None:
    """What the sinks build an intake from."""
    config = {"api_key": "AL", "shop_id": SHOP, "shard": "2/3", "mappings": [PLACED]}
    settings = Settings.read(config)
    assert (settings.shard, settings.shard_identifier) == (Shard(2, 3), "email")
