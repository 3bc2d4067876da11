"""A target that is forked for each run, and a last look at what a test left on the disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.with_sandbox.crashes import key_is_found
from tests.with_sandbox.forked_target import ForkedTarget

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def target() -> Iterator[ForkedTarget]:
    """Imported once for all tests of a module."""
    with ForkedTarget() as started:
        yield started


@pytest.fixture
def _no_file_holds_the_key(tmp_path: Path) -> Iterator[None]:
    """Fail a test that leaves the key anywhere but in its config."""
    yield
    assert not key_is_found(tmp_path)
