"""Reading one HTTP/1 answer from bytes as they come; what isn't plainly HTTP is an error, what is too long is cut.

Each step of the reading is a generator: it yields where it needs more bytes, and is sent those that came next, or none
at the end of the connection.
"""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from target_applied_events.event import Answer, Value

if TYPE_CHECKING:
    from collections.abc import Generator

_Result = TypeVar("_Result")
_Step: TypeAlias = "Generator[None, bytes, _Result]"

MOST_BODY_BYTES = 64 * 1024
_MOST_HEAD_BYTES = 64 * 1024
_MOST_INTERIM_ANSWERS = 16
_MOST_LINE_BYTES = 4096
_MOST_TRAILERS = 100

_HEAD_END = re.compile(rb"\n\r?\n")
_STATUS_LINE = re.compile(r"HTTP/1\.([01]) ([1-5][0-9]{2})(?: .*)?")
_LENGTH = re.compile(r"[0-9]{1,18}")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?\r?\n")
_LISTS = frozenset({"connection", "content-length", "transfer-encoding"})


class NotHttpError(Exception):
    """What came back is not HTTP, or is cut short."""


class Reading(Value, frozen=True):
    """An answer, and whether the connection stands exactly behind it.

    Attributes:
        answer: The answer.
        reusable: The next request may follow on the same connection.
    """

    answer: Answer
    reusable: bool


class AnswerReader:
    """It's fed the bytes of one answer, and gives the answer as soon as that is whole."""

    __slots__ = ("_incoming", "_steps")

    def __init__(self, *, bodiless: bool = False) -> None:
        """Begin with nothing.

        Args:
            bodiless: Nothing that belongs to this answer follows its headers, as with CONNECT.
        """
        self._incoming = _Incoming()
        self._steps = _read(self._incoming, bodiless=bodiless)
        next(self._steps)

    def __repr__(self) -> str:
        """Tell whether it waits for more."""
        return f"<AnswerReader {inspect.getgeneratorstate(self._steps)}>"

    def feed(self, received: bytes) -> Reading | None:
        """Take the next bytes; gives the answer if it's whole.

        Args:
            received: What came next; empty at the end of the connection.

        Raises:
            NotHttpError: The bytes are no HTTP answer, or end before it does.
        """
        try:
            self._steps.send(received)
        except StopIteration as end:
            reading: Reading = end.value
            return reading
        except NotHttpError:
            if received:  # what came is wrong, not merely cut off
                self._incoming.final_head = None
            raise
        return None

    def cut_off(self) -> Answer | None:
        """Give an answer whose end never comes, with what came of its body, if its headers were read."""
        head = self._incoming.final_head
        return _answer(head, self._incoming.body) if head is not None else None


def _read(incoming: _Incoming, *, bodiless: bool) -> _Step[Reading]:
    head = incoming.final_head = yield from _final_head(incoming)
    ended = True
    if not bodiless and head.status not in {204, 304}:
        ended = yield from _read_body(incoming, head)
    return Reading(_answer(head, incoming.body), reusable=ended and head.keeps_connection and incoming.is_empty)


def _answer(head: _Head, body: bytearray) -> Answer:
    return Answer(
        status=head.status,
        body=bytes(body),
        content_type=head.fields.get("content-type", ""),
        retry_after=head.fields.get("retry-after"),
        date=head.fields.get("date"),
    )


class _Head(Value, frozen=True):
    status: int
    fields: dict[str, str]
    keeps_connection: bool


