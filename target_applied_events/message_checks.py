"""What a message of a tap must hold, beyond what the SDK asks of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from target_applied_events.errors import InputError, SchemaError

if TYPE_CHECKING:
    from collections.abc import Mapping


def check_schema(message: Mapping[str, Any]) -> None:
    """Hold a SCHEMA, which has a stream and a schema, against what they must be.

    Raises:
        SchemaError: The stream is no text, the schema no object with properties, or the keys no list of texts.
    """
    stream, keys = message["stream"], message.get("key_properties") or []
    if not isinstance(stream, str):
        raise SchemaError("The stream of a SCHEMA is no text. Check the tap.")
    if not isinstance(message["schema"], dict):
        raise SchemaError(f"The SCHEMA of the stream {stream} is no object. Check the tap.")
    if "properties" not in message["schema"]:
        raise SchemaError(
            f"The SCHEMA of the stream {stream} lacks properties, so nothing is known of its columns. Give the stream "
            "a schema in the tap; in Meltano that is the extra `schema`."
        )
    if not isinstance(keys, list) or not all(isinstance(name, str) for name in keys):
        raise SchemaError(f"The key_properties of the stream {stream} are no list of columns. Check the tap.")


def check_record(message: Mapping[str, Any]) -> None:
    """Hold a RECORD against what it must be; that its record or its stream is missing, the SDK tells.

    Raises:
        InputError: The record is no object.
    """
    if not isinstance(message.get("record"), dict) and message.keys() >= {"stream", "record"}:
        raise InputError(f"A RECORD of the stream {message['stream']} holds no object. Check the tap.")
