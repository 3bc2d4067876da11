from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_applied_events.delivery.reply import in_doubt, signal
from target_applied_events.delivery.retry import (
    Decision,
    History,
    Retry,
    Settle,
    Stop,
    backoff_seconds,
    judge,
)
from target_applied_events.event import (
    Answer,
    Failure,
    NoAnswer,
    Refused,
    Rejection,
    Reply,
    Signal,
    Violation,
)

WALL_NOW = 1_775_000_000.0
HTML = Answer(200, b"<!DOCTYPE html><title>Sign in</title>", "text/html; charset=utf-8")


def judged(  # noqa: PLR0913 - judge's own arguments
    reply: Reply,
    history: History | None = None,
    *,
    now: float = 100.0,
    known_good: bool = True,
    delivered_since_last: bool = False,
    others_are_well: bool = False,
    retry_timeout_seconds: float = 300,
) -> Decision:
    return judge(
        reply,
        history or History(first_at=now),
        now=now,
        wall_now=WALL_NOW,
        known_good=known_good,
        delivered_since_last=delivered_since_last,
        others_are_well=others_are_well,
        retry_timeout_seconds=retry_timeout_seconds,
        rng=random.Random(1),  # noqa: S311 - jitter
    )


def kind(decision: Decision) -> str:
    match decision:
        case Settle(outcome):
            return outcome.rejection.reason if isinstance(outcome, Refused) else "delivered"
        case Retry(hold_all=hold_all):
            return "hold all" if hold_all else "retry"
        case Stop():
            return "stop"


# Each reply: its meaning where a delivery is known, where none is, whether it may have been taken, its load.
TABLE: list[tuple[Reply, str, str, bool, Signal]] = [
    (Answer(200, b'{"contact": {}}', "application/json"), "delivered", "delivered", False, Signal.SUCCESS),
    (Answer(200, b"[1]", "application/json"), "delivered", "delivered", False, Signal.SUCCESS),
    (Answer(200), "delivered", "delivered", False, Signal.SUCCESS),
    (Answer(204, content_type="text/html"), "delivered", "delivered", False, Signal.SUCCESS),
    (Answer(200, b'{"contact": {}}', "text/html"), "delivered", "delivered", False, Signal.SUCCESS),
    (Answer(202, b"OK", "text/plain"), "delivered", "delivered", False, Signal.SUCCESS),
    (Answer(299), "delivered", "delivered", False, Signal.SUCCESS),
    (HTML, "retry", "retry", True, Signal.FAILURE),
    (Answer(200, b"please sign in", "text/html"), "retry", "retry", True, Signal.FAILURE),
    (Answer(200, b"\xef\xbb\xbf\r\n <HTML>"), "retry", "retry", True, Signal.FAILURE),
    (Answer(100), "retry", "retry", True, Signal.FAILURE),
    (Answer(101), "retry", "retry", True, Signal.FAILURE),
    (Answer(300), "stop", "stop", False, Signal.NEUTRAL),
    (Answer(301), "stop", "stop", False, Signal.NEUTRAL),
    (Answer(302), "stop", "stop", False, Signal.NEUTRAL),
    (Answer(304), "stop", "stop", False, Signal.NEUTRAL),
    (Answer(307), "stop", "stop", False, Signal.NEUTRAL),
    (Answer(308), "stop", "stop", False, Signal.NEUTRAL),
    (Answer(400), "refused", "refused", False, Signal.NEUTRAL),
    (Answer(401), "stop", "stop", False, Signal.NEUTRAL),
    (Answer(402), "stop", "stop", False, Signal.NEUTRAL),
    (Answer(403), "stop", "stop", False, Signal.NEUTRAL),
    (Answer(404), "refused", "stop", False, Signal.NEUTRAL),
    (Answer(405), "refused", "stop", False, Signal.NEUTRAL),
    (Answer(406), "refused", "refused", False, Signal.NEUTRAL),
    (Answer(407), "stop", "stop", False, Signal.NEUTRAL),
    (Answer(408), "retry", "retry", False, Signal.NEUTRAL),
    (Answer(409), "refused", "refused", False, Signal.NEUTRAL),
    (Answer(410), "refused", "stop", False, Signal.NEUTRAL),
    (Answer(413), "refused", "refused", False, Signal.NEUTRAL),
    (Answer(415), "refused", "refused", False, Signal.NEUTRAL),
    (Answer(418), "refused", "refused", False, Signal.NEUTRAL),
    (Answer(422, b"<html>", "text/html"), "refused", "refused", False, Signal.NEUTRAL),
    (Answer(425), "retry", "retry", False, Signal.NEUTRAL),
    (Answer(429), "retry", "retry", False, Signal.RATE_LIMITED),
    (Answer(429, retry_after="2"), "retry", "retry", False, Signal.RATE_LIMITED),
    (Answer(429, retry_after="3"), "hold all", "hold all", False, Signal.RATE_LIMITED),
    (Answer(431), "refused", "refused", False, Signal.NEUTRAL),
    (Answer(499), "refused", "refused", False, Signal.NEUTRAL),
    (Answer(500), "retry", "retry", True, Signal.FAILURE),
    (Answer(501), "stop", "stop", True, Signal.FAILURE),
    (Answer(502), "retry", "retry", True, Signal.PUSH_BACK),
    (Answer(503), "retry", "retry", False, Signal.PUSH_BACK),
    (Answer(503, b"<html>down</html>", "text/html"), "retry", "retry", False, Signal.PUSH_BACK),
    (Answer(503, retry_after="120"), "hold all", "hold all", False, Signal.PUSH_BACK),
    (Answer(504), "retry", "retry", True, Signal.PUSH_BACK),
    (Answer(505), "stop", "stop", True, Signal.FAILURE),
    (Answer(511), "retry", "retry", True, Signal.FAILURE),
    (Answer(599), "retry", "retry", True, Signal.FAILURE),
    (Answer(700), "retry", "retry", True, Signal.FAILURE),
    (NoAnswer(Failure.UNREACHABLE), "retry", "retry", False, Signal.FAILURE),
    (NoAnswer(Failure.UNTRUSTED), "stop", "stop", False, Signal.FAILURE),
    (NoAnswer(Failure.BROKEN), "retry", "retry", True, Signal.FAILURE),
    (NoAnswer(Failure.TIMED_OUT), "retry", "retry", True, Signal.PUSH_BACK),
]


