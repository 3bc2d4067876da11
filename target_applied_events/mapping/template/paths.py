"""The paths of a template: what leads from a record to a value, and what is compared there."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from jinja2 import nodes

Path: TypeAlias = "tuple[str | int, ...]"
"""The column, then the steps into it: keys of objects, places in arrays."""

Constant: TypeAlias = str | bool | int | Decimal


@dataclass(frozen=True, slots=True)
class Comparison:
    """A column compared with something else, by `==`, `<`, `in` or the like.

    Attributes:
        path: A column of the record, and what is reached for in it.
        other: What it's compared with: a constant, or the path of another column.
        is_order: Whether by `<` or the like.
    """

    path: Path
    other: Constant | Path
    is_order: bool = False


def column_path(path: Path) -> Path:
    """Give a path from the record's columns on; empty for what is no column."""
    if path[0] == "record":
        return path[1:]
    return () if path[0] == "stream" else path


def written(path: Path) -> str:
    """Write a path for people, `lines.0.price`."""
    return ".".join(map(str, path))


def path_of(node: nodes.Node) -> Path | None:
    """Read `a.b['c'][0]` as a path, if a node is one."""
    match node:
        case nodes.Name():
            return (node.name,)
        case nodes.Getattr():
            step: str | int = node.attr
        case nodes.Getitem(arg=nodes.Const(value=str() | int() as key)) if not isinstance(key, bool):
            step = key
        case _:
            return None
    parent = path_of(node.node)
    return None if parent is None else (*parent, step)
