from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_applied_events.client.answer import MOST_BODY_BYTES, AnswerReader, NotHttpError, Reading
from target_applied_events.event import Answer


def read(*received: bytes, bodiless: bool = False) -> Reading:
    """Read an answer from receipts, then from the end of the connection."""
    reader, receipts = AnswerReader(bodiless=bodiless), iter(received)
    while (reading := reader.feed(next(receipts, b""))) is None:
        pass
    return reading


OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"

ANSWERS = {
    "a length": (OK + b"Content-Length: 5\r\n\r\nhello", b"hello", True),
    "no body": (OK + b"Content-Length: 0\r\n\r\n", b"", True),
    "the same length twice": (OK + b"Content-Length: 2\r\ncontent-length: 2\r\n\r\nhi", b"hi", True),
    "204": (b"HTTP/1.1 204 No Content\r\n\r\n", b"", True),
    "304": (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n", b"", True),
    "no reason phrase": (b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nhi", b"hi", True),
    "bare line feeds": (b"HTTP/1.1 200 OK\nContent-Length: 2\n\nhi", b"hi", True),
    "a folded header": (OK + b"X: a\r\n b\r\nContent-Length: 2\r\n\r\nhi", b"hi", True),
    "no ASCII": (b"HTTP/1.1 200 \xff\r\nX: \xfe\r\nContent-Length: 2\r\n\r\n\xff\x00", b"\xff\x00", True),
    "chunks": (CHUNKED + b"3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n", b"abc0123456789", True),
    "chunks and trailers": (CHUNKED + b"1\r\na\r\n0\r\nX: y\r\n\r\n", b"a", True),
    "codings": (OK + b"Transfer-Encoding: gzip\r\nTransfer-Encoding: Chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", b"a", True),
    "chunks and a length": (OK + b"Content-Length: 9\r\n" + CHUNKED[len(OK) :] + b"1\r\na\r\n0\r\n\r\n", b"a", False),
    "an unknown coding": (OK + b"Transfer-Encoding: x\r\nContent-Length: 2\r\n\r\nhello", b"hello", False),
    "until the end": (OK + b"\r\nhello", b"hello", False),
    "HTTP/1.0": (b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", b"hello", False),
    "close": (OK + b"Connection: Close\r\nContent-Length: 5\r\n\r\nhello", b"hello", False),
    "bytes behind it": (OK + b"Content-Length: 2\r\n\r\nhello", b"he", False),
    "interim answers": (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
        + OK
        + b"Content-Length: 2\r\n\r\nhi",
        b"hi",
        True,
    ),
}

CUT_SHORT_OR_WRONG = {
    "nothing": b"",
    "half a status line": b"HTTP/1.1 2",
    "half its headers": b"HTTP/1.1 200 OK\r\nContent-Le",
    "half its body": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
    "half a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
    "no last chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    "half its trailers": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n",
    "interim answers alone": b"HTTP/1.1 100 Continue\r\n\r\n" * 17 + b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "another protocol": b"SSH-2.0-OpenSSH_9.2\r\n",
    "HTTP/0.9": b"<html></html>",
    "HTTP/2": b"HTTP/2 200\r\n\r\n",
    "HTTP/1.2": b"HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n",
    "a status of two digits": b"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
    "a status of 600": b"HTTP/1.1 600 OK\r\nContent-Length: 0\r\n\r\n",
    "a status without a space": b"HTTP/1.1 200OK\r\nContent-Length: 0\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi!",
    "a negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nhi",
    "a length of 5,000 digits": b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\nhi",
    "a chunk size that is none": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nhi\r\n0\r\n\r\n",
    "a chunk longer than its size": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nhi\r\n0\r\n\r\n",
    "a chunk extension without end": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"x" * 9999,
    "trailers without end": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: y\r\n" * 999 + b"\r\n",
    "headers without end": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20000,
}


@pytest.mark.parametrize(("raw", "body", "reusable"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_is_read_as_it_frames_itself(raw: bytes, body: bytes, *, reusable: bool) -> None:
    reading = read(raw)
    assert (reading.answer.body, reading.reusable) == (body, reusable)


@pytest.mark.parametrize(("raw", "body", "reusable"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_reads_the_same_byte_by_byte(raw: bytes, body: bytes, *, reusable: bool) -> None:
    reading = read(*(raw[at : at + 1] for at in range(len(raw))))
    # A connection that is taken to be behind its answer may still hold bytes that haven't come yet.
    assert reading.answer == read(raw).answer
    assert reading.answer.body == body
    assert reading.reusable or not reusable


@pytest.mark.parametrize("raw", CUT_SHORT_OR_WRONG.values(), ids=CUT_SHORT_OR_WRONG)
def test_what_is_no_whole_answer_is_an_error(raw: bytes) -> None:
    with pytest.raises(NotHttpError):
        read(raw)
    with pytest.raises(NotHttpError):
        read(*(raw[at : at + 97] for at in range(0, len(raw), 97)))


CUT_OFF = {
    "half its body": b"hello"[:3],
    "half a chunk": b"hello"[:3],
    "no last chunk": b"hello",
    "half its trailers": b"",
}


@pytest.mark.parametrize(("name", "body"), CUT_OFF.items(), ids=CUT_OFF)
def test_of_an_answer_that_is_cut_off_its_head_and_what_came_of_its_body_are_known(name: str, body: bytes) -> None:
    reader = AnswerReader()
    assert reader.feed(CUT_SHORT_OR_WRONG[name]) is None
    assert reader.cut_off() == Answer(200, body)
    with pytest.raises(NotHttpError):
        reader.feed(b"")
    assert reader.cut_off() == Answer(200, body)


@pytest.mark.parametrize("name", sorted(CUT_SHORT_OR_WRONG.keys() - CUT_OFF.keys()))
def test_of_what_is_no_http_or_has_no_whole_head_nothing_is_known(name: str) -> None:
    reader, raw = AnswerReader(), CUT_SHORT_OR_WRONG[name]
    with contextlib.suppress(NotHttpError):
        reader.feed(raw)
    assert reader.cut_off() is None


def test_an_answer_that_is_not_http_is_told_at_its_first_bytes() -> None:
    with pytest.raises(NotHttpError, match="isn't HTTP/1"):
        AnswerReader().feed(b"SSH-")


def test_the_headers_that_a_decision_stands_on_pass_as_they_came() -> None:
    raw = (
        b"HTTP/1.1 429 Too Many Requests\r\nRETRY-AFTER:  soon \r\nRetry-After: 9\r\n"
        b"Date: Wed, 25 Nov 2026 17:24:33 GMT\r\ncontent-type:text/html; charset=utf-8\r\nContent-Length: 0\r\n\r\n"
    )
    assert read(raw).answer == Answer(
        status=429,
        body=b"",
        content_type="text/html; charset=utf-8",
        retry_after="soon",
        date="Wed, 25 Nov 2026 17:24:33 GMT",
    )


@pytest.mark.parametrize(
    "endless",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n",
    ],
)
def test_of_a_long_body_64_kib_are_read_and_no_more(endless: bytes) -> None:
    reader = AnswerReader()
    assert reader.feed(endless) is None
    receipts = 1
    while (reading := reader.feed(b"x" * 16384)) is None:
        receipts += 1
    assert reading.answer.body == b"x" * MOST_BODY_BYTES
    assert not reading.reusable
    assert receipts <= 5


def test_a_body_of_64_kib_to_the_byte_keeps_the_connection() -> None:
    whole = b"x" * MOST_BODY_BYTES
    assert read(b"HTTP/1.1 200 OK\r\nContent-Length: 65536\r\n\r\n", whole).reusable
    assert read(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10000\r\n", whole, b"\r\n0\r\n\r\n").reusable


def test_an_answer_to_connect_has_no_body_whatever_it_says() -> None:
    reading = read(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", bodiless=True)
    assert (reading.answer.status, reading.answer.body) == (200, b"")


PIECES = (
    OK,
    b"HTTP/1.0 500 \r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"\r\n",
    b"\n",
    b"Content-Length: 3\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"3\r\nabc\r\n",
    b"0\r\n",
    b"Connection: close\r\n",
)


@given(st.lists(st.one_of(st.binary(max_size=30), st.sampled_from(PIECES)), max_size=12))
def test_any_bytes_are_an_answer_or_no_http_and_nothing_else_is_raised(received: list[bytes]) -> None:
    try:
        reading = read(*(piece for piece in received if piece))
    except NotHttpError:
        return
    assert 200 <= reading.answer.status <= 599
    assert len(reading.answer.body) <= MOST_BODY_BYTES
