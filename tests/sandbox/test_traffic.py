from __future__ import annotations

from target_applied_events.sandbox.traffic import Traffic


def test_requests_are_numbered_in_the_order_of_arrival() -> None:
    traffic = Traffic(first=7)
    assert [traffic.begin() for _ in range(3)] == [7, 8, 9]


def test_the_most_open_at_once_is_remembered() -> None:
    traffic = Traffic()
    traffic.begin()
    traffic.begin()
    traffic.end(0.0, 1.0, refused=False)
    traffic.begin()
    assert (traffic.open, traffic.most_open, traffic.requests) == (2, 2, 3)


def test_the_rate_covers_whole_seconds_only() -> None:
    traffic = Traffic()
    for now in (10.1, 10.9, 11.5, 12.0):
        traffic.begin()
        traffic.end(now, now, refused=False)
    assert traffic.rate(12.5)[-3:] == [0, 2, 1]
    assert len(traffic.rate(12.5)) == 60
    assert sum(traffic.rate(100.0)) == 0


def test_latency_is_that_of_the_last_seconds() -> None:
    traffic = Traffic()
    for index in range(100):
        traffic.begin()
        traffic.end(0.0, (index + 1) / 100, refused=False)
    assert traffic.latency(1.0) == {"median": 0.51, "p95": 0.96}
    assert traffic.latency(10.0) is None


def test_clearing_keeps_what_is_open_and_never_gives_a_number_twice() -> None:
    traffic = Traffic()
    first = traffic.begin()
    traffic.begin()
    traffic.end(0.0, 0.0, refused=True)
    traffic.clear()
    assert (traffic.requests, traffic.open, traffic.most_open, traffic.refused) == (1, 1, 1, 0)
    assert traffic.begin() > first + 1
