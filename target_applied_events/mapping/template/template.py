"""One template of a mapping: read once, then turned into a function from record to value."""

from __future__ import annotations

import datetime as dt
import math
import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

from jinja2 import TemplateError, TemplateSyntaxError, nodes

from target_applied_events.mapping.template.adjoining import runs_together
from target_applied_events.mapping.template.blanks import Meant, is_missing
from target_applied_events.mapping.template.conditions import ask_for_truth
from target_applied_events.mapping.template.expressions import SANDBOX, Evaluation, settled
from target_applied_events.mapping.template.notation import Unmappable, text
from target_applied_events.mapping.template.paths import Path, path_of
from target_applied_events.mapping.template.references import References
from target_applied_events.mapping.template.simple import Simple
from target_applied_events.mapping.template.source import Source
from target_applied_events.mapping.template.syntax import Tidier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from target_applied_events.event import Json, Record
    from target_applied_events.mapping.template.paths import Comparison

Reader: TypeAlias = "Callable[[Record], Json]"
"""From a record to the value that a template makes of it; may raise anything, which means that it can't (`why_not`)."""


@dataclass(frozen=True, slots=True)
class Template:
    """A template as it was written, understood.

    Attributes:
        source: Its text; what is no text stands for itself.
        paths: The columns that it names, and what it reaches for in them.
        comparisons: Those of a column with a constant or another column.
        runs_together: Whether it writes two values with nothing between.
        is_constant: Whether it holds no expression.
        is_alone: Whether it is one expression and nothing else, so that its value keeps its type.
    """

    source: Json
    paths: frozenset[Path] = frozenset()
    comparisons: tuple[Comparison, ...] = ()
    runs_together: bool = False
    is_constant: bool = True
    is_alone: bool = False
    _parts: tuple[nodes.Expr, ...] | None = field(default=None, repr=False)
    _root: Callable[[Evaluation], Iterable[Any]] | None = field(default=None, repr=False)

    @property
    def column(self) -> Path | None:
        """The path that is all of the template, `customer.name`; None where it's more or less than that."""
        return path_of(self._parts[0]) if self.is_alone and self._parts else None

    def reader(self, stream: str, *, strict: bool, shortcuts: bool = True) -> Reader:
        """Make the function that evaluates it, as `expression` has it."""
        source = Source()
        return source.function(self.expression(stream, source, strict=strict, shortcuts=shortcuts))

    def expression(self, stream: str, source: Source, *, strict: bool, shortcuts: bool = True) -> str:
        """Write it as an expression over a record.

        Args:
            stream: What `stream` means in it.
            source: What the expression will be part of.
            strict: Whether a part of its text that is null or blank makes the whole null.
            shortcuts: Whether what is simple is done without Jinja, which comes to the same.
        """
        if self._root is None:
            return source.value(self.source)
        if shortcuts and self._parts is not None:
            written = Simple(stream, source).template(self._parts, strict=strict)
            if written is not None:
                return written
        evaluated = _evaluated(self._root, stream, strict=strict, alone=self.is_alone)
        return source.call(evaluated, "record")


def scalar(raw: object) -> Json:
    """Take what YAML and JSON give for one value as a template's source; None where it's no such value."""
    match raw:
        case str() | bool() | int() | Decimal():
            return raw
        case float() if math.isfinite(raw):
            return Decimal(repr(raw))
        case dt.datetime() | dt.date():
            return raw.isoformat()
        case _:
            return None


def parse(source: Json) -> tuple[Template | None, tuple[str, ...]]:
    """Read a template; where it's wrong, say all that is, each as a sentence without a stop."""
    if not isinstance(source, str):
        return Template(source), ()
    try:
        return _read(source)
    except TemplateSyntaxError as mistake:
        return None, (f"{_told(mistake)} (at character {SANDBOX.lexer.offset + 1})",)
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
    tree = SANDBOX.parse(source)
    found = References()
    found.visit(tree)
    together = runs_together(tree)
    tidier = Tidier(SANDBOX)
    tree = tidier.visit(tree)
    if problems := (*tidier.problems, *found.problems):
        return None, tuple(dict.fromkeys(problems))
    ask_for_truth(tree)
    tree.set_environment(SANDBOX)
    parts = _output(tree)
    if parts is not None and all(isinstance(part, nodes.TemplateData) for part in parts):
        return Template("".join(part.data for part in parts if isinstance(part, nodes.TemplateData))), ()
    alone = parts is not None and len(parts) == 1
    understood = Template(
        source,
        frozenset(found.paths),
        tuple(found.comparisons),
        runs_together=together,
        is_constant=False,
        is_alone=alone,
        _parts=parts,
        _root=_compiled(tree),
    )
    return understood, ()


def _output(tree: nodes.Template) -> tuple[nodes.Expr, ...] | None:
    """List what a template writes, if writing is all it does."""
    if not all(isinstance(statement, nodes.Output) for statement in tree.body):
        return None
    return tuple(part for statement in tree.body if isinstance(statement, nodes.Output) for part in statement.nodes)


def _compiled(tree: nodes.Template) -> Callable[[Evaluation], Iterable[Any]]:
    code = SANDBOX.compile(tree)
    root: Callable[..., Iterable[Any]] = SANDBOX.template_class.from_code(SANDBOX, code, {}).root_render_func
    return root


def _evaluated(root: Callable[[Evaluation], Iterable[Any]], stream: str, *, strict: bool, alone: bool) -> Reader:
    def evaluate(record: Record) -> Json:
        context = Evaluation(SANDBOX, {}, None, {}).of(record, stream, strict=strict)
        if alone:
            (value,) = root(context)
            found: Any = settled(value)
            return list(found) if isinstance(found, tuple) else found
        return _text_of(context, root(context))

    return evaluate


def _text_of(context: Evaluation, parts: Iterable[Any]) -> str | None:
    written = []
    for part in parts:
        value = part if isinstance(part, Meant) else settled(part)
        if context.strict and is_missing(value):
            return None
        written.append(text(value))
        context.spend(len(written[-1]))
    return "".join(written)
