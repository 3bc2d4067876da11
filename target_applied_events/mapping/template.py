"""One template of a mapping: read once, then turned into a function from record to value."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from jinja2 import TemplateError, TemplateSyntaxError, nodes

from target_applied_events.mapping.expressions import Evaluation, Sandbox, settled
from target_applied_events.mapping.filters import PLAIN
from target_applied_events.mapping.notation import Unmappable, text
from target_applied_events.mapping.syntax import Path, Tidier, path_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from target_applied_events.event import Json, Record

Reader: TypeAlias = "Callable[[Record], Json]"
"""From a record to the value that a template makes of it; may raise anything, which means that it can't (`why_not`)."""

_SANDBOX: Final = Sandbox()


@dataclass(frozen=True, slots=True)
class Template:
    """A template as it was written, understood.

    Attributes:
        source: Its text; what is no text stands for itself.
        paths: The columns that it names, and what it reaches for in them.
        is_constant: Whether it holds no expression.
        is_alone: Whether it is one expression and nothing else, so that its value keeps its type.
    """

    source: Json
    paths: frozenset[Path] = frozenset()
    is_constant: bool = True
    is_alone: bool = False
    _parts: tuple[nodes.Expr, ...] | None = field(default=None, repr=False)
    _root: Callable[[Evaluation], Iterable[Any]] | None = field(default=None, repr=False)

    @property
    def column(self) -> Path | None:
        """The path that is all of the template, `customer.name`; None where it's more or less than that."""
        return path_of(self._parts[0]) if self.is_alone and self._parts else None

    def reader(self, stream: str, *, strict: bool, shortcuts: bool = True) -> Reader:
        """Make the function that evaluates it.

        Args:
            stream: What `stream` means in it.
            strict: Whether a null in its text makes the whole null.
            shortcuts: Whether what is simple is done without Jinja, which comes to the same.
        """
        if self._root is None:
            return lambda _: self.source
        if shortcuts and self._parts is not None:
            found = [_shortcut(part, stream) for part in self._parts]
            readers = [reader for reader in found if reader is not None]
            if len(readers) == len(found):
                return readers[0] if self.is_alone else _joined(self._parts, readers, strict=strict)
        return _evaluated(self._root, stream, strict=strict, alone=self.is_alone)


def parse(source: Json) -> tuple[Template | None, tuple[str, ...]]:
    """Read a template; where it's wrong, say all that is, each as a sentence without a stop."""
    if not isinstance(source, str):
        return Template(source), ()
    try:
        return _read(source)
    except TemplateSyntaxError as mistake:
        return None, (f"{_told(mistake)} (at character {_SANDBOX.lexer.offset + 1})",)
    except (TemplateError, ValueError, SyntaxError, RecursionError, MemoryError):
        return None, ("the template can't be read: it's nested too deeply, or holds a number that is too long",)


def why_not(error: Exception) -> str:
    """Say in a mapping's words what kept a template from its value, whatever it raised."""
    match error:
        case Unmappable():
            return str(error)
        case ZeroDivisionError():
            return "a division by zero"
        case TypeError() | AttributeError():
            return "a value of a type that it doesn't take, such as a number where text is wanted"
        case TemplateError():
            return "a filter is given an argument that it doesn't take"
        case RecursionError() | MemoryError():
            return "a value that is nested too deeply, or too large"
        case _:
            return "a value that a filter or a method doesn't take"


def _told(mistake: TemplateSyntaxError) -> str:
    """Jinja's own message, with the marks that people write in place of its names for them."""
    said = (mistake.message or "a mistake").rstrip(".").replace("end of print statement", "}}")
    said = re.sub(r"(?<=') at \d+$", "", said)  # it counts from 0
    if said.endswith("got '='"):
        return f"{said}; what is equal is written =="
    return f"{said}; an expression ends with }}}}" if said == "unexpected '}'" else said


def _read(source: str) -> tuple[Template | None, tuple[str, ...]]:
    tree = _SANDBOX.parse(source)
    local = {name.name for name in tree.find_all(nodes.Name) if name.ctx != "load"}
    if any(True for _ in tree.find_all(nodes.For)):
        local.add("loop")
    tidier = Tidier(_SANDBOX, local)
    tree = tidier.visit(tree)
    if tidier.problems:
        return None, tuple(dict.fromkeys(tidier.problems))
    tree.set_environment(_SANDBOX)
    parts = _output(tree)
    if parts is not None and all(isinstance(part, nodes.TemplateData) for part in parts):
        return Template("".join(part.data for part in parts if isinstance(part, nodes.TemplateData))), ()
    alone = parts is not None and len(parts) == 1
    paths, root = frozenset(tidier.paths), _compiled(tree)
    return Template(source, paths, is_constant=False, is_alone=alone, _parts=parts, _root=root), ()


