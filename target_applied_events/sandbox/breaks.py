"""What comes instead of an answer, written on the bare connection: HTTP libraries won't send what is wrong."""

from __future__ import annotations

import asyncio
import socket
import struct
from http import HTTPStatus
from typing import TYPE_CHECKING, assert_never

from target_applied_events.sandbox.faults import Drop, Endless, Garbage, Silent, Slow, Truncate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Receive

    from target_applied_events.sandbox.answers import Answer

_CHUNK = b" " * 16384
_CHUNK_SECONDS = 0.01
_MOST_BUFFERED = 1 << 20
_GARBAGE = b"\x16\x03\x01 220 this is no HTTP \x00\xff\r\n\r\n"

BareBreak = Drop | Truncate | Slow | Endless | Garbage | Silent


async def break_answer(effect: BareBreak, answer: Answer, wire: asyncio.Transport, receive: Receive) -> None:
    """Write what the fault wants instead of the answer, and return once the connection has ended."""
    async with asyncio.TaskGroup() as tasks:
        writing = tasks.create_task(_write(effect, answer, wire))
        while (await receive())["type"] != "http.disconnect":
            pass
        writing.cancel()


async def _write(effect: BareBreak, answer: Answer, wire: asyncio.Transport) -> None:
    head = _head(answer.status, answer.headers)
    match effect:
        case Drop():
            _reset(wire)
        case Truncate():
            wire.write(head + answer.body[: len(answer.body) // 2])
            wire.close()
        case Slow(byte_seconds):
            await _drip(head + answer.body, byte_seconds, wire)
        case Endless():
            await _flood(wire)
        case Garbage():
            wire.write(_GARBAGE)
            wire.close()
        case Silent():
            pass
        case _:
            assert_never(effect)


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    lines = [f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1")


def _reset(wire: asyncio.Transport) -> None:
    """Close so that the other side sees a reset, not an end."""
    sock: socket.socket = wire.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    wire.abort()


async def _drip(data: bytes, byte_seconds: float, wire: asyncio.Transport) -> None:
    for index in range(len(data)):
        if wire.is_closing():
            return
        wire.write(data[index : index + 1])
        await asyncio.sleep(byte_seconds)
    wire.close()


async def _flood(wire: asyncio.Transport) -> None:
    wire.write(_head(HTTPStatus.OK, {"content-type": "application/json", "connection": "close"}) + b'{"contact":')
    while not wire.is_closing():
        if wire.get_write_buffer_size() < _MOST_BUFFERED:
            wire.write(_CHUNK)
        await asyncio.sleep(_CHUNK_SECONDS)
