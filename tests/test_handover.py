from __future__ import annotations

from target_applied_events.event import Event, Rejection
from target_applied_events.handover import HeldState, Pending, RejectedRecord, Stream, Tally

EVENT = Event("orders", "mappings[0]", "shop", b'{"name":"\xc3\xb6"}', bytes(16), (), {"n": 1}, {"n": 1})


def test_an_event_is_as_large_as_its_body_and_its_record_as_it_was_read() -> None:
    stream = Stream("orders", {}, ("n",))
    assert Pending(EVENT, stream, Tally(), record_bytes=100).size_bytes == 113
    assert Pending(EVENT, stream, Tally()).size_bytes == 13


def test_what_was_not_read_by_itself_adds_nothing() -> None:
    assert HeldState(1).size_bytes == 0
    assert RejectedRecord(Stream("orders", {}, ()), {}, Rejection("refused"), Tally()).size_bytes == 0


def test_a_schema_that_comes_anew_makes_another_stream_though_it_says_the_same() -> None:
    """What is kept of rejected records declares it again, so that a reader needs to look back no further."""
    assert len({Stream("orders", {}, ("n",)), Stream("orders", {}, ("n",))}) == 2
