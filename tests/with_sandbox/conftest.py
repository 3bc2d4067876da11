"""A sandbox for the tests in here, started once for all of them and emptied for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sandbox_process import Sandbox, running_sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def _one_sandbox() -> Iterator[Sandbox]:
    with running_sandbox() as running:
        yield running


@pytest.fixture
def sandbox(_one_sandbox: Sandbox) -> Iterator[Sandbox]:
    """An empty sandbox without faults."""
    _one_sandbox.clear()
    yield _one_sandbox
    _one_sandbox.put_faults({})
