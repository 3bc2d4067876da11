"""The bytes and deadlines of one attempt: opening a connection, and one request and answer over it."""

from __future__ import annotations

import contextlib
import select
import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from target_applied_events.answer import NotHttpError, read_answer

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from target_applied_events.event import Answer

_MOST_IDLE_SECONDS = 4.0
_MOST_AGE_SECONDS = 300.0
_RECEIVED_BYTES = 16 * 1024


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
    """A connection on which each send and each receive ends by the deadline of the exchange under way.

    Between exchanges it stands exactly behind the last answer, or `is_reusable` says no.
    """

    __slots__ = ("_clock", "_deadline", "_opened_at", "_poll", "_socket", "_used_at", "is_reusable", "is_written")

    def __init__(self, opened: socket.socket, clock: Callable[[], float]) -> None:
        """Take over an open socket.

        Args:
            opened: The socket; it is closed with this connection.
            clock: Gives monotonic seconds.
        """
        self._socket = opened
        self._clock = clock
        self._opened_at = self._used_at = self._deadline = clock()
        self._poll = select.poll()
        self._poll.register(opened, select.POLLIN)
        self.is_reusable = False
        self.is_written = False

    def __repr__(self) -> str:
        """Tell whether it can take another request."""
        state = "closed" if self._socket.fileno() < 0 else "reusable" if self.is_reusable else "used up"
        return f"<Connection {state}, opened at {self._opened_at:.1f} s, last used at {self._used_at:.1f} s>"

    def exchange(self, request: bytes, deadline: float, *, bodiless: bool = False) -> Answer:
        """Send a request and read its answer.

        Args:
            request: Headers and body.
            deadline: When it must have ended, in the clock's seconds.
            bodiless: The answer has no body, whatever its headers say.

        Raises:
            TimeoutError: The deadline has come.
            OSError: The connection broke.
            NotHttpError: What came back isn't HTTP, or is cut short.
        """
        self._deadline = deadline
        self.is_reusable = self.is_written = False
        sent = self._send(request)
        reading = read_answer(self._receive, bodiless=bodiless)
        self._used_at = self._clock()
        self.is_reusable = sent and reading.reusable
        return reading.answer

    def is_fresh(self) -> bool:
        """Tell whether the endpoint is likely to take another request on it."""
        now = self._clock()
        if now - self._used_at > _MOST_IDLE_SECONDS or now - self._opened_at > _MOST_AGE_SECONDS:
            return False
        return not self._poll.poll(0)  # readable between exchanges: it was closed, or speaks out of turn

    def close(self) -> None:
        """Close it; nothing waits for the other side."""
        self._socket.close()

    def _send(self, request: bytes) -> bool:
        """Send all of it; false where the other side stopped reading, whose answer then says more than the break."""
        unsent = memoryview(request)
        try:
            while unsent:
                arm(self._socket, self._deadline, self._clock)
                self.is_written = True
                unsent = unsent[self._socket.send(unsent) :]
        except ConnectionError:
            return False
        return True

    def _receive(self) -> bytes:
        arm(self._socket, self._deadline, self._clock)
        return self._socket.recv(_RECEIVED_BYTES)


def open_connection(route: Route, deadline: float, clock: Callable[[], float]) -> Connection:
    """Open a connection to the endpoint, through the proxy and TLS where there are.

    The system's name resolution can't be given a deadline: it takes what resolv.conf grants it, often 5 s
    a server and try. What it leaves is what remains for the rest.

    Raises:
        ssl.SSLCertVerificationError: The certificate doesn't verify.
        TimeoutError: The deadline has come.
        OSError: There is no way, or it was refused.
        NotHttpError: The proxy doesn't speak HTTP.
    """
    via = route.proxy or route
    opened = _connect(via.host, via.port, deadline, clock)
    try:
        if route.proxy:
            _tunnel(opened, route, route.proxy, deadline, clock)
        if route.tls:
            arm(opened, deadline, clock)  # the handshake as a whole ends by it
            opened = route.tls.wrap_socket(opened, server_hostname=route.host)
        return Connection(opened, clock)
    except BaseException:
        opened.close()
        raise


def arm(connected: socket.socket, deadline: float, clock: Callable[[], float]) -> None:
    """Let the socket's next call end by the deadline.

    Raises:
        TimeoutError: The deadline has come.
    """
    remaining_seconds = deadline - clock()
    if remaining_seconds <= 0:
        raise TimeoutError("the time is up")
    connected.settimeout(remaining_seconds)


def _connect(host: str, port: int, deadline: float, clock: Callable[[], float]) -> socket.socket:
    """Try each address of a host; one that stays silent leaves the others their share of the time."""
    addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    failure: OSError = OSError(f"{host} has no address")
    for tried, (family, kind, protocol, _, address) in enumerate(addresses):
        share = (deadline - clock()) / (len(addresses) - tried)
        try:
            return _connect_to(socket.socket(family, kind, protocol), address, clock() + share, clock)
        except OSError as error:
            failure = error
    raise failure


def _connect_to(
    unconnected: socket.socket, address: tuple[object, ...], deadline: float, clock: Callable[[], float]
) -> socket.socket:
    with contextlib.ExitStack() as on_failure:
        on_failure.callback(unconnected.close)
        arm(unconnected, deadline, clock)
        unconnected.connect(address)
        unconnected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        on_failure.pop_all()
    return unconnected


def _tunnel(to_proxy: socket.socket, route: Route, proxy: Proxy, deadline: float, clock: Callable[[], float]) -> None:
    host = f"[{route.host}]" if ":" in route.host else route.host
    authorization = f"Proxy-Authorization: {proxy.authorization}\r\n" if proxy.authorization else ""
    request = f"CONNECT {host}:{route.port} HTTP/1.1\r\nHost: {host}:{route.port}\r\n{authorization}\r\n"
    answer = Connection(to_proxy, clock).exchange(request.encode("ascii"), deadline, bodiless=True)
    if not 200 <= answer.status < 300:  # noqa: PLR2004 - the hundreds of HTTP say more than names would
        raise OSError(f"the proxy {proxy.host}:{proxy.port} answered {answer.status} to CONNECT")
