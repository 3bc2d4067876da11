"""Stream maps of the SDK, whose expressions may fail on a record and may make what no JSON holds."""

from __future__ import annotations

import math
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from singer_sdk.exceptions import SingerSDKError
from singer_sdk.mapper import CustomStreamMap

from target_applied_events.errors import InputError

if TYPE_CHECKING:
    from singer_sdk.mapper import StreamMap


class GuardedStreamMap:
    """Does what its stream map does; what comes out is JSON, and what an expression raises ends the run clearly.

    The SDK lets whatever an expression raises (a division by zero, a null where text is wanted) pass as it is, and its
    arithmetic makes floats, whose nearest short decimal is taken.
    """

    def __init__(self, stream_map: StreamMap) -> None:
        """Guard one stream map."""
        self._stream_map = stream_map

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the stream map has
        """Give all else as the stream map has it."""
        return getattr(self._stream_map, name)

    def transform(self, record: dict[str, Any]) -> dict[str, Any] | None:
        """Transform a record; None where it's filtered out.

        Raises:
            InputError: An expression can't work on this record.
        """
        try:
            transformed = self._stream_map.transform(record)
        except SingerSDKError:
            raise
        except Exception as error:
            raise InputError(
                f"An expression of stream_maps can't work on a record of the stream {self._stream_map.stream_alias}: "
                "let it allow for nulls, zeros and other types."
            ) from error
        return None if transformed is None else {name: _as_json(value) for name, value in transformed.items()}


def guard(stream_maps: list[Any]) -> None:
    """Guard those of a stream's maps whose expressions users write."""
    stream_maps[:] = [GuardedStreamMap(item) if isinstance(item, CustomStreamMap) else item for item in stream_maps]


def _as_json(value: Any) -> Any:  # noqa: ANN401 - whatever an expression makes
    match value:
        case float() if math.isfinite(value):
            return Decimal(repr(value))
        case date():
            return value.isoformat()
        case list() | tuple():
            return [_as_json(item) for item in value]
        case dict():
            return {name: _as_json(item) for name, item in value.items()}
        case _:
            return value
