"""Shows that a state machine finds a bug which a test puts into the class it tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from target_applied_events.errors import InternalError

if TYPE_CHECKING:
    from hypothesis.stateful import RuleBasedStateMachine

ORDINARY_RUN = settings(max_examples=300, deadline=None)
"""What a state machine's own test runs with."""

# The same run, save that the first example that fails is enough.
UNTIL_FOUND = settings(
    ORDINARY_RUN, phases=[Phase.generate], database=None, print_blob=False, report_multiple_bugs=False
)


def assert_found(machine: type[RuleBasedStateMachine], **planted: type) -> None:
    """Run the machine on the planted class; its ordinary run must fail."""
    with pytest.raises((AssertionError, InternalError, pytest.fail.Exception)):
        run_state_machine_as_test(type("Planted", (machine,), planted), settings=UNTIL_FOUND)
