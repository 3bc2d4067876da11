"""STATE on its way out: one line on standard output, or word that nobody reads it."""

from __future__ import annotations

import io
import os
import select
import sys
from typing import Any

import simplejson

from target_applied_events.errors import StopReading, said


def write_state(value: Any) -> None:  # noqa: ANN401 - a STATE's value is any JSON
    """Write a STATE's value to standard output, one line, to its last byte.

    Raises:
        StopReading: Nobody reads standard output any more, or it can't be written.
    """
    line = simplejson.dumps(value, use_decimal=True, allow_nan=True) + "\n"
    try:
        sys.stdout.flush()
        _write(line)
    except (BrokenPipeError, ValueError, AttributeError):  # there is none where it was closed before the start
        raise StopReading(
            "Standard output was closed by its reader, so no STATE can leave: the run ends. See why it was, and run "
            "again.",
            exit_status=143,
        ) from None
    except OSError as error:
        raise StopReading(
            f"Standard output can't be written ({said(error)}), so no STATE can leave: the run ends. See where it "
            "goes, and run again.",
            exit_status=1,
        ) from None


def _write(line: str) -> None:
    """Write all of it: Python leaves it at a part where it doesn't buffer, or the output doesn't wait."""
    try:
        descriptor = sys.stdout.fileno()
    except io.UnsupportedOperation:  # a text in memory
        sys.stdout.write(line)
        return
    rest = memoryview(line.encode())
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except BlockingIOError:
            select.select([], [descriptor], [])
