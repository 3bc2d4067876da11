"""Waiting for a server that restarts."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

RECONNECT_SECONDS = 30.0
"""So long a restarted server is waited for."""

_PAUSE_SECONDS = 0.25

_T = TypeVar("_T")


def reconnect(connect: Callable[[], _T], *failures: type[Exception]) -> _T:
    """Connect to a server that was there before, as soon as it takes connections again.

    Args:
        connect: Connects once.
        failures: What it raises while the server is away; the last one is raised after `RECONNECT_SECONDS`.
    """
    until = time.monotonic() + RECONNECT_SECONDS
    while True:
        try:
            return connect()
        except failures:
            if time.monotonic() > until:
                raise
        time.sleep(_PAUSE_SECONDS)
