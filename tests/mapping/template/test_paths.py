"""A bare column is told from all else that a template may be."""

from __future__ import annotations

import pytest

from tests.mapping.template.at_work import template


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
