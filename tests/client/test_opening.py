"""Each connection that is asked for comes back once, in time: open, or with what kept it from that."""

from __future__ import annotations

import contextlib
import datetime as dt
import resource
import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from target_applied_events.client.opening import Deadline, Openings, open_socket, said
from target_applied_events.client.route import Proxy, Route
from target_applied_events.errors import InternalError
from target_applied_events.event import Failure, NoAnswer
from target_applied_events.handover import Job
from tests.client.attempts import (
    AMPLE_SECONDS,
    OK,
    SHORT_SECONDS,
    WHOLE,
    client_of,
    dripping,
    event,
    kind,
    reset_after_the_request,
    send,
    serving,
)
from tests.with_sandbox.faulty_server import Fault, FaultyServer, Peer, always, answering, tunnelling

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Asking:
    """Asks for connections, and waits for them to come back."""

    def __init__(self, port: int) -> None:
        self.came = threading.Semaphore(0)
        self.openings: Openings[int] = Openings(Route("127.0.0.1", port), time.monotonic, self.came.release)

    def ask(self, *askers: int) -> None:
        for asker in askers:
            self.openings.ask(asker, time.monotonic() + AMPLE_SECONDS)

    def take(self, count: int) -> dict[int, socket.socket | NoAnswer]:
        """Take what came back once so many have."""
        for _ in range(count):
            assert self.came.acquire(timeout=AMPLE_SECONDS)
        return dict(self.openings.take())


def in_time(seconds: float = AMPLE_SECONDS) -> Deadline:
    return Deadline(time.monotonic() + seconds, time.monotonic)


# What is asked for


def test_each_that_asks_gets_a_connection_of_its_own_once() -> None:
    with FaultyServer(Peer.hang) as server:
        asking = Asking(server.port)
        asking.ask(*range(10))
        taken = asking.take(10)
        assert sorted(taken) == [*range(10)]
        opened = [each for each in taken.values() if isinstance(each, socket.socket)]
        assert len({each.getsockname() for each in opened}) == 10
        assert asking.take(0) == {}
        for each in opened:
            each.close()


def test_what_nobody_takes_is_closed_whether_it_came_before_the_close_or_comes_after() -> None:
    with FaultyServer(Peer.hang) as server:
        asking = Asking(server.port)
        asking.ask(1)
        assert asking.came.acquire(timeout=AMPLE_SECONDS)  # and it isn't taken
        asking.ask(2)
        asking.openings.close()
        for _ in range(2):
            server.wait_for_end_of_connection()
        assert repr(asking.openings) == "<Openings closed>"


def test_close_ends_a_connection_that_is_just_being_opened() -> None:
    with FaultyServer(always(OK)) as server, client_of(server.port) as client:
        client.start(Job(0, event()))
        client.close()
        server.wait_for_end_of_connection()
    assert not server.requests


def test_what_nobody_foresaw_ends_the_run_and_names_no_more_than_its_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    asking = Asking(1)
    asking.ask(1)
    with pytest.raises(InternalError, match="ZeroDivisionError") as raised:
        asking.take(1)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionRefusedError(111, "Connection refused"), "Connection refused"),
        (TimeoutError("timed out"), "timed out"),
        (ConnectionResetError(), "the system says no more"),
    ],
)
def test_what_the_system_said_of_an_error_is_never_empty(error: OSError, words: str) -> None:
    assert said(error) == words


