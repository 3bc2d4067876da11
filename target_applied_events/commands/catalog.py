"""A Singer catalog as the SCHEMA messages that its tap would write."""

from __future__ import annotations

import json
from io import StringIO
from typing import IO, TYPE_CHECKING, Any

from target_applied_events.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def as_messages(catalog: IO[str]) -> IO[str]:
    """Read a catalog as an input of SCHEMA messages: of the selected streams, where any is; else of all.

    Raises:
        InputError: It is no catalog.
    """
    try:
        streams = json.load(catalog)["streams"]
        messages = list(_messages(streams))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise InputError(
            f"{getattr(catalog, 'name', 'This')} is no Singer catalog. `--catalog` takes what `meltano invoke "
            "--dump=catalog TAP` or a tap's `--discover` writes."
        ) from None
    return StringIO("".join(json.dumps(message) + "\n" for message in messages))


def _messages(streams: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    chosen = [stream for stream in streams if _is_selected(stream)] or streams
    for stream in chosen:
        yield {
            "type": "SCHEMA",
            "stream": stream.get("stream") or stream["tap_stream_id"],
            "schema": _selected_columns(stream),
            "key_properties": _key_properties(stream),
        }


def _metadata(stream: Mapping[str, Any]) -> Mapping[tuple[str, ...], Mapping[str, Any]]:
    listed = stream.get("metadata") or []
    return {tuple(item.get("breadcrumb") or ()): item.get("metadata") or {} for item in listed}


def _is_selected(stream: Mapping[str, Any]) -> bool:
    return bool(_metadata(stream).get((), {}).get("selected", stream.get("selected")))


def _key_properties(stream: Mapping[str, Any]) -> list[str]:
    return stream.get("key_properties") or _metadata(stream).get((), {}).get("table-key-properties") or []


def _selected_columns(stream: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema without the columns that are deselected or can't be read."""
    schema, metadata = stream["schema"], _metadata(stream)

    def is_out(name: str) -> bool:
        said = metadata.get(("properties", name), {})
        inclusion = said.get("inclusion")
        return inclusion == "unsupported" or (inclusion != "automatic" and said.get("selected") is False)

    return {**schema, "properties": {name: item for name, item in schema["properties"].items() if not is_out(name)}}
