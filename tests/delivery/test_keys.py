"""What became of a key's events is known while another of it is unsettled, and not a moment longer."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from target_applied_events.delivery.keys import Keys
from target_applied_events.event import Standing

KEY, OTHER = b"key", b"other"


def test_the_last_word_is_known_as_long_as_another_waits() -> None:
    keys = Keys()
    for _ in range(3):
        keys.add(KEY)
    keys.settle(KEY, Standing.IN_DOUBT)
    assert keys.standing(KEY) is Standing.IN_DOUBT
    keys.settle(KEY, Standing.DELIVERED)
    assert keys.standing(KEY) is Standing.DELIVERED
    keys.settle(KEY, None)
    assert keys.standing(KEY) is None
    assert KEY not in keys


def test_what_tells_nothing_new_leaves_what_was_known() -> None:
    keys = Keys()
    for _ in range(3):
        keys.add(KEY)
    keys.settle(KEY, Standing.DELIVERED)
    keys.settle(KEY, None)
    assert keys.standing(KEY) is Standing.DELIVERED
    assert keys.standing(OTHER) is None


@given(st.lists(st.tuples(st.sampled_from([KEY, OTHER]), st.sampled_from([None, *Standing]))))
def test_nothing_is_kept_once_all_is_settled(events: list[tuple[bytes, Standing | None]]) -> None:
    keys = Keys()
    for key, _ in events:
        keys.add(key)
    assert len(keys) == len({key for key, _ in events})
    for key, standing in events:
        keys.settle(key, standing)
    assert repr(keys) == repr(Keys())
