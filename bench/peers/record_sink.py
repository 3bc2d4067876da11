"""A singer-sdk target with a `RecordSink`, as its cookiecutter gives one: a request for each record as it is read."""

from __future__ import annotations

from typing import Any, ClassVar

import requests
from singer_sdk import Target
from singer_sdk import typing as th
from singer_sdk.sinks import RecordSink

from bench.shop import body, headers


class EventsSink(RecordSink):
    """Posts each record and waits for its answer."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the SDK's own
        """Make the session."""
        super().__init__(*args, **kwargs)
        self._url = f"{self.config['api_url']}/events/"
        self._session = requests.Session()
        self._session.headers.update(headers())

    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:
        """Send one."""
        del context
        self._session.post(self._url, json=body(record), timeout=30).raise_for_status()


class RecordTarget(Target):
    """The target around it."""

    name = "target-record"
    config_jsonschema: ClassVar[dict[str, Any]] = th.PropertiesList(th.Property("api_url", th.StringType)).to_dict()
    default_sink_class = EventsSink


if __name__ == "__main__":
    RecordTarget.cli()
