"""A server that restarts is waited for, and one that stays away isn't for ever."""

from __future__ import annotations

import time

import pytest

from target_applied_events import restarts
from target_applied_events.restarts import reconnect


class Server:
    """Refuses connections so often, and counts them."""

    def __init__(self, refusals: float, failure: type[Exception] = ConnectionError) -> None:
        self.asked = 0
        self._refusals, self._failure = refusals, failure

    def connect(self) -> str:
        self.asked += 1
        if self.asked <= self._refusals:
            raise self._failure
        return "connected"


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let time pass only where it is waited for; what was waited."""
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    monkeypatch.setattr(time, "monotonic", lambda: 1000.0 + sum(waits))
    return waits


@pytest.mark.parametrize("refusals", [0, 1, 100])
def test_a_server_is_connected_as_soon_as_it_is_back(waited: list[float], refusals: int) -> None:
    assert reconnect(Server(refusals).connect, ConnectionError) == "connected"
    assert len(waited) == refusals
    assert sum(waited) < restarts.RECONNECT_SECONDS


def test_a_server_that_stays_away_is_waited_for_30_seconds_and_its_failure_is_told(waited: list[float]) -> None:
    with pytest.raises(ConnectionError):
        reconnect(Server(float("inf")).connect, OSError)
    assert 30 <= sum(waited) < 31


def test_what_is_no_sign_of_a_restart_is_raised_at_once(waited: list[float]) -> None:
    server = Server(1, PermissionError)
    with pytest.raises(PermissionError):
        reconnect(server.connect, ConnectionError, TimeoutError)
    assert (server.asked, waited) == (1, [])
