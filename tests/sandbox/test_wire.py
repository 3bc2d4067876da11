from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING

import requests
import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount

from target_applied_events.sandbox.wire import OpenWire, transport_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import ASGIApp, Receive, Scope, Send

PATIENCE_SECONDS = 30


async def tell_ports(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer the port that the client has by the scope, and the one that the transport is connected to."""
    _, port = transport_of(scope).get_extra_info("peername")
    await PlainTextResponse(f"{scope['client'][1]} {port}")(scope, receive, send)


async def break_off(scope: Scope, receive: Receive, send: Send) -> None:
    """Write on the bare connection what no library would send."""
    del receive, send
    wire = transport_of(scope)
    wire.write(b"no HTTP")
    wire.close()


@contextlib.contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """Serve an application over open wires in a thread; gives its address."""
    config = uvicorn.Config(
        Starlette(routes=[Mount("/", app)]), http=OpenWire, ws="none", lifespan="off", log_level="error"
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive()


def test_each_request_finds_the_connection_that_it_came_by() -> None:
    with serving(tell_ports) as address, requests.Session() as first, requests.Session() as second:
        sessions = [first, second, first, second]
        told = [session.get(f"http://{address}/", timeout=10).text.split() for session in sessions]
    assert all(in_scope == of_transport for in_scope, of_transport in told)
    assert told[0] == told[2] != told[1] == told[3]


def test_what_is_written_on_it_arrives_as_it_is() -> None:
    with serving(break_off) as address:
        host, _, port = address.partition(":")
        with socket.create_connection((host, int(port)), timeout=10) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert client.makefile("rb").read() == b"no HTTP"
