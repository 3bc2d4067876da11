from __future__ import annotations

import contextlib
import json
import sqlite3
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_applied_events.errors import LedgerError
from target_applied_events.event import Event
from target_applied_events.ledger.sqlite_file import APPLICATION_ID
from target_applied_events.ledger.tables import RESERVE, VERSION, Intent, Notes
from tests.ledger.files import sql
from tests.ledgers import DELIVERED, IN_DOUBT, ORIGIN, SHOP, key, opened, running

if TYPE_CHECKING:
    from pathlib import Path

    from target_applied_events.event import Json

# A ledger as version 1 makes it. What is written here never changes: such files lie on disks.
VERSION_1 = f"""
CREATE TABLE applied_events_about (
  version INTEGER NOT NULL, created_at BIGINT NOT NULL, delivered BIGINT NOT NULL, stamps BIGINT NOT NULL
);
CREATE TABLE applied_events_delivered ("key" BLOB NOT NULL, met SMALLINT NOT NULL, PRIMARY KEY ("key")) WITHOUT ROWID;
CREATE TABLE applied_events_intents (
  "key" BLOB NOT NULL, run TEXT NOT NULL, since BIGINT NOT NULL, stream TEXT NOT NULL, key_properties TEXT NOT NULL,
  PRIMARY KEY ("key")
) WITHOUT ROWID;
CREATE TABLE applied_events_shops (origin TEXT NOT NULL, shop_id TEXT NOT NULL, PRIMARY KEY (origin, shop_id))
  WITHOUT ROWID;
CREATE TABLE applied_events_pace (
  bucket TEXT NOT NULL, at FLOAT NOT NULL, free_at FLOAT NOT NULL, held_until FLOAT NOT NULL, PRIMARY KEY (bucket)
) WITHOUT ROWID;
PRAGMA application_id = {APPLICATION_ID};
INSERT INTO applied_events_about VALUES (1, 1780000000, 1, 3);
INSERT INTO applied_events_delivered VALUES (X'{key(1).hex()}', 20000);
INSERT INTO applied_events_intents VALUES (X'{key(2).hex()}', 'old-run', 1780000600, 'public-orders', '{{"id": 2}}');
INSERT INTO applied_events_shops VALUES ('{ORIGIN}', '{SHOP}');
INSERT INTO applied_events_pace VALUES ('bucket', 1728000000.0, 1728000007.0, 1728000003.0);
"""  # noqa: S608 - made of constants


@pytest.fixture
def version_1(path: Path) -> Path:
    path.parent.mkdir()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(VERSION_1)
    return path


def tables(path: Path) -> dict[object, str]:
    made = sql(path, "SELECT name, sql FROM sqlite_master WHERE type = 'table'")
    return {name: "".join(str(statement).split()) for name, statement in made}


# --- versions ------------------------------------------------------------------------------------------------------


def test_what_a_ledger_of_version_1_knows_is_known(version_1: Path) -> None:
    with running(version_1) as ledger:
        assert (
            ledger.opening()
            .text()
            .endswith("1 events delivered since 2026-05-28, 1 in doubt (`ledger --in-doubt` shows them)")
        )
        assert ledger.standing([key(1), key(2), key(3)]) == {key(1): DELIVERED, key(2): IN_DOUBT}
        (doubt,) = ledger.in_doubt()
        assert (doubt.run, doubt.stream, doubt.key_properties) == ("old-run", "public-orders", {"id": 2})
        assert ledger.knows_delivery(SHOP)
        assert (ledger.held_for("bucket"), ledger.reserve("bucket", 1, per_second=1)) == (3, 7)


def test_other_tables_are_of_another_version(version_1: Path, tmp_path: Path) -> None:
    opened(tmp_path / "new.sqlite").close()
    assert VERSION == 1
    assert tables(tmp_path / "new.sqlite") == tables(version_1)


def test_a_ledger_of_a_later_version_is_refused(version_1: Path) -> None:
    sql(version_1, "UPDATE applied_events_about SET version = 99")
    with pytest.raises(LedgerError, match="later version"):
        opened(version_1)


def test_a_ledger_without_its_contents_is_refused(version_1: Path) -> None:
    sql(version_1, "DELETE FROM applied_events_about")
    with pytest.raises(LedgerError, match="holds no ledger"):
        opened(version_1)


# --- what is noted -------------------------------------------------------------------------------------------------

json_values = st.none() | st.booleans() | st.integers() | st.text()


@given(stream=st.text(), key_properties=st.dictionaries(st.text(), json_values))
def test_any_intent_is_text_that_every_database_stores(stream: str, key_properties: dict[str, Json]) -> None:
    intent = Intent.of(Event(stream, "mappings[0]", SHOP, b"{}", key(1), (), key_properties, {}))
    for text in (intent.stream, intent.key_properties):
        assert b"\0" not in text.encode("utf-8")
    assert json.loads(intent.key_properties) == key_properties


def test_a_key_property_that_json_has_no_word_for_is_noted_as_it_reads() -> None:
    odd: dict[str, Any] = {"id": Decimal("1.10"), "at": datetime(2026, 4, 7, 14, 30, tzinfo=UTC)}
    intent = Intent.of(Event("orders", "mappings[0]", SHOP, b"{}", key(1), (), odd, {}))
    assert json.loads(intent.key_properties) == {"id": "1.10", "at": "2026-04-07 14:30:00+00:00"}


@pytest.mark.parametrize(("now", "day"), [(0.0, 0), (86_399.9, 0), (86_400.0, 1), (1_780_000_000.0, 20_601)])
def test_a_day_is_one_of_the_epoch(now: float, day: int) -> None:
    assert Notes(run="run", now=now).day == day


# --- a shared rate -------------------------------------------------------------------------------------------------

RESERVED = RESERVE.format(bucket="'new bucket'", now=":now", cost=":cost", hold=":hold", most="max")

# In quarters, which floats hold exactly: what passes, how far the clock is set back, what is reserved, what is held.
quarters = st.integers(0, 80).map(lambda number: number / 4)
calls = st.lists(st.tuples(quarters, st.sampled_from([0, 0, 0, 0.5, 1.25, 90, 1e7]), quarters, quarters), max_size=12)


@given(calls)
def test_reservations_never_overlap_and_none_waits_for_a_clock_that_was_set_back(
    calls: list[tuple[float, float, float, float]],
) -> None:
    clock, passed, free_at, ahead = 1.7e9, 0.0, 0.0, 0.0
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(VERSION_1)
        for seconds, back, cost, hold in calls:
            clock, passed = clock + seconds - back, passed + seconds
            values = {"now": clock, "cost": cost, "hold": hold}
            ((wait, held),) = connection.execute(RESERVED, values).fetchall()
            assert passed + wait >= free_at
            assert held >= hold
            assert 0 <= wait <= ahead + 1
            free_at = max(passed + wait + cost, passed + held)
            ahead = max(wait + cost, held)
