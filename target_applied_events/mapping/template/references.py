"""What a template refers to: columns, through loops and names of its own too, and what it compares them with."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from jinja2 import nodes
from jinja2.visitor import NodeVisitor

from target_applied_events.mapping.template.paths import Comparison, column_path

if TYPE_CHECKING:
    from collections.abc import Iterable

    from target_applied_events.mapping.template.paths import Constant, Path

_KEEPS_ITEMS: Final = frozenset({"list", "sort", "reverse", "unique", "select", "reject", "selectattr", "rejectattr"})
_GIVES_AN_ITEM: Final = frozenset({"first", "last", "max", "min"})
_ATTRIBUTE: Final = {
    "groupby": 0,
    "join": 1,
    "map": -1,
    "max": 1,
    "min": 1,
    "rejectattr": 0,
    "selectattr": 0,
    "sort": 2,
    "sum": 0,
    "unique": 1,
}
"""The filters that look into each item, and where among their arguments the path stands; -1: it's named."""
_TESTING: Final = frozenset({"select", "reject", "selectattr", "rejectattr"})
_DEFINED: Final = frozenset({"defined", "undefined"})
_EQUAL: Final = frozenset({"eq", "==", "equalto", "ne", "!="})


class References(NodeVisitor):
    """All that was visited so far is taken into account; a template's own names are no columns.

    Attributes:
        paths: The columns that are named, and what is reached for in them.
        comparisons: Those of a column with a constant or another column.
        problems: What never does what it seems to, each a sentence without a stop.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self.paths: set[Path] = set()
        self.comparisons: list[Comparison] = []
        self.problems: list[str] = []
        self._own: dict[str, Path | None] = {}
        self._lost: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        """Tell what was found."""
        return f"<{type(self).__name__} paths={sorted(map(str, self.paths))} comparisons={self.comparisons}>"

    def _path(self, node: nodes.Node | None) -> Path | None:  # noqa: PLR0911  a return for each kind of node
        """Follow a node to the column it comes from; None where it isn't known."""
        match node:
            case nodes.Name():
                return self._own.get(node.name, (node.name,))
            case nodes.Getattr():
                return _below(self._path(node.node), node.attr)
            case nodes.Getitem(arg=nodes.Const(value=str() | int() as key)) if not isinstance(key, bool):
                return _below(self._path(node.node), key)
            case nodes.Getitem(arg=nodes.Neg(node=nodes.Const(value=int() as key))):
                return _below(self._path(node.node), key)
            case nodes.Filter(name=name) if name in _KEEPS_ITEMS:
                return self._path(node.node)
            case nodes.Filter(name=name) if name in _GIVES_AN_ITEM:
                return _below(self._path(node.node), 0)
            case _:
                return None

    def visit_Name(self, node: nodes.Name) -> None:  # noqa: N802  as Jinja names it
        """Note a column."""
        if node.name in self._lost:
            self.problems.append(
                f'"{node.name}" is set inside a loop, and what is set there ends with each round; a namespace keeps it'
                f": {{% set all = namespace() %}} before the loop, {{% set all.{node.name} = … %}} inside"
            )
        elif node.name not in self._own:
            self.paths.add((node.name,))

    def visit_Getattr(self, node: nodes.Getattr | nodes.Getitem) -> None:  # noqa: N802  as Jinja names it
        """Note a path, and what it leads through."""
        if (path := self._path(node)) is not None:
            self.paths.add(path)
        self.generic_visit(node)

    visit_Getitem = visit_Getattr  # noqa: N815  as Jinja names it

    def visit_Call(self, node: nodes.Call) -> None:  # noqa: N802  as Jinja names it
        """Look at what a method is called on: its name is no path."""
        called = node.node
        if isinstance(called, nodes.Getattr):
            self.visit(called.node)
        for argument in (*node.args, *node.kwargs):
            self.visit(argument)

    def visit_Filter(self, node: nodes.Filter) -> None:  # noqa: N802  as Jinja names it
        """Note what a filter looks at in each item, and compares there."""
        if node.name == "map" and any(item.key == "default" for item in node.kwargs):
            self.problems.append(
                "map has no default here, since nothing is missing; write | map('default', …) after it"
            )
        if node.name in _TESTING and any(getattr(item, "value", None) in _DEFINED for item in node.args):
            self.problems.append(f"{node.name} by whether something is defined takes all; write {node.name}(…, 'none')")
        items = self._path(node.node)
        for steps in _steps(node) if items is not None else ():
            path = (*(items or ()), 0, *steps)
            self.paths.add(path)
            match node.args:
                case [_, nodes.Const(value=test), other] if node.name.endswith("attr") and test in _EQUAL:
                    self._compared(path, other)
        self.generic_visit(node)

    def visit_Test(self, node: nodes.Test) -> None:  # noqa: N802  as Jinja names it
        """Refuse to ask whether a column is defined: what a record lacks is null."""
        if node.name in _DEFINED and self._path(node.node) is not None:
            test = "is not none" if node.name == "defined" else "is none"
            self.problems.append(f'"is {node.name}" tells nothing of a column, since each is defined; write "{test}"')
        self.generic_visit(node)

    def visit_Compare(self, node: nodes.Compare) -> None:  # noqa: N802  as Jinja names it
        """Note what columns are compared with."""
        left = node.expr
        for operand in node.ops:
            right, path = operand.expr, self._path(left)
            if not operand.op.endswith("in"):  # or its negation
                is_order = operand.op not in ("eq", "ne")
                if path is not None:
                    self._compared(path, right, is_order=is_order)
                else:
                    self._compared(self._path(right), left, is_order=is_order)
            elif isinstance(right, nodes.List | nodes.Tuple):
                for item in right.items:
                    self._compared(path, item)
            elif isinstance(right, nodes.Const) and _is_whole(path):
                what = f"'{right.value}'"
                self.problems.append(
                    f"in {what} asks for a part of it; a list of one is [{what}], a part: is in {what}"
                )
            left = right
        self.generic_visit(node)

    def _compared(self, path: Path | None, other: nodes.Node, *, is_order: bool = False) -> None:
        column = column_path(path) if path is not None else ()
        met: Constant | Path | None = _constant(other)
        if met is None and (compared := self._path(other)) is not None:
            met = column_path(compared) or None
        if column and met is not None:
            self.comparisons.append(Comparison(column, met, is_order))

    def visit_Assign(self, node: nodes.Assign) -> None:  # noqa: N802  as Jinja names it
        """Take a name for the template's own from here on."""
        self.visit(node.node)
        again = {name: None for name in _names(node.target) if name in self._own}
        self._own |= _meant(node.target, self._path(node.node)) | again
        self._lost -= set(_names(node.target))

    def visit_With(self, node: nodes.With) -> None:  # noqa: N802  as Jinja names it
        """Take names for the template's own up to the end of the block."""
        self._visit_all(node.values)
        own, lost = self._own, self._lost
        self._own = dict(own)
        for target, value in zip(node.targets, node.values, strict=True):
            self._own |= _meant(target, self._path(value))
        self._visit_all(node.body)
        self._own, self._lost = own, lost

    def visit_For(self, node: nodes.For) -> None:  # noqa: N802  as Jinja names it
        """Take what a loop goes over for the items of its column; what is set in it is forgotten when it ends."""
        self.visit(node.iter)
        own, lost = self._own, self._lost
        self._own = own | _meant(node.target, _below(self._path(node.iter), 0)) | {"loop": None}
        set_in_it = {name for found in node.find_all(nodes.Assign) for name in _names(found.target)}
        self._lost = lost | (set_in_it & own.keys())  # up to where it's set in the round, too
        self._visit_all([node.test] if node.test is not None else [])
        self._visit_all(node.body)
        self._own, self._lost = own, lost | (set_in_it & own.keys())
        self._visit_all(node.else_)

    def _visit_all(self, visited: Iterable[nodes.Node]) -> None:
        for node in visited:
            self.visit(node)


