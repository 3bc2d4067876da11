"""A singer-sdk target with a `BatchSink`: each batch goes through a pool of 64 threads, each with its own session."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

import requests
from singer_sdk import Target
from singer_sdk import typing as th
from singer_sdk.sinks import BatchSink

from bench.shop import body, headers

WORKERS = 64


class EventsSink(BatchSink):
    """Posts the events of a batch side by side; the batch ends when all are answered."""

    max_size = 10_000

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the SDK's own
        """Make the pool."""
        super().__init__(*args, **kwargs)
        self._url = f"{self.config['api_url']}/events/"
        self._pool = ThreadPoolExecutor(WORKERS)
        self._local = threading.local()

    def _post(self, record: dict[str, Any]) -> None:
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
            self._local.session.headers.update(headers())
        self._local.session.post(self._url, json=body(record), timeout=30).raise_for_status()

    def process_batch(self, context: dict[str, Any]) -> None:
        """Send all of it."""
        for done in [self._pool.submit(self._post, record) for record in context["records"]]:
            done.result()

    def clean_up(self) -> None:
        """End the pool."""
        self._pool.shutdown()
        super().clean_up()


class BatchTarget(Target):
    """The target around it."""

    name = "target-batch"
    config_jsonschema: ClassVar[dict[str, Any]] = th.PropertiesList(th.Property("api_url", th.StringType)).to_dict()
    default_sink_class = EventsSink


if __name__ == "__main__":
    BatchTarget.cli()
