"""A connection pool that hands a server's sessions from client to client between transactions, as PgBouncer may."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import struct
import threading
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_WANTS_ENCRYPTION = {80877103, 80877104}


class _Pool(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, server: Path, *, in_turn: bool) -> None:
        super().__init__(("127.0.0.1", 0), _Client)
        self.server_socket = str(server / ".s.PGSQL.5432")
        self.idle: deque[socket.socket] = deque()
        self.greeting = b""
        self.in_turn = in_turn

    def session(self, startup: bytes) -> socket.socket:
        """Give an idle session, or a new one."""
        if len(self.idle) >= (3 if self.in_turn else 1):
            return self.idle.popleft() if self.in_turn else self.idle.pop()
        session = socket.socket(socket.AF_UNIX)
        session.connect(self.server_socket)
        session.sendall(startup)
        self.greeting = b"".join(_until_ready(session))
        return session


class _Client(socketserver.BaseRequestHandler):
    server: _Pool

    def handle(self) -> None:
        with contextlib.suppress(OSError, EOFError):
            startup = self._startup()
            self.server.idle.append(self.server.session(startup))
            self.request.sendall(self.server.greeting)
            while self._transaction(startup):
                pass

    def _startup(self) -> bytes:
        while True:
            length = _exactly(self.request, 4)
            message = length + _exactly(self.request, struct.unpack("!I", length)[0] - 4)
            if struct.unpack_from("!I", message, 4)[0] not in _WANTS_ENCRYPTION:
                return message
            self.request.sendall(b"N")

    def _transaction(self, startup: bytes) -> bool:
        """Pass one transaction on; False once the client has gone."""
        message = _message(self.request)
        if message[:1] == b"X":
            return False
        session = self.server.session(startup)
        while True:
            session.sendall(message)
            answer = _until_ready(session) if message[:1] in {b"Q", b"S"} else []
            self.request.sendall(b"".join(answer))
            if answer and answer[-1][-1:] == b"I":
                self.server.idle.append(session)
                return True
            message = _message(self.request)


def _exactly(connection: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length:
        if not (more := connection.recv(length - len(data))):
            raise EOFError
        data += more
    return data


def _message(connection: socket.socket) -> bytes:
    head = _exactly(connection, 5)
    return head + _exactly(connection, struct.unpack_from("!I", head, 1)[0] - 4)


def _until_ready(session: socket.socket) -> list[bytes]:
    messages = [_message(session)]
    while messages[-1][:1] != b"Z":
        messages.append(_message(session))
    return messages


@contextlib.contextmanager
def running_pool(server: Path, *, in_turn: bool) -> Iterator[int]:
    """Run a pool before a server's socket until the block ends; gives its port.

    Args:
        server: The folder of the server's socket.
        in_turn: At least three sessions are handed out in turn; else the one last used is.
    """
    with _Pool(server, in_turn=in_turn) as pool:
        thread = threading.Thread(target=pool.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield pool.server_address[1]
        finally:
            pool.shutdown()
            thread.join()
            for session in pool.idle:
                session.close()
