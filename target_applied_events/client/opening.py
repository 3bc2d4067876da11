"""Opening connections to the endpoint, through the proxy and TLS where there are, each by its deadline."""

from __future__ import annotations

import queue
import socket
import ssl
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

from target_applied_events.client.answer import AnswerReader, NotHttpError
from target_applied_events.errors import InternalError
from target_applied_events.event import Failure, NoAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from target_applied_events.client.route import Proxy, Route
    from target_applied_events.event import Answer

_MOST_CONNECT_SECONDS = 5.0
_RECEIVED_BYTES = 16 * 1024
_OF_PLAIN_HTTP = {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST"}  # OpenSSL's, by its version

_Asker = TypeVar("_Asker")
_Opened: TypeAlias = "socket.socket | NoAnswer"


class Openings(Generic[_Asker]):
    """Each connection that is asked for comes back once: open, or with what kept it from that.

    Each is opened in a thread of its own, since looking up a name and shaking hands block. All else belongs to the
    thread that asks.
    """

    def __init__(self, route: Route, clock: Callable[[], float], on_opened: Callable[[], None]) -> None:
        """Begin with none.

        Args:
            route: The way to the endpoint.
            clock: Gives monotonic seconds.
            on_opened: Called, in the thread that opened it, when there is one to take.
        """
        self._route, self._clock, self._on_opened = route, clock, on_opened
        self._opened: queue.SimpleQueue[tuple[_Asker, _Opened | InternalError]] = queue.SimpleQueue()
        self._is_closed = False

    def __repr__(self) -> str:
        """Tell whether it's closed."""
        return f"<Openings {'closed' if self._is_closed else 'open'}>"

    def ask(self, asker: _Asker, deadline_seconds: float) -> None:
        """Begin to open a connection.

        Args:
            asker: Comes back with it.
            deadline_seconds: When the asker's attempt must have ended, by the clock; connecting gets at most 5 seconds.
        """
        deadline = Deadline(deadline_seconds, self._clock).sooner(_MOST_CONNECT_SECONDS)
        thread = threading.Thread(target=self._open, args=(asker, deadline), name="opening", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            self._give(asker, NoAnswer(Failure.UNREACHABLE, said(error)))

    def take(self) -> Iterator[tuple[_Asker, _Opened]]:
        """Yield what has come back.

        Raises:
            InternalError: One failed in a way that nobody foresaw.
        """
        while not self._opened.empty():
            asker, opened = self._opened.get_nowait()
            if isinstance(opened, InternalError):
                raise opened
            yield asker, opened

    def close(self) -> None:
        """Close the connections that nobody takes any more, those too that are still being opened."""
        self._is_closed = True
        while not self._opened.empty():
            _, opened = self._opened.get_nowait()
            if isinstance(opened, socket.socket):
                opened.close()

    def _open(self, asker: _Asker, deadline: Deadline) -> None:
        self._give(asker, self._try_to_open(deadline))

    def _try_to_open(self, deadline: Deadline) -> _Opened | InternalError:
        try:
            return open_socket(self._route, deadline)
        except ssl.SSLCertVerificationError as error:
            return NoAnswer(Failure.UNTRUSTED, error.verify_message)
        except ssl.SSLError as error:
            hint = ", as where plain http is spoken" if error.reason in _OF_PLAIN_HTTP else ""
            return NoAnswer(Failure.UNREACHABLE, f"{said(error)}{hint}")
        except (OSError, NotHttpError, UnicodeError) as error:
            return NoAnswer(Failure.UNREACHABLE, said(error))
        except BaseException as error:  # noqa: BLE001 - it is raised where the run can end
            return InternalError(f"Opening a connection failed in an unforeseen way: {type(error).__name__}.")

    def _give(self, asker: _Asker, opened: _Opened | InternalError) -> None:
        self._opened.put((asker, opened))
        self._on_opened()
        if self._is_closed:
            self.close()


def said(error: Exception) -> str:
    """Say what the system said of an error."""
    return getattr(error, "strerror", None) or str(error) or "the system says no more"


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


def open_socket(route: Route, deadline: Deadline) -> socket.socket:
    """Open a connection to the endpoint, ready for a request.

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
    except BaseException:
        opened.close()
        raise
    return opened


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
    deadline.arm(to_proxy)
    to_proxy.sendall(request.encode("ascii"))
    answer = _answer_of(to_proxy, deadline)
    if not 200 <= answer.status < 300:  # noqa: PLR2004 - the hundreds of HTTP say more than names would
        raise OSError(f"the proxy {proxy.host}:{proxy.port} answered {answer.status} to CONNECT")


def _answer_of(proxy: socket.socket, deadline: Deadline) -> Answer:
    reader, reading = AnswerReader(bodiless=True), None
    while reading is None:
        deadline.arm(proxy)
        reading = reader.feed(proxy.recv(_RECEIVED_BYTES))
    return reading.answer


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
