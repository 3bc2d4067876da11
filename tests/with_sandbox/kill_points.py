"""Where a run may be killed: each point wraps one seam of the program, and the process kills itself there."""

from __future__ import annotations

import os
import signal
from functools import wraps
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from target_applied_events import run
from target_applied_events.client.wire import Connection
from target_applied_events.delivery import Delivery
from target_applied_events.ledger import Ledger
from target_applied_events.rejected import RejectedRecords
from target_applied_events.sinks import EventSink

if TYPE_CHECKING:
    from collections.abc import Callable

Call: TypeAlias = "Callable[..., Any]"


def arm(name: str, nth: int) -> None:
    """Kill this process when it comes to a point for the nth time; `crash` raises there instead.

    Args:
        name: `before` or `after`, and one of the seams; `amid` where half of the last argument is to be dealt with.
        nth: Counted from 1.
    """
    when, seam = name.split(" ", 1)
    owner, attribute, concerns = SEAMS[seam]
    calls = count(1)

    def at(moment: str, number: int) -> None:
        if moment == when and number == nth:
            os.kill(os.getpid(), signal.SIGKILL)
        if when == "crash" and number == nth:
            raise ZeroDivisionError("a mistake that nobody foresaw")

    original = getattr(owner, attribute)

    @wraps(original)
    def wrapped(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - stands for any function
        if not concerns(*args, **kwargs):
            return original(*args, **kwargs)
        number = next(calls)
        at("before", number)
        if when == "amid" and number == nth:
            *others, last = args
            original(*others, last[: len(last) // 2], **kwargs)
            at("amid", number)
        result = original(*args, **kwargs)
        at("after", number)
        return result

    setattr(owner, attribute, wrapped)


def _always(*_args: object, **_kwargs: object) -> bool:
    return True


def _has_intents(_ledger: object, *, intents: tuple[object, ...], **_kwargs: object) -> bool:
    return bool(intents)


def _has_delivered(_ledger: object, *, delivered: tuple[object, ...], **_kwargs: object) -> bool:
    return bool(delivered)


def _is_of_rejected_records(descriptor: int) -> bool:
    return Path(f"/proc/self/fd/{descriptor}").readlink().suffix == ".jsonl"


SEAMS: dict[str, tuple[object, str, Callable[..., bool]]] = {
    "record": (EventSink, "process_record", _always),
    "send": (Connection, "begin", _always),
    "reply": (Delivery, "replied", _always),
    "commit of intents": (Ledger, "commit", _has_intents),
    "commit of deliveries": (Ledger, "commit", _has_delivered),
    "sync of the ledger": (Ledger, "sync", _always),
    "keeping of rejected records": (RejectedRecords, "keep", _always),
    "write of rejected records": (RejectedRecords, "_append", _always),
    "sync of rejected records": (os, "fsync", _is_of_rejected_records),
    "write of STATE": (run, "write_state", _always),
    "naming of a new ledger": (os, "link", _always),
}
"""What is wrapped: its owner, its name, and which of its calls count."""
