"""Whether a template writes two values with nothing between them, so that 1 and 11 read as 11 and 1."""

from __future__ import annotations

from itertools import pairwise

from jinja2 import nodes


def runs_together(tree: nodes.Template) -> bool:
    """Look at all that a template, as it was read, writes side by side."""
    written = [node.nodes for node in tree.find_all(nodes.Output)] + [
        node.nodes for node in tree.find_all(nodes.Concat)
    ]
    return any(_is_open(one, -1) and _is_open(other, 0) for parts in written for one, other in pairwise(parts))


def _is_open(node: nodes.Node | None, edge: int) -> bool:
    """Whether a value reaches up to its edge, 0 or -1; a constant bounds it there, and a cut-out has its length."""
    match node:
        case None | nodes.TemplateData() | nodes.Const() | nodes.Getitem(arg=nodes.Slice()):
            return False
        case nodes.Concat(nodes=parts):
            return _is_open(parts[edge], edge)
        case nodes.CondExpr(expr1=one, expr2=other):
            return _is_open(one, edge) or _is_open(other, edge)
        case _:
            return True