def name(reply: object) -> str:
    match reply:
        case Answer():
            return f"{reply.status}-{reply.content_type or '-'}-{reply.retry_after or '-'}"
        case NoAnswer():
            return reply.failure.name
        case _:
            return str(reply)


@pytest.mark.parametrize(("reply", "known", "unknown", "doubt", "load"), TABLE, ids=name)
def test_each_reply_means_what_the_table_says(
    reply: Reply,
    known: str,
    unknown: str,
    doubt: bool,  # noqa: FBT001 - a row of the table
    load: Signal,
) -> None:
    assert kind(judged(reply, known_good=True)) == known
    assert kind(judged(reply, known_good=False)) == unknown
    assert in_doubt(reply) is doubt
    assert signal(reply) is load


@given(st.integers(-1, 1_200))
def test_a_status_that_is_not_named_is_decided_by_its_hundred(status: int) -> None:
    named = {401, 402, 403, 404, 405, 407, 408, 410, 425, 429, 501, 505}
    by_hundred = {2: "delivered", 3: "stop", 4: "refused"}
    if status not in named:
        assert kind(judged(Answer(status))) == by_hundred.get(status // 100, "retry")


def test_a_refused_event_keeps_status_and_answer() -> None:
    decision = judged(Answer(422, "name:\n\tnötig \x1b[31m".encode()))
    violation = Violation("$", "the endpoint refused it with status 422")
    expected = Rejection("refused", (violation,), status=422, response="name:  nötig  [31m")
    assert decision == Settle(Refused(expected))


@given(st.binary(max_size=9_000))
def test_an_answer_is_kept_cut_short_and_printable(body: bytes) -> None:
    match judged(Answer(400, body)):
        case Settle(Refused(Rejection(response=str(response)))):
            assert len(response) <= 2_000
            assert response.isprintable()
        case other:
            pytest.fail(f"not refused: {other}")


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Answer(401), ["401", "api_key", "shop_id"]),
        (Answer(403), ["403", "api_key", "shop_id"]),
        (Answer(404), ["404", "api_url", "shop_id"]),
        (Answer(301), ["301", "Redirects", "api_url"]),
        (Answer(501), ["501", "api_url"]),
        (NoAnswer(Failure.UNTRUSTED, "self-signed"), ["certificate", "self-signed", "api_url", "REQUESTS_CA_BUNDLE"]),
        (Answer(429, retry_after="86400"), ["429", "86400 s", "Retry-After", "retry_timeout", "300 s"]),
    ],
    ids=name,
)
def test_a_stop_says_what_was_seen_and_which_setting_to_look_at(reply: Reply, words: list[str]) -> None:
    match judged(reply, known_good=False):
        case Stop(message=message):
            assert [word for word in words if word not in message] == []
        case other:
            pytest.fail(f"no stop: {other}")


