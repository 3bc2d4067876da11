"""Which mappings a stream gets, and which of them can meet."""

from __future__ import annotations

import fnmatch
import functools
import itertools
import re
from typing import TYPE_CHECKING

from target_applied_events.mapping.template.notation import text

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


def names(declarations: Sequence[Declaration]) -> dict[str, str]:
    """Give the names of mappings' events as they are written there, by the mappings' labels."""
    return {item.label: text(item.fields["name"].source) for item in declarations}


def clashes(declarations: Sequence[Declaration]) -> tuple[str, ...]:
    """Find the mappings that can meet on a stream and would take each other's events or metrics for their own.

    An event with `once_per` is known by its stream, the text of its name's template, and what `once_per` gives: of
    two mappings that have both alike the second would never deliver. A metric is known by its `deduping_key`: of two
    that have it alike the endpoint would count the first alone.
    """
    pairs = [pair for pair in itertools.combinations(declarations, 2) if _can_meet(*pair) and _share_shop(*pair)]
    return (
        *(
            f"{second.label}: has the same name and once_per as {first.label}, so its events would pass for those;"
            " give it another name, or put something of its own into once_per"
            for first, second in pairs
            if _occasion(first) is not None and _occasion(first) == _occasion(second)
        ),
        *(
            f"{second.label}.metric.deduping_key: is the same as that of {first.label}, so the endpoint would count"
            " one metric of the two; leave it out, or put something of its own into it"
            for first, second in pairs
            if (key := _written(first, "metric.deduping_key")) and key == _written(second, "metric.deduping_key")
        ),
    )


def _occasion(declaration: Declaration) -> tuple[str, str] | None:
    once_per = _written(declaration, "once_per")
    return None if once_per is None else (text(declaration.fields["name"].source), once_per)


def _written(declaration: Declaration, field: str) -> str | None:
    """Give what a field is written as, in one form for what comes to the same; None where it isn't mapped."""
    if (template := declaration.fields.get(field)) is None:
        return None
    match template.column:  # record.id and id are one column
        case ("record", str(name), *steps):
            return str((name, *steps))
        case None:
            return re.sub(r"\s+", "", text(template.source))
        case path:
            return str(path)


def _share_shop(first: Declaration, second: Declaration) -> bool:
    """Tell whether two mappings may be for one shop: what they make for two shops never meets."""
    return _written(first, "shop_id") == _written(second, "shop_id")


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
