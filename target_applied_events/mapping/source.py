"""Python that is written for a mapping: one function then does what took a call for each field and filter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from target_applied_events.event import Record


class Source:
    """Each name means one object for good, and no text of a user's is ever part of what is compiled.

    An expression is Python text over `record`. What users wrote enters it as a name that `name` gave, or as the literal
    of a text that `repr` writes.
    """

    def __init__(self) -> None:
        """Start without names."""
        self._names: dict[str, Any] = {}
        self._variables = 0

    def __repr__(self) -> str:
        """Tell how much was named."""
        return f"<{type(self).__name__} names={len(self._names)} variables={self._variables}>"

    def name(self, thing: object) -> str:
        """Give a name by which expressions may use a thing."""
        name = f"_{len(self._names)}"
        self._names[name] = thing
        return name

    def variable(self) -> str:
        """Give a variable that no other expression uses."""
        self._variables += 1
        return f"found_{self._variables}"

    def function(self, expression: str) -> Callable[[Record], Any]:
        """Compile an expression."""
        return self.steps([f"return {expression}"])

    def steps(self, statements: Iterable[str]) -> Callable[[Record], Any]:
        """Compile statements, each of a line, to what they return."""
        made: dict[str, Any] = {}
        text = "\n ".join(["def made(record):", *statements])
        exec(compile(text, "<mapping>", "exec"), self._names, made)  # noqa: S102  all in it is named or quoted
        function: Callable[[Record], Any] = made["made"]
        return function