def test_a_stop_keeps_the_answer_out_of_its_message() -> None:
    match judged(Answer(403, b"who is anna@example.com?")):
        case Stop(message=message, status=403, response="who is anna@example.com?"):
            assert "anna" not in message
        case other:
            pytest.fail(f"no stop: {other}")


def test_retry_timeout_counts_from_the_first_attempt() -> None:
    history = History(first_at=100.0)
    assert kind(judged(Answer(503), history, now=399.9)) == "retry"
    match judged(Answer(503), history, now=400.0):
        case Stop(message=message):
            assert "2 times within retry_timeout (300 s)" in message
            assert "answered 503" in message
        case other:
            pytest.fail(f"no stop: {other}")


def test_the_last_attempt_comes_when_retry_timeout_is_over_and_not_later() -> None:
    for attempts in range(1, 20):
        match judged(Answer(503), History(first_at=0.0, attempts=attempts), now=299.99):
            case Retry(until=until):
                assert until <= 300.0 + 1e-9
            case other:
                pytest.fail(f"no retry: {other}")


def test_without_time_to_retry_the_first_failure_stops_the_run() -> None:
    match judged(NoAnswer(Failure.UNREACHABLE, "Connection refused"), retry_timeout_seconds=0):
        case Stop(message=message):
            assert "tried once within retry_timeout (0 s)" in message
            assert "no connection was made (Connection refused)" in message
        case other:
            pytest.fail(f"no stop: {other}")


def fail_in_a_row(replies: list[Reply], *, others_delivered: list[bool]) -> list[str]:
    history = History(first_at=0.0)
    return [
        kind(judged(reply, history, now=float(second), delivered_since_last=delivered))
        for second, (reply, delivered) in enumerate(zip(replies, others_delivered, strict=True))
    ]


POISON: list[Reply] = [
    Answer(500),
    Answer(502),
    Answer(504),
    NoAnswer(Failure.TIMED_OUT),
    NoAnswer(Failure.BROKEN),
    Answer(500),
]
NOT_POISON: list[Reply] = [Answer(503), Answer(429), Answer(408), Answer(520), NoAnswer(Failure.UNREACHABLE)]


def test_an_event_that_alone_fails_six_times_is_rejected_in_doubt() -> None:
    delivered = [False, True, True, True, True, True]
    assert fail_in_a_row(POISON, others_delivered=delivered) == ["retry"] * 5 + ["in_doubt"]


@pytest.mark.parametrize("quiet", range(1, 6))
def test_where_nothing_else_is_delivered_between_it_is_an_outage(quiet: int) -> None:
    delivered = [attempt != quiet for attempt in range(6)]
    assert fail_in_a_row(POISON, others_delivered=delivered) == ["retry"] * 6


def test_a_quiet_moment_or_another_failure_between_them_only_defers_the_rejection() -> None:
    quick = fail_in_a_row([POISON[0], *POISON], others_delivered=[False, False, True, True, True, True, True])
    assert quick == ["retry"] * 6 + ["in_doubt"]
    limited = fail_in_a_row([Answer(500), Answer(429), *POISON], others_delivered=[True] * 8)
    assert limited == ["retry"] * 7 + ["in_doubt"]


def test_an_outage_however_long_makes_no_event_poison() -> None:
    assert set(fail_in_a_row([Answer(500)] * 100, others_delivered=[False] * 100)) == {"retry"}


@pytest.mark.parametrize("other", NOT_POISON)
@pytest.mark.parametrize("at", range(6))
def test_an_attempt_that_ended_otherwise_is_no_sign_of_poison(other: Reply, at: int) -> None:
    replies = [*POISON[:at], other, *POISON[at + 1 :]]
    assert fail_in_a_row(replies, others_delivered=[True] * 6) == ["retry"] * 6


def after_its_time(replies: list[Reply], *, others_are_well: bool = True) -> str:
    history = History(first_at=0.0)
    for second, reply in enumerate(replies[:-1]):
        assert kind(judged(reply, history, now=float(second), others_are_well=others_are_well)) == "retry"
    return kind(judged(replies[-1], history, now=300.0, others_are_well=others_are_well))


