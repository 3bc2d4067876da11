"""Runs the sandbox: one process, one port, until it is interrupted."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING

import click
import uvicorn

from target_applied_events.sandbox.desk import Desk
from target_applied_events.sandbox.endpoint import Endpoint
from target_applied_events.sandbox.store import Store
from target_applied_events.sandbox.wire import OpenWire

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from target_applied_events.sandbox.contract import Rules

_BACKLOG = 1024


def application(endpoint: Endpoint) -> ASGIApp:
    """Put the endpoint and the desk behind one address."""
    desk = Desk(endpoint).app()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].startswith("/v"):
            await endpoint(scope, receive, send)
        else:
            await desk(scope, receive, send)

    return app


def serve(host: str, port: int, data: str, rules: Rules) -> None:
    """Serve until SIGINT or SIGTERM; `data` is a file or `:memory:`."""
    listener = socket.create_server((host, port), backlog=_BACKLOG)
    store = Store(data)
    config = uvicorn.Config(
        application(Endpoint(store, rules)),
        http=OpenWire,
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
        backlog=_BACKLOG,
    )
    try:
        _announce(*listener.getsockname()[:2])
        uvicorn.Server(config).run(sockets=[listener])
    except KeyboardInterrupt:
        pass
    finally:
        store.close()


def _announce(host: str, port: int) -> None:
    url = f"http://{host}:{port}"
    click.echo(f"Sandbox at {url}")
    config = {"api_url": f"{url}/v2026-04", "api_key": "AL-sandbox", "shop_id": "66e4a5f0-0000-4000-8000-000000000001"}
    click.echo("\nTo send to it, put this into the target's config:\n")
    click.echo(json.dumps(config, indent=2))
