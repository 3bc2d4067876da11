from __future__ import annotations

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_applied_events.delivery.reply import excerpt, is_page, retry_after_seconds, seen
from target_applied_events.event import Answer, Failure, NoAnswer, Reply

AT = 1_775_000_000
DATE = formatdate(AT, usegmt=True)
FAST_CLOCK = formatdate(AT + 500, usegmt=True)


@pytest.mark.parametrize(
    ("header", "date", "seconds"),
    [
        (None, None, None),
        ("", None, None),
        ("0", None, 0.0),
        ("1", None, 1.0),
        (" 7 ", None, 7.0),
        ("1.5", None, 1.5),
        ("86400", None, 86_400.0),
        ("1" + "0" * 18, None, 1e18),
        ("-5", None, None),
        ("+5", None, None),
        ("1e3", None, None),
        ("nan", None, None),
        ("inf", None, None),
        ("٣", None, None),
        ("soon", None, None),
        ("5 seconds", None, None),
        (formatdate(AT + 90, usegmt=True), DATE, 90.0),
        (formatdate(AT + 90, usegmt=True), None, 90.0),
        (formatdate(AT + 90, usegmt=True), "nonsense", 90.0),
        (formatdate(AT + 590, usegmt=True), FAST_CLOCK, 90.0),
        (formatdate(AT - 90, usegmt=True), DATE, 0.0),
        ("Thu, 99 Foo 2026 00:00:00 GMT", DATE, None),
        ("Wednesday, 01-Apr-26 00:00:00 GMT", formatdate(1_775_001_600 - 3, usegmt=True), 3.0),
        ("Wed Apr  1 00:00:00 2026", formatdate(1_775_001_600 - 3, usegmt=True), 3.0),
    ],
)
def test_retry_after_is_read_in_every_form(header: str | None, date: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(Answer(429, retry_after=header, date=date), float(AT)) == seconds


@given(st.text() | st.from_regex(r"[0-9]{1,400}(\.[0-9]*)?"), st.none() | st.text())
def test_retry_after_is_a_time_that_is_not_negative_or_none_at_all(header: str, date: str | None) -> None:
    seconds = retry_after_seconds(Answer(429, retry_after=header, date=date), float(AT))
    assert seconds is None or seconds >= 0


@pytest.mark.parametrize(
    ("answer", "page"),
    [
        (Answer(200), False),
        (Answer(200, content_type="text/html"), False),
        (Answer(200, b" \r\n", "text/html"), False),
        (Answer(200, b"<!DOCTYPE html>"), True),
        (Answer(200, b"\xef\xbb\xbf\n <HTML lang=de>", "application/json"), True),
        (Answer(200, b"Please sign in", "Text/HTML; charset=utf-8"), True),
        (Answer(200, b"Please sign in", "application/xhtml+xml"), True),
        (Answer(200, b"Please sign in", "text/plain"), False),
        (Answer(200, b'{"contact": {}}', "text/html"), False),
        (Answer(200, b"[]", "text/html"), False),
        (Answer(502, b"<html>", "text/html"), False),
    ],
)
def test_a_page_in_place_of_an_answer_is_told_by_label_or_first_words(answer: Answer, *, page: bool) -> None:
    assert is_page(answer) is page


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Answer(503, b"secret"), "The endpoint answered 503"),
        (Answer(200, b"<html>"), "The endpoint answered 200 with a page of HTML, as of something that stands between"),
        (NoAnswer(Failure.TIMED_OUT), "The endpoint gave no answer: no answer in time"),
        (NoAnswer(Failure.UNREACHABLE, "refused"), "The endpoint gave no answer: no connection was made (refused)"),
    ],
)
def test_what_was_seen_is_said_without_the_answers_own_words(reply: Reply, words: str) -> None:
    assert seen(reply) == words


@given(st.binary(max_size=2_000), st.integers(1, 300))
def test_an_excerpt_is_printable_and_no_longer_than_asked(body: bytes, characters: int) -> None:
    shown = excerpt(Answer(400, body), characters)
    assert len(shown) <= characters
    assert shown.isprintable()


def test_an_excerpt_shows_the_beginning_of_whatever_script() -> None:
    assert excerpt(Answer(400, ("\U0001f600" * 300).encode())) == "\U0001f600" * 200
    assert excerpt(Answer(400, b'{"detail":\n "no"}')) == '{"detail":  "no"}'
