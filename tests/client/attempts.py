"""One attempt of the client against a server of the tests' own, and what comes of it."""

from __future__ import annotations

import contextlib
import ssl
import time
from typing import TYPE_CHECKING

from target_applied_events.client import Client
from target_applied_events.event import Answer, Event, Failure, NoAnswer, Reply
from target_applied_events.handover import Job
from tests.with_sandbox.faulty_server import Fault, FaultyServer, Peer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import trustme

KEY = "AL-a-key-that-must-never-be-seen"
SHOP = "66e4e63f-8a2a-4f3a-9a5b-ffaf1f1b2c3d"
SHORT_SECONDS = 0.3
AMPLE_SECONDS = 20.0
HEAD = b"HTTP/1.1 200 OK\r\n"
OK = HEAD + b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
WHOLE = Answer(200, b"{}", "application/json")


def event(body: bytes = b'{"name":"Order placed"}', shop_id: str = SHOP) -> Event:
    return Event("orders", "mappings[0]", shop_id, body, b"", (), {}, {})


def kind(reply: Reply) -> Failure | int:
    return reply.failure if isinstance(reply, NoAnswer) else reply.status


@contextlib.contextmanager
def client_of(
    port: int,
    timeout_seconds: float = AMPLE_SECONDS,
    scheme: str = "http",
    clock: Callable[[], float] = time.monotonic,
    host: str = "127.0.0.1",
) -> Iterator[Client]:
    client = Client(
        api_url=f"{scheme}://{host}:{port}/v2026-04",
        api_key=KEY,
        timeout_seconds=timeout_seconds,
        user_agent="target-applied-events/0",
        clock=clock,
    )
    try:
        yield client
    finally:
        client.close()


def send(client: Client, sent: Event) -> Reply:
    """Make one attempt, and wait for what comes of it."""
    client.start(Job(0, sent))
    while not (returned := client.wait(AMPLE_SECONDS)):
        pass
    (only,) = returned
    return only.reply


def attempt(fault: Fault, timeout_seconds: float = AMPLE_SECONDS) -> Reply:
    """Make one attempt against a server with this fault; it must end within many times its deadline.

    Where a busy machine takes all of that to connect, which isn't what is tried here, it is made again with more.
    """
    with FaultyServer(fault) as server, client_of(server.port, timeout_seconds) as client:
        started = time.monotonic()
        reply = send(client, event())
        assert time.monotonic() - started < timeout_seconds * 30
    return attempt(fault, 2 * timeout_seconds) if reply == NoAnswer(Failure.UNREACHABLE, "timed out") else reply


def serving(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def cut_short(peer: Peer) -> None:
    peer.answer(HEAD + b"Content-Length: 100\r\n\r\nhalf")


def reset_after_the_request(peer: Peer) -> None:
    peer.read_request()
    peer.reset()


def hanging(peer: Peer) -> None:
    peer.read_request()
    peer.hang()


def dripping(peer: Peer) -> None:
    peer.answer(HEAD)
    peer.drip(b"X: y\r\n")
