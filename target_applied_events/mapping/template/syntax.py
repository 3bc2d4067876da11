"""What a template may say: it's read, held against what mappings can do, and put into terms of the sandbox."""

from __future__ import annotations

import difflib
import unicodedata
from typing import TYPE_CHECKING, Final, TypeVar, cast

from jinja2 import nodes
from jinja2.tests import TESTS
from jinja2.visitor import NodeTransformer

from target_applied_events.mapping.template.arguments import misfit
from target_applied_events.mapping.template.filters import zone_named
from target_applied_events.mapping.template.notation import Unmappable
from target_applied_events.mapping.template.operations import LEFT_OUT, METHODS, named
from target_applied_events.mapping.template.time_forms import check_form

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from jinja2 import Environment

_Node = TypeVar("_Node", bound=nodes.Node)

_STATEMENTS: Final = (nodes.Output, nodes.If, nodes.For, nodes.Assign, nodes.With)
_TAGS: Final[Mapping[type[nodes.Stmt], str]] = {
    nodes.AssignBlock: "set … %}…{% endset",
    nodes.CallBlock: "call",
    nodes.FilterBlock: "filter",
    nodes.FromImport: "from",
    nodes.Scope: "autoescape",
}
"""How statements are written whose names Jinja writes otherwise."""

_STARS: Final = "stars in arguments aren't available"
_NAMING: Final = {"map": 0, "select": 0, "reject": 0, "selectattr": 1, "rejectattr": 1}


def nearest(name: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """Propose what was probably meant; empty where nothing is near.

    Args:
        name: What was written.
        known: What there is.
        cutoff: How near it must be, from 0 to 1, which is equal.
    """
    by_lower = {item.lower(): item for item in known}
    found = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=cutoff)
    return f'; did you mean "{by_lower[found[0]]}"?' if found else ""


