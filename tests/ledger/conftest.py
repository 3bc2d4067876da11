"""The file of a ledger: none yet, or one of some thousand events."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.ledgers import key, running

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "ledger.sqlite"


@pytest.fixture
def old(path: Path) -> Path:
    """A ledger of some thousand events."""
    with running(path) as ledger:
        ledger.commit(delivered=[key(number) for number in range(5_000)])
    return path
