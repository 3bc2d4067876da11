"""An endpoint that takes everything after a fixed time: raw HTTP/1.1 on uvloop, so that it is never the limit.

Started as `python -m bench.server --latency-ms 20`, it prints its port; `--keep FILE` writes each body to a file.
"""

from __future__ import annotations

import argparse
import asyncio
import ssl
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

import uvloop

if TYPE_CHECKING:
    from collections.abc import Callable

_BODY = b'{"contact":{"id":"7d1f0a52-0000-4000-8000-000000000001","email":null,"phone":null,"remote_id":null}}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(_BODY), _BODY)


class Peer(asyncio.Protocol):
    """One connection: each request that was read whole is answered once, after the latency."""

    def __init__(self, latency_seconds: float, keep: Callable[[bytes], object] | None) -> None:
        """Start with nothing received."""
        self._latency_seconds, self._keep = latency_seconds, keep
        self._received = b""
        self._loop = asyncio.get_running_loop()

    def __repr__(self) -> str:
        """Tell how much of a request is there."""
        return f"<Peer holding {len(self._received)} bytes>"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection."""
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer what is whole."""
        self._received = self._received + data if self._received else data
        while (end := self._received.find(b"\r\n\r\n") + 4) > 3:  # noqa: PLR2004 - not found is -1
            whole = end + _length(self._received[:end])
            if len(self._received) < whole:
                return
            if self._keep is not None:
                self._keep(self._received[end:whole] + b"\n")
            self._received = self._received[whole:]
            self._answer()

    def _answer(self) -> None:
        if self._latency_seconds:
            self._loop.call_later(self._latency_seconds, self._write)
        else:
            self._write()

    def _write(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(ANSWER)


def _length(head: bytes) -> int:
    place = head.find(b"Content-Length: ")
    if place < 0:
        return 0
    return int(head[place + 16 : head.find(b"\r", place)])


async def _serve(latency_seconds: float, kept: BinaryIO | None, certificate: str | None) -> None:
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    keep = kept.write if kept else None
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Peer(latency_seconds, keep), "127.0.0.1", 0, backlog=1024, ssl=context)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    with suppress(asyncio.CancelledError):
        await loop.run_in_executor(None, sys.stdin.read)  # until who started it lets go


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--latency-ms", type=float, default=0)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--certificate", help="PEM with key and chain; without one it is plain HTTP")
    chosen = parser.parse_args()
    kept = chosen.keep.open("wb") if chosen.keep else None
    try:
        uvloop.run(_serve(chosen.latency_ms / 1000, kept, chosen.certificate))
    finally:
        if kept:
            kept.close()


if __name__ == "__main__":
    main()