def _below(path: Path | None, step: str | int) -> Path | None:
    return None if path is None else (*path, step)


def _is_whole(path: Path | None) -> bool:
    """Whether a path leads to a value by its name, and not to a character or an item."""
    return path is not None and isinstance(path[-1], str)


def _names(target: nodes.Node) -> list[str]:
    """List the names that are set; those in a namespace aren't."""
    match target:
        case nodes.Name(name=name):
            return [name]
        case nodes.Tuple(items=items):
            return [name for item in items for name in _names(item)]
        case _:
            return []


def _meant(target: nodes.Node, path: Path | None) -> dict[str, Path | None]:
    return dict.fromkeys(_names(target), path if isinstance(target, nodes.Name) else None)


def _steps(node: nodes.Filter) -> list[Path]:
    """Find the paths that a filter follows in each item, where they're given as a constant: `sort` takes several."""
    position = _ATTRIBUTE.get(node.name, -1)
    given = node.args[position : position + 1] if position >= 0 else []
    given += [item.value for item in node.kwargs if item.key == "attribute" and node.name in _ATTRIBUTE]
    written = [item.value for item in given if isinstance(item, nodes.Const) and isinstance(item.value, str)]
    names = [name for paths in written for name in paths.split(",")]
    return [tuple(int(step) if step.isdigit() else step for step in name.split(".")) for name in names]


def _constant(node: nodes.Node) -> Constant | None:
    match node:
        case nodes.Neg(node=nodes.Const(value=int() | Decimal() as number)):
            return -number
        case nodes.Const(value=str() | bool() | int() | Decimal() as value):
            return value
        case _:
            return None
