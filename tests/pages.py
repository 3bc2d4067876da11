"""Tables and code blocks of README.md and docs/, for the tests that hold them against the program."""

from __future__ import annotations

import re
from pathlib import Path

PROJECT = Path(__file__).parents[1]
README = PROJECT / "README.md"
OPERATIONS = PROJECT / "docs" / "operations.md"
PAGES = (
    README,
    *sorted((PROJECT / "docs").glob("*.md")),
    PROJECT / "SECURITY.md",
    PROJECT / "CHANGELOG.md",
)
_LINE = re.compile(r"^\|(.*?)\|(.*)\|$")


def rows_of(*titles: str, page: Path = OPERATIONS) -> list[tuple[str, str]]:
    """Read the rows of the table of two columns that has these titles."""
    rows: list[tuple[str, str]] = []
    inside = False
    for line in page.read_text().splitlines():
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


def block(kind: str, page: Path = OPERATIONS) -> str:
    """Take the first code block of a kind."""
    found = re.search(rf"^```{kind}\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)
    if found is None:
        raise LookupError(kind)
    return found[1]


def links(page: Path) -> list[tuple[str, str]]:
    """Read the words and addresses of the links that lead into the project."""
    return re.findall(r"\[([^\[\]]+)\]\(([^):]+)\)", page.read_text())


def commands(page: Path) -> list[str]:
    """Read the commands of the target on a page, in code blocks and in sentences, without its name."""
    of_blocks = re.findall(r"^target-applied-events +(.*?)(?: +#.*)?$", page.read_text(), re.MULTILINE)
    return of_blocks + re.findall(r"`target-applied-events +([^`]*)`", page.read_text())
