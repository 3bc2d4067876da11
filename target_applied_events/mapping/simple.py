"""What is simple in a template, done without Jinja: text, columns, paths, plain filters, `==`, `!=` and `or`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jinja2 import nodes

from target_applied_events.mapping.expressions import SANDBOX
from target_applied_events.mapping.filters import PLAIN
from target_applied_events.mapping.notation import text
from target_applied_events.mapping.syntax import path_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_applied_events.mapping.source import Source
    from target_applied_events.mapping.syntax import Path

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
            strict: Whether a null in its text makes the whole null.
        """
        found = [self._written(part) for part in parts]
        values = [value for value in found if value is not None]
        if len(values) < len(found):
            return None
        return values[0] if len(values) == 1 else self._joined(parts, values, strict=strict)

    def _written(self, node: nodes.Node, depth: int = 0) -> str | None:
        if depth > _DEEPEST:
            return None
        match node:
            case nodes.TemplateData(data=value) | nodes.Const(value=value):
                return self._source.name(value)
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
        found, function = self._source.variable(), self._source.name(PLAIN[node.name])
        given = ", ".join([found, *map(self._source.name, constants)])
        return f"(None if ({found} := {value}) is None else {function}({given}))"

    def _between(self, left: nodes.Expr, operator: str, right: nodes.Expr, depth: int) -> str | None:
        before, after = self._written(left, depth), self._written(right, depth)
        return None if before is None or after is None else f"({before} {operator} {after})"

    def _reached(self, path: Path | None) -> str | None:
        if path is None or len(path) > _DEEPEST:
            return None
        match path:
            case ("stream", *steps):
                reached = repr(self._stream)
            case ("record", str(column), *steps) | (str(column), *steps) if column != "record":
                reached = f"record.get({column!r})"
            case (_, *steps):
                reached = "dict(record)"
        for step in steps:
            reached = f"{self._source.name(SANDBOX.getitem)}({reached}, {step!r})"
        return reached

    def _joined(self, parts: Sequence[nodes.Expr], values: Sequence[str], *, strict: bool) -> str:
        """Write the text that values and the texts between them make."""
        write, written, held = self._source.name(text), [], []
        for part, value in zip(parts, values, strict=True):
            if isinstance(part, nodes.TemplateData):
                written.append(value)
                continue
            found = self._source.variable()
            held.append(f"({found} := {value})")
            first = found if strict else held[-1]
            written.append(f"{found} if {first}.__class__ is str else {write}({found})")
        whole = f"''.join(({', '.join(written)},))"
        return f"(None if {' is None or '.join(held)} is None else {whole})" if strict and held else whole
