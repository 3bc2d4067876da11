"""Every text of the program that a user can read; `python -m tests.messages` lists them anew in messages.md."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from target_applied_events.settings import PROPERTIES
from target_applied_events.target import TargetAppliedEvents

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

CATALOGUE = Path(__file__).with_suffix(".md")
PACKAGE = Path(__file__).parents[1] / "target_applied_events"
HOLE = "{…}"
PYTHONS_OWN = re.compile(
    r"\b(\w+(Error|Exception)|NoneType|None|Decimal|dict|tuple|str|bool|int|Traceback|Python)\b|<\w+ object"
)
"""Words that a user need not know."""

_ENDS = """
    TargetError SettingsError InputError SchemaError MappingError EndpointError LedgerError RejectedRecordsError
    StopReading DemoError ClickException UsageError
"""
_KINDS = {
    **dict.fromkeys(_ENDS.split(), "ends"),
    "InternalError": "bug",
    **dict.fromkeys(("ValueError", "_wrong", "problems.append"), "problem"),
    **dict.fromkeys(("Unmappable", "Violation"), "record"),
    **dict.fromkeys(("info", "warning", "error"), "log"),
    **dict.fromkeys(("echo", "secho", "print", "say"), "shown"),
    "Finding": "check",
}
"""What a text is, by the call that it stands in; in none of these it is a part of others."""

_NOT_PROSE = re.compile(
    r"""
    \s*(SELECT|INSERT|UPDATE|DELETE|WITH|CREATE|PRAGMA|BEGIN|SET|CASE|READ[ ]COMMITTED|extract\() # SQL
    | IN[ ]\(\{\}\) | .*coalesce\( | .*\b[a-z]+\.[a-z]+[ ]=[ ]\?
    | .*\r\n | HTTP/1 | data:[ ] | Basic[ ] | default-src | [a-z]+/[a-z]+;[ ]charset                    # protocols
    | from[ ]target_applied_events | \#[ ]A[ ]first[ ]draft | account[ ]buyer | =[ ]ANY\( | \w+[ ]\|[ ]\w+$
    """,
    re.VERBOSE | re.DOTALL,
)
_ASIDE = {
    "commands/demo_shop.py": "what a shop's customers do",
    "mapping/template/source.py": "Python",
    "sandbox/questions.py": "SQL",
    "sandbox/store.py": "SQL",
}
_KEYWORDS = {"help", "short_help", "title", "description"}
_GOVERNING = re.compile(
    r"""
      --[a-z]+(?:-[a-z]+)* | \b[A-Z]+(?:_[A-Z]+)+_?
    | `(?:rejected|ledger|target-applied-events)\b[^`]*` | \bpip[ ]install | \binstall\b
    | \bthe[ ](?:tap|mapping|template|filter[ ]\w+) | \bmappings? | \b[Ss]tandard[ ](?:input|output) | \bCtrl-C
    | \b(?:once_per|shard_by|stream_maps|batch_config(?:\.\w+)?|`ordered)\b
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Message:
    """A text of the program.

    Attributes:
        module: Where it stands, below the package.
        kind: What it is: `ends`, `problem`, `record`, `log`, `check`, `shown`, `bug` or `part`.
        text: As it stands there, each value that is filled in as `{…}`.
    """

    module: str
    kind: str
    text: str

    @property
    def governed_by(self) -> str:
        """The settings, options, commands and others that it names."""
        names = [*settings(), *dict.fromkeys(_GOVERNING.findall(self.text))]
        found = {name: self.text.find(name) for name in names if re.search(rf"(?<![\w-]){re.escape(name)}", self.text)}
        return ", ".join(sorted(found, key=found.__getitem__)).replace("`", "")


def settings() -> list[str]:
    """Name the settings, the SDK's own among them."""
    sdks: dict[str, Any] = {"properties": {}}
    TargetAppliedEvents.append_builtin_config(sdks)
    return [*PROPERTIES.wrapped, *sdks["properties"]]


def messages() -> Iterator[Message]:
    """Find every text, in the order of modules and lines."""
    for path in sorted(PACKAGE.rglob("*.py")):
        module = path.relative_to(PACKAGE).as_posix()
        if module not in _ASIDE:
            found = (Message(module, kind, text) for kind, text in _texts(ast.parse(path.read_text()), "part"))
            yield from dict.fromkeys(found)


