"""The demo's pipeline, run twice with new rows between: PostgreSQL, tap-postgres, Meltano, the target, an endpoint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from demo import postgres, shop
from demo.pipeline import API_KEY, Pipeline
from tests.sandbox_process import running_sandbox
from tests.with_postgres.expected import Body, Rows, bodies, by_contact, in_one_order

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("two runs")]


@dataclass(frozen=True, slots=True)
class TwoRuns:
    """What the tables held before each run, and what arrived in it."""

    first_rows: Rows
    all_rows: Rows
    statuses: tuple[int, int]
    first: list[Body]
    second: list[Body]
    folder: Path


@pytest.fixture(scope="module")
def runs(socket: Path, tmp_path_factory: pytest.TempPathFactory) -> TwoRuns:
    folder = tmp_path_factory.mktemp("two-runs")
    rng = shop.seeded(7)
    opened = shop.opened(rng)
    postgres.create_tables(socket)
    postgres.insert(socket, opened)
    first_rows = Rows.read(socket)
    with running_sandbox() as sandbox:
        pipeline = Pipeline(folder / "kept", postgres.url(socket), sandbox.url)
        first_status = pipeline.run(folder / "first.log")
        first = _arrived(sandbox.events())
        postgres.insert(socket, shop.next_day(rng, opened))
        second_status = pipeline.run(folder / "second.log")
        second = _arrived(sandbox.events())[len(first) :]
    return TwoRuns(first_rows, Rows.read(socket), (first_status, second_status), first, second, folder)


def test_both_runs_end_well(runs: TwoRuns) -> None:
    assert runs.statuses == (0, 0), (runs.folder / "first.log").read_text()


def test_every_row_arrives_as_the_events_that_its_mappings_make(runs: TwoRuns) -> None:
    assert in_one_order(runs.first) == in_one_order(bodies(runs.first_rows))


def test_a_second_run_sends_what_is_new_and_not_the_bookmarks_row_again(runs: TwoRuns) -> None:
    known = bodies(runs.first_rows)
    assert in_one_order(runs.second) == in_one_order([body for body in bodies(runs.all_rows) if body not in known])


def test_the_events_of_each_contact_arrive_in_the_order_that_the_tap_reads_them(runs: TwoRuns) -> None:
    assert by_contact(runs.first) == by_contact(bodies(runs.first_rows))


def test_the_shop_has_what_makes_mappings_hard(runs: TwoRuns) -> None:
    rows = runs.first_rows
    assert any(row["email"] is None for row in rows.customers)
    assert any('"' in row["full_name"] for row in rows.customers)
    assert any("🎉" in row["full_name"] for row in rows.customers)
    assert any(row["tags"] and None in row["tags"] for row in rows.customers)
    assert any(row["total"] * 100 % 1 for row in rows.orders)
    assert {row["status"] for row in rows.orders} == {"placed", "paid", "shipped"}


def test_each_metric_carries_a_deduping_key_of_its_own(runs: TwoRuns) -> None:
    metrics = [body["metric"] for body in runs.first + runs.second if "metric" in body]
    assert len({metric["deduping_key"] for metric in metrics}) == len(metrics) > 0


def test_the_key_is_in_none_of_the_files_that_the_runs_leave(runs: TwoRuns) -> None:
    files = [path for path in runs.folder.rglob("*") if path.is_file()]
    assert len(files) > 2
    assert [path for path in files if API_KEY.encode() in path.read_bytes()] == []


def _arrived(events: list[dict[str, Any]]) -> list[Body]:
    return [event["body"] for event in events]
