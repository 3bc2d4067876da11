"""The ledger in PostgreSQL: shared by runs of many machines, through crashes of theirs and of the server's."""

from __future__ import annotations

import itertools
import signal
import subprocess
import sys
import tempfile
import threading
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import psycopg
import pytest
from hypothesis import Phase, settings

from demo import postgres
from target_applied_events.errors import LedgerError
from target_applied_events.ledger import REFRESH_DAYS, Ledger, postgres_session
from tests.ledgers import DAY, DELIVERED, IN_DOUBT, SHOP, Clock, Runs, events, key, opened, running
from tests.with_postgres.transaction_pool import running_pool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

schemas = itertools.count()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A server for these tests alone: some of them hurt it."""
    with tempfile.TemporaryDirectory(prefix="ledger-") as folder, postgres.running(Path(folder) / "data") as socket:
        PostgresRuns.server = postgres.url(socket)
        yield postgres.url(socket)


@pytest.fixture
def url(server: str) -> str:
    return in_new_schema(server)


def in_new_schema(server: str) -> str:
    schema = f"ledger_{next(schemas)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}".encode())
    return f"{server}&options={quote(f'-csearch_path={schema}')}"


def sql(url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def lose_sessions(url: str) -> None:
    sql(
        url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND usename IS NOT NULL",
    )


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


def test_a_runs_name_can_be_taken_once_at_a_time(url: str) -> None:
    with running(url), pytest.raises(LedgerError, match="run-1 already"):
        opened(url)
    with running(url):
        pass


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


def wait_until(condition: Callable[[], bool]) -> None:
    while not condition():
        pass


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


# --- a server that goes away ---------------------------------------------------------------------------------------


def test_a_lost_session_is_made_anew_with_the_runs_lock_before_anything_is_noted(url: str) -> None:
    with running(url, "first-run") as first:
        first.commit(intents=events([1]))
        lose_sessions(url)
        first.commit(delivered=[key(1)], intents=events([2]))
        with running(url, "run-2") as second:
            with pytest.raises(LedgerError, match="first-run"):
                second.standing([key(2)])
            assert second.standing([key(1)]) == {key(1): DELIVERED}


def test_a_run_whose_lock_cannot_be_taken_again_stops(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_session, "RECONNECT_SECONDS", 0.5)
    with running(url) as ledger:
        lose_sessions(url)
        with psycopg.connect(url) as usurper:
            usurper.execute("SELECT pg_advisory_lock(%s)", (postgres_session.lock_of("run-1"),))
            with pytest.raises(LedgerError, match="run-1 already"):
                ledger.commit(delivered=[key(1)])
    with running(url, "run-2") as ledger:
        assert ledger.standing([key(1)]) == {}


@pytest.fixture
def away(server: str) -> Iterator[Callable[[str], None]]:
    """A database that can be shut and opened again, by `false` and `true`."""
    sql(server, "CREATE DATABASE away")

    def allow(connections: str) -> None:
        sql(server, f"ALTER DATABASE away ALLOW_CONNECTIONS {connections}")

    yield allow
    sql(server, "DROP DATABASE away WITH (FORCE)")


def test_a_server_that_stays_away_stops_the_run(
    server: str, away: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_session, "RECONNECT_SECONDS", 0.5)
    with running(server.replace("/postgres?", "/away?")) as ledger:
        away("false")
        lose_sessions(server)
        with pytest.raises(LedgerError, match="can't be used"):
            ledger.commit(delivered=[key(1)])


def test_a_server_that_comes_back_is_waited_for(server: str, away: Callable[[str], None]) -> None:
    with running(server.replace("/postgres?", "/away?")) as ledger:
        away("false")
        lose_sessions(server)
        return_of_the_server = threading.Timer(0.5, away, ["true"])
        return_of_the_server.start()
        ledger.commit(delivered=[key(1)])
        return_of_the_server.join()
        assert ledger.standing([key(1)]) == {key(1): DELIVERED}


# --- ledgers that can't be used ------------------------------------------------------------------------------------


def test_a_ledger_of_a_later_version_is_refused(url: str) -> None:
    opened(url).close()
    sql(url, "UPDATE applied_events_about SET version = 99")
    with pytest.raises(LedgerError, match="later version"):
        opened(url)


def test_a_database_that_cannot_be_written_is_refused(url: str) -> None:
    opened(url).close()
    with pytest.raises(LedgerError, match="read-only"):
        opened(url.replace("options=", f"options={quote('-cdefault_transaction_read_only=on ')}"))


@pytest.mark.parametrize("in_turn", [False, True])
def test_a_pool_that_cannot_hold_a_runs_lock_is_refused(server: str, in_turn: bool) -> None:  # noqa: FBT001 - a parameter
    socket = Path(server.partition("host=")[2])
    with running_pool(socket, in_turn=in_turn) as port:
        pooled = f"postgresql://postgres:x@127.0.0.1:{port}/postgres"
        assert sql(pooled, "SELECT 1") == [(1,)]
        with pytest.raises(LedgerError, match="PgBouncer by transaction"):
            opened(pooled)


def test_several_first_runs_make_one_ledger(url: str) -> None:
    program = "import sys; from tests.ledgers import *; from target_applied_events.ledger import open_ledger; "
    program += "open_ledger(sys.argv[1], origin=ORIGIN, run_id=sys.argv[2]).close()"
    command = [sys.executable, "-c", program, url]
    children = [subprocess.Popen([*command, f"run-{number}"]) for number in range(3)]
    for child in children:
        child.wait()
    assert [child.returncode for child in children] == [0, 0, 0]
    assert sql(url, "SELECT count(*) FROM applied_events_about") == [(1,)]


def test_what_a_state_stands_on_is_on_the_servers_disk_whatever_the_role_says(url: str) -> None:
    with running(url.replace("options=", f"options={quote('-csynchronous_commit=off ')}")) as ledger:
        ledger.commit(delivered=[key(1)])
        shown = ledger._store._session.ask("SHOW synchronous_commit")  # type: ignore[attr-defined]  # noqa: SLF001 - nothing public tells
        assert [tuple(row) for row in shown] == [("on",)]


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


TestRuns = pytest.mark.usefixtures("server")(PostgresRuns.TestCase)
TestRuns.settings = settings(
    max_examples=8,
    stateful_step_count=15,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # each example opens sessions: shrinking would take minutes
)
