"""What is simple in a template, done without Jinja: text, columns, paths, plain filters, `==`, `!=` and `or`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jinja2 import nodes

from target_applied_events.mapping.template.expressions import SANDBOX
from target_applied_events.mapping.template.filters import PLAIN
from target_applied_events.mapping.template.notation import text
from target_applied_events.mapping.template.paths import path_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_applied_events.mapping.template.paths import Path
    from target_applied_events.mapping.template.source import Source

_DEEPEST: Final = 16
"""What is nested more deeply isn't simple; Python's parser gives up at a hundred or two."""


class Simple:
    """Each expression that it writes comes to what Jinja would come to."""

    def __init__(self, stream: str, source: Source) -> None:
        """Begin with what `stream` means in the templates, and with what the expressions will be part of."""
        self._stream = stream
        self._source = source

    def __repr__(self) -> str:
        """Tell what it writes into."""
        return f"<{type(self).__name__} in {self._source!r}>"

    def template(self, parts: Sequence[nodes.Expr], *, strict: bool) -> str | None:
        """Write a template; None where it isn't simple.

        Args:
            parts: What it writes, one after the other; the value of a single one keeps its type.
            strict: Whether a part of its text that is null or blank makes the whole null.
        """
        values = [value for part in parts if (value := self._written(part)) is not None]
        if len(values) < len(parts) or (strict and len(parts) > 1 and any(map(_has_blank, parts))):
            return None
        return values[0] if len(values) == 1 else self._source.joined(values, text, strict=strict)

    def _written(self, node: nodes.Node, depth: int = 0) -> str | None:
        if depth > _DEEPEST:
            return None
        match node:
            case nodes.TemplateData(data=value) | nodes.Const(value=value):
                return self._source.value(value)
            case nodes.Filter() if node.name in PLAIN:
                return self._filtered(node, depth + 1)
            case nodes.Compare(expr=left, ops=[nodes.Operand(op=("eq" | "ne") as sign, expr=right)]):
                return self._between(left, "==" if sign == "eq" else "!=", right, depth + 1)
            case nodes.Or(left=left, right=right):
                return self._between(left, "or", right, depth + 1)
            case _:
                return self._reached(path_of(node))

    def _filtered(self, node: nodes.Filter, depth: int) -> str | None:
        value = None if node.node is None or node.kwargs else self._written(node.node, depth)
        constants = [argument.value for argument in node.args if isinstance(argument, nodes.Const)]
        if value is None or len(constants) < len(node.args):
            return None
        return self._source.unless_null(PLAIN[node.name], value, *map(self._source.value, constants))

    def _between(self, left: nodes.Expr, operator: str, right: nodes.Expr, depth: int) -> str | None:
        before, after = self._written(left, depth), self._written(right, depth)
        return None if before is None or after is None else self._source.between(before, operator, after)

    def _reached(self, path: Path | None) -> str | None:
        if path is None or len(path) > _DEEPEST:
            return None
        match path:
            case ("stream", *steps):
                reached = self._source.value(self._stream)
            case ("record", str(column), *steps) | (str(column), *steps) if column != "record":
                reached = self._source.column(column)
            case (_, *steps):
                reached = self._source.record()
        for step in steps:
            reached = self._source.call(SANDBOX.getitem, reached, self._source.value(step))
        return reached


def _has_blank(part: nodes.Expr) -> bool:
    """Whether blank text that an expression gives may be one that is written in it, `a or ''`, and so is meant."""
    return any(isinstance(found.value, str) and not found.value.strip() for found in part.find_all(nodes.Const))
