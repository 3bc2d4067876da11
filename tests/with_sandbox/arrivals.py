"""An endpoint that takes everything after a moment and tells what arrived: fast enough for a few kills a second."""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable

OK = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n{"contact":{}}'
PATIENCE_SECONDS = 30


def refusal(status: int) -> bytes:
    """An answer without more to it."""
    return b"HTTP/1.1 %d So\r\nContent-Length: 0\r\n\r\n" % status


BROKEN = b""
"""Stands for no answer: the connection is broken."""


class ArrivalsServer:
    """Each request that was read whole is told once, before it is answered as the one who is told says.

    Attributes:
        port: Where it listens, on 127.0.0.1.
        count: How many requests have arrived.
    """

    def __init__(
        self, on_arrival: Callable[[bytes], bytes | None], *, latency_seconds: float = 0.0, seed: int = 0
    ) -> None:
        """Start at `with`.

        Args:
            on_arrival: Is given each request's body, in the order read; gives the answer, None for 200.
            latency_seconds: Each answer waits for up to so long.
            seed: Of the latencies.
        """
        self.port = 0
        self.count = 0
        self.on_arrival = on_arrival
        self._latency_seconds = latency_seconds
        self._rng = random.Random(seed)  # noqa: S311 - no secret
        self._open: set[asyncio.Transport] = set()
        self._changed = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_SECONDS)
        self._loop.close()

    def start(self) -> None:
        """Listen, on the same port as before."""
        started = asyncio.run_coroutine_threadsafe(self._listen(), self._loop)
        self._server = started.result(PATIENCE_SECONDS)
        self.port = self._server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        """Be gone, and break what is open."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(PATIENCE_SECONDS)

    @property
    def url(self) -> str:
        """What `api_url` is set to."""
        return f"http://127.0.0.1:{self.port}/v2026-04"

    def wait_for(self, count: int, *, unless: Callable[[], bool] = lambda: False) -> bool:
        """Wait until so many requests have arrived in all; false where `unless` came true before."""
        with self._changed:
            while self.count < count:
                if unless():
                    return False
                self._changed.wait(0.05)
        return True

    def wait_for_quiet(self) -> None:
        """Wait until no connection is open, so that nothing more of an ended process can arrive."""
        with self._changed:
            assert self._changed.wait_for(lambda: not self._open, PATIENCE_SECONDS)

    async def _listen(self) -> asyncio.Server:
        return await self._loop.create_server(lambda: _Peer(self), "127.0.0.1", self.port, backlog=256)

    async def _close(self) -> None:
        self._server.close()
        for transport in list(self._open):
            transport.abort()

    # --- called by its peers, on the loop's thread -------------------------------------------------------------------

    def opened(self, transport: asyncio.Transport) -> None:
        with self._changed:
            self._open.add(transport)

    def closed(self, transport: asyncio.Transport) -> None:
        with self._changed:
            self._open.discard(transport)
            self._changed.notify_all()

    def arrived(self, body: bytes, answer: Callable[[bytes], None]) -> None:
        given = self.on_arrival(body)
        with self._changed:
            self.count += 1
            self._changed.notify_all()
        if self._latency_seconds:
            self._loop.call_later(self._rng.uniform(0, self._latency_seconds), answer, OK if given is None else given)
        else:
            answer(OK if given is None else given)


class _Peer(asyncio.Protocol):
    """The server's end of one connection: one request after another."""

    def __init__(self, server: ArrivalsServer) -> None:
        self._arrivals = server
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._arrivals.opened(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._arrivals.closed(self._transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, separator, rest = self._received.partition(b"\r\n\r\n")
        if not separator:
            return
        length = int(head.rpartition(b"Content-Length: ")[2].partition(b"\r\n")[0])
        if len(rest) >= length:
            self._received = rest[length:]
            self._arrivals.arrived(rest[:length], self._answer)

    def _answer(self, answer: bytes) -> None:
        with contextlib.suppress(ConnectionError):
            if answer == BROKEN:
                self._transport.abort()
            elif not self._transport.is_closing():
                self._transport.write(answer)
