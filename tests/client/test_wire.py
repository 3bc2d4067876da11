from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import pytest

from target_applied_events.event import Answer, Failure, Reply
from target_applied_events.handover import Job
from tests.client.attempts import (
    AMPLE_SECONDS,
    HEAD,
    OK,
    SHORT_SECONDS,
    WHOLE,
    attempt,
    client_of,
    cut_short,
    dripping,
    event,
    hanging,
    kind,
    reset_after_the_request,
    send,
)
from tests.with_sandbox.faulty_server import Fault, FaultyServer, Peer, always, answering

if TYPE_CHECKING:
    import ssl

ILL = b"HTTP/1.1 500 Ill\r\n"
PAGE = HEAD + b"Content-Type: text/html\r\n"

# Connections that break, stall or lie


def reset_within_the_answer(peer: Peer) -> None:
    peer.answer(HEAD)
    peer.reset()


@pytest.mark.parametrize(
    "fault",
    [
        reset_after_the_request,
        reset_within_the_answer,
        answering(b""),
        answering(b"HTTP/1.1 20"),
        answering(ILL + b"Content-Length: 100\r\n\r\nhalf"),
        answering(ILL + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhel"),
        answering(b"HTTP/1.1 422 No\r\nContent-Length: 100\r\n\r\nhalf"),
        answering(PAGE + b"Content-Length: 100\r\n\r\n<html>half"),
        answering(HEAD + b"Content-Length: 100\r\n\r\n <!DOCTYPE html><html>half"),
        answering(HEAD + b"Transfer-Encoding: chunked\r\n\r\n9\r\n<!doct"),
        answering(HEAD + b"Transfer-Encoding: chunked\r\n\r\nhel\r\n"),
        answering(b"\x00\x01\x02 garbage"),
        answering(b"<html>HTTP/0.9</html>"),
        always(b"SSH-2.0-OpenSSH_9.2\r\n"),
        always(HEAD + b"Content-Length: many\r\n\r\n"),
    ],
    ids=lambda fault: getattr(fault, "__name__", None),
)
def test_a_connection_that_breaks_and_an_answer_that_is_none_are_broken(fault: Fault) -> None:
    assert kind(attempt(fault)) is Failure.BROKEN


def test_a_reset_before_the_request_is_broken_or_was_seen_while_connecting() -> None:
    with FaultyServer(Peer.reset) as server, client_of(server.port) as client:
        seen = {kind(send(client, event())) for _ in range(20)}
    assert seen <= {Failure.BROKEN, Failure.UNREACHABLE}
    assert not server.requests


def test_endless_headers_and_endless_interim_answers_are_broken() -> None:
    def headers(peer: Peer) -> None:
        peer.answer(HEAD)
        peer.repeat(b"X-Filler: and on and on\r\n")

    def interim(peer: Peer) -> None:
        peer.read_request()
        peer.repeat(b"HTTP/1.1 102 Processing\r\n\r\n")

    assert kind(attempt(headers)) is Failure.BROKEN
    assert kind(attempt(interim)) is Failure.BROKEN


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"HTTP/1.1 2",
        HEAD,
        ILL + b"Content-Length: 100\r\n\r\nhalf",
        ILL + b"\r\n",
        PAGE + b"Content-Length: 100\r\n\r\n<html>half",
        PAGE + b"\r\n",
    ],
)
def test_an_answer_that_stops_coming_times_out(begun: bytes) -> None:
    def fault(peer: Peer) -> None:
        peer.answer(begun)
        peer.hang()

    assert kind(attempt(fault, SHORT_SECONDS)) is Failure.TIMED_OUT


