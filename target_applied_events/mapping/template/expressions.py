"""Jinja as mappings have it: sandboxed, null instead of undefined, exact numbers, and a bound on its work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from jinja2 import StrictUndefined, nodes, pass_context
from jinja2.exceptions import SecurityError
from jinja2.lexer import TOKEN_FLOAT, Lexer, Token
from jinja2.nativetypes import NativeCodeGenerator
from jinja2.runtime import Context, LoopContext, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.tests import TESTS
from jinja2.utils import Namespace

from target_applied_events.mapping.template import arithmetic, operations, operators
from target_applied_events.mapping.template.blanks import Meant, joins_missing, still_meant
from target_applied_events.mapping.template.notation import Unmappable, kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from jinja2.compiler import CodeGenerator

    from target_applied_events.event import Json, Record

WORK: Final = 1 << 24
"""What one template may do for one record: a character made counts 1, a step taken 100."""

_KEEPING_WORDS: Final = frozenset({"lower", "upper", "trim", ".lower", ".upper", ".strip"})
_LOOP_NAMES: Final = frozenset(
    {"index", "index0", "revindex", "revindex0", "first", "last", "length", "depth", "depth0", "previtem", "nextitem"}
)


class Evaluation(Context):
    """One template at work on one record; `work_left` only falls, and below zero the template is stopped."""

    def of(self, record: Record, stream: str, *, strict: bool) -> Evaluation:
        """Set what the names mean, and whether a part that is null or blank makes a text null."""
        self.record = record
        self.stream = stream
        self.strict = strict
        self.work_left = WORK
        return self

    def __repr__(self) -> str:
        """Tell how much work is left."""
        return f"<{type(self).__name__} work_left={self.work_left}>"

    def spend(self, units: int) -> None:
        """Take work off what is left.

        Raises:
            Unmappable: Nothing is left.
        """
        self.work_left -= units
        if self.work_left < 0:
            raise Unmappable("the template does more work than one value may take: a loop too long, a text too large")

    def resolve_or_missing(self, key: str) -> Any:  # noqa: ANN401  a name may mean anything
        """Find what a name means; a column that the record lacks is null."""
        if key in self.vars:
            return self.vars[key]
        if key == "record":
            return self.record
        if key == "stream":
            return self.stream
        return self.record.get(key)


class _ExactLexer(Lexer):
    """Reads numbers with a point to their last digit, and knows how far it has read."""

    offset = 0

    def wrap(
        self, stream: Iterable[tuple[int, str, str]], name: str | None = None, filename: str | None = None
    ) -> Iterator[Token]:
        """Turn what is read into tokens."""
        self.offset = 0
        for item in stream:
            line, token, found = item
            if token == TOKEN_FLOAT:
                yield Token(line, token, Decimal(found.replace("_", "")))  # type: ignore[arg-type]  # a value, as the others
            else:
                yield from super().wrap([item], name, filename)
            self.offset += len(found)


class _ExactCode(NativeCodeGenerator):
    """Writes code that yields values as they are, and Decimals as what they are."""

    def _make_finalize(self) -> CodeGenerator._FinalizeInfo:
        return self._FinalizeInfo(None, None)  # without one, Jinja would fold constants into text

    def _output_const_repr(self, group: Iterable[Any]) -> str:
        """Write the text between expressions."""
        text = "".join(map(str, group))
        return repr(text) if text.strip() else f"environment.meant({text!r})"

    def visit_Const(self, node: nodes.Const, frame: Any) -> None:  # noqa: ANN401, N802  as Jinja names it
        """Write a constant."""
        if isinstance(node.value, Decimal):
            self.write(f"environment.decimal({str(node.value)!r})")
        elif isinstance(node.value, str) and not node.value.strip():
            self.write(f"environment.meant({node.value!r})")
        else:
            super().visit_Const(node, frame)


class Sandbox(ImmutableSandboxedEnvironment):
    """Reads the record and nothing else: no call is left in what it compiles, `Tidier` has seen to that."""

    code_generator_class = _ExactCode
    context_class = Evaluation
    intercepted_binops = frozenset(ImmutableSandboxedEnvironment.default_binop_table)
    intercepted_unops = frozenset(ImmutableSandboxedEnvironment.default_unop_table)
    decimal = Decimal
    meant = Meant

    def __init__(self) -> None:
        """Take Jinja's filters and tests, guarded, and ours."""
        super().__init__(undefined=StrictUndefined, optimized=False, autoescape=False, cache_size=0)
        self._lexer = _ExactLexer(self)
        self.globals.clear()
        guarded = {name: _guarded(name, function) for name, function in operations.filters().items()}
        default = pass_context(_default)
        ours = guarded | operators.OPERATORS | {"default": default, "d": default}
        self.filters = ours
        self.tests = operators.tests(TESTS)  # type: ignore[assignment]  # mypy infers too little of Jinja's

    @property
    def lexer(self) -> _ExactLexer:
        """What reads templates."""
        return self._lexer

    def call(self, *_: object, **__: object) -> None:
        """Refuse: nothing in a template is called but filters."""
        raise SecurityError("nothing can be called here")

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:  # noqa: ANN401  as Jinja has it
        """Apply an operator as mappings do arithmetic; in an identifier a missing part of a text makes it null."""
        assert isinstance(context, Evaluation)  # noqa: S101  the environment makes no other
        if context.strict and joins_missing(operator, left, right):
            return None
        return _spent(context, operations.combined(operator, left, right))

    def call_unop(self, context: Context, operator: str, arg: Any) -> Any:  # noqa: ANN401  as Jinja has it
        """Apply a sign as mappings do arithmetic."""
        return _spent(context, arithmetic.unary(operator, arg))

    def getattr(self, obj: Any, attribute: str) -> Any:  # noqa: ANN401  as Jinja has it
        """Follow a path: the keys of an object are all there is."""
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:  # noqa: ANN401, PLR0911  as Jinja has it; a return for each step
        """Follow a path by a step; through null it leads to null.

        Raises:
            Unmappable: Such a step doesn't lead from there.
        """
        if isinstance(obj, dict) and isinstance(argument, str):  # nearly always
            return obj.get(argument)
        match obj, argument:
            case (None, _) | (Undefined(), _):
                return None
            case (list() | tuple() | str(), slice()):
                return obj[argument]
            case (list() | tuple(), int()):
                return obj[argument] if -len(obj) <= argument < len(obj) else None
            case tuple(), "grouper" | "list":
                return getattr(obj, argument, None)
            case (LoopContext(), str()) if argument in _LOOP_NAMES:
                return getattr(obj, argument)
            case Namespace(), str():
                return Namespace.__getattribute__(obj, "_Namespace__attrs").get(argument)
            case dict(), bool() | int() | Decimal() if not all(isinstance(key, str) for key in obj):
                return obj.get(argument)  # written in the template: what records hold has texts for keys
            case _:
                raise Unmappable(_no_way(obj, argument))


