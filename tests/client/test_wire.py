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

from target_applied_events.errors import SettingsError
from target_applied_events.event import Failure, NoAnswer, Reply
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
    event,
    kind,
    reset_after_the_request,
    send,
)
from tests.with_sandbox.faulty_server import Fault, FaultyServer, Peer, always, answering, tunnelling

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """Have the tests' own authority trusted, by the variable that users set for theirs."""
    bundle = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(bundle)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    return authority


def serving(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


@pytest.fixture
def valid_tls(trusted: trustme.CA) -> ssl.SSLContext:
    return serving(trusted.issue_cert("localhost", "127.0.0.1"))


# Connections that break, stall or lie


def hanging(peer: Peer) -> None:
    peer.read_request()
    peer.hang()


def dripping(peer: Peer) -> None:
    peer.answer(HEAD)
    peer.drip(b"X: y\r\n")


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


def test_an_address_that_stays_silent_leaves_time_for_the_next(
    silent_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def resolve(*_: object, **__: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in (silent_port, server.port)]

    with FaultyServer(always(OK)) as server, client_of(1, timeout_seconds=2, host="two.example") as client:
        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        assert kind(send(client, event())) == 200


def test_too_many_open_files_is_unreachable_and_passes() -> None:
    with FaultyServer(always(OK)) as server, client_of(server.port) as client:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
        try:
            reply = send(client, event())
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert reply == NoAnswer(Failure.UNREACHABLE, "Too many open files")
        assert kind(send(client, event())) == 200


# TLS


def test_a_connection_that_no_thread_can_be_started_for_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_more(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with FaultyServer(always(OK)) as server, client_of(server.port) as client:
        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", no_more)
            assert send(client, event()) == NoAnswer(Failure.UNREACHABLE, "can't start new thread")
        assert send(client, event()) == WHOLE


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


def test_curl_ca_bundle_is_honoured_too(
    valid_tls: ssl.SSLContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    monkeypatch.setenv("CURL_CA_BUNDLE", str(tmp_path / "authority.pem"))
    with FaultyServer(always(OK), valid_tls) as server, client_of(server.port, scheme="https") as client:
        assert send(client, event()) == WHOLE


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


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_bundle_that_cannot_be_used_is_told_as_a_setting(
    content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if content:
        (tmp_path / "bundle.pem").write_text(content)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "bundle.pem"))
    with pytest.raises(SettingsError, match=r"REQUESTS_CA_BUNDLE.*bundle\.pem"), client_of(443, scheme="https"):
        pass


# Proxies


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


def test_no_proxy_is_honoured(valid_tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch) -> None:
    with FaultyServer(always(OK), valid_tls) as server, FaultyServer(tunnelling()) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NO_PROXY", "example.com,localhost")
        with client_of(server.port, scheme="https", host="localhost") as client:
            assert send(client, event()) == WHOLE
    assert proxy.connections == 0


def test_plain_http_on_loopback_never_leaves_for_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with FaultyServer(always(OK)) as server, FaultyServer(tunnelling()) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{proxy.port}")
        with client_of(server.port) as client:
            assert send(client, event()) == WHOLE
    assert proxy.connections == 0


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


@pytest.mark.usefixtures("trusted")
def test_connecting_gets_5_seconds_at_most_of_an_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    def fast() -> float:
        return time.monotonic() * 50

    with FaultyServer(dripping) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        with client_of(443, 50 * 3600, "https", clock=fast, host="endpoint.example") as client:
            assert kind(send(client, event())) is Failure.UNREACHABLE


@pytest.mark.parametrize(
    "proxy", ["socks5://user:secret@127.0.0.1:1", "https://127.0.0.1:1", "http://u:secret", "http://u:secret@[::1"]
)
def test_a_proxy_that_cannot_be_used_is_told_as_a_setting(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(SettingsError, match="HTTPS_PROXY") as refused, client_of(443, scheme="https"):
        pass
    assert "secret" not in str(refused.value)
