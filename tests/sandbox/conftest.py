"""What the tests of the sandbox share: a store that ends with the test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from target_applied_events.sandbox.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def store() -> Iterator[Store]:
    """An empty store in memory."""
    opened = Store()
    yield opened
    opened.close()
