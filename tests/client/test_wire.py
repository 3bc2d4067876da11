from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import pytest

from target_applied_events.event import Failure, Reply
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

# Connections that break, stall or lie


def reset_within_the_answer(peer: Peer) -> None:
    peer.answer(HEAD)
    peer.reset()


@pytest.mark.parametrize(
    "fault",
    [
        reset_after_the_request,
        reset_within_the_answer,
        cut_short,
        answering(b""),
        answering(b"HTTP/1.1 20"),
        answering(HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhel"),
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


@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 2", HEAD, HEAD + b"Content-Length: 100\r\n\r\nhalf", HEAD + b"\r\n"])
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
        (HEAD + b"Content-Length: 9999\r\n\r\n", b"x"),
        (HEAD + b"\r\n", b"x"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["status", "headers", "body", "until the end", "chunks", "trailers", "interim"],
)
def test_a_slow_drip_does_not_stretch_the_attempt(begun: bytes, piece: bytes) -> None:
    def fault(peer: Peer) -> None:
        peer.answer(begun)
        peer.drip(piece)

    assert kind(attempt(fault, SHORT_SECONDS)) is Failure.TIMED_OUT


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
    ("fault", "timeout_seconds", "failure"),
    [
        (reset_after_the_request, AMPLE_SECONDS, Failure.BROKEN),
        (cut_short, AMPLE_SECONDS, Failure.BROKEN),
        (hanging, 5 * SHORT_SECONDS, Failure.TIMED_OUT),  # the handshake needs some of it
        (dripping, 5 * SHORT_SECONDS, Failure.TIMED_OUT),
    ],
)
def test_a_tls_connection_that_breaks_stalls_or_drips_ends_as_a_plain_one(
    fault: Fault, timeout_seconds: float, failure: Failure, valid_tls: ssl.SSLContext
) -> None:
    with FaultyServer(fault, valid_tls) as server, client_of(server.port, timeout_seconds, "https") as client:
        assert kind(send(client, event())) is failure
