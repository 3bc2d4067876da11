from __future__ import annotations

import gzip
import logging
import ssl
import threading
from itertools import islice

import pytest
import trustme

from target_applied_events.client import Client
from target_applied_events.errors import InternalError, SettingsError
from target_applied_events.event import Answer, Failure, NoAnswer, Reply
from target_applied_events.handover import Job
from tests.client.attempts import (
    AMPLE_SECONDS,
    HEAD,
    KEY,
    OK,
    SHOP,
    WHOLE,
    attempt,
    client_of,
    cut_short,
    event,
    kind,
    reset_after_the_request,
    send,
)
from tests.with_sandbox.faulty_server import FaultyServer, Peer, always, answering


class Clock:
    """Stands still until a test moves it, or gains a step each time it is read."""

    now = 1000.0
    step = 0.0

    def __call__(self) -> float:
        self.now += self.step
        return self.now


# What goes out


def test_an_event_is_posted_as_the_endpoint_wants_it() -> None:
    with FaultyServer(always(OK)) as server, client_of(server.port) as client:
        assert send(client, event('{"name":"Größe ✓"}'.encode())) == WHOLE
    assert server.requests == [
        (
            f"POST /v2026-04/events/ HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
            f"User-Agent: target-applied-events/0\r\nAccept-Encoding: identity\r\nAuthorization: Bearer {KEY}\r\n"
            f"X-Shop-Id: {SHOP}\r\nContent-Type: application/json\r\nContent-Length: 22\r\n\r\n"
            '{"name":"Größe ✓"}'
        ).encode()
    ]


def test_contacts_are_asked_for_without_writing_anything() -> None:
    with FaultyServer(always(OK)) as server, client_of(server.port) as client:
        assert client.contacts(SHOP) == WHOLE
    (request,) = server.requests
    assert request.startswith(b"GET /v2026-04/contacts/?limit=1 HTTP/1.1\r\n")
    assert f"X-Shop-Id: {SHOP}\r\n\r\n".encode() in request
    assert b"Content-" not in request


@pytest.mark.parametrize("shop_id", ["66e4\r\nX-Evil: 1", "66e4\n", "66 e4", "", "66e4\x00", "é"])
def test_a_shop_id_that_would_make_another_header_is_never_sent(shop_id: str) -> None:
    with FaultyServer(always(OK)) as server, client_of(server.port) as client:
        with pytest.raises(InternalError):
            send(client, event(shop_id=shop_id))
        with pytest.raises(InternalError):
            client.contacts(shop_id)
    assert server.connections == 0


@pytest.mark.parametrize("key", ["AL1\r\nX-Evil: 1", "AL1\n", "AL 1", "", "ALé"])
def test_a_key_that_would_make_another_header_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(SettingsError, match="api_key") as refused:
        Client(api_url="http://127.0.0.1", api_key=key, timeout_seconds=1, user_agent="x")
    assert "AL" not in str(refused.value)


# Answers, whole and odd


@pytest.mark.parametrize("status", [200, 201, 202, 400, 401, 403, 404, 409, 413, 422, 429, 500, 502, 503, 504, 599])
def test_every_status_comes_back_with_its_body(status: int) -> None:
    reply = attempt(always(b"HTTP/1.1 %d Any\r\nContent-Length: 5\r\n\r\nhello" % status))
    assert reply == Answer(status, b"hello")


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
def test_a_redirect_is_an_answer_and_nothing_reaches_where_it_points(status: int) -> None:
    with FaultyServer(always(OK)) as elsewhere:
        location = f"Location: http://127.0.0.1:{elsewhere.port}/\r\n".encode()
        reply = attempt(always(b"HTTP/1.1 %d Moved\r\n%bContent-Length: 0\r\n\r\n" % (status, location)))
    assert reply == Answer(status)
    assert elsewhere.connections == 0


@pytest.mark.parametrize(
    "retry_after", ["0", "1", "86400", "1" + "0" * 18, "-5", "soon", "Wed, 25 Nov 2026 17:00:00 GMT"]
)
def test_retry_after_and_date_pass_as_they_came(retry_after: str) -> None:
    fields = f"Retry-After: {retry_after}\r\nDate: yesterday\r\nContent-Length: 0\r\n\r\n"
    reply = attempt(always(b"HTTP/1.1 429 Slow down\r\n" + fields.encode()))
    assert reply == Answer(429, retry_after=retry_after, date="yesterday")


