"""Two values with nothing between them are seen, and what bounds a value is."""

from __future__ import annotations

import pytest

from target_applied_events.mapping.template.template import parse


def runs_together(source: str) -> bool:
    found, problems = parse(source)
    assert found is not None, problems
    return found.runs_together


@pytest.mark.parametrize(
    "source",
    [
        "{{ a }}{{ b }}",
        "x-{{ a ~ b }}",
        "{{ a }}{{ b if c }}",
        "{{ a }}{{ b ~ '-' }}",
        "{% for l in lines %}{{ l.a }}{{ l.b }}{% endfor %}",
    ],
)
def test_two_values_with_nothing_between_run_together(source: str) -> None:
    assert runs_together(source)


@pytest.mark.parametrize(
    "source",
    [
        "x{{ a }}y",
        "{{ a }}-{{ b }}",
        "{{ a ~ '-' ~ b }}",
        "{{ a }}{{ '-' }}{{ b }}",
        "{{ a }}{{ '-' ~ b if b }}",
        "{{ a }}{{ '-x' if b else '' }}",
        "{{ day[:4] }}{{ day[5:7] }}",
    ],
)
def test_a_constant_bounds_a_value_and_what_is_cut_out_has_its_length(source: str) -> None:
    assert not runs_together(source)
