"""A dlt pipeline with a custom destination, its load workers and parallel jobs raised to 32.

It reads the same messages; its rows are the records. `batch_size=1` would make a call for each row; a list at once
and a loop over it is what dlt's guide shows for an endpoint without a bulk form.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

WORKERS = 32
ROWS_A_FILE = 25
"""Each file is one load job: as many jobs as workers need more files than workers."""

os.environ |= {
    "LOAD__WORKERS": str(WORKERS),
    "NORMALIZE__DATA_WRITER__FILE_MAX_ITEMS": str(ROWS_A_FILE),
    "DATA_WRITER__FILE_MAX_ITEMS": str(ROWS_A_FILE),
    "DATA_WRITER__BUFFER_MAX_ITEMS": str(ROWS_A_FILE),
    "RUNTIME__DLTHUB_TELEMETRY": "false",
}

import dlt  # type: ignore[import-not-found]  # noqa: E402 - reads the environment; lives in a venv of its own
import requests  # noqa: E402 - as above

from bench.shop import body, headers  # noqa: E402 - as above

if TYPE_CHECKING:
    from collections.abc import Iterator

_local = threading.local()


def records() -> Iterator[dict[str, Any]]:
    """Give the records on standard input."""
    for line in sys.stdin:
        message = json.loads(line)
        if message["type"] == "RECORD":
            yield message["record"]


def main() -> None:
    """Run the pipeline over standard input."""
    config = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    url = f"{config['api_url']}/events/"

    @dlt.destination(  # type: ignore[untyped-decorator]  # as dlt isn't there
        batch_size=ROWS_A_FILE,
        name="events",
        naming_convention="direct",
        skip_dlt_columns_and_tables=True,
        loader_parallelism_strategy="parallel",
        max_parallel_load_jobs=WORKERS,
    )
    def events(items: list[dict[str, Any]], table: object) -> None:
        del table
        if not hasattr(_local, "session"):
            _local.session = requests.Session()
            _local.session.headers.update(headers())
        for item in items:
            _local.session.post(url, json=body(item), timeout=30).raise_for_status()

    with tempfile.TemporaryDirectory() as directory:
        pipeline = dlt.pipeline("bench", destination=events, pipelines_dir=directory)
        created_at = {"created_at": {"data_type": "text"}}
        pipeline.run(dlt.resource(records(), name="orders", columns=created_at))


if __name__ == "__main__":
    main()