@pytest.mark.parametrize("empty", [b"HTTP/1.1 204 No Content\r\n\r\n", HEAD + b"Content-Length: 0\r\n\r\n"])
def test_an_empty_answer_is_one_and_keeps_the_connection(empty: bytes) -> None:
    with FaultyServer(always(empty)) as server, client_of(server.port) as client:
        replies = [send(client, event()) for _ in range(3)]
    assert [(kind(reply) in {200, 204}, isinstance(reply, Answer) and reply.body) for reply in replies] == [
        (True, b"")
    ] * 3
    assert server.connections == 1


def test_interim_answers_are_passed_over() -> None:
    interim = (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    )
    with FaultyServer(always(interim + OK)) as server, client_of(server.port) as client:
        assert [send(client, event()) for _ in range(2)] == [WHOLE] * 2
    assert server.connections == 1


def test_a_page_of_html_says_that_it_is_one() -> None:
    page = HEAD + b"Content-Type: text/html\r\nContent-Length: 15\r\n\r\n<html>hi</html>"
    assert attempt(always(page)) == Answer(200, b"<html>hi</html>", "text/html")


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", b"HTTP/1.0 200 OK\r\n\r\n{}", HEAD + b"\r\n{}"]
)
def test_an_answer_that_ends_with_its_connection_is_whole_and_the_next_takes_a_new_one(answer: bytes) -> None:
    with FaultyServer(answering(answer)) as server, client_of(server.port) as client:
        assert [send(client, event()) for _ in range(2)] == [Answer(200, b"{}")] * 2
    assert server.connections == 2


def test_bytes_behind_an_answer_never_become_the_next_answer() -> None:
    smuggled = OK + b"HTTP/1.1 500 Not yours\r\nContent-Length: 0\r\n\r\n"
    with FaultyServer(always(smuggled)) as server, client_of(server.port) as client:
        assert [kind(send(client, event())) for _ in range(3)] == [200] * 3
    assert server.connections == 3


def test_bytes_that_come_after_an_answer_was_read_never_become_the_next_answer() -> None:
    has_arrived = threading.Event()

    def fault(peer: Peer) -> None:
        peer.answer(OK)
        has_arrived.wait(20)  # the client has read its answer
        peer.socket.sendall(b"HTTP/1.1 500 Not yours\r\nContent-Length: 0\r\n\r\n")
        is_late.set()
        peer.hang()

    is_late = threading.Event()
    with FaultyServer(fault) as server, client_of(server.port) as client:
        assert kind(send(client, event())) == 200
        has_arrived.set()
        assert is_late.wait(20)
        assert kind(send(client, event())) == 200
    assert server.connections == 2


def test_a_compressed_answer_is_shown_as_it_came_and_never_unpacked() -> None:
    bomb = gzip.compress(b"\0" * 10_000_000)
    head = b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    assert attempt(always(HEAD + head + bomb)) == Answer(200, bomb)


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"Content-Length: 10000000\r\n\r\n", b"x" * 10000),
        (b"\r\n", b"x" * 10000),
        (b"Transfer-Encoding: chunked\r\n\r\n", b"2710\r\n" + b"x" * 10000 + b"\r\n"),
    ],
    ids=["10 MB", "until the end", "chunks"],
)
def test_of_a_long_or_endless_answer_64_kib_are_read_and_the_connection_is_closed(head: bytes, piece: bytes) -> None:
    def fault(peer: Peer) -> None:
        peer.answer(HEAD + head)
        peer.repeat(piece)

    with FaultyServer(fault) as server, client_of(server.port) as client:
        assert send(client, event()) == Answer(200, b"x" * 65536)
        server.wait_for_end_of_connection()
        assert kind(send(client, event())) == 200
    assert server.connections == 2


def test_an_answer_given_before_the_whole_request_was_read_counts() -> None:
    def fault(peer: Peer) -> None:
        peer.socket.recv(100)
        peer.socket.sendall(b"HTTP/1.1 413 Too large\r\nContent-Length: 0\r\n\r\n")

    with FaultyServer(fault) as server, client_of(server.port) as client:
        assert send(client, event(b"x" * 16_000_000)) == Answer(413)
        assert "0 connections kept" in repr(client)


# Connections that are kept


def test_a_connection_is_kept_from_attempt_to_attempt() -> None:
    with FaultyServer(always(OK)) as server, client_of(server.port) as client:
        assert [send(client, event()) for _ in range(20)] == [WHOLE] * 20
    assert server.connections == 1


