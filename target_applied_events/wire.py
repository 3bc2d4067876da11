"""The bytes and deadlines of one attempt: opening a connection, and one request and its answer over it."""

from __future__ import annotations

import select
import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from target_applied_events.answer import read_answer

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from target_applied_events.event import Answer

_MOST_IDLE_SECONDS = 4.0
_MOST_AGE_SECONDS = 300.0
_RECEIVED_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class Deadline:
    """The moment by which something has ended, however many steps it takes.

    Attributes:
        at_seconds: The moment, in the clock's seconds.
        clock: Gives monotonic seconds.
    """

    at_seconds: float
    clock: Callable[[], float]

    def arm(self, used: socket.socket) -> None:
        """Let the socket's next call end in time.

        Raises:
            TimeoutError: The deadline has come.
        """
        used.settimeout(self._remaining_seconds())

    def sooner(self, seconds: float) -> Deadline:
        """Give a deadline of so many seconds from now, or this one where it comes first."""
        return Deadline(min(self.at_seconds, self.clock() + seconds), self.clock)

    def share(self, of: int) -> Deadline:
        """Give a deadline that leaves as much time for each other of so many steps.

        Raises:
            TimeoutError: The deadline has come.
        """
        return self.sooner(self._remaining_seconds() / of)

    def _remaining_seconds(self) -> float:
        remaining_seconds = self.at_seconds - self.clock()
        if remaining_seconds <= 0:
            raise TimeoutError("timed out")
        return remaining_seconds


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy that opens a tunnel to the endpoint.

    Attributes:
        host: Its name or address.
        port: Its port.
        authorization: The Proxy-Authorization header, empty where it asks for none.
    """

    host: str
    port: int
    authorization: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Route:
    """How the endpoint is reached.

    Attributes:
        host: The endpoint's name or address.
        port: Its port.
        tls: What certificates are trusted; None for plain HTTP.
        proxy: The proxy between, if there is one.
    """

    host: str
    port: int
    tls: ssl.SSLContext | None = None
    proxy: Proxy | None = None


class Connection:
    """Stands exactly behind the last answer whenever `is_reusable` says so.

    Attributes:
        is_reusable: Another request may follow.
        is_written: Some of the request under way, or of the last one, may have left.
    """

    __slots__ = ("_deadline", "_opened_at", "_poll", "_socket", "_used_at", "is_reusable", "is_written")

    def __init__(self, opened: socket.socket, deadline: Deadline) -> None:
        """Take over an open socket; it is closed with this connection."""
        self._socket = opened
        self._deadline = deadline
        self._opened_at = self._used_at = deadline.clock()
        self._poll = select.poll()
        self._poll.register(opened, select.POLLIN)
        self.is_reusable = False
        self.is_written = False

    def __repr__(self) -> str:
        """Tell whether it can take another request."""
        state = "closed" if self._socket.fileno() < 0 else "reusable" if self.is_reusable else "not reusable"
        return f"<Connection {state}, opened at {self._opened_at:.1f} s, used at {self._used_at:.1f} s>"

    def exchange(self, request: bytes, deadline: Deadline, *, bodiless: bool = False) -> Answer:
        """Send a request and read its answer.

        Args:
            request: Headers and body.
            deadline: When all of it has ended.
            bodiless: The answer has no body, whatever its headers say.

        Raises:
            TimeoutError: The deadline has come.
            OSError: The connection broke.
            NotHttpError: What came back isn't HTTP, or is cut short.
        """
        self._deadline = deadline
        self.is_reusable = self.is_written = False
        is_sent = self._send(request)
        reading = read_answer(self._receive, bodiless=bodiless)
        self._used_at = deadline.clock()
        self.is_reusable = is_sent and reading.reusable
        return reading.answer

    def is_fresh(self, now: float) -> bool:
        """Tell whether the endpoint is likely to take another request on it.

        Args:
            now: The clock's seconds.
        """
        if now - self._used_at > _MOST_IDLE_SECONDS or now - self._opened_at > _MOST_AGE_SECONDS:
            return False
        return not self._poll.poll(0)  # readable between requests: it was closed, or speaks out of turn

    def close(self) -> None:
        """Close it, without a word to the other side."""
        self._socket.close()

    def _send(self, request: bytes) -> bool:
        """Send all of it; false where the other side stopped reading: its answer, if any, says more than the break."""
        unsent = memoryview(request)
        try:
            while unsent:
                self._deadline.arm(self._socket)
                self.is_written = True
                unsent = unsent[self._socket.send(unsent) :]
        except TimeoutError:
            raise
        except OSError:
            return False
        return True

    def _receive(self) -> bytes:
        self._deadline.arm(self._socket)
        return self._socket.recv(_RECEIVED_BYTES)


def open_connection(route: Route, deadline: Deadline) -> Connection:
    """Open a connection to the endpoint, through the proxy and TLS where there are.

    Looking up the name can't be given a deadline: it takes what the system's resolver allows itself, often 5 s for each
    server and try. What then remains is for the rest.

    Raises:
        ssl.SSLCertVerificationError: The certificate doesn't verify.
        TimeoutError: The deadline has come.
        OSError: There is no way, or it was refused.
        NotHttpError: The proxy doesn't speak HTTP.
    """
    via = route.proxy or route
    opened = _connect(via.host, via.port, deadline)
    try:
        if route.proxy:
            _tunnel(opened, route, route.proxy, deadline)
        if route.tls:
            opened = _encrypt(opened, route.tls, route.host, deadline)
        return Connection(opened, deadline)
    except BaseException:
        opened.close()
        raise


def _connect(host: str, port: int, deadline: Deadline) -> socket.socket:
    """Try each address of a host; one that stays silent leaves the others their share of the time."""
    addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    failure = OSError(f"{host} has no address")
    for tried, (family, kind, protocol, _, address) in enumerate(addresses):
        try:
            share = deadline.share(len(addresses) - tried)
            return _connect_to(socket.socket(family, kind, protocol), address, share)
        except OSError as error:
            failure = error
    raise failure


def _connect_to(unconnected: socket.socket, address: tuple[object, ...], deadline: Deadline) -> socket.socket:
    try:
        deadline.arm(unconnected)
        unconnected.connect(address)
        unconnected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        unconnected.close()
        raise
    return unconnected


def _tunnel(to_proxy: socket.socket, route: Route, proxy: Proxy, deadline: Deadline) -> None:
    host = f"[{route.host}]" if ":" in route.host else route.host
    authorization = f"Proxy-Authorization: {proxy.authorization}\r\n" if proxy.authorization else ""
    request = f"CONNECT {host}:{route.port} HTTP/1.1\r\nHost: {host}:{route.port}\r\n{authorization}\r\n"
    answer = Connection(to_proxy, deadline).exchange(request.encode("ascii"), deadline, bodiless=True)
    if not 200 <= answer.status < 300:  # noqa: PLR2004 - the hundreds of HTTP say more than names would
        raise OSError(f"the proxy {proxy.host}:{proxy.port} answered {answer.status} to CONNECT")


def _encrypt(plain: socket.socket, trust: ssl.SSLContext, host: str, deadline: Deadline) -> ssl.SSLSocket:
    # Left to itself, wrap_socket skips the handshake where the other side has just reset the connection.
    encrypted = trust.wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)
    try:
        deadline.arm(encrypted)  # the handshake as a whole ends by it
        encrypted.do_handshake()
    except BaseException:
        encrypted.close()
        raise
    return encrypted
