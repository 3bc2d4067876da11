"""What of an input are rejected records that are sent again: its SCHEMA and RECORD messages say so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class FedBack:
    """A stream is among these while its last SCHEMA said that rejected records are to come.

    Attributes:
        streams: Their names.
        mapping: The one mapping that the present record goes to; None: all.
    """

    streams: set[str] = field(default_factory=set)
    mapping: str | None = None

    def declare(self, schema: Mapping[str, Any]) -> bool:
        """Note what a SCHEMA says of its stream; True where the one before said otherwise."""
        is_new = (schema.get("rejected") is True) != (schema["stream"] in self.streams)
        if is_new:
            self.streams ^= {schema["stream"]}
        return is_new

    def begin(self, record: Mapping[str, Any]) -> None:
        """Note which mapping a RECORD was rejected by."""
        rejection = record.get("rejection") if record.get("stream") in self.streams else None
        self.mapping = rejection.get("mapping") if isinstance(rejection, Mapping) else None
