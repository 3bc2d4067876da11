"""A shard is the same for the same value everywhere and always, and every value has exactly one."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_applied_events.shard import Shard, shard_identifier, shard_of

GOLDEN = {
    "ada@example.com": 8,
    "42": 3,
    "+4930123456": 5,
    "ünï": 8,
    "": 5,
    "66e4c0de-0000-4000-8000-000000000001": 4,
}
"""What each of these values falls into, of 8: a change would send a contact's next event through another run."""


@pytest.mark.parametrize(("value", "shard"), GOLDEN.items())
def test_a_value_falls_into_the_shard_that_it_always_fell_into(value: str, shard: int) -> None:
    assert shard_of(value, 8) == shard


@given(st.text(), st.integers(1, 64))
def test_every_value_is_held_by_exactly_one_shard(value: str, count: int) -> None:
    assert sum(Shard(number, count).holds(value) for number in range(1, count + 1)) == 1


def test_values_spread_evenly() -> None:
    filled = Counter(shard_of(f"person{number}@example.com", 8) for number in range(8_000))
    assert all(800 < filled[shard] < 1_200 for shard in range(1, 9))


@pytest.mark.parametrize(
    ("contacts", "identifier"),
    [
        ([{"email"}, {"email", "phone"}], "email"),
        ([{"email", "remote_id"}, {"remote_id", "email"}], "remote_id"),
        ([{"phone"}], "phone"),
        ([{"email"}, {"phone"}], None),
        ([], "remote_id"),
    ],
)
def test_the_first_identifier_that_all_mappings_name_is_chosen(
    contacts: list[set[str]], identifier: str | None
) -> None:
    assert shard_identifier([frozenset(named) for named in contacts]) == identifier
