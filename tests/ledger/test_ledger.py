"""What was delivered is known in later runs, what nobody can tell is in doubt, and runs share both."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import settings

from target_applied_events.errors import LedgerError
from target_applied_events.ledger import REFRESH_DAYS, Ledger, open_ledger
from tests.ledger.files import sql
from tests.ledgers import DAY, DELIVERED, IN_DOUBT, ORIGIN, SHOP, Clock, Runs, events, key, opened, running

# --- what is known -------------------------------------------------------------------------------------------------


def test_what_was_delivered_is_known_in_a_later_run(path: Path) -> None:
    with running(path) as ledger:
        ledger.commit(intents=events([1, 2]))
        ledger.commit(delivered=[key(1)], withdrawn=[key(2)])
    with running(path, "run-2") as ledger:
        assert ledger.standing([key(1), key(2), key(3)]) == {key(1): DELIVERED}


def test_what_was_intended_and_never_ended_is_in_doubt_in_a_later_run(path: Path) -> None:
    clock = Clock()
    with running(path, clock=clock) as ledger:
        ledger.commit(intents=events([1]))
    with running(path, "run-2") as ledger:
        assert ledger.standing([key(1)]) == {key(1): IN_DOUBT}
        (doubt,) = ledger.in_doubt()
        assert (doubt.key, doubt.stream, doubt.key_properties) == (key(1), "public-orders", {"id": 1})
        assert (doubt.run, doubt.since) == ("run-1", datetime.fromtimestamp(clock.now, UTC))


def test_what_this_run_sent_without_an_answer_is_in_doubt_to_itself_but_not_listed_as_another_runs(path: Path) -> None:
    with running(path) as ledger:
        ledger.commit(intents=events([1]))
        assert ledger.standing([key(1)]) == {key(1): IN_DOUBT}
        assert list(ledger.in_doubt()) == []


def test_an_event_in_doubt_that_is_sent_again_is_the_later_runs(path: Path) -> None:
    with running(path) as ledger:
        ledger.commit(intents=events([1, 2]))
    with running(path, "run-2") as ledger:
        ledger.commit(intents=events([1, 2]))
        assert list(ledger.in_doubt()) == []
        ledger.commit(delivered=[key(1)])
    with running(path, "run-3") as ledger:
        assert ledger.standing([key(1), key(2)]) == {key(1): DELIVERED, key(2): IN_DOUBT}
        assert [doubt.run for doubt in ledger.in_doubt()] == ["run-2"]


def test_thousands_of_keys_are_asked_in_one_go_however_often_each_comes(path: Path) -> None:
    with running(path) as ledger:
        ledger.commit(delivered=[key(number) for number in range(0, 3_000, 2)])
        standing = ledger.standing([key(number) for number in range(3_000)] * 2)
        assert standing == {key(number): DELIVERED for number in range(0, 3_000, 2)}


def test_no_keys_are_asked_for_nothing(path: Path) -> None:
    with running(path) as ledger:
        assert ledger.standing([]) == {}


def test_a_key_withdrawn_and_intended_in_one_commit_is_intended(path: Path) -> None:
    with running(path) as ledger:
        ledger.commit(intents=events([1]))
        ledger.commit(withdrawn=[key(1)], intents=events([1]))
        assert ledger.standing([key(1)]) == {key(1): IN_DOUBT}


# --- what was delivered where --------------------------------------------------------------------------------------


def test_a_delivery_is_known_for_its_shop_and_its_endpoint_alone(path: Path) -> None:
    with running(path) as ledger:
        assert not ledger.knows_delivery(SHOP)
        ledger.commit(intents=events([1]))
        assert not ledger.knows_delivery(SHOP)
        ledger.commit(delivered=[key(1)])
        assert ledger.knows_delivery(SHOP)
    with running(path, "run-2") as ledger:
        assert ledger.knows_delivery(SHOP)
        assert not ledger.knows_delivery("another shop")
    with running(path, "run-3", origin="https://elsewhere.example.com") as ledger:
        assert not ledger.knows_delivery(SHOP)


def test_a_refused_event_is_no_delivery_to_its_shop(path: Path) -> None:
    with running(path) as ledger:
        ledger.commit(intents=events([1]))
        ledger.commit(withdrawn=[key(1)])
        assert not ledger.knows_delivery(SHOP)


# --- how much, since when ------------------------------------------------------------------------------------------


def test_the_opening_tells_a_new_ledger_from_an_old_one(path: Path) -> None:
    with running(path) as ledger:
        assert ledger.opening().is_new
        assert f"{path}, new" in ledger.opening().text()
        ledger.commit(intents=events([3]), delivered=[key(1), key(2), key(1)])
    with running(path, "run-2") as ledger:
        opening = ledger.opening()
        assert (opening.is_new, opening.delivered, opening.in_doubt) == (False, 2, 1)
        assert opening.since is not None
        assert datetime.now(UTC) - opening.since < timedelta(minutes=1)
        assert f"2 events delivered since {opening.since:%Y-%m-%d}, 1 in doubt" in opening.text()


def test_marked_events_are_known_as_delivered_and_counted_once(path: Path) -> None:
    with running(path) as ledger:
        ledger.commit(intents=events([1]), delivered=[key(2)])
    with running(path, "run-2") as ledger:
        assert ledger.mark_delivered(events([1, 2, 3, 3])) == 2
        assert ledger.standing([key(1), key(2), key(3)]) == dict.fromkeys([key(1), key(2), key(3)], DELIVERED)
        assert list(ledger.in_doubt()) == []
        assert ledger.knows_delivery(SHOP)


def test_events_are_forgotten_by_the_day_they_were_last_met(path: Path) -> None:
    clock = Clock()
    today = date(1970, 1, 1) + timedelta(days=clock.now // DAY)
    with running(path, clock=clock) as ledger:
        ledger.commit(delivered=[key(1), key(2)])
        clock.now += REFRESH_DAYS * DAY
        ledger.standing([key(1)])
        assert ledger.forget_before(today + timedelta(days=REFRESH_DAYS - 1)) == 0
        assert ledger.forget_before(today + timedelta(days=REFRESH_DAYS)) == 1
        assert ledger.standing([key(1), key(2)]) == {key(1): DELIVERED}
        assert ledger.opening().delivered == 1


def test_an_event_met_within_thirty_days_is_not_written_again(path: Path) -> None:
    clock = Clock()
    with running(path, clock=clock) as ledger:
        ledger.commit(delivered=[key(1)])
        clock.now += (REFRESH_DAYS - 1) * DAY
        ledger.standing([key(1)])
        assert sql(path, "SELECT met FROM applied_events_delivered") == [(20_000,)]
        clock.now += DAY
        ledger.standing([key(1)])
        assert sql(path, "SELECT met FROM applied_events_delivered") == [(20_000 + REFRESH_DAYS,)]


def test_no_event_is_forgotten_that_may_have_been_met_since(path: Path) -> None:
    clock = Clock()
    with running(path, clock=clock) as ledger:
        ledger.commit(delivered=[key(1)])
        clock.now += (REFRESH_DAYS - 1) * DAY
        ledger.standing([key(1)])  # met, and not written
        ledger.forget_before(date(1970, 1, 1) + timedelta(days=clock.now // DAY))
        assert ledger.standing([key(1)]) == {key(1): DELIVERED}


def test_doubts_are_forgotten_by_the_day_they_arose(path: Path) -> None:
    clock = Clock()
    today = date(1970, 1, 1) + timedelta(days=clock.now // DAY)
    with running(path, clock=clock) as ledger:
        ledger.commit(intents=events([1]))
    with running(path, "run-2", clock=clock) as ledger:
        assert ledger.forget_before(today) == 0
        assert ledger.forget_before(today + timedelta(days=1)) == 1


def test_doubts_are_forgotten_too_but_not_what_a_living_run_is_sending(path: Path) -> None:
    clock = Clock()
    with running(path, clock=clock) as ledger:
        ledger.commit(intents=events([1]))
    with running(path, "run-2", clock=clock) as living, running(path, "run-3", clock=clock) as ledger:
        living.commit(intents=events([2]))
        assert ledger.forget_before(date(2100, 1, 1)) == 1
        assert ledger.standing([key(1)]) == {}
        with pytest.raises(LedgerError):
            ledger.standing([key(2)])


# --- runs that meet ------------------------------------------------------------------------------------------------


def test_runs_share_a_ledger_while_their_events_differ(path: Path) -> None:
    with running(path) as first, running(path, "run-2") as second:
        first.commit(intents=events([1]))
        second.commit(intents=events([2]))
        first.commit(delivered=[key(1)])
        second.commit(delivered=[key(2)])
        assert first.standing([key(1), key(2)]) == {key(1): DELIVERED, key(2): DELIVERED}


def test_a_run_that_asks_for_an_event_of_a_living_run_stops_and_names_it(path: Path) -> None:
    with running(path, "first-run") as first, running(path, "second-run") as second:
        first.commit(intents=events([1]))
        with pytest.raises(LedgerError, match="first-run"):
            second.standing([key(1)])


def test_a_run_that_intends_an_event_of_a_living_run_stops_names_it_and_notes_no_intent(path: Path) -> None:
    with running(path, "first-run") as first:
        with running(path, "second-run") as second:
            second.commit(intents=events([5]))
            first.commit(intents=events([1]))
            with pytest.raises(LedgerError, match="first-run"):
                second.commit(intents=events([0, 1, 2]), delivered=[key(5)])
        with running(path, "third-run") as third:
            assert third.standing([key(0), key(2), key(5)]) == {key(5): DELIVERED}
        first.commit(delivered=[key(1)])


def test_a_run_that_intends_what_another_has_delivered_meanwhile_stops(path: Path) -> None:
    with running(path) as first, running(path, "run-2") as second:
        assert second.standing([key(1)]) == {}
        first.commit(intents=events([1]))
        first.commit(delivered=[key(1)])
        with pytest.raises(LedgerError, match="has delivered an event"):
            second.commit(intents=events([1]))


CHILD = """
import sys
from target_applied_events.ledger import open_ledger
from tests.ledger.files import sql
from tests.ledgers import ORIGIN, events
ledger = open_ledger(sys.argv[1], origin=ORIGIN, run_id="killed-run")
ledger.commit(intents=events([1, 2]))
ledger.commit(delivered=events([2]))
print("noted", flush=True)
sys.stdin.read()
"""


def test_a_killed_runs_intents_are_taken_while_it_lives_and_in_doubt_once_it_is_dead(path: Path) -> None:
    url = f"sqlite:///{path}"
    with subprocess.Popen([sys.executable, "-c", CHILD, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == b"noted\n"
            with running(path) as ledger, pytest.raises(LedgerError, match="killed-run"):
                ledger.standing([key(1)])
        finally:
            child.send_signal(signal.SIGKILL)
    with running(path, "run-2") as ledger:
        assert ledger.opening().in_doubt == 1
        assert ledger.standing([key(1), key(2)]) == {key(1): IN_DOUBT, key(2): DELIVERED}
        ledger.commit(intents=events([1]))
        ledger.commit(delivered=[key(1)])
    assert list(path.parent.glob("*run*")) == []


# --- one rate for all runs -----------------------------------------------------------------------------------------


def test_permits_of_all_runs_together_keep_the_rate(path: Path) -> None:
    clock = Clock()
    with running(path, clock=clock) as first, running(path, "run-2", clock=clock) as second:
        used = sorted(
            clock.now + ledger.reserve("bucket", 2, per_second=10) for _ in range(20) for ledger in (first, second)
        )
    assert used[0] == clock.now
    assert [round(later - earlier, 3) for earlier, later in pairwise(used)] == [0.2] * 39


def test_permits_that_nobody_used_are_not_saved_up(path: Path) -> None:
    clock = Clock()
    with running(path, clock=clock) as ledger:
        ledger.reserve("bucket", 1, per_second=1)
        clock.now += 3_600
        assert ledger.reserve("bucket", 1, per_second=1) == 0
        assert ledger.reserve("bucket", 1, per_second=1) == pytest.approx(1)


def test_a_hold_stops_all_runs_and_each_bucket_has_its_own(path: Path) -> None:
    clock = Clock()
    with running(path, clock=clock) as first, running(path, "run-2", clock=clock) as second:
        first.hold_all("bucket", 60)
        first.hold_all("bucket", 10)
        assert second.held_for("bucket") == pytest.approx(60)
        assert second.reserve("bucket", 5, per_second=1) == pytest.approx(60)
        assert second.reserve("bucket", 5, per_second=1) == pytest.approx(65)
        assert second.held_for("another") == second.reserve("another", 1, per_second=1) == 0
        clock.now += 61
        assert first.held_for("bucket") == 0


def test_a_clock_set_back_by_a_year_holds_nobody_for_a_year(path: Path) -> None:
    clock = Clock()
    with running(path, clock=clock) as ledger:
        ledger.hold_all("bucket", 60)
        ledger.reserve("bucket", 1, per_second=1)
        clock.now -= 365 * DAY
        assert ledger.held_for("bucket") == pytest.approx(60)
        assert ledger.reserve("bucket", 1, per_second=1) == pytest.approx(61)


# --- the setting ---------------------------------------------------------------------------------------------------

SECRET = "s3cr3t"


def test_a_ledger_url_that_leads_to_no_ledger_opens_none_and_is_not_shown() -> None:
    with pytest.raises(LedgerError, match=r"^`ledger_url` is of a kind that can't hold a ledger") as raised:
        open_ledger(f"mysql://user:{SECRET}@host/db", origin=ORIGIN, run_id="run")
    assert SECRET not in str(raised.value)


def test_a_server_that_is_not_there_is_told_without_the_password() -> None:
    with pytest.raises(LedgerError, match="can't be used") as raised:
        open_ledger(f"postgresql://user:{SECRET}@127.0.0.1:1/ops", origin=ORIGIN, run_id="run")
    assert SECRET not in str(raised.value)
    assert "127.0.0.1:1" in str(raised.value)


# --- any course of runs, crashes and commits -----------------------------------------------------------------------


class SqliteRuns(Runs):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()

    def teardown(self) -> None:
        super().teardown()
        self.folder.cleanup()

    def opened(self, run: str) -> Ledger:
        return opened(Path(self.folder.name) / "ledger.sqlite", run)

    def crash_of(self, ledger: Ledger) -> None:
        store = ledger._store  # noqa: SLF001 - nothing public does this
        store._connection.close()  # type: ignore[attr-defined]  # noqa: SLF001 - as above
        os.close(store._lock._descriptor)  # type: ignore[attr-defined]  # noqa: SLF001 - as above


TestRuns = SqliteRuns.TestCase
TestRuns.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
