"""Where a template asks for the truth of a value: in conditions, behind `not` and before `and`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jinja2 import nodes

if TYPE_CHECKING:
    from collections.abc import Sequence

TRUTH: Final = ".truth"
"""The operator that a value passes there, which refuses text that says no."""

_NEVER_TEXT: Final = frozenset({TRUTH, ".in", ".notin", ".lt", ".lteq", ".gt", ".gteq"})  # codespell:ignore notin


def ask_for_truth(tree: nodes.Template) -> None:
    """Put the operator where a template asks; `or` by itself doesn't, since it chooses: `email or phone`."""
    for node in list(tree.find_all((nodes.If, nodes.CondExpr, nodes.For, nodes.Not, nodes.And))):
        match node:
            case nodes.If() if not _occurs(node.test, node.body):
                node.test = _asked(node.test)
            case nodes.CondExpr() if not _occurs(node.test, [node.expr1]):
                node.test = _asked(node.test)
            case nodes.For(test=nodes.Expr() as test):
                node.test = _asked(test)
            case nodes.Not():
                node.node = _asked(node.node)
            case nodes.And():
                node.left = _asked(node.left)


def _occurs(value: nodes.Node, written: Sequence[nodes.Node]) -> bool:
    """Whether what is tested is what is written then: whether it's there is asked, not whether it says yes."""
    return any(value in (node, *node.find_all(type(value))) for node in written)


def _asked(node: nodes.Node) -> nodes.Expr:
    """Ask for the truth of a value, and of each of those that `and` and `or` stand between."""
    match node:
        case nodes.And() | nodes.Or():
            node.left, node.right = _asked(node.left), _asked(node.right)
        case nodes.Compare() | nodes.Test() | nodes.Not():
            pass
        case nodes.Filter(name=name) if name in _NEVER_TEXT:
            pass
        case nodes.Expr():
            return nodes.Filter(node, TRUTH, [], [], None, None, lineno=node.lineno)
    assert isinstance(node, nodes.Expr)  # noqa: S101  no statement is a condition
    return node
