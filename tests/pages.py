"""Tables of docs/operations.md, for the tests that hold them against the program."""

from __future__ import annotations

import re
from pathlib import Path

PROJECT = Path(__file__).parents[1]
_LINE = re.compile(r"^\|(.*?)\|(.*)\|$")


def operations() -> str:
    """Read the page."""
    return (PROJECT / "docs" / "operations.md").read_text()


def rows_of(*titles: str) -> list[tuple[str, str]]:
    """Read the rows of the table of two columns that has these titles."""
    rows: list[tuple[str, str]] = []
    inside = False
    for line in operations().splitlines():
        found = _LINE.match(line)
        cells = (found[1].strip(), found[2].strip()) if found else None
        if cells == titles:
            inside = True
        elif inside and cells is None:
            break
        elif inside and cells is not None and not cells[0].startswith("---"):
            rows.append(cells)
    if not rows:
        raise LookupError(titles)
    return rows


def block(kind: str) -> str:
    """Take the first code block of a kind."""
    found = re.search(rf"^```{kind}\n(.*?)^```$", operations(), re.DOTALL | re.MULTILINE)
    if found is None:
        raise LookupError(kind)
    return found[1]
