"""Servers that misbehave on purpose: raw sockets, so that they can answer what no HTTP library would."""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Self, TypeAlias

if TYPE_CHECKING:
    import ssl

PAUSE_SECONDS = 0.05


class Peer:
    """The server's end of one connection, in the hands of a fault."""

    def __init__(self, server: FaultyServer, accepted: socket.socket) -> None:
        self._server = server
        self.socket = accepted

    def read_request(self) -> bytes:
        """Read one request whole and note it; empty where the client closed instead."""
        request = b""
        while not _is_whole(request):
            if not (received := self.socket.recv(65536)):
                return b""
            request += received
        self._server.requests.append(request)
        return request

    def answer(self, answer: bytes) -> bytes:
        """Read one request, answer it with these bytes, and give it."""
        request = self.read_request()
        if request:
            self.socket.sendall(answer)
        return request

    def repeat(self, piece: bytes) -> None:
        """Send a piece over and over, as fast as it goes, until the client has enough."""
        while True:
            self.socket.sendall(piece)

    def drip(self, piece: bytes) -> None:
        """Send a piece over and over, never silent for as long as any time-out, until the client has enough."""
        while True:
            self.socket.sendall(piece)
            time.sleep(PAUSE_SECONDS)

    def hang(self) -> None:
        """Say nothing until the client closes."""
        while self.socket.recv(65536):
            pass

    def reset(self) -> None:
        """End with RST instead of FIN."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


Fault: TypeAlias = Callable[[Peer], object]


class FaultyServer:
    """Runs its fault once for each connection, and closes the connection after it.

    Attributes:
        port: Where it listens, on 127.0.0.1.
        requests: The requests that were read whole, as they came.
        connections: How many connections were accepted.
    """

    def __init__(self, fault: Fault, tls: ssl.SSLContext | None = None) -> None:
        self._fault = fault
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._threads: list[threading.Thread] = []
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._ended = threading.Semaphore(0)
        self.port: int = self._listener.getsockname()[1]
        self.requests: list[bytes] = []
        self.connections = 0

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for accepted in self._open:
                with contextlib.suppress(OSError):
                    accepted.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(timeout=20)
            assert not thread.is_alive()

    def wait_for_end_of_connection(self) -> None:
        """Wait until the fault of one more connection has ended and its socket is closed."""
        assert self._ended.acquire(timeout=20)

    def _start(self, run: Callable[[], None]) -> None:
        thread = threading.Thread(target=run, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                accepted, _ = self._listener.accept()
                self.connections += 1
                with self._lock:
                    self._open.add(accepted)
                self._start(lambda accepted=accepted: self._serve(accepted))  # type: ignore[misc]

    def _serve(self, accepted: socket.socket) -> None:
        used = accepted
        with contextlib.suppress(OSError):
            if self._tls:
                used = self._tls.wrap_socket(accepted, server_side=True)
                with self._lock:
                    self._open.add(used)
            self._fault(Peer(self, used))
        with self._lock:
            self._open -= {accepted, used}
            used.close()
            accepted.close()
        self._ended.release()


def answering(*answers: bytes) -> Fault:
    """Give each connection these answers, one a request, and close it then."""

    def fault(peer: Peer) -> None:
        for answer in answers:
            if not peer.answer(answer):
                return

    return fault


def always(answer: bytes) -> Fault:
    """Answer each request alike, for as long as the client stays."""

    def fault(peer: Peer) -> None:
        while peer.answer(answer):
            pass

    return fault


def tunnelling(answer: bytes = b"HTTP/1.1 200 Connection established\r\n\r\n") -> Fault:
    """Be a proxy: answer CONNECT, and carry the bytes of both sides where the answer is a 2xx."""

    def fault(peer: Peer) -> None:
        request = peer.answer(answer)
        if not request or b" 2" not in answer[:12]:
            return
        host, _, port = request.split(b" ", 2)[1].decode().rpartition(":")
        with socket.create_connection((host, int(port)), timeout=20) as onward:
            _carry(peer.socket, onward)

    return fault


def _carry(one: socket.socket, other: socket.socket) -> None:
    across = {one: other, other: one}
    while True:
        ready, _, _ = select.select([one, other], [], [], 20)
        for side in ready:
            received = side.recv(65536)
            if not received:
                return
            across[side].sendall(received)


def _is_whole(request: bytes) -> bool:
    head, separator, body = request.partition(b"\r\n\r\n")
    if not separator:
        return False
    _, _, length = head.lower().partition(b"content-length: ")
    return len(body) >= int(length.split(b"\r\n")[0] or b"0")
