"""The session of a run with a PostgreSQL ledger: its lock, and its return after a restart of the server."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_applied_events import restarts
from target_applied_events.errors import LedgerError
from target_applied_events.ledger.postgres_session import PostgresSession, UndoneError, lock_of
from target_applied_events.settings.ledger_url import read_ledger_url
from tests.ledgers import DELIVERED, events, key, opened, running
from tests.with_postgres.own_server import lose_sessions, sql, wait_until, with_option
from tests.with_postgres.transaction_pool import running_pool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def session(url: str) -> Iterator[PostgresSession]:
    with contextlib.closing(session_at(url)) as session:
        yield session


def session_at(url: str) -> PostgresSession:
    return PostgresSession.open(read_ledger_url(url), "run")


def answer(session: PostgresSession, statement: str) -> object:
    return session.ask(statement)[0][0]


# --- statements ----------------------------------------------------------------------------------------------------


def test_a_statement_that_divides_by_zero_has_undone_itself_whole(session: PostgresSession) -> None:
    with pytest.raises(UndoneError):
        session.ask(
            "WITH put AS (INSERT INTO applied_events_shops VALUES ('origin', 'shop') RETURNING 1) "
            "SELECT 1 / (SELECT count(*) - 1 FROM put)"
        )
    assert answer(session, "SELECT count(*) FROM applied_events_shops") == 0


def test_a_statement_that_the_server_refuses_is_told_in_a_line_and_the_next_one_runs(session: PostgresSession) -> None:
    with pytest.raises(LedgerError, match="can't be used") as told:
        session.ask("SELECT * FROM nowhere")
    (line,) = str(told.value).splitlines()
    assert 'relation "nowhere" does not exist. See ledger_url' in line
    assert session.ask("CREATE TABLE nowhere ()") == ()
    assert list(session.ask("SELECT * FROM nowhere")) == []


@pytest.mark.parametrize(
    ("setting", "default", "ours"),
    [("synchronous_commit", "off", "on"), ("synchronous_commit", "local", "local"), ("lock_timeout", "0", "10s")],
)
def test_what_a_state_stands_on_is_on_the_servers_disk_and_no_lock_is_waited_for_forever_whatever_the_role_says(
    setting: str, default: str, ours: str, url: str
) -> None:
    with contextlib.closing(session_at(with_option(url, f"{setting}={default}"))) as session:
        assert answer(session, f"SHOW {setting}") == ours
        lose_sessions(url)
        assert answer(session, f"SHOW {setting}") == ours


@pytest.mark.parametrize(("given", "seconds"), [("", "10"), ("&connect_timeout=3", "3")])
def test_how_long_to_wait_for_the_server_is_the_users_where_the_url_says(given: str, seconds: str, url: str) -> None:
    with contextlib.closing(session_at(url + given)) as session:
        driver = session._connection.connection.dbapi_connection  # type: ignore[union-attr]  # noqa: SLF001 - nothing public tells
        assert driver.info.get_parameters()["connect_timeout"] == seconds  # type: ignore[union-attr]


# --- the run's lock ------------------------------------------------------------------------------------------------


def test_the_lock_is_the_sessions_own_and_free_when_close_returns(url: str) -> None:
    free = f"SELECT pg_try_advisory_xact_lock({lock_of('run')})".encode()
    with psycopg.connect(url, autocommit=True) as other:
        for _ in range(10):  # the server alone would free it a moment later
            session = session_at(url)
            held = sql(url, "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted")
            assert held == [(answer(session, "SELECT pg_backend_pid()"),)]
            assert other.execute(free).fetchall() == [(False,)]
            session.close()
            assert other.execute(free).fetchall() == [(True,)]


@given(st.text())
def test_a_locks_number_is_one_that_the_server_takes(run: str) -> None:
    assert -(2**63) <= lock_of(run) < 2**63


def test_a_runs_lock_has_the_same_number_in_every_version() -> None:
    assert (lock_of("run"), lock_of("making the tables")) == (8763481044207180040, -458552589319720260)


def test_a_runs_name_can_be_taken_once_at_a_time(url: str) -> None:
    with running(url), pytest.raises(LedgerError, match="run-1 already"):
        opened(url)
    with running(url):
        pass


def test_an_opening_that_fails_leaves_no_session(url: str) -> None:
    opened(url).close()
    sql(url, "CREATE ROLE once LOGIN CONNECTION LIMIT 1 IN ROLE pg_read_all_data, pg_write_all_data")
    with pytest.raises(LedgerError, match="can't be used") as raised:
        session_at(url.replace("postgres:x@", "once:x@"))
    wait_until(lambda: not sql(url, "SELECT 1 FROM pg_stat_activity WHERE usename = 'once'"))
    assert "too many connections" in str(raised.value)  # while it is here, what it refers to isn't cleared away


# --- a server that goes away ---------------------------------------------------------------------------------------


def test_after_a_lost_connection_a_statement_is_run_in_a_new_session(session: PostgresSession, url: str) -> None:
    lost = answer(session, "SELECT pg_backend_pid()")
    assert repr(session).endswith(f" backend={lost}>")
    lose_sessions(url)
    backend = answer(session, "SELECT pg_backend_pid()")
    assert backend != lost
    assert repr(session).endswith(f" backend={backend}>")


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
    monkeypatch.setattr(restarts, "RECONNECT_SECONDS", 0.5)
    with running(url) as ledger:
        lose_sessions(url)
        with psycopg.connect(url) as usurper:
            usurper.execute("SELECT pg_advisory_lock(%s)", (lock_of("run-1"),))
            with pytest.raises(LedgerError, match="run-1 already"):
                ledger.commit(delivered=[key(1)])
    with running(url, "run-2") as ledger:
        assert ledger.standing([key(1)]) == {}


def test_a_server_that_stays_away_stops_the_run(
    server: str, away: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restarts, "RECONNECT_SECONDS", 0.5)
    with running(server.replace("/postgres?", "/away?")) as ledger:
        away("false")
        lose_sessions(server)
        with pytest.raises(LedgerError, match="can't be used"):
            ledger.commit(delivered=[key(1)])
        with pytest.raises(LedgerError, match="was lost"):
            ledger.standing([key(1)])


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
        opened(with_option(url, "default_transaction_read_only=on"))


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


def test_without_its_driver_it_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(LedgerError, match=r"install `target-applied-events\[postgres\]`"):
        session_at("postgresql://localhost/ops")
