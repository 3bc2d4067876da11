"""One attempt over HTTP: an event goes out, a reply comes back, whatever network and endpoint do in between."""

from __future__ import annotations

import base64
import contextlib
import functools
import re
import ssl
import threading
import time
from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests
import requests.utils

from target_applied_events.answer import NotHttpError
from target_applied_events.errors import InternalError, SettingsError
from target_applied_events.event import Answer, Event, Failure, NoAnswer, Reply
from target_applied_events.wire import Connection, Deadline, Proxy, Route, open_connection

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST_CONNECT_SECONDS = 5.0
_MOST_SHOPS = 1024
_HEADER_VALUE = re.compile(r"[!-~]+")


class Client:
    """Lends each kept connection to one attempt at a time; safe to use from many threads.

    What the environment says of proxies and certificates (HTTPS_PROXY, NO_PROXY, REQUESTS_CA_BUNDLE,
    CURL_CA_BUNDLE) is read once, by requests and as requests reads it; netrc is left alone, since it would
    replace the key.
    """

    def __init__(
        self,
        *,
        api_url: str,
        api_key: str,
        timeout_seconds: float,
        user_agent: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare what all attempts of a run have in common; nothing is connected yet.

        Args:
            api_url: The endpoint's address, https, or http on a loopback address.
            api_key: The key, printable and without white space.
            timeout_seconds: The deadline of one whole attempt; connecting gets at most 5 seconds of it.
            user_agent: Names this program and its version to the endpoint.
            clock: Gives monotonic seconds.

        Raises:
            SettingsError: The key can't be a header, or the proxy or the certificates can't be used.
        """
        if not _HEADER_VALUE.fullmatch(api_key):
            raise SettingsError(["api_key: must be printable ASCII without white space"])
        self._without_key = _remover(api_key)
        self._timeout_seconds = timeout_seconds
        self._clock = clock
        self._route = _route(api_url)
        self._post = _Request("POST", f"{api_url}/events/", api_key, user_agent)
        self._get = _Request("GET", f"{api_url}/contacts/?limit=1", api_key, user_agent)
        self._kept: deque[Connection] = deque()
        self._lock = threading.Lock()
        self._is_closed = False

    def __repr__(self) -> str:
        """Tell where it sends to and how many connections wait."""
        state = "closed" if self._is_closed else f"{len(self._kept)} connections kept"
        return f"<Client to {self._route.host}:{self._route.port}, {state}>"

    def send(self, event: Event) -> Reply:
        """Make one attempt to deliver an event; what goes wrong on the way is a reply as well."""
        return self._attempt(self._post.to(event.shop_id, event.body))

    def contacts(self, shop_id: str) -> Reply:
        """Ask for one contact of a shop: tries key and shop without writing anything."""
        return self._attempt(self._get.to(shop_id))

    def close(self) -> None:
        """Close what is kept now, and each connection under way when its attempt ends."""
        with self._lock:
            self._is_closed = True
            kept, self._kept = self._kept, deque()
        for connection in kept:
            connection.close()

    def _attempt(self, request: bytes) -> Reply:
        deadline = Deadline(self._clock() + self._timeout_seconds, self._clock)
        connection = self._take_kept() or self._open(deadline.sooner(_MOST_CONNECT_SECONDS))
        if isinstance(connection, NoAnswer):
            return connection
        try:
            return self._without_key(_exchange(connection, request, deadline))
        finally:
            self._give_back(connection)

    def _open(self, deadline: Deadline) -> Connection | NoAnswer:
        try:
            return open_connection(self._route, deadline)
        except ssl.SSLCertVerificationError as error:
            return NoAnswer(Failure.UNTRUSTED, error.verify_message)
        except (OSError, NotHttpError, UnicodeError) as error:
            return NoAnswer(Failure.UNREACHABLE, _said(error))

    def _take_kept(self) -> Connection | None:
        """Take the one used last; those that went stale meanwhile are closed on the way."""
        while True:
            with self._lock:
                connection = self._kept.pop() if self._kept else None
            if connection is None or connection.is_fresh(self._clock()):
                return connection
            connection.close()

    def _give_back(self, connection: Connection) -> None:
        with self._lock:
            if connection.is_reusable and not self._is_closed:
                self._kept.append(connection)
                return
        connection.close()


class _Request:
    """Everything of a request that stays the same during a run, so that an attempt only adds what differs."""

    def __init__(self, method: str, url: str, api_key: str, user_agent: str) -> None:
        prepared = _prepared(method, url)
        host = urlsplit(prepared.url or url).netloc.rpartition("@")[2]
        self._before_shop = (
            f"{method} {prepared.path_url} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {user_agent}\r\n"
            f"Accept-Encoding: identity\r\nAuthorization: Bearer {api_key}\r\nX-Shop-Id: "
        )
        self._head = functools.lru_cache(_MOST_SHOPS)(self._make_head)

    def to(self, shop_id: str, body: bytes | None = None) -> bytes:
        if body is None:
            return self._head(shop_id) + b"\r\n"
        return b"%bContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
            self._head(shop_id),
            len(body),
            body,
        )

    def _make_head(self, shop_id: str) -> bytes:
        if not _HEADER_VALUE.fullmatch(shop_id):
            raise InternalError("an event's shop id can't be a header: mappings must only let uuids through")
        return f"{self._before_shop}{shop_id}\r\n".encode("ascii")


def _remover(api_key: str) -> Callable[[Reply], Reply]:
    """Make what takes the key out of an answer that quotes it: answers are kept beside what they refuse."""
    key = api_key.encode("ascii")

    def without_key(reply: Reply) -> Reply:
        if isinstance(reply, Answer) and key in reply.body:
            return replace(reply, body=reply.body.replace(key, b"***"))
        return reply

    return without_key


def _exchange(connection: Connection, request: bytes, deadline: Deadline) -> Reply:
    try:
        return connection.exchange(request, deadline)
    except TimeoutError as error:
        failure = Failure.TIMED_OUT if connection.is_written else Failure.UNREACHABLE
        return NoAnswer(failure, _said(error))
    except (OSError, NotHttpError) as error:
        return NoAnswer(Failure.BROKEN, _said(error))


def _said(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _prepared(method: str, url: str) -> requests.PreparedRequest:
    try:
        return requests.Request(method, url).prepare()
    except (requests.RequestException, ValueError):  # their text quotes the address, which may hold a password
        raise SettingsError(["api_url: must be the endpoint's address, this is none"]) from None


def _route(api_url: str) -> Route:
    """Find the way to the endpoint as requests would; plain HTTP, which is for loopback alone, takes no proxy."""
    url = urlsplit(_prepared("GET", api_url).url or api_url)
    host = url.hostname or ""
    if url.scheme == "http":
        return Route(host, url.port or 80)
    with requests.Session() as session:
        environment = session.merge_environment_settings(api_url, {}, None, None, None)
    proxy = requests.utils.select_proxy(api_url, environment["proxies"])
    return Route(host, url.port or 443, _trust(environment["verify"]), _proxy(proxy) if proxy else None)


def _trust(verify: object) -> ssl.SSLContext:
    """Trust the bundle that the environment names, else the one that requests brings."""
    bundle = Path(verify if isinstance(verify, str) else requests.utils.DEFAULT_CA_BUNDLE_PATH)
    try:
        context = ssl.create_default_context(
            cafile=None if bundle.is_dir() else bundle, capath=bundle if bundle.is_dir() else None
        )
    except OSError as error:
        problem = f"REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE: {bundle} can't be read as certificates ({_said(error)})"
        raise SettingsError([problem]) from error
    context.set_alpn_protocols(["http/1.1"])
    return context


def _proxy(address: str) -> Proxy:
    # What is wrong with an address isn't shown: the parser quotes from it, and it may hold a password.
    with contextlib.suppress(ValueError):
        url = urlsplit(address if "://" in address else f"http://{address}")
        user, password = requests.utils.get_auth_from_url(url.geturl())
        credentials = base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
        if url.scheme == "http" and url.hostname:
            return Proxy(url.hostname, url.port or 80, f"Basic {credentials}" if user else "")
    raise SettingsError(["HTTPS_PROXY or ALL_PROXY: must be an HTTP proxy, http://host:port"])
