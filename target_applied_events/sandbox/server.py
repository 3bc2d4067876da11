"""Runs the sandbox: one process, one port, until it is interrupted."""

from __future__ import annotations

import ipaddress
import socket
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import uvicorn
from starlette.responses import PlainTextResponse

from target_applied_events.sandbox.desk import Desk
from target_applied_events.sandbox.wire import OpenWire

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

    from target_applied_events.sandbox.endpoint import Endpoint

_BACKLOG = 1024
_FOREIGN = PlainTextResponse("The sandbox answers to localhost and to its address.", HTTPStatus.MISDIRECTED_REQUEST)


class Server(uvicorn.Server):
    """Once it is told to stop, nobody is kept waiting: streams end, and answers that a fault holds back are cut off."""

    def __init__(self, endpoint: Endpoint, on_ready: Callable[[], None]) -> None:
        """Serve this endpoint and its desk; `on_ready` is called once it does."""
        self._endpoint = endpoint
        self._on_ready = on_ready
        config = uvicorn.Config(
            application(endpoint),
            http=OpenWire,
            ws="none",
            lifespan="off",
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
            backlog=_BACKLOG,
        )
        super().__init__(config)

    def __repr__(self) -> str:
        """Tell what is served."""
        return f"<Server of {self._endpoint!r}>"

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve, and say so; from now on a signal ends it in order."""
        await super().startup(sockets)
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let go of all who wait, then end in order."""
        self._endpoint.close()
        await super().shutdown(sockets)
        self._endpoint.store.close()


def listen(host: str, port: int) -> socket.socket:
    """Open the port; OSError where that can't be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    # Each connection inherits it. Asyncio sets it for sockets of its own alone, and an answer would wait 40 ms for it.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def serve(endpoint: Endpoint, listener: socket.socket, on_ready: Callable[[], None]) -> None:
    """Serve until SIGINT or SIGTERM."""
    try:
        Server(endpoint, on_ready).run(sockets=[listener])
    except KeyboardInterrupt:
        pass
    finally:
        listener.close()


def application(endpoint: Endpoint) -> ASGIApp:
    """Put the endpoint and its desk behind one address."""
    desk = Desk(endpoint).app()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].startswith("/v"):
            await endpoint(scope, receive, send)
        elif _is_foreign(scope):
            await _FOREIGN(scope, receive, send)
        else:
            await desk(scope, receive, send)

    return app


def _is_foreign(scope: Scope) -> bool:
    """Tell whether a request to this machine alone was made under another name: a web page's trick to read answers."""
    named = next((value for name, value in scope["headers"] if name == b"host"), b"").decode("latin-1")
    return is_loopback(scope["server"][0]) and not is_loopback(_host_of(named))


def _host_of(named: str) -> str:
    try:
        return urlsplit(f"//{named}").hostname or "localhost"
    except ValueError:
        return named


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach a host."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
