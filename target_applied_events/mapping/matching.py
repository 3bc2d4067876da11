"""Which mappings a stream gets, and which of them can meet."""

from __future__ import annotations

import fnmatch
import functools
import itertools
import re
from typing import TYPE_CHECKING

from target_applied_events.mapping.notation import text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_applied_events.mapping.declaration import Declaration


def choose(declarations: Sequence[Declaration], stream: str) -> tuple[Declaration, ...]:
    """Choose a stream's mappings, in the order written: those with its exact name, else those whose pattern fits."""
    exact = tuple(item for item in declarations if item.stream == stream)
    return exact or tuple(item for item in declarations if fnmatch.fnmatchcase(stream, item.stream))


def near_miss(declarations: Sequence[Declaration], stream: str) -> str | None:
    """Find a mapping's stream that a stream without mappings differs from in case, `-`, `_` or `.` alone."""
    found = (item.stream for item in declarations if fnmatch.fnmatchcase(_squashed(stream), _squashed(item.stream)))
    return None if choose(declarations, stream) else next(found, None)


def _squashed(name: str) -> str:
    return re.sub(r"[-_.]", "", name.lower())


def clashes(declarations: Sequence[Declaration]) -> tuple[str, ...]:
    """Find the mappings that can meet on a stream and would take each other's events for their own.

    An event with `once_per` is known by its stream, the text of its name's template, and what `once_per` gives: of
    two mappings that have both alike the second would never deliver.
    """
    return tuple(
        f"{second.label}: has the same name and once_per as {first.label}, so its events would pass for those;"
        " give it another name, or put something of its own into once_per"
        for first, second in itertools.combinations(declarations, 2)
        if _occasion(first) is not None and _occasion(first) == _occasion(second) and _can_meet(first, second)
    )


def _occasion(declaration: Declaration) -> tuple[str, str] | None:
    once_per = declaration.fields.get("once_per")
    if once_per is None:
        return None
    match once_per.column:  # record.id and id are one column
        case ("record", str(name), *steps):
            what = str((name, *steps))
        case None:
            what = re.sub(r"\s+", "", text(once_per.source))
        case path:
            what = str(path)
    return text(declaration.fields["name"].source), what


def _can_meet(first: Declaration, second: Declaration) -> bool:
    is_pattern = [re.search(r"[*?[]", item.stream) is not None for item in (first, second)]
    if not all(is_pattern):
        return first.stream == second.stream  # an exact name replaces patterns
    return _overlap(_marks(first.stream), _marks(second.stream))


def _marks(pattern: str) -> tuple[str, ...]:
    """Split a pattern into letters, `*` and `?`, a set of letters being any of them."""
    return tuple("?" if mark.startswith("[") else mark for mark in re.findall(r"\[!?\]?[^]]*\]|.", pattern))


def _overlap(first: tuple[str, ...], second: tuple[str, ...]) -> bool:
    """Tell whether there is a name that fits both patterns."""

    @functools.cache
    def meet(i: int, j: int) -> bool:
        one, other = first[i : i + 1], second[j : j + 1]
        if one == ("*",):
            return meet(i + 1, j) or (j < len(second) and meet(i, j + 1))
        if other == ("*",):
            return meet(i, j + 1) or (i < len(first) and meet(i + 1, j))
        if not one or not other:
            return not one and not other
        return (one == other or "?" in (*one, *other)) and meet(i + 1, j + 1)

    return meet(0, 0)
