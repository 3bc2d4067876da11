"""The run's own file: its accounts as JSON, and the event that stopped it."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any

import simplejson

from target_applied_events.durable import make_private
from target_applied_events.errors import EndpointError, said

if TYPE_CHECKING:
    from pathlib import Path

    from target_applied_events.summary import Summary

logger = logging.getLogger("target-applied-events")


def write_report(directory: Path, run_id: str, summary: Summary, seconds: float, error: BaseException | None) -> None:
    """Write `{run_id}.json`, private to its owner; a directory that can't be written costs a warning alone.

    Args:
        directory: `{data_dir}/runs`, made when it's needed.
        run_id: The run's name.
        summary: Its accounts.
        seconds: How long it took.
        error: What ended it; None after a success.
    """
    report: dict[str, Any] = {
        "run": run_id,
        "seconds": round(seconds, 3),
        "summary": summary.figures(),
        "error": str(error) if error is not None else None,
    }
    if isinstance(error, EndpointError):
        report["stopped_by"] = dict(error.details)
    try:
        make_private(directory)
        descriptor = os.open(directory / f"{run_id}.json", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            simplejson.dump(report, file, use_decimal=True, indent=2)
    except OSError as unwritable:
        logger.warning(
            "The run's accounts can't be written to %s: %s. The run isn't the worse for it; see data_dir.",
            directory,
            said(unwritable),
        )
