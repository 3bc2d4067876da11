"""A template that is right, and an evaluation as its filters and operators are called with it."""

from __future__ import annotations

from target_applied_events.mapping.template import Template, parse
from target_applied_events.mapping.template.expressions import WORK, Evaluation, Sandbox

_SANDBOX = Sandbox()


def template(source: object) -> Template:
    """Read a template in which nothing is wrong."""
    found, problems = parse(source)  # type: ignore[arg-type]  # what YAML gives
    assert found is not None, problems
    return found


def at_work(*, strict: bool = False) -> Evaluation:
    """Begin an evaluation that has done nothing yet."""
    return Evaluation(_SANDBOX, {}, None, {}).of({}, "orders", strict=strict)


def spent(evaluation: Evaluation) -> int:
    """Tell the work that an evaluation has done, a character being 1."""
    return WORK - evaluation.work_left
