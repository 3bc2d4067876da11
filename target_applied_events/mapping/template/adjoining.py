"""Whether a template writes two values with nothing between them, so that 1 and 11 read as 11 and 1."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from jinja2 import nodes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def runs_together(tree: nodes.Template) -> bool:
    """Look at all that a template, as it was read, writes side by side."""
    written = [node.nodes for node in tree.find_all(nodes.Output)] + [
        node.nodes for node in tree.find_all(nodes.Concat)
    ]
    return any(_is_open(one, _last) and _is_open(other, _first) for parts in written for one, other in pairwise(parts))


def _is_open(node: nodes.Node | None, edge: Callable[[Sequence[nodes.Expr]], nodes.Expr]) -> bool:
    """Whether a value reaches up to an edge of what is written; a constant bounds it, and a cut-out has its length."""
    match node:
        case None | nodes.TemplateData() | nodes.Const() | nodes.Getitem(arg=nodes.Slice()):
            return False
        case nodes.Concat(nodes=parts):
            return _is_open(edge(parts), edge)
        case nodes.CondExpr(expr1=one, expr2=other):
            return _is_open(one, edge) or _is_open(other, edge)
        case _:
            return True


def _first(parts: Sequence[nodes.Expr]) -> nodes.Expr:
    return parts[0]


def _last(parts: Sequence[nodes.Expr]) -> nodes.Expr:
    return parts[-1]