@pytest.mark.parametrize(
    ("begun", "piece"),
    [
        (b"HTTP/1.1 200 ", b"O"),
        (HEAD, b"X: y\r\n"),
        (ILL + b"Content-Length: 9999\r\n\r\n", b"x"),
        (ILL + b"\r\n", b"x"),
        (ILL + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (ILL + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["status", "headers", "body", "until the end", "chunks", "trailers", "interim"],
)
def test_a_slow_drip_does_not_stretch_the_attempt(begun: bytes, piece: bytes) -> None:
    def fault(peer: Peer) -> None:
        peer.answer(begun)
        peer.drip(piece)

    assert kind(attempt(fault, SHORT_SECONDS)) is Failure.TIMED_OUT


# A 2xx whose end never comes

CREATED = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n"
BEGUN = {
    "a length": (b'Content-Length: 100\r\n\r\n{"id":', b'{"id":'),
    "no body yet": (b"Content-Length: 100\r\n\r\n", b""),
    "half a chunk": (b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n9\r\n    ", b"{}    "),
    "no last chunk": (b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", b"{}"),
    "half its trailers": (b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX: y\r\n", b"{}"),
}


def closed(_: Peer) -> None:
    """Say no more, and let the connection be closed."""


@pytest.mark.parametrize(("begun", "body"), BEGUN.values(), ids=BEGUN)
@pytest.mark.parametrize("ending", [closed, Peer.hang])
def test_a_2xx_whose_end_never_comes_counts_with_what_came_and_its_connection_is_dropped(
    begun: bytes, body: bytes, ending: Fault
) -> None:
    def fault(peer: Peer) -> None:
        peer.answer(CREATED + begun)
        ending(peer)

    with FaultyServer(fault) as server, client_of(server.port, 3 * SHORT_SECONDS) as client:
        assert send(client, event()) == Answer(201, body, "application/json")
        server.wait_for_end_of_connection()
        assert repr(client).endswith("0 under way, 0 connections kept>")


def test_a_2xx_counts_whose_connection_is_reset_in_its_body() -> None:
    def fault(peer: Peer) -> None:
        peer.answer(CREATED + b"Content-Length: 100\r\n\r\n{")
        was_read.wait(20)
        peer.reset()

    was_read = threading.Event()
    with FaultyServer(fault) as server, client_of(server.port) as client:
        client.start(Job(0, event()))
        while not server.requests:
            client.wait(0.01)
        client.wait(0.2)
        was_read.set()
        (returned,) = client.wait(AMPLE_SECONDS)
    assert kind(returned.reply) == 201


@pytest.mark.parametrize("begun", [CREATED + b"\r\n", CREATED + b"\r\n{}"])
def test_a_2xx_without_a_length_on_a_connection_that_stays_open_counts(begun: bytes) -> None:
    def fault(peer: Peer) -> None:
        peer.answer(begun)
        peer.hang()

    assert kind(attempt(fault, SHORT_SECONDS)) == 201


@pytest.mark.parametrize(
    ("begun", "piece"),
    [
        (b"Content-Length: 9999\r\n\r\n", b" "),
        (b"\r\n", b" "),
        (b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        (b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n"),
    ],
    ids=["body", "until the end", "chunks", "trailers"],
)
def test_a_2xx_that_drips_past_the_deadline_counts_and_does_not_stretch_the_attempt(begun: bytes, piece: bytes) -> None:
    def fault(peer: Peer) -> None:
        peer.answer(CREATED + begun)
        peer.drip(piece)

    assert kind(attempt(fault, SHORT_SECONDS)) == 201


def test_a_2xx_cut_off_before_the_request_was_read_whole_does_not_count() -> None:
    """It can't have taken what it hasn't got."""

    def fault(peer: Peer) -> None:
        peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.socket.recv(100)
        peer.socket.sendall(CREATED + b"Content-Length: 100\r\n\r\n{")
        has_ended.wait(20)

    has_ended = threading.Event()
    with FaultyServer(fault) as server, client_of(server.port, SHORT_SECONDS) as client:
        assert kind(send(client, event(b"x" * 16_000_000))) is Failure.TIMED_OUT
        has_ended.set()


def test_an_endpoint_that_does_not_read_times_out() -> None:
    def fault(peer: Peer) -> None:
        peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        has_ended.wait(20)

    has_ended = threading.Event()
    with FaultyServer(fault) as server, client_of(server.port, SHORT_SECONDS) as client:
        assert kind(send(client, event(b"x" * 16_000_000))) is Failure.TIMED_OUT
        has_ended.set()


# TLS


def test_events_go_over_tls_and_keep_the_connection(valid_tls: ssl.SSLContext) -> None:
    with FaultyServer(always(OK), valid_tls) as server, client_of(server.port, scheme="https") as client:
        assert [send(client, event(b"x" * 100_000)) for _ in range(3)] == [WHOLE] * 3
    assert server.connections == 1


@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "tls"])
def test_a_request_larger_than_any_buffer_goes_whole_while_others_are_answered(
    valid_tls: ssl.SSLContext, *, encrypted: bool
) -> None:
    large = b'{"name":"%b"}' % (b"x" * 8_000_000)
    with FaultyServer(always(OK), valid_tls if encrypted else None) as server:
        with client_of(server.port, scheme="https" if encrypted else "http") as client:
            client.start(Job(0, event(large)))
            client.start(Job(1, event()))
            replies: dict[int, Reply] = {}
            while len(replies) < 2:
                replies |= {returned.position: returned.reply for returned in client.wait(AMPLE_SECONDS)}
            assert [send(client, event()) for _ in range(3)] == [WHOLE] * 3
        assert replies == {0: WHOLE, 1: WHOLE}
        assert server.connections == 2
    assert max(len(request.partition(b"\r\n\r\n")[2]) for request in server.requests) == len(large)


@pytest.mark.parametrize(
    ("fault", "timeout_seconds", "ending"),
    [
        (reset_after_the_request, AMPLE_SECONDS, Failure.BROKEN),
        (answering(ILL + b"Content-Length: 100\r\n\r\nhalf"), AMPLE_SECONDS, Failure.BROKEN),
        (cut_short, AMPLE_SECONDS, 200),
        (hanging, 5 * SHORT_SECONDS, Failure.TIMED_OUT),  # the handshake needs some of it
        (dripping, 5 * SHORT_SECONDS, Failure.TIMED_OUT),
    ],
)
def test_a_tls_connection_that_breaks_stalls_or_drips_ends_as_a_plain_one(
    fault: Fault, timeout_seconds: float, ending: Failure | int, valid_tls: ssl.SSLContext
) -> None:
    with FaultyServer(fault, valid_tls) as server, client_of(server.port, timeout_seconds, "https") as client:
        assert kind(send(client, event())) == ending