# Where no connection is made, nothing was written


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port: int = reserved.getsockname()[1]
        return port


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that lets nobody in: its backlog is full and stays so, as behind a firewall that drops packets."""
    with contextlib.ExitStack() as opened:
        listener = opened.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            waiting = opened.enter_context(socket.socket())
            waiting.settimeout(0)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def test_a_refused_connection_is_unreachable() -> None:
    with client_of(unused_port()) as client:
        assert send(client, event()) == NoAnswer(Failure.UNREACHABLE, "Connection refused")


def test_a_connection_that_nobody_accepts_is_unreachable(silent_port: int) -> None:
    with client_of(silent_port, SHORT_SECONDS) as client:
        assert kind(send(client, event())) is Failure.UNREACHABLE


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 70 + ".invalid"])
def test_a_name_that_does_not_resolve_is_unreachable(host: str) -> None:
    with client_of(443, host=host) as client:
        assert kind(send(client, event())) is Failure.UNREACHABLE


def test_a_name_that_stops_resolving_midway_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    with FaultyServer(answering(OK)) as server, client_of(server.port, host="localhost") as client:
        assert kind(send(client, event())) == 200
        server.wait_for_end_of_connection()
        monkeypatch.setattr(socket, "getaddrinfo", fail)
        assert send(client, event()) == NoAnswer(Failure.UNREACHABLE, "Temporary failure in name resolution")


def test_too_many_open_files_is_unreachable_and_passes() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        asking = Asking(listening.getsockname()[1])
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
        try:
            asking.ask(1)
            assert asking.take(1) == {1: NoAnswer(Failure.UNREACHABLE, "Too many open files")}
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        asking.ask(2)
        opened = asking.take(1)[2]
        assert isinstance(opened, socket.socket)
        opened.close()


def test_a_connection_that_no_thread_can_be_started_for_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_more(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with FaultyServer(always(OK)) as server, client_of(server.port) as client:
        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", no_more)
            assert send(client, event()) == NoAnswer(Failure.UNREACHABLE, "can't start new thread")
        assert send(client, event()) == WHOLE


# In time


def test_what_was_sent_is_never_kept_back_for_more() -> None:
    with FaultyServer(Peer.hang) as server, open_socket(Route("127.0.0.1", server.port), in_time()) as opened:
        assert opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_deadline_that_has_come_lets_nothing_more_begin() -> None:
    deadline = Deadline(10.0, lambda: 10.0)
    with socket.socket() as unused:
        for late in (lambda: deadline.arm(unused), lambda: deadline.share(2), lambda: deadline.sooner(5).arm(unused)):
            with pytest.raises(TimeoutError, match="timed out"):
                late()


@given(now=st.integers(0, 99), seconds=st.integers(0, 200))
def test_a_sooner_deadline_is_never_later(now: int, seconds: int) -> None:
    assert Deadline(100.0, lambda: now).sooner(seconds).at_seconds == min(100, now + seconds)


@given(steps=st.integers(1, 8), used=st.lists(st.floats(0, 1), min_size=8, max_size=8))
def test_of_some_steps_each_gets_at_least_its_even_share_and_all_end_in_time(steps: int, used: list[float]) -> None:
    now, least = 0.0, 64 / steps
    deadline = Deadline(64.0, lambda: now)
    for step in range(steps):
        share = deadline.share(steps - step).at_seconds - now
        assert share >= least - 1e-9
        now += share * min(used[step], 1 - 1e-6)
    assert now < 64


def test_an_address_that_stays_silent_leaves_time_for_the_next(
    silent_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def resolve(*_: object, **__: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in (silent_port, server.port)]

    with FaultyServer(always(OK)) as server, client_of(1, timeout_seconds=2, host="two.example") as client:
        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        assert kind(send(client, event())) == 200


@pytest.mark.usefixtures("trusted")
def test_connecting_gets_5_seconds_at_most_of_an_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    def fast() -> float:
        return time.monotonic() * 50

    with FaultyServer(dripping) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        with client_of(443, 50 * 3600, "https", clock=fast, host="endpoint.example") as client:
            assert kind(send(client, event())) is Failure.UNREACHABLE


# TLS


def refused_for(server_tls: ssl.SSLContext, host: str = "127.0.0.1") -> str:
    with FaultyServer(always(OK), server_tls) as server, client_of(server.port, scheme="https", host=host) as client:
        reply = send(client, event())
        assert isinstance(reply, NoAnswer)
        assert reply.failure is Failure.UNTRUSTED
        assert not server.requests
        return reply.detail


def test_an_expired_certificate_is_untrusted(trusted: trustme.CA) -> None:
    long_ago = dt.datetime(2001, 1, 1, tzinfo=dt.UTC)
    expired = trusted.issue_cert("127.0.0.1", not_before=long_ago, not_after=long_ago + dt.timedelta(days=1))
    assert "expired" in refused_for(serving(expired))


def test_a_certificate_for_another_name_is_untrusted(trusted: trustme.CA) -> None:
    other = serving(trusted.issue_cert("other.example"))
    assert "mismatch" in refused_for(other)
    assert "mismatch" in refused_for(other, host="localhost")


@pytest.mark.usefixtures("trusted")
def test_a_self_signed_certificate_is_untrusted(tmp_path: Path) -> None:
    itself = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    itself.cert_pem.write_to_path(tmp_path / "self.pem")
    itself.private_key_pem.write_to_path(tmp_path / "self.pem", append=True)
    context.load_cert_chain(tmp_path / "self.pem")
    assert "self-signed" in refused_for(context).replace("self signed", "self-signed")


def test_a_certificate_of_an_unknown_authority_is_untrusted_without_a_bundle() -> None:
    assert refused_for(serving(trustme.CA().issue_cert("127.0.0.1")))


@pytest.mark.parametrize(
    "fault",
    [
        Peer.hang,
        lambda peer: (peer.socket.sendall(b"\x16\x03\x03\x40\x00"), peer.drip(b"\x02")),
        lambda peer: peer.reset(),
        lambda peer: peer.socket.sendall(b"HTTP/1.1 400 This is plain HTTP\r\n\r\n"),
        lambda _: None,
    ],
    ids=["stalled", "dripping", "reset", "plain", "closed"],
)
@pytest.mark.usefixtures("trusted")
def test_a_handshake_that_comes_to_nothing_is_unreachable(fault: Fault) -> None:
    with FaultyServer(fault) as server, client_of(server.port, SHORT_SECONDS, "https") as client:
        started = time.monotonic()
        assert kind(send(client, event())) is Failure.UNREACHABLE
        assert time.monotonic() - started < SHORT_SECONDS * 30


@pytest.mark.usefixtures("trusted")
def test_where_plain_http_is_spoken_that_is_told() -> None:
    plain = FaultyServer(lambda peer: peer.socket.sendall(b"HTTP/1.1 400 This is plain HTTP\r\n\r\n"))
    with plain as server, client_of(server.port, scheme="https") as client:
        reply = send(client, event())
    assert isinstance(reply, NoAnswer)
    assert reply.failure is Failure.UNREACHABLE
    assert reply.detail.endswith(", as where plain http is spoken")


# Proxies


@pytest.mark.parametrize(
    ("host", "named"), [("endpoint.example", "endpoint.example"), ("2001:db8::1", "[2001:db8::1]")]
)
def test_a_proxy_is_asked_for_the_endpoint_by_name_and_a_port(host: str, named: str) -> None:
    with FaultyServer(always(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")) as server:
        route = Route(host, 8443, proxy=Proxy("127.0.0.1", server.port))
        with pytest.raises(OSError, match=rf"the proxy 127\.0\.0\.1:{server.port} answered 502 to CONNECT"):
            open_socket(route, in_time())
    assert server.requests == [f"CONNECT {named}:8443 HTTP/1.1\r\nHost: {named}:8443\r\n\r\n".encode()]


def test_events_go_through_the_proxy_that_the_environment_names(
    valid_tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FaultyServer(always(OK), valid_tls) as server, FaultyServer(tunnelling()) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:p%40ss@127.0.0.1:{proxy.port}")
        with client_of(server.port, scheme="https") as client:
            assert [send(client, event()) for _ in range(3)] == [WHOLE] * 3
    target = f"127.0.0.1:{server.port}"
    assert proxy.requests == [
        f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\nProxy-Authorization: Basic dXNlcjpwQHNz\r\n\r\n".encode()
    ]
    assert b"Proxy" not in b"".join(server.requests)


def test_a_proxy_may_speak_http_1_0_and_be_named_without_a_scheme(
    valid_tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        FaultyServer(always(OK), valid_tls) as server,
        FaultyServer(tunnelling(b"HTTP/1.0 200 Connection established\r\n\r\n")) as proxy,
    ):
        monkeypatch.setenv("ALL_PROXY", f"127.0.0.1:{proxy.port}")
        with client_of(server.port, scheme="https") as client:
            assert send(client, event()) == WHOLE
    assert proxy.connections == 1


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (tunnelling(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 5\r\n\r\nhello"), "answered 407"),
        (tunnelling(b"HTTP/1.1 502 Bad Gateway\r\n\r\n"), "answered 502"),
        (answering(b"garbage"), "isn't HTTP"),
        (reset_after_the_request, "reset"),
        (Peer.hang, "timed out"),
        (dripping, "timed out"),
    ],
    ids=["407", "502", "garbage", "reset", "hang", "drip"],
)
@pytest.mark.usefixtures("trusted")
def test_a_proxy_that_opens_no_tunnel_is_unreachable_and_what_it_said_is_told(
    fault: Fault, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FaultyServer(fault) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:p%40ss@127.0.0.1:{proxy.port}")
        with client_of(443, SHORT_SECONDS, "https", host="endpoint.example") as client:
            reply = send(client, event())
    assert isinstance(reply, NoAnswer)
    assert reply.failure is Failure.UNREACHABLE
    assert told in reply.detail
    shown = repr((reply, client, *vars(client).values()))
    assert not any(secret in shown for secret in ("p%40ss", "p@ss", "dXNlcjpwQHNz"))