class _Incoming:
    """Holds what was received and not yet taken, at most one receipt more than was asked for.

    Attributes:
        final_head: The answer's head, once it was read.
        body: What came of its body.
    """

    __slots__ = ("_held", "body", "final_head")

    def __init__(self) -> None:
        self._held = bytearray()
        self.body = bytearray()
        self.final_head: _Head | None = None

    def __repr__(self) -> str:
        return f"<_Incoming holding {len(self._held)} bytes>"

    @property
    def is_empty(self) -> bool:
        return not self._held

    def head(self) -> _Step[bytes]:
        """Take a status line and its headers, without the empty line."""
        searched = 0
        while not (end := _HEAD_END.search(self._held, searched)):
            searched = max(0, len(self._held) - 2)
            if len(self._held) > _MOST_HEAD_BYTES:
                raise NotHttpError("the headers don't end")
            yield from self._fill("before its headers ended" if self._held else "without an answer")
            if not self._held.startswith(b"HTTP/1."[: len(self._held)]):
                raise NotHttpError("the answer isn't HTTP/1")
        return self._take(end.end())

    def line(self) -> _Step[bytes]:
        """Take one line with its end."""
        while (end := self._held.find(b"\n")) < 0:
            if len(self._held) > _MOST_LINE_BYTES:
                raise NotHttpError("a line of the chunked body doesn't end")
            yield from self._fill("in the middle of the body")
        return self._take(end + 1)

    def body_of(self, size: int) -> _Step[None]:
        """Take so many bytes over into the body, as they come."""
        end = len(self.body) + size
        self.body += self._take(size)
        while len(self.body) < end:
            yield from self._fill("in the middle of the body")
            self.body += self._take(end - len(self.body))

    def body_until_end(self, size: int) -> _Step[None]:
        """Take all over into the body until the connection ends, but no more than so many bytes."""
        self.body += self._take(size)
        while len(self.body) < size and (received := (yield)):
            self._held += received
            self.body += self._take(size - len(self.body))

    def _fill(self, where: str) -> _Step[None]:
        received = yield
        if not received:
            raise NotHttpError(f"the connection ended {where}")
        self._held += received

    def _take(self, size: int) -> bytes:
        taken = bytes(self._held[:size])
        del self._held[:size]
        return taken


def _final_head(incoming: _Incoming) -> _Step[_Head]:
    for _ in range(_MOST_INTERIM_ANSWERS + 1):
        head = _parse_head((yield from incoming.head()))
        if head.status >= 200:  # noqa: PLR2004 - the hundreds of HTTP say more than names would
            return head
    raise NotHttpError("interim answers don't end")


def _parse_head(block: bytes) -> _Head:
    first, *lines = block.decode("latin-1").split("\n")
    status_line = _STATUS_LINE.fullmatch(first.rstrip("\r"))
    if not status_line:
        raise NotHttpError("the answer doesn't begin with a status of HTTP/1")
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        name, value = name.lower(), value.strip()
        if name in _LISTS and name in fields:
            fields[name] = f"{fields[name]}, {value}"
        else:
            fields.setdefault(name, value)
    closes = status_line[1] == "0" or "close" in fields.get("connection", "").lower()
    return _Head(int(status_line[2]), fields, keeps_connection=not closes)


def _read_body(incoming: _Incoming, head: _Head) -> _Step[bool]:
    """Read the body; tells whether that was all of it and its end is known."""
    coding, length = head.fields.get("transfer-encoding"), head.fields.get("content-length")
    if coding is not None and coding.lower().endswith("chunked"):
        ended = yield from _read_chunks(incoming)
        return ended and length is None  # both are how answers are smuggled: believed, but nothing after it
    if coding is not None or length is None:
        yield from incoming.body_until_end(MOST_BODY_BYTES)
        return False
    lengths = {each.strip() for each in length.split(",")}
    if len(lengths) != 1 or not _LENGTH.fullmatch(length := lengths.pop()):
        raise NotHttpError("the Content-Length is none")
    size = int(length)
    yield from incoming.body_of(min(size, MOST_BODY_BYTES))
    return size <= MOST_BODY_BYTES


def _read_chunks(incoming: _Incoming) -> _Step[bool]:
    while size := _chunk_size((yield from incoming.line())):
        room = MOST_BODY_BYTES - len(incoming.body)
        yield from incoming.body_of(min(size, room))
        if size > room:
            return False
        if (yield from incoming.line()).strip(b"\r\n"):
            raise NotHttpError("a chunk is longer than it says")
    for _ in range(_MOST_TRAILERS):
        if not (yield from incoming.line()).strip(b"\r\n"):
            return True
    raise NotHttpError("trailers don't end")


def _chunk_size(line: bytes) -> int:
    size = _CHUNK_SIZE.fullmatch(line)
    if not size:
        raise NotHttpError("the size of a chunk is none")
    return int(size[1], 16)
