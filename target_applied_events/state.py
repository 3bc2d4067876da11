"""STATE on its way out: one line on standard output, or word that nobody reads it."""

from __future__ import annotations

import sys
from typing import Any

import simplejson

from target_applied_events.errors import StopReading, said


def write_state(value: Any) -> None:  # noqa: ANN401 - a STATE's value is any JSON
    """Write a STATE's value to standard output, one line.

    Raises:
        StopReading: Nobody reads standard output any more, or it can't be written.
    """
    try:
        sys.stdout.write(simplejson.dumps(value, use_decimal=True) + "\n")
        sys.stdout.flush()
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
