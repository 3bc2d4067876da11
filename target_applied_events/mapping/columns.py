"""What a stream's schema says of its columns: which there are, and of what types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from target_applied_events.mapping.template.paths import written
from target_applied_events.mapping.template.syntax import nearest

if TYPE_CHECKING:
    from target_applied_events.mapping.template.paths import Path

RESERVED: Final = ("record", "stream")
"""Names that mean something else than a column of that name."""

_DEEPEST: Final = 32
_NEARLY_EQUAL: Final = 0.85
_Node: TypeAlias = "Mapping[str, object]"


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
        return tuple(_property_names(self._leaves(self.schema)))

    def missing(self, path: Path) -> str | None:
        """Say what a path reaches for that can't be there; None where nothing says that it can't."""
        nodes = self._leaves(self.schema)
        for position, step in enumerate(path):
            if (problem := self._problem(nodes, path[:position], step)) is not None:
                return problem
            nodes = self._below(nodes, step)
        return None

    def types(self, path: Path) -> frozenset[str]:
        """Give the types that a value at a path may have, null aside; none where the schema doesn't say."""
        nodes = self._leaves(self.schema)
        for step in path:
            nodes = self._below(nodes, step)
        return _types_of_all(nodes)

    def _problem(self, nodes: list[_Node], reached: Path, step: str | int) -> str | None:
        column = written(reached)
        types = _types_of_all(nodes)
        if reached and types and ("array" if isinstance(step, int) else "object") not in types:
            hint = "; the filter fromjson reads JSON out of text" if "string" in types else ""
            return f'the column "{column}" of the stream {self.stream} is {named(types)}, no path leads into it{hint}'
        names = _property_names(nodes)
        if isinstance(step, int) or step in names:
            return None
        return self._no_property(column, nodes, step, names) if reached else self._no_column(step, names)

    def _no_column(self, step: str, names: list[str]) -> str | None:
        """Say that there is no such column; what the tap adds by itself, and all where none is listed, may be there."""
        if not names or step.startswith("_sdc_"):
            return None
        empty = "; what is empty is written none: {{ closed_at is none }}" if step.lower() == "null" else ""
        return f'the stream {self.stream} has no column "{step}"{empty or nearest(step, names) or _listed(names)}'

    def _no_property(self, column: str, nodes: list[_Node], step: str, names: list[str]) -> str | None:
        """Say that there is no such property; where unlisted ones may be there, only of what is nearly a listed one."""
        said = f'the column "{column}" of the stream {self.stream} has no property "{step}"'
        if nodes and not any(map(_is_open, nodes)):
            return f"{said}{nearest(step, names) or _listed(names)}"
        near = nearest(step, names, _NEARLY_EQUAL)
        return f"{said}{near} What the schema doesn't list is {column}.get('{step}')" if near else None

    def _below(self, nodes: list[_Node], step: str | int) -> list[_Node]:
        """Follow a step; where a schema says nothing of it, anything may be there."""
        found: list[_Node] = []
        for node in nodes:
            below = node.get("items") if isinstance(step, int) else (_properties(node) or {}).get(step)
            found.extend(self._leaves(below))
        return found

    def _leaves(self, node: object, depth: int = 0) -> list[_Node]:
        """List the alternatives that a schema allows beside null, references followed; an empty one allows anything."""
        node = self._referred(node) if isinstance(node, Mapping) else {}
        if _types(node) == {"null"}:
            return []
        alternatives = [item for key in ("anyOf", "oneOf") for item in _list(node.get(key))]
        if not alternatives or "type" in node or "properties" in node or depth > _DEEPEST:
            return [node]
        return [leaf for item in alternatives for leaf in self._leaves(item, depth + 1)]

    def _referred(self, node: _Node) -> _Node:
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


def _properties(node: _Node) -> _Node | None:
    found = node.get("properties")
    return found if isinstance(found, Mapping) else None


def _is_open(node: _Node) -> bool:
    """Whether an object may have properties that its schema doesn't list."""
    return node.get("additionalProperties", not _properties(node)) is not False


def _property_names(nodes: list[_Node]) -> list[str]:
    return list(dict.fromkeys(name for node in nodes for name in _properties(node) or ()))


def _types_of_all(nodes: list[_Node]) -> frozenset[str]:
    """Give all the types of all the alternatives but null; none where one of them may be anything."""
    listed = [_types(node) for node in nodes]
    return frozenset[str]().union(*listed) - {"null"} if all(listed) else frozenset()


def named(types: frozenset[str]) -> str:
    """Name types for people."""
    articles = {"integer": "an", "array": "an", "object": "an"}
    return " or ".join(f"{articles.get(name, 'a')} {name}" for name in sorted(types))


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
