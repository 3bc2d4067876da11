"""The ledger in PostgreSQL: shared by runs of many machines, through crashes of theirs and of the server's."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import date, timedelta

import pytest
from hypothesis import Phase, settings

from target_applied_events.errors import LedgerError
from target_applied_events.ledger import REFRESH_DAYS, Ledger
from tests.ledgers import DAY, DELIVERED, IN_DOUBT, SHOP, Clock, Runs, events, key, opened, running
from tests.with_postgres.own_server import in_new_schema, sql, wait_until

# --- what is known -------------------------------------------------------------------------------------------------


def test_what_was_delivered_is_known_in_a_later_run_and_what_never_ended_is_in_doubt(url: str) -> None:
    with running(url) as ledger:
        assert ledger.opening().is_new
        ledger.commit(intents=events([1, 2, 3]))
        ledger.commit(delivered=[key(1)], withdrawn=[key(2)])
        ledger.sync()
    with running(url, "run-2") as ledger:
        assert ledger.standing([key(1), key(2), key(3)]) == {key(1): DELIVERED, key(3): IN_DOUBT}
        (doubt,) = ledger.in_doubt()
        assert (doubt.key, doubt.stream, doubt.key_properties, doubt.run) == (
            key(3),
            "public-orders",
            {"id": 3},
            "run-1",
        )
        opening = ledger.opening()
        assert (opening.is_new, opening.delivered, opening.in_doubt) == (False, 1, 1)


def test_the_opening_shows_no_password(url: str) -> None:
    with running(url) as ledger:
        assert ":x@" not in ledger.opening().text() + repr(ledger)


def test_a_delivery_is_known_for_its_shop_and_its_endpoint_alone(url: str) -> None:
    with running(url) as ledger:
        ledger.commit(intents=events([1]))
        assert not ledger.knows_delivery(SHOP)
        ledger.commit(delivered=[key(1)])
    with running(url, "run-2") as ledger:
        assert ledger.knows_delivery(SHOP)
        assert not ledger.knows_delivery("another shop")
    with running(url, "run-3", origin="https://elsewhere.example.com") as ledger:
        assert not ledger.knows_delivery(SHOP)


def test_marked_events_are_known_and_old_ones_are_forgotten(url: str) -> None:
    clock = Clock()
    today = date(1970, 1, 1) + timedelta(days=clock.now // DAY)
    with running(url, clock=clock) as ledger:
        ledger.commit(intents=events([3]))
    with running(url, "run-2", clock=clock) as ledger:
        assert ledger.mark_delivered(events([1, 2])) == 2
        clock.now += REFRESH_DAYS * DAY
        ledger.standing([key(1)])
        assert ledger.forget_before(today + timedelta(days=REFRESH_DAYS)) == 2  # event 2, and the doubt of 3
        assert ledger.standing([key(1), key(2), key(3)]) == {key(1): DELIVERED}


def test_names_that_the_server_cannot_store_are_written_otherwise(url: str) -> None:
    (odd,) = events([1])
    odd = type(odd)("\0\ud800", odd.mapping, odd.shop_id, odd.body, odd.key, (), {"\0\ud800": "\0\ud800"}, {})
    with running(url) as ledger:
        ledger.commit(intents=[odd])
    with running(url, "run-2") as ledger:
        assert [doubt.key_properties for doubt in ledger.in_doubt()] == [{"\0\ud800": "\0\ud800"}]


# --- runs that meet ------------------------------------------------------------------------------------------------


def test_a_run_that_meets_a_living_runs_event_stops_names_it_and_notes_no_intent(url: str) -> None:
    with running(url, "first-run") as first:
        with running(url, "second-run") as second:
            second.commit(intents=events([5]))
            first.commit(intents=events([1]))
            with pytest.raises(LedgerError, match="first-run"):
                second.standing([key(1)])
            with pytest.raises(LedgerError, match="first-run"):
                second.commit(intents=events([0, 1, 2]), delivered=[key(5)])
        with running(url, "third-run") as third:
            assert third.standing([key(0), key(2), key(5)]) == {key(5): DELIVERED}


def test_a_run_that_intends_what_another_has_delivered_meanwhile_stops(url: str) -> None:
    with running(url) as first, running(url, "run-2") as second:
        first.commit(intents=events([1]))
        first.commit(delivered=[key(1)])
        with pytest.raises(LedgerError, match="has delivered an event"):
            second.commit(intents=events([1]))


def test_an_event_delivered_by_a_commit_cannot_be_intended_by_it(url: str) -> None:
    with running(url) as ledger:
        ledger.commit(intents=events([1]))
        with pytest.raises(LedgerError, match="has delivered an event"):
            ledger.commit(delivered=[key(1)], intents=events([1]))
        assert ledger.standing([key(1)]) == {key(1): DELIVERED}


CHILD = """
import sys
from target_applied_events.ledger import open_ledger
from tests.ledgers import ORIGIN, events
ledger = open_ledger(sys.argv[1], origin=ORIGIN, run_id="killed-run")
ledger.commit(intents=events([1]))
print("noted", flush=True)
sys.stdin.read()
"""


def test_a_killed_runs_intents_are_in_doubt_as_soon_as_the_server_has_seen_its_end(url: str) -> None:
    with subprocess.Popen([sys.executable, "-c", CHILD, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == b"noted\n"
            with running(url) as ledger, pytest.raises(LedgerError, match="killed-run"):
                ledger.standing([key(1)])
        finally:
            child.send_signal(signal.SIGKILL)
    wait_until(lambda: not sql(url, "SELECT 1 FROM pg_locks WHERE locktype = 'advisory'"))
    with running(url, "run-2") as ledger:
        assert ledger.standing([key(1)]) == {key(1): IN_DOUBT}
        ledger.commit(intents=events([1]))
        ledger.commit(delivered=[key(1)])
        assert list(ledger.in_doubt()) == []


# --- one rate for all runs -----------------------------------------------------------------------------------------


def test_permits_of_all_runs_together_keep_the_rate_by_the_servers_clock(url: str) -> None:
    with running(url, clock=Clock(0)) as first, running(url, "run-2", clock=Clock(1e12)) as second:
        waits = [ledger.reserve("bucket", 2, per_second=0.01) for _ in range(5) for ledger in (first, second)]
    assert waits[0] == 0
    assert waits == pytest.approx([200 * place for place in range(10)], abs=30)  # less the time the test takes


def test_a_hold_stops_all_runs(url: str) -> None:
    with running(url) as first, running(url, "run-2") as second:
        first.hold_all("bucket", 1_000)
        first.hold_all("bucket", 10)
        assert second.held_for("bucket") == pytest.approx(1_000, abs=30)
        assert second.reserve("bucket", 1, per_second=1) == pytest.approx(1_000, abs=30)
        assert second.held_for("another") == 0


# --- any course of runs, crashes and commits -----------------------------------------------------------------------


class PostgresRuns(Runs):
    server = ""

    def __init__(self) -> None:
        super().__init__()
        self.url = in_new_schema(self.server)

    def opened(self, run: str) -> Ledger:
        return opened(self.url, run)

    def crash_of(self, ledger: Ledger) -> None:
        session = ledger._store._session  # type: ignore[attr-defined]  # noqa: SLF001 - nothing public does this
        backend = session.ask("SELECT pg_backend_pid()")[0][0]
        session._disconnect()  # noqa: SLF001 - as above
        wait_until(lambda: backend not in {pid for (pid,) in sql(self.server, "SELECT pid FROM pg_stat_activity")})
        session.close()


@pytest.fixture(scope="module")
def server_of_the_runs(server: str) -> None:
    PostgresRuns.server = server


TestRuns = pytest.mark.usefixtures("server_of_the_runs")(PostgresRuns.TestCase)
TestRuns.settings = settings(
    max_examples=8,
    stateful_step_count=15,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # each example opens sessions: shrinking would take minutes
)