class Tidier(NodeTransformer):
    """After a visit, no call is left in the tree and all that was wrong with it is in `problems`."""

    def __init__(self, environment: Environment) -> None:
        """Take what filters and tests there are."""
        self.environment = environment
        self.problems: list[str] = []

    def __repr__(self) -> str:
        """Tell what was found."""
        return f"<{type(self).__name__} problems={self.problems}>"

    def generic_visit(self, node: _Node, *args: object, **kwargs: object) -> _Node:
        """Visit what is in a node, and refuse statements that mappings don't have."""
        if isinstance(node, nodes.Stmt) and not isinstance(node, _STATEMENTS):
            tag = _TAGS.get(type(node), type(node).__name__.lower())
            self.problems.append(f"a mapping has no {{% {tag} %}}; it has if, for, set and with")
            return node
        if getattr(node, "dyn_args", None) or getattr(node, "dyn_kwargs", None):
            self.problems.append(_STARS)
        super().generic_visit(node, *args, **kwargs)  # changes it where it stands
        return node

    def _visited(self, node: nodes.Expr) -> nodes.Expr:
        found: nodes.Expr = self.visit(node)
        return found

    def visit_Name(self, node: nodes.Name) -> nodes.Expr:  # noqa: N802  as Jinja names it
        """Read a column by its own name, where Python would read that as another's."""
        if node.ctx == "load":
            if node.name == "self" or self._is_another(node.name):  # to Jinja, which makes Python's names of names
                column = nodes.Const(node.name)
                return nodes.Getitem(nodes.Name("record", "load"), column, "load", lineno=node.lineno)
        elif self._is_another(node.name):
            plain = unicodedata.normalize("NFKC", node.name)
            self.problems.append(f'"{node.name}" can\'t be set, since it reads as "{plain}": take that name')
        return node

    def _is_another(self, name: str) -> bool:
        """Whether Python would read a name as another: it takes ﬁ for fi."""
        return unicodedata.normalize("NFKC", name) != name

    def visit_Getattr(self, node: nodes.Getattr) -> nodes.Expr:  # noqa: N802  as Jinja names it
        """Refuse Python's own attributes: they are no part of a record."""
        if node.attr.startswith("__"):
            self.problems.append(f'"{node.attr}" is out of reach: a mapping reads columns and nothing else')
        return self.generic_visit(node)

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Expr:  # noqa: N802  as Jinja names it
        """Count what is cut out as made."""
        node = self.generic_visit(node)
        return _filter(node, ".made", [], []) if isinstance(node.arg, nodes.Slice) else node

    def visit_Filter(self, node: nodes.Filter) -> nodes.Expr:  # noqa: N802  as Jinja names it
        """Check that there is such a filter, also where `map` names it."""
        self._check_filter(node.name, node)
        named = _constant(node, _NAMING.get(node.name), "")
        if named is not None and node.name == "map":
            self._check_filter(str(named))
        elif named is not None:
            self._check_test(str(named))
        if node.name == "timestamp":
            self._check_constant(check_form, _constant(node, 0, "form"))
            self._check_constant(zone_named, _constant(node, 1, "zone"))
        return self.generic_visit(node)

    def _check_constant(self, check: Callable[[str], object], given: object) -> None:
        try:
            if given is not None:
                check(str(given))
        except Unmappable as mistake:
            self.problems.append(f'"{given}": {mistake}')

    def _check_filter(self, name: str, call: nodes.Filter | None = None) -> None:
        known = [item for item in self.environment.filters if not item.startswith(".")]
        if name in LEFT_OUT:
            self.problems.append(f'the filter "{name}" isn\'t available in mappings')
        elif name not in known:
            self.problems.append(f'there is no filter "{name}"{nearest(name, known)}')
        elif call is not None and (takes := misfit(named(name), call)) is not None:
            self.problems.append(f'the filter "{name}" is given other arguments than it takes; {takes}')

    def visit_Test(self, node: nodes.Test) -> nodes.Expr:  # noqa: N802  as Jinja names it
        """Check that there is such a test."""
        self._check_test(node.name, node)
        return self.generic_visit(node)

    def _check_test(self, name: str, call: nodes.Test | None = None) -> None:
        if name not in self.environment.tests:
            self.problems.append(f'there is no test "{name}"{nearest(name, self.environment.tests)}')
        elif call is not None and (takes := misfit(TESTS[name], call)) is not None:
            self.problems.append(f'the test "{name}" is given other arguments than it takes; {takes}')

    def visit_Call(self, node: nodes.Call) -> nodes.Expr:  # noqa: N802  as Jinja names it
        """Make a filter of what may be called."""
        if node.dyn_args or node.dyn_kwargs:
            self.problems.append(_STARS)
        args = [self._visited(item) for item in node.args]
        kwargs = [self.visit(item) for item in node.kwargs]
        match node.node:
            case nodes.Name(name="range"):
                return _filter(nodes.List(args, lineno=node.lineno), ".range", [], kwargs)
            case nodes.Name(name="namespace") if not args:
                return _filter(nodes.Dict([], lineno=node.lineno), ".namespace", [], kwargs)
            case nodes.Getattr() as method if method.attr in METHODS:
                return _filter(self._visited(method.node), f".{method.attr}", args, kwargs)
            case nodes.Getattr() as method:
                hint = (
                    "; '%.2f' | format(x) is its filter" if method.attr == "format" else nearest(method.attr, METHODS)
                )
                self.problems.append(f'"{method.attr}()" is nothing that can be called here{hint}')
            case _:
                self.problems.append("only range(), namespace() and methods of text and objects can be called")
        return node

    def visit_Compare(self, node: nodes.Compare) -> nodes.Expr:  # noqa: N802  as Jinja names it
        """Let an order with null be null; `a < b < c` is both of them."""
        left, found = self._visited(node.expr), None
        for operand in node.ops:
            right = self._visited(operand.expr)
            single: nodes.Expr = nodes.Compare(left, [nodes.Operand(operand.op, right)], lineno=node.lineno)
            if operand.op not in ("eq", "ne"):
                single = _filter(left, f".{operand.op}", [right], [])
            found = single if found is None else nodes.And(found, single, lineno=node.lineno)
            left = right
        return found or left

    def visit_Concat(self, node: nodes.Concat) -> nodes.Expr:  # noqa: N802  as Jinja names it
        """Write values as text does, not as Python does."""
        parts = [self._visited(item) for item in node.nodes]
        return _filter(nodes.List(parts, lineno=node.lineno), ".~", [], [])

    def visit_CondExpr(self, node: nodes.CondExpr) -> nodes.Expr:  # noqa: N802  as Jinja names it
        """Give null where there is no else."""
        node.expr2 = node.expr2 or nodes.Const(None, lineno=node.lineno)
        return self.generic_visit(node)

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802  as Jinja names it
        """Count the rounds of a loop."""
        if node.recursive:
            self.problems.append("a loop can't be recursive")
        node = self.generic_visit(node)
        node.iter = _filter(cast("nodes.Expr", node.iter), ".each", [], [])
        return node

    def _made(self, node: nodes.Expr) -> nodes.Expr:
        return _filter(self.generic_visit(node), ".made", [], [])

    visit_List = visit_Dict = _made  # noqa: N815  as Jinja names it

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Expr:  # noqa: N802  as Jinja names it
        """Count what a tuple holds, unless it names what is set."""
        return self._made(node) if node.ctx == "load" else node


def _constant(node: nodes.Filter, position: int | None, keyword: str) -> object:
    """Find an argument that is a constant; None where it isn't given, or isn't constant."""
    given = [*node.args[position : position + 1]] if position is not None else []
    given += [item.value for item in node.kwargs if item.key == keyword]
    return next((item.value for item in given if isinstance(item, nodes.Const)), None)


def _filter(node: nodes.Expr, name: str, args: list[nodes.Expr], kwargs: list[nodes.Keyword]) -> nodes.Filter:
    return nodes.Filter(node, name, args, kwargs, None, None, lineno=node.lineno)