def _no_way(obj: object, argument: object) -> str:
    """Say why a step doesn't lead from a value."""
    match obj, argument:
        case dict(), int() | Decimal():
            return "an object is asked for a number, but its keys are texts; | string makes one"
        case str(), int():
            return "a path leads into text; its first character is [:1], and the filter fromjson reads JSON in it"
        case str(), _:
            return "a path leads into text; where the text is JSON, the filter fromjson reads it"
        case _:
            return f"a path leads into {kind(obj)}"


def _spent(context: Context, value: Any) -> Any:  # noqa: ANN401  a value of any type
    """Take a result on the account of its evaluation, as one of the values that mappings know."""
    assert isinstance(context, Evaluation)  # noqa: S101  the environment makes no other
    value = settled(value)
    context.spend(operations.STEP + operations.weight(value))
    return value


def settled(value: Any) -> Any:  # noqa: ANN401  a value of any type
    """Turn what Jinja's filters give into values of JSON: no iterators, no markup, no undefined."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Undefined):
        return None
    if isinstance(value, Iterator | range) or (
        isinstance(value, Iterable) and not isinstance(value, dict | list | tuple)
    ):
        return list(value)
    return value


def _guarded(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Let null pass a filter as null, and count its work."""

    @pass_context
    def guarded(context: Evaluation, value: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  a filter's values
        if value is None or isinstance(value, Undefined):
            return None
        if isinstance(value, Meant):
            found = _spent(context, function(context, str(value), *args, **kwargs))
            return still_meant(found, value) if name in _KEEPING_WORDS else found
        return _spent(context, function(context, value, *args, **kwargs))

    return guarded


def _default(_: Evaluation, value: Any, default_value: Json = "", boolean: bool = False) -> Any:  # noqa: ANN401, FBT001, FBT002  as Jinja has it
    """Replace null; with `true`, whatever counts as false too."""
    if value is None or isinstance(value, Undefined) or (boolean and not value):
        return default_value
    return value


SANDBOX: Final = Sandbox()
"""The one in which all templates are read and evaluated."""
