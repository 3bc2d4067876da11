"""How the commands write for people: tables on a terminal, as wide as they need in a pipe."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_WIDE = 10_000


def is_terminal() -> bool:
    """Whether people read standard output, and no program."""
    return sys.stdout.isatty()


def console(*, stderr: bool = False) -> Console:
    """Make what writes to a terminal in colour; in a pipe it has none and never breaks a line."""
    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, width=None if stream.isatty() else _WIDE, highlight=False, soft_wrap=False)


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """Make a table; a column of numbers is one whose title begins with `how many`."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in titles:
        made.add_column(title, justify="right" if title.startswith("how many") else "left", overflow="fold")
    for row in rows:
        made.add_row(*(Text(printable(cell)) for cell in row))
    return made


def counted(count: int, thing: str) -> str:
    """Write how many there are of a thing: `1 event`, `2 events`."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def printable(text: str) -> str:
    """Write a text so that nothing in it can steer a terminal: what doesn't print is shown by its number."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else _escaped(letter) for letter in text)


def _escaped(letter: str) -> str:
    number = ord(letter)
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"  # noqa: PLR2004 - what four digits hold