def _output(tree: nodes.Template) -> tuple[nodes.Expr, ...] | None:
    """List what a template writes, if writing is all it does."""
    if not all(isinstance(statement, nodes.Output) for statement in tree.body):
        return None
    return tuple(part for statement in tree.body if isinstance(statement, nodes.Output) for part in statement.nodes)


def _compiled(tree: nodes.Template) -> Callable[[Evaluation], Iterable[Any]]:
    code = _SANDBOX.compile(tree)
    root: Callable[..., Iterable[Any]] = _SANDBOX.template_class.from_code(_SANDBOX, code, {}).root_render_func
    return root


def _evaluated(root: Callable[[Evaluation], Iterable[Any]], stream: str, *, strict: bool, alone: bool) -> Reader:
    def evaluate(record: Record) -> Json:
        context = Evaluation(_SANDBOX, {}, None, {}).of(record, stream, strict=strict)
        if alone:
            (value,) = root(context)
            found: Any = settled(value)
            return list(found) if isinstance(found, tuple) else found
        return _text_of(context, root(context))

    return evaluate


def _text_of(context: Evaluation, parts: Iterable[Any]) -> str | None:
    written = []
    for part in parts:
        value = settled(part)
        if value is None and context.strict:
            return None
        written.append(text(value))
        context.spend(len(written[-1]))
    return "".join(written)


def _joined(parts: tuple[nodes.Expr, ...], readers: list[Reader], *, strict: bool) -> Reader:
    """Write values between texts that are always the same."""
    texts = [part.data if isinstance(part, nodes.TemplateData) else "" for part in parts]
    gaps = [place for place, part in enumerate(parts) if not isinstance(part, nodes.TemplateData)]
    filling = [(place, readers[place]) for place in gaps]

    def join(record: Record) -> str | None:
        written = texts.copy()
        for place, reader in filling:
            value = reader(record)
            if value is None and strict:
                return None
            written[place] = value if isinstance(value, str) else text(value)
        return "".join(written)

    return join


def _shortcut(node: nodes.Node, stream: str) -> Reader | None:
    """Do without Jinja what is simple: text, a column, a path, and plain filters of them."""
    match node:
        case nodes.TemplateData(data=data):
            return lambda _: data
        case nodes.Const(value=value):
            return lambda _: value
        case nodes.Filter(name=name, args=args, kwargs=[]) if name in PLAIN and node.node is not None:
            constants = tuple(argument.value for argument in args if isinstance(argument, nodes.Const))
            inner = _shortcut(node.node, stream)
            return None if inner is None or len(constants) != len(args) else _filtered(inner, PLAIN[name], constants)
        case nodes.Compare(expr=left, ops=[nodes.Operand(op=("eq" | "ne") as sign, expr=right)]):
            return _compared(_shortcut(left, stream), _shortcut(right, stream), equal=sign == "eq")
        case nodes.Or(left=left, right=right):
            return _either(_shortcut(left, stream), _shortcut(right, stream))
        case _:
            path = path_of(node)
            return None if path is None else _reached(path, stream)


def _compared(left: Reader | None, right: Reader | None, *, equal: bool) -> Reader | None:
    if left is None or right is None:
        return None
    return lambda record: (left(record) == right(record)) is equal


def _either(left: Reader | None, right: Reader | None) -> Reader | None:
    if left is None or right is None:
        return None
    return lambda record: left(record) or right(record)


def _filtered(inner: Reader, function: Callable[..., Any], constants: tuple[Any, ...]) -> Reader:
    def filtered(record: Record) -> Json:
        value = inner(record)
        found: Json = None if value is None else function(value, *constants)
        return found

    return filtered


def _reached(path: Path, stream: str) -> Reader:
    name, *steps = path
    if not steps:
        return _named(str(name), stream)
    if name == "record" and len(steps) == 1 and isinstance(steps[0], str):
        return _named_column(steps[0])
    first = _named(str(name), stream)

    def reach(record: Record) -> Json:
        value: Json = first(record)
        for step in steps:
            value = _SANDBOX.getitem(value, step)
        return value

    return reach


def _named(name: str, stream: str) -> Reader:
    if name == "stream":
        return lambda _: stream
    if name == "record":
        return dict
    return _named_column(name)


def _named_column(name: str) -> Reader:
    return lambda record: record.get(name)