def test_a_kept_connection_that_the_endpoint_closed_meanwhile_is_replaced() -> None:
    with FaultyServer(answering(OK)) as server, client_of(server.port) as client:
        for _ in range(5):
            assert send(client, event()) == WHOLE
            server.wait_for_end_of_connection()
    assert server.connections == len(server.requests) == 5


def test_a_kept_connection_that_dies_under_a_request_is_broken_and_the_request_is_not_sent_again() -> None:
    with FaultyServer(answering(OK, b"")) as server, client_of(server.port) as client:
        assert kind(send(client, event())) == 200
        assert kind(send(client, event(b"2"))) is Failure.BROKEN
        assert len(server.requests) == 2
        assert kind(send(client, event())) == 200


@pytest.mark.parametrize(("idle_seconds", "connections"), [(3.9, 1), (4.1, 3)])
def test_a_connection_idle_for_more_than_4_seconds_is_not_used_again(idle_seconds: float, connections: int) -> None:
    clock = Clock()
    with FaultyServer(always(OK)) as server, client_of(server.port, clock=clock) as client:
        for _ in range(3):
            assert kind(send(client, event())) == 200
            clock.now += idle_seconds
    assert server.connections == connections


def test_a_connection_older_than_300_seconds_is_not_used_again() -> None:
    clock = Clock()
    with FaultyServer(always(OK)) as server, client_of(server.port, clock=clock) as client:
        for _ in range(101):
            assert kind(send(client, event())) == 200
            clock.now += 3
        assert server.connections == 1
        assert kind(send(client, event())) == 200
    assert server.connections == 2


def test_an_attempt_whose_time_is_up_before_it_wrote_anything_is_unreachable() -> None:
    clock = Clock()
    with FaultyServer(always(OK)) as server, client_of(server.port, timeout_seconds=2, clock=clock) as client:
        assert kind(send(client, event())) == 200
        clock.step = 2.5
        assert send(client, event()) == NoAnswer(Failure.UNREACHABLE, "timed out")
    assert len(server.requests) == 1


def test_many_at_once_each_get_the_answer_to_their_own_event() -> None:
    def echo(peer: Peer) -> None:
        while request := peer.read_request():
            body = request.partition(b"\r\n\r\n")[2]
            peer.socket.sendall(HEAD + b"Content-Length: %d\r\n\r\n%b" % (len(body), body))

    bodies = [b"%d" % number * (number % 100 + 1) for number in range(800)]
    waiting, replies = list(enumerate(bodies)), dict[int, Reply]()
    with FaultyServer(echo) as server, client_of(server.port) as client:
        for position, body in waiting[:16]:
            client.start(Job(position, event(body)))
        rest = iter(waiting[16:])
        while len(replies) < len(bodies):
            for returned in client.wait(AMPLE_SECONDS):
                assert returned.position not in replies
                replies[returned.position] = returned.reply
                for position, body in islice(rest, 1):
                    client.start(Job(position, event(body)))
    assert [replies[position] for position in range(800)] == [Answer(200, body) for body in bodies]
    assert server.connections <= 16


def test_close_ends_the_connections_that_are_kept_and_those_under_way() -> None:
    def answers_the_first(peer: Peer) -> None:
        peer.read_request()
        peer.socket.sendall(OK)
        peer.read_request()
        peer.hang()

    with FaultyServer(answers_the_first) as server, client_of(server.port) as client:
        for position in range(2):
            client.start(Job(position, event()))
        returned = 0
        while returned < 2:
            returned += len(client.wait(AMPLE_SECONDS))
        client.start(Job(2, event()))
        assert repr(client).endswith("1 under way, 1 connections kept>")
        client.close()
        for _ in range(2):
            server.wait_for_end_of_connection()
        assert repr(client).endswith("closed>")


# The key


def test_the_key_is_in_no_repr_no_log_and_no_reply(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    seen: list[object] = []
    untrusted = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(untrusted)
    faults = ((always(OK), None), (cut_short, None), (reset_after_the_request, None), (always(OK), untrusted))
    for fault, tls in faults:
        scheme = "https" if tls else "http"
        with FaultyServer(fault, tls) as server, client_of(server.port, scheme=scheme) as client:
            seen += [send(client, event()), client.contacts(SHOP), client, *vars(client).values()]
            with pytest.raises(InternalError) as refused:
                send(client, event(shop_id="a b"))
            seen += [refused.value]
    shown = "\n".join(map(repr, seen)) + caplog.text + "".join(capfd.readouterr())
    assert "Client to 127.0.0.1" in shown
    assert KEY not in shown
