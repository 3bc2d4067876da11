"""Python that is written for a mapping: one function then does what took a call for each field and filter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from target_applied_events.event import Record


class Source:
    """Each name means one object for good, and a text of a user's is compiled as nothing but a text.

    An expression is Python's, over `record`. What users wrote enters it as a name that stands for it; only what columns
    and fields are called, which is always text, enters as the literal that `repr` writes of it.
    """

    def __init__(self) -> None:
        """Start without names."""
        self._names: dict[str, Any] = {}
        self._variables = 0

    def __repr__(self) -> str:
        """Tell how much was named."""
        return f"<{type(self).__name__} names={len(self._names)} variables={self._variables}>"

    def value(self, thing: object) -> str:
        """Name a thing."""
        name = f"_{len(self._names)}"
        self._names[name] = thing
        return name

    def column(self, name: str) -> str:
        """Read a column; null where the record lacks it."""
        return f"record.get({name!r})"

    def record(self) -> str:
        """Give the whole record."""
        return "dict(record)"

    def call(self, function: Callable[..., Any], *arguments: str) -> str:
        """Call a function."""
        return f"{self.value(function)}({', '.join(arguments)})"

    def unless_null(self, function: Callable[..., Any], value: str, *arguments: str) -> str:
        """Call a function with a value and more; null stays null."""
        found = self._variable()
        return f"(None if ({found} := {value}) is None else {self.call(function, found, *arguments)})"

    def if_null(self, function: Callable[[], Any], value: str) -> str:
        """Keep a value; where it is null, call a function."""
        found = self._variable()
        return f"({self.call(function)} if ({found} := {value}) is None else {found})"

    def or_null(self, value: str) -> str:
        """Keep a value unless it is empty."""
        return f"({value} or None)"

    def object(self, fields: Mapping[str, str]) -> str:
        """Make an object of fields; null ones are part of it."""
        return f"{{{', '.join(f'{name!r}: {value}' for name, value in fields.items())}}}"

    def between(self, left: str, operator: str, right: str) -> str:
        """Put one of Python's operators between two values."""
        return f"({left} {operator} {right})"

    def joined(self, parts: Iterable[str], write: Callable[[Any], str], *, strict: bool) -> str:
        """Join texts, and values once they are written as text.

        Args:
            parts: All of them, in order.
            write: Gives the text for a value that is none.
            strict: Whether a null or blank text among them makes the whole null, save one that has a name.
        """
        name, texts, unless_missing = self.value(write), [], []
        for part in parts:
            if isinstance(self._names.get(part), str):
                texts.append(part)
                continue
            found = self._variable()
            value, text = f"({found} := {part})", f"{found} if {{}}.__class__ is str else {name}({found})"
            texts.append(found if strict else text.format(value))
            unless_missing.append(f"{value} is not None and ({found} := {text.format(found)}).strip()")
        whole = f"''.join(({', '.join(texts)},))"
        return f"({whole} if {' and '.join(unless_missing)} else None)" if strict and unless_missing else whole

    def function(self, expression: str) -> Callable[[Record], Any]:
        """Compile an expression."""
        return self._compiled([f"return {expression}"])

    def objects(self, *fields: Mapping[str, str]) -> Callable[[Record], tuple[dict[str, Any], ...]]:
        """Compile objects, each of its fields' expressions in their order; a null field is left out."""
        steps, names = [], [f"object_{number}" for number in range(len(fields))]
        for held, values in zip(names, fields, strict=True):
            steps.append(f"{held} = {{}}")
            steps += [f"if (found := {value}) is not None: {held}[{name!r}] = found" for name, value in values.items()]
        return self._compiled([*steps, f"return {', '.join(names)},"])

    def _variable(self) -> str:
        """Give a variable that no other expression uses."""
        self._variables += 1
        return f"found_{self._variables}"

    def _compiled(self, steps: Iterable[str]) -> Callable[[Record], Any]:
        made: dict[str, Any] = {}
        text = "\n ".join(["def made(record):", *steps])
        exec(compile(text, "<mapping>", "exec"), self._names, made)  # noqa: S102  all in it is named or quoted
        function: Callable[[Record], Any] = made["made"]
        return function