def _texts(node: ast.AST, kind: str) -> Iterator[tuple[str, str]]:
    """Find the texts below a node that stands in a call of a kind."""
    match node:
        case ast.Constant() | ast.JoinedStr():
            text = _filled(node)
            if _is_prose(text):
                yield kind, text
            for item in ast.iter_child_nodes(node):
                if isinstance(item, ast.FormattedValue):
                    yield from _texts(item.value, "part")
        case ast.Call(func=function):
            if _name(function).startswith(("re.", "cast")):
                return
            own = _KINDS.get(_name(function)) or _KINDS.get(_name(function).rpartition(".")[2]) or kind
            for child in (function, *node.args, *(item for item in node.keywords if item.arg not in _KEYWORDS)):
                yield from _texts(child, own)
        case _:
            for child in _children(node):
                yield from _texts(child, kind)


def _filled(node: ast.Constant | ast.JoinedStr) -> str:
    """Write a string as it stands there, each value that is filled in as a hole."""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    return "".join(str(part.value) if isinstance(part, ast.Constant) else HOLE for part in parts)


def _name(function: ast.expr) -> str:
    """Name what is called by its last two names: `logger.warning`, `problems.append`."""
    match function:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=ast.Name(id=before) | ast.Attribute(attr=before), attr=name):
            return f"{before}.{name}"
        case ast.Attribute(attr=name):
            return name
        case _:
            return ""


def _children(node: ast.AST) -> Iterator[ast.AST]:
    """What of a node can hold a text for a user: no docstring, no annotation, no repr."""
    match node:
        case ast.FunctionDef(name="__repr__") | ast.Expr(value=ast.Constant()):
            return
        case ast.FunctionDef():
            yield from (*node.decorator_list, *node.body)
        case ast.AnnAssign(annotation=annotation, value=value):
            if value is not None and "TypeAlias" not in ast.unparse(annotation):
                yield value
        case _:
            yield from ast.iter_child_nodes(node)


def _is_prose(text: str) -> bool:
    """Whether it has two words and is neither SQL nor another machine's language nor a template alone."""
    plain = re.sub(r"\{\{.*?\}\}", "", text)
    words = re.findall(r"[A-Za-z]{2,}", plain)
    return len(plain.split()) > 1 and bool(words) and _NOT_PROSE.match(text) is None and "(?" not in text


def names_of_types_shown() -> Iterator[str]:
    """Find where a text is filled with the name of a Python type, reprs aside."""
    for path in sorted(PACKAGE.rglob("*.py")):
        reprs = [item for item in ast.walk(ast.parse(path.read_text())) if isinstance(item, ast.FunctionDef)]
        for function in reprs:
            if function.name != "__repr__" and "__name__" in ast.unparse(function):
                yield f"{path.relative_to(PACKAGE).as_posix()}: {function.name}"


# --- the catalogue --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Entry:
    """A text as the catalogue has it, what to do in bold.

    Attributes:
        marked: The text, with `**` around what to do.
        governed_by: What is named in it; in parentheses why it names nothing.
    """

    marked: str
    governed_by: str


_ROW = re.compile(r"^\| (\w+) \| (.*) \| (.*) \|$")


def _written(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", "⏎")


def catalogue() -> dict[Message, Entry]:
    """Read the catalogue."""
    entries, module = {}, ""
    for line in CATALOGUE.read_text().splitlines():
        if line.startswith("## "):
            module = line.removeprefix("## ")
        elif (row := _ROW.match(line)) and module:
            kind, marked, governed_by = row.groups()
            if kind != "kind":
                text = marked.replace("**", "").replace("\\|", "|").replace("⏎", "\n")
                entries[Message(module, kind, text)] = Entry(marked, governed_by)
    return entries


def rewritten() -> str:
    """Write the catalogue as the program is now; what was marked in it by hand stays."""
    known, lines, module = catalogue(), [CATALOGUE.read_text().partition("\n## ")[0].rstrip()], ""
    for message in (_as_judged(item, known) for item in messages()):
        if message.module != module:
            module = message.module
            lines += ["", f"## {module}", "", "| kind | message | governed by |", "|---|---|---|"]
        entry = known.get(message)
        marked = entry.marked if entry else _written(message.text)
        by_hand = entry.governed_by if entry and entry.governed_by.startswith("(") else ""
        lines.append(f"| {message.kind} | {marked} | {message.governed_by or by_hand} |")
    return "\n".join([*lines, ""])


def _as_judged(message: Message, known: Collection[Message]) -> Message:
    """A text that stands in no call of a kind is what the catalogue takes it for."""
    if message.kind != "part":
        return message
    kinds = (replace(message, kind=kind) for kind in dict.fromkeys(_KINDS.values()))
    return next((item for item in kinds if item in known), message)


if __name__ == "__main__":
    CATALOGUE.write_text(rewritten())
