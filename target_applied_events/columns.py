"""What a stream's schema says of its columns: which there are, and of what types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from target_applied_events.syntax import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_applied_events.syntax import Path

RESERVED: Final = ("record", "stream")
"""Names that mean something else than a column of that name."""

_DEEPEST: Final = 32


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of one stream.

    Attributes:
        stream: The stream's name.
        schema: Its JSON Schema.
    """

    stream: str
    schema: Mapping[str, object]

    def names(self) -> tuple[str, ...]:
        """List the columns."""
        return tuple(self._properties(self.schema) or ())

    def missing(self, path: Path) -> str | None:
        """Say what a path reaches for that isn't there; None where nothing says that it isn't."""
        reached: list[str] = []
        nodes: list[Mapping[str, object]] = [self.schema]
        for step in path:
            known = [properties for node in nodes if (properties := self._properties(node)) is not None]
            if isinstance(step, int) or (reached and (not known or len(known) < len(nodes))):
                return None
            names = list(dict.fromkeys(name for properties in known for name in properties))
            if step not in names and not (not reached and step.startswith("_sdc_")):
                return self._lacks(reached, step, names)
            reached.append(step)
            nodes = [leaf for properties in known if step in properties for leaf in self._leaves(properties[step])]
        return None

    def _lacks(self, reached: list[str], step: str, names: list[str]) -> str:
        place = (
            f'the column "{".".join(reached)}" of the stream {self.stream} has no property'
            if reached
            else (f"the stream {self.stream} has no column")
        )
        return f'{place} "{step}"{nearest(step, names) or _listed(names)}'

    def types(self, path: Path) -> frozenset[str]:
        """Give the types that a value at a path may have, null aside; none where the schema doesn't say."""
        nodes = list(self._leaves(self.schema))
        for step in path:
            found = [self._properties(node) or {} for node in nodes]
            if isinstance(step, int) or any(step not in properties for properties in found):
                return frozenset()
            nodes = [leaf for properties in found for leaf in self._leaves(properties[step])]
        listed = [_types(node) for node in nodes]
        return frozenset().union(*listed) - {"null"} if all(listed) else frozenset()

    def _properties(self, node: Mapping[str, object]) -> Mapping[str, object] | None:
        found = node.get("properties")
        return found if isinstance(found, Mapping) else None

    def _leaves(self, node: object, depth: int = 0) -> Iterator[Mapping[str, object]]:
        """Go through the alternatives that a schema allows, references followed."""
        if not isinstance(node, Mapping) or depth > _DEEPEST:
            yield {}
            return
        node = self._referred(node)
        alternatives = [item for key in ("anyOf", "oneOf") for item in _list(node.get(key))]
        if not alternatives:
            yield node
        for item in alternatives:
            yield from self._leaves(item, depth + 1)

    def _referred(self, node: Mapping[str, object]) -> Mapping[str, object]:
        for _ in range(_DEEPEST):
            reference = node.get("$ref")
            if not isinstance(reference, str):
                return node
            found: object = self.schema
            for step in reference.removeprefix("#").strip("/").split("/"):
                name = step.replace("~1", "/").replace("~0", "~")
                found = found.get(name) if isinstance(found, Mapping) else None
            if not reference.startswith("#/") or not isinstance(found, Mapping):
                return {}
            node = found
        return {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _types(node: Mapping[str, object]) -> frozenset[str]:
    match node.get("type"):
        case str(name):
            return frozenset({name})
        case list(names):
            return frozenset(name for name in names if isinstance(name, str))
        case _:
            return frozenset()


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:10])
    return f"; it has {shown}{' and others' if len(names) > 10 else ''}" if names else ""  # noqa: PLR2004  a line's worth
