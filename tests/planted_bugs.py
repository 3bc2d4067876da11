"""Shows that a state machine finds a bug which a test puts into the class it tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from target_applied_events.errors import InternalError

if TYPE_CHECKING:
    from hypothesis.stateful import RuleBasedStateMachine

# As many examples as the machine's ordinary run, but the first that fails is enough.
ORDINARY_RUN = settings(
    phases=[Phase.generate], database=None, deadline=None, print_blob=False, report_multiple_bugs=False
)


def assert_found(machine: type[RuleBasedStateMachine], **planted: type) -> None:
    """Run the machine on the planted class; its ordinary run must fail."""
    with pytest.raises((AssertionError, InternalError, pytest.fail.Exception)):
        run_state_machine_as_test(type("Planted", (machine,), planted), settings=ORDINARY_RUN)
