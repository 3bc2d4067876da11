"""The reader: every line is a message, a clear error, or told to be strange; a quiet tap holds nothing up."""

from __future__ import annotations

import io
import logging
import os
import threading
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_applied_events.errors import InputError, StopReading
from target_applied_events.reader import CHUNK_BYTES, Reader, _split

if TYPE_CHECKING:
    from collections.abc import Iterator


def read(data: bytes) -> list[dict[str, Any]]:
    """What a reader makes of these bytes, through a real pipe."""
    return [message for message, _ in read_with_strangeness(data)]


def read_with_strangeness(data: bytes) -> list[tuple[dict[str, Any], bool]]:
    reader = Reader()
    messages: list[tuple[dict[str, Any], bool]] = []
    with piped(data) as source:
        reader.process_lines(source, {"RECORD": lambda message: messages.append((message, reader.strange))})
    return messages


class piped:  # noqa: N801 - reads as a verb
    """A pipe that another thread fills and closes."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def __enter__(self) -> IO[str]:
        read_end, write_end = os.pipe()
        self._thread = threading.Thread(target=self._fill, args=(write_end,))
        self._thread.start()
        self._source = os.fdopen(read_end, "r")
        return self._source

    def _fill(self, write_end: int) -> None:
        with os.fdopen(write_end, "wb") as sink:
            try:
                sink.write(self._data)
            except BrokenPipeError:
                return

    def __exit__(self, *_: object) -> None:
        self._source.close()
        self._thread.join()


def test_the_length_of_each_message_is_known() -> None:
    reader, lines = Reader(), [b'{"type":"STATE"}\n', b'{"type":"STATE", "value": NaN}\n']
    found: list[int] = []
    with piped(b"".join(lines)) as source:
        reader.process_lines(source, {"STATE": lambda _: found.append(reader.size_bytes)})
    assert found == [len(line) - 1 for line in lines]


def test_a_number_with_a_fraction_or_exponent_is_a_decimal_to_the_last_digit() -> None:
    numbers = b'"a":0.1,"b":1.2345678901234567890123456789012345678,"c":1E+2,"d":7,"e":18446744073709551617'
    (message,) = read(b'{"type":"RECORD",' + numbers + b"}\n")
    assert message["a"] == Decimal("0.1")
    assert message["b"] == Decimal("1.2345678901234567890123456789012345678")
    assert message["c"] == Decimal("1E+2")
    assert (message["d"], message["e"]) == (7, 2**64 + 1)
    assert all(not isinstance(value, float) for value in message.values())


def test_blank_lines_a_byte_order_mark_and_carriage_returns_are_passed_over() -> None:
    data = b'\xef\xbb\xbf{"type":"RECORD","n":1}\r\n\r\n\n{"type":"RECORD","n":2}\n'
    assert [message["n"] for message in read(data)] == [1, 2]


def test_a_last_line_without_a_line_feed_that_is_whole_counts() -> None:
    assert [message["n"] for message in read(b'{"type":"RECORD","n":1}\n{"type":"RECORD","n":2}')] == [1, 2]


def test_an_input_that_ends_mid_line_is_told_with_its_line_number() -> None:
    with pytest.raises(InputError, match="ends in the middle of line 2"):
        read(b'{"type":"RECORD","n":1}\n{"type":"RECO')


def test_where_the_last_line_may_be_cut_off_it_is_told_and_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    reader = Reader()
    reader.may_be_cut_off = True
    with piped(b'{"type":"RECORD","n":1}\n{"type":"RECO') as source:
        assert reader.process_lines(source, {"RECORD": lambda _: None}) == {"RECORD": 1}
    assert "Line 2 was cut off" in caplog.text
    with piped(b'{"type":"RECO\n{"type":"RECORD","n":1}\n') as source, pytest.raises(InputError, match="line 1 can't"):
        reader.process_lines(source, {"RECORD": lambda _: None})


def test_an_empty_input_holds_no_message() -> None:
    assert read(b"") == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"hello", "Expecting value at column 1"),
        (b'{"type":"RECORD","a":"\xff"}', "not UTF-8 at byte"),
        (b'{"type":"RECORD","a":"\x00"}', "Invalid control character"),
        (b'{"type":"RECORD","a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
        (b'{"type":"RECORD","a":' + b"9" * 5_000 + b"}", "a number too long"),
        (b'{"type":"RECORD","a":1e99999999999999999999}', "a number too long"),
    ],
    ids=["no json", "no utf-8", "a nul", "nesting of 100,000", "5,000 digits", "an exponent out of reach"],
)
def test_a_line_that_no_parser_reads_stops_with_its_number_and_without_its_text(line: bytes, reason: str) -> None:
    with pytest.raises(InputError) as caught:
        read(b'{"type":"RECORD","n":1}\n' + line + b"\n")
    assert "Input line 2 can't be read as JSON" in str(caught.value)
    assert reason in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("value", [b"NaN", b"Infinity", b"-Infinity", b'"\\ud800"', b'"\\udc00x"'])
def test_what_only_the_standard_parser_reads_is_read_and_called_strange(value: bytes) -> None:
    plain = b'{"type":"RECORD","a":1}\n'
    messages = read_with_strangeness(b'{"type":"RECORD","a":' + value + b"}\n" + plain)
    assert [strange for _, strange in messages] == [True, False]


@pytest.mark.parametrize("line", [b"[1,2]", b'"RECORD"', b"7", b"null", b"{}", b'{"type":7}'])
def test_json_that_is_no_message_stops_with_its_line_number(line: bytes) -> None:
    with pytest.raises(InputError, match="Input line 1 is no Singer message"):
        read(line + b"\n")


def test_an_unknown_type_is_ignored_with_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        messages = read(b'{"type":"NEWS"}\n{"type":"RECORD","n":1}\n{"type":"NEWS"}\n')
    assert [message["n"] for message in messages] == [1]
    assert [record.getMessage() for record in caplog.records].count(
        "Messages of the unknown type 'NEWS' are ignored (first at line 1)."
    ) == 1


def test_a_missing_key_is_named_and_the_message_is_not_shown() -> None:
    with pytest.raises(InputError, match=r"this RECORD lacks record, stream\.") as caught:
        Reader().assert_line_requires({"type": "RECORD", "secret": "s3cret"}, {"stream", "record"})
    assert "s3cret" not in str(caught.value)


def test_a_long_line_over_many_chunks_is_one_message() -> None:
    text = "x" * (3 * CHUNK_BYTES)
    (message,) = read(f'{{"type":"RECORD","a":"{text}"}}\n'.encode())
    assert message["a"] == text


def test_a_quiet_input_is_left_when_it_is_asked_to() -> None:
    """The writing end stays open and silent, as a tap does that waits for its database."""
    read_end, write_end = os.pipe()
    reader, pauses = Reader(), iter(range(4))
    messages: list[dict[str, Any]] = []

    def pause() -> None:
        if next(pauses, None) is None:
            raise StopReading("asked to", exit_status=143)

    reader.on_pause = pause
    os.write(write_end, b'{"type":"RECORD","n":1}\n{"type":"REC')
    try:
        with os.fdopen(read_end) as source, pytest.raises(StopReading):
            reader.process_lines(source, {"RECORD": messages.append})
    finally:
        os.close(write_end)
    assert messages == [{"type": "RECORD", "n": 1}]


def test_an_input_that_ends_while_it_is_to_be_left_is_left() -> None:
    asked: list[bool] = []

    def on_pause() -> None:
        if asked:
            raise StopReading("SIGTERM", exit_status=143)
        asked.append(True)  # from now on: it comes while the reader waits

    reader = Reader()
    reader.on_pause = on_pause
    with piped(b"") as source, pytest.raises(StopReading):
        reader.process_lines(source, {})


def test_an_input_without_a_file_descriptor_is_read_as_well() -> None:
    reader = Reader()
    messages: list[dict[str, Any]] = []
    source = io.StringIO('{"type":"RECORD","n":1}\n')
    counter = reader.process_lines(source, {"RECORD": messages.append})
    assert (messages, counter["RECORD"]) == ([{"type": "RECORD", "n": 1}], 1)


@given(st.lists(st.binary(max_size=6).map(lambda part: part.replace(b"x", b"\n")), max_size=20))
def test_wherever_chunks_are_cut_the_lines_are_the_same(chunks: list[bytes]) -> None:
    def lines() -> Iterator[bytes]:
        yield from io.BytesIO(b"".join(chunks))

    assert list(_split(chunks)) == list(lines())