def test_an_event_whose_time_is_up_is_rejected_in_doubt_where_others_are_well_and_stops_the_run_else() -> None:
    assert after_its_time(POISON) == "in_doubt"
    assert after_its_time(POISON, others_are_well=False) == "stop"


def test_fewer_attempts_than_six_stop_the_run_when_time_is_up() -> None:
    assert after_its_time(POISON[1:]) == "stop"


@pytest.mark.parametrize("other", NOT_POISON)
@pytest.mark.parametrize("at", [0, 3, 6])
def test_one_attempt_that_ended_otherwise_stops_the_run_when_time_is_up(other: Reply, at: int) -> None:
    assert after_its_time([*POISON[:at], other, *POISON[at:]]) == "stop"


def test_what_is_given_up_says_why_and_keeps_the_last_answer() -> None:
    history = History(first_at=0.0, attempts=5)
    violation = Violation(
        "$",
        "it failed for retry_timeout (300 s) while others were delivered; one of these attempts may have been taken. "
        "The endpoint answered 500",
    )
    expected = Rejection("in_doubt", (violation,), status=500, response="no")
    assert judged(Answer(500, b"no"), history, now=300.0, others_are_well=True) == Settle(Refused(expected))


def test_a_doubt_stays_through_later_attempts() -> None:
    history = History(first_at=0.0)
    doubts = []
    for reply in (Answer(503), NoAnswer(Failure.TIMED_OUT), Answer(503)):
        assert isinstance(judged(reply, history, now=1.0), Retry)
        doubts.append(history.doubted)
    assert doubts == [False, True, True]


@given(st.integers(1, 10**9), st.integers())
def test_backoff_lies_below_a_bound_that_doubles_to_thirty_seconds(attempt: int, seed: int) -> None:
    bound = min(30.0, 0.5 * 2 ** min(attempt - 1, 10))
    assert 0 <= backoff_seconds(attempt, random.Random(seed)) <= bound  # noqa: S311 - jitter


@pytest.mark.parametrize(("attempt", "bound"), [(1, 0.5), (2, 1.0), (3, 2.0), (6, 16.0), (7, 30.0), (99, 30.0)])
def test_backoff_uses_the_whole_range(attempt: int, bound: float) -> None:
    rng = random.Random(1)  # noqa: S311 - jitter
    waits = [backoff_seconds(attempt, rng) for _ in range(1_000)]
    assert min(waits) < 0.05 * bound
    assert max(waits) > 0.95 * bound


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("soon", "retry"),
        ("-5", "retry"),
        ("2", "retry"),
        ("2.1", "hold all"),
        ("300", "hold all"),
        ("301", "stop"),
        ("86400", "stop"),
        ("1" + "0" * 18, "stop"),
        ("9" * 5_000, "stop"),
    ],
)
def test_how_long_retry_after_asks_decides_who_waits(header: str, expected: str) -> None:
    assert kind(judged(Answer(503, retry_after=header))) == expected


def test_nobody_is_sent_anything_before_a_long_retry_after_is_over() -> None:
    assert judged(Answer(429, retry_after="60"), now=100.0) == Retry(160.0, hold_all=True)


@given(st.integers(0, 12), st.sampled_from(["0", "0.7", "1", "2"]))
def test_a_short_retry_after_is_never_undercut(attempts: int, header: str) -> None:
    match judged(Answer(429, retry_after=header), History(first_at=100.0, attempts=attempts), now=100.0):
        case Retry(until=until, hold_all=False):
            assert until >= 100.0 + float(header)
        case other:
            pytest.fail(f"no retry: {other}")


@given(st.integers(0, 12))
def test_without_a_retry_after_the_wait_is_the_backoff_alone(attempts: int) -> None:
    expected = backoff_seconds(attempts + 1, random.Random(1))  # noqa: S311 - as `judged` draws it
    assert judged(Answer(429), History(100.0, attempts=attempts)) == Retry(100.0 + expected, hold_all=False)


def test_a_retry_after_of_zero_does_not_end_the_backoff() -> None:
    match judged(Answer(429, retry_after="0"), History(first_at=100.0, attempts=8), now=100.0):
        case Retry(until=until):
            assert until > 100.0
        case other:
            pytest.fail(f"no retry: {other}")


@given(st.text() | st.from_regex(r"[0-9]{1,400}(\.[0-9]*)?"), st.none() | st.text())
def test_no_retry_after_can_break_the_judgement(header: str, date: str | None) -> None:
    assert kind(judged(Answer(429, retry_after=header, date=date))) in {"retry", "hold all", "stop"}
