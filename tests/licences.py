"""The licences of what is installed with the target: `python -m tests.licences` writes docs/licences.md."""

from __future__ import annotations

import re
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).parents[1] / "docs" / "licences.md"
PROGRAM = "target-applied-events"
EXTRAS = ("sandbox", "postgres")

_LONGEST_NAME = 40
_BY_CLASSIFIER = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
_HEAD = """\
# Licences

The target itself is under the [Apache License 2.0](../LICENSE). This is what is installed with it on Linux with Python
3.11, by what each package says of itself. `python -m tests.licences` writes it anew.

| package | licence | comes with |
|---|---|---|
"""


def closure(extra: str = "") -> frozenset[str]:
    """Name all that is installed with the target, or with one of its extras, itself left out."""
    found: set[str] = set()
    waiting = [(PROGRAM, extra)]
    seen: set[tuple[str, str]] = set()
    while waiting:
        place = waiting.pop()
        if place in seen:
            continue
        seen.add(place)
        for requirement in needs(*place):
            found.add(normal(requirement.name))
            waiting += [(requirement.name, name) for name in ("", *requirement.extras)]
    return frozenset(found - {PROGRAM})


def needs(package: str, extra: str = "") -> Iterator[Requirement]:
    """Go through what a package asks for on this machine."""
    for text in distribution(package).requires or []:
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
            yield requirement


def normal(name: str) -> str:
    """Write a package's name in its one form."""
    return re.sub(r"[-_.]+", "-", name).lower()


def licence(package: Distribution) -> str:
    """Tell a package's licence: its expression, else its short name, else what its classifiers say."""
    told = package.metadata.json
    if expression := told.get("license_expression"):
        return str(expression)
    name = str(told.get("license", ""))
    if name and "\n" not in name and len(name) <= _LONGEST_NAME:
        return name
    classifiers = [text.split(" :: ")[-1] for text in told.get("classifier", ()) if text.startswith("License")]
    return " or ".join(_BY_CLASSIFIER.get(text, text) for text in classifiers) or "not told"


def rows() -> dict[str, str]:
    """Write the table's row for each package, by name."""
    base = closure()
    places = dict.fromkeys(base, "the target")
    for extra in EXTRAS:
        places |= {name: f"the extra `{extra}`" for name in closure(extra) if name not in places}
    return {name: f"| {name} | {licence(distribution(name))} | {places[name]} |" for name in sorted(places)}


if __name__ == "__main__":
    PAGE.write_text(_HEAD + "\n".join(rows().values()) + "\n")
