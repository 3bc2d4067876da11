"""The connection beneath a request, reachable from the application: what a fault needs to break it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

if TYPE_CHECKING:
    import asyncio

    from starlette.types import Scope


class OpenWire(AutoHTTPProtocol):  # type: ignore[misc, valid-type, unused-ignore] # httptools' class or h11's
    """An HTTP connection of uvicorn whose requests find its transport in their scope's state."""

    app_state: dict[str, Any]

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Put the transport where the application finds it."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


def transport_of(scope: Scope) -> asyncio.Transport:
    """Find the transport that a request came by."""
    transport: asyncio.Transport = scope["state"]["transport"]
    return transport
