"""The reader: Singer messages from a file or a pipe, line by line, also while the tap is quiet."""

from __future__ import annotations

import json
import logging
import os
import select
import sys
from collections import Counter
from decimal import Decimal, InvalidOperation
from typing import IO, TYPE_CHECKING, Any

import msgspec
from singer_sdk.singerlib.encoding.base import GenericSingerReader

from target_applied_events.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

CHUNK_BYTES = 1 << 18
IDLE_MILLISECONDS = 50
MOST_WARNINGS = 100
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

logger = logging.getLogger(__name__)


class _CutOffError(InputError):
    """The input ends within a line."""


class Reader(GenericSingerReader[str]):
    """Never holds the run: between any two chunks, and every 50 ms of a quiet input, `on_pause` is called.

    A signal handler can't end a blocked read (it is taken up again), so this reader waits with `poll`.

    Attributes:
        on_pause: Called between reads; what it raises ends the reading.
        may_be_cut_off: Whether a last line that was cut off is passed over: that of a file whose run was killed.
        strange: Whether only the standard JSON parser could read the current message (NaN, a lone surrogate …).
        size_bytes: How long the current message is.
    """

    default_input = sys.stdin

    def __init__(self) -> None:
        """Set up the fast parser; numbers with a fraction or an exponent become Decimals."""
        super().__init__()
        self.on_pause: Callable[[], None] = lambda: None
        self.may_be_cut_off = False
        self.strange = False
        self.size_bytes = 0
        self._decoder = msgspec.json.Decoder(float_hook=Decimal)
        self._line_number = 0
        self._unknown_types: set[str] = set()

    def process_lines(
        self, file_input: IO[str] | None, callbacks: dict[str, Callable[[dict[str, Any]], None]]
    ) -> Counter[str]:
        """Read messages to the end of the input, each handed to the callback of its type.

        Raises:
            InputError: On a line that is no JSON object or lacks what its type needs, with its number.
        """
        counter: Counter[str] = Counter()
        self._line_number = 0
        for line in _lines(sys.stdin if file_input is None else file_input, self.on_pause):
            self._line_number += 1
            stripped = line.strip()
            if not stripped:
                continue
            try:
                message = self._message(stripped, line)
            except _CutOffError:
                if not self.may_be_cut_off:
                    raise
                self._tell_cut_off()
                break
            kind = message["type"]
            counter[kind] += 1
            callback = callbacks.get(kind)
            if callback is None:
                self._tell_unknown(kind)
            else:
                callback(message)
        return counter

    def assert_line_requires(self, line_dict: dict[str, Any], requires: set[str]) -> None:  # type: ignore[override]
        """Check that a message holds what its type needs (the SDK's own raises with the whole message).

        Raises:
            InputError: Naming what is missing.
        """
        missing = sorted(requires.difference(line_dict))
        if missing:
            raise InputError(
                f"Input line {self._line_number}: this {line_dict.get('type', 'message')} lacks {', '.join(missing)}. "
                "Check that the tap writes Singer messages."
            )

    def deserialize_json(self, line: str) -> dict[str, Any]:
        """Parse one line.

        Raises:
            InputError: Where it is no JSON object.
        """
        text = line.encode("utf-8", "surrogatepass")
        return self._message(text, text + b"\n")

    def _message(self, text: bytes, line: bytes) -> dict[str, Any]:
        try:
            message = self.parse(text)
        except InputError as error:
            raise self._unreadable(error, whole=line.endswith(b"\n")) from None
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            raise InputError(
                f"Input line {self._line_number} is no Singer message: it is not an object with a `type`. "
                "Only the tap may write to standard output; its log belongs on standard error."
            )
        return message

    def parse(self, line: bytes) -> object:
        """Parse JSON; what the fast parser refuses, the standard one looks at again, and `strange` tells.

        Raises:
            InputError: Neither can read it; says why, without the text.
        """
        self.size_bytes = len(line)
        try:
            value = self._decoder.decode(line)
        except (ValueError, InvalidOperation, RecursionError):
            self.strange = True
            return _second_look(line)
        self.strange = False
        return value

    def _unreadable(self, why: InputError, *, whole: bool) -> InputError:
        if not whole:
            return _CutOffError(
                f"The input ends in the middle of line {self._line_number}: the tap seems to have stopped. "
                "What came before it is delivered; run the pipeline again."
            )
        return InputError(
            f"Input line {self._line_number} can't be read as JSON ({why}). "
            "Only the tap may write to standard output; its log belongs on standard error."
        )

    def _tell_cut_off(self) -> None:
        logger.warning(
            "Line %d was cut off when the run that wrote it was killed, and is passed over. No STATE had passed its "
            "record: the tap gives it again.",
            self._line_number,
        )

    def _tell_unknown(self, kind: str) -> None:
        if kind not in self._unknown_types and len(self._unknown_types) < MOST_WARNINGS:
            self._unknown_types.add(kind)
            logger.warning(
                "Messages of the unknown type %.50r are ignored (first at line %d).", kind, self._line_number
            )


def _second_look(line: bytes) -> object:
    try:
        return json.loads(line.removeprefix(_BYTE_ORDER_MARK), parse_float=Decimal)
    except (ValueError, InvalidOperation, RecursionError) as refused:
        raise InputError(_why(refused)) from None


def _why(refused: Exception) -> str:
    """What a parser found wrong, without the text it found it in."""
    if isinstance(refused, json.JSONDecodeError):
        return f"{refused.msg} at column {refused.colno}"
    if isinstance(refused, UnicodeDecodeError):
        return f"not UTF-8 at byte {refused.start + 1}"
    if isinstance(refused, RecursionError):
        return "nested too deeply"
    return "a number too long to be one"


def _lines(source: IO[str] | None, on_pause: Callable[[], None]) -> Iterator[bytes]:
    """The lines of an input, each with its line feed; the last may lack it.

    Raises:
        InputError: There is no input.
    """
    if source is None:
        raise InputError("Standard input is closed: pipe a tap's messages into it, or name a file with --input.")
    try:
        descriptor = source.fileno()
    except (OSError, AttributeError):  # a StringIO, as tests of the SDK hand it in
        return (line.encode("utf-8", "surrogatepass") for line in source)
    return _split(_chunks(descriptor, on_pause))


def _chunks(descriptor: int, on_pause: Callable[[], None]) -> Iterator[bytes]:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    while True:
        on_pause()
        if not poll.poll(IDLE_MILLISECONDS):
            continue
        chunk = os.read(descriptor, CHUNK_BYTES)
        if not chunk:
            on_pause()  # a signal that came while this waited says more than the end that came with it
            return
        yield chunk


def _split(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Cut at line feeds; a line over many chunks is joined once, so that a long one costs no more than its length."""
    parts: list[bytes] = []
    for chunk in chunks:
        first, *others = chunk.split(b"\n")
        parts.append(first)
        for following in others:
            yield b"".join((*parts, b"\n"))
            parts = [following]
    if any(parts):
        yield b"".join(parts)
