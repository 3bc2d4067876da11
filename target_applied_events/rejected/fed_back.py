"""What of an input are rejected records that are sent again, and which mapping each of them goes to."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from target_applied_events.errors import InputError
from target_applied_events.handover import Stream

logger = logging.getLogger("target-applied-events")


class MappedStream(Stream, frozen=True, eq=False):
    """A stream that knows how its mappings name their events, so that a rejected record finds its mapping again.

    Attributes:
        names: The names as they are written in the mappings, by the mappings' labels.
    """

    names: Mapping[str, str]


@dataclass(slots=True)
class FedBack:
    """A stream is among these while its last SCHEMA said that rejected records are to come.

    Attributes:
        streams: Their names.
        mapping: The mapping that rejected the present record, by its place in the list then; None: it goes to all.
        name: How that mapping named its events; None where nothing says.
    """

    streams: set[str] = field(default_factory=set)
    mapping: str | None = None
    name: str | None = None
    _told: set[tuple[str, ...]] = field(default_factory=set, repr=False)

    def declare(self, schema: Mapping[str, Any]) -> bool:
        """Note what a SCHEMA says of its stream; True where the one before said otherwise."""
        is_new = (schema.get("rejected") is True) != (schema["stream"] in self.streams)
        if is_new:
            self.streams ^= {schema["stream"]}
        return is_new

    def begin(self, record: Mapping[str, Any]) -> None:
        """Note which mapping a RECORD was rejected by."""
        self.mapping = self.name = None
        if record.get("stream") in self.streams and isinstance(said := record.get("rejection"), Mapping):
            name = said.get("name")
            self.mapping, self.name = said.get("mapping"), name if isinstance(name, str) else None

    def label_among(self, names: Mapping[str, str], stream: str) -> str:
        """Find the mapping that rejected the present record: the list may have been changed since, so its name counts.

        Args:
            names: The names of the stream's mappings as they are written now, by label.
            stream: The stream's name.

        Raises:
            InputError: It is none of them, or could be several.
        """
        place, name = str(self.mapping), self.name
        same = [label for label, written in names.items() if written == name]
        if place in names and (name is None or place in same):
            return place
        match same:
            case [label]:
                self._tell_moved(stream, place, label)
                return label
            case [] if place in names and name is not None:
                self._tell_renamed(stream, place, name, names[place])
                return place
            case []:
                what = "which is none of the stream's mappings now"
            case _:
                what = f"and several of the stream's mappings have its name now: {', '.join(same)}"
        raise InputError(
            f"A record of the stream {stream} was rejected by {place}, {what}. Put the mappings back into the order "
            "that they had, or mark the file done with `target-applied-events rejected --done`."
        )

    def _tell_moved(self, stream: str, place: str, label: str) -> None:
        if self._is_new("moved", stream, place, label):
            logger.info(
                "Records of the stream %s that %s rejected go to %s, which has the name now that it had.",
                stream,
                place,
                label,
            )

    def _tell_renamed(self, stream: str, place: str, name: str, now: str) -> None:
        if self._is_new("renamed", stream, place, name):
            logger.warning(
                'Records of the stream %s that %s rejected when its name was "%s" go to the mapping at its place, '
                'which has the name "%s": none has the old one now. If that is another mapping, put `mappings` back '
                "into the order that they had and give the file as --input again; it is in rejected/done once all of "
                "it is settled.",
                stream,
                place,
                _in_a_line(name),
                _in_a_line(now),
            )

    def _is_new(self, *what: str) -> bool:
        is_new = what not in self._told
        self._told.add(what)
        return is_new


def _in_a_line(template: str) -> str:
    return " ".join(template.split())
