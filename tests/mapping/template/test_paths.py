"""A bare column is told from all else that a template may be."""

from __future__ import annotations

import pytest

from target_applied_events.mapping.template.template import Template, parse


def template(source: str) -> Template:
    found, problems = parse(source)
    assert found is not None, problems
    return found


@pytest.mark.parametrize(
    ("source", "column"),
    [
        ("{{ a }}", ("a",)),
        ("{{ a.b }}", ("a", "b")),
        ("{{ record['a-b'] }}", ("record", "a-b")),
        ("{{ a | lower }}", None),
        ("{{ a }} ", None),
        ("a", None),
    ],
)
def test_a_bare_column_is_known_as_one(source: str, column: tuple[str, ...] | None) -> None:
    assert template(source).column == column
