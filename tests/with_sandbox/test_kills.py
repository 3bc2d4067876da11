"""A target that is killed, wherever it stands, and started again loses nothing, and doubles only what it names."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.crash_history import StateSeen, doubled
from tests.with_sandbox.arrivals import BROKEN, ArrivalsServer, refusal
from tests.with_sandbox.crashes import Tap, World, key_is_found
from tests.with_sandbox.forked_target import ForkedTarget, InstalledTarget

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.with_sandbox.crashes import Kill

pytestmark = pytest.mark.timeout(180)

ROWS_A_KILL = 25


@pytest.fixture(scope="module")
def target() -> Iterator[ForkedTarget]:
    with ForkedTarget() as started:
        yield started


@pytest.fixture(autouse=True)
def _nothing_holds_the_key(tmp_path: Path) -> Iterator[None]:
    yield
    assert not key_is_found(tmp_path)


@pytest.fixture
def server() -> Iterator[ArrivalsServer]:
    with ArrivalsServer(lambda _: None, latency_seconds=0.01) as started:
        yield started


def at_random(rng: random.Random) -> Kill:
    """Some time after some arrival, or some time after the start."""

    def wait(server: ArrivalsServer, ended: Callable[[], bool]) -> None:
        if rng.random() < 0.25:
            time.sleep(rng.uniform(0, 0.3))
        else:
            server.wait_for(server.count + rng.randrange(2 * ROWS_A_KILL), unless=ended)
            time.sleep(rng.uniform(0, 0.02))

    return wait


def kill_often(
    target: ForkedTarget | InstalledTarget,
    server: ArrivalsServer,
    directory: Path,
    *,
    kills: int,
    **settings: Any,  # noqa: ANN401 - any JSON
) -> World:
    rng = random.Random(kills)  # noqa: S311 - no secret
    world = World(target, server, directory, Tap(ROWS_A_KILL * kills), **settings)
    for _ in range(kills):
        world.run(kill=at_random(rng))
    world.run()
    assert world.faults() == []
    return world


@pytest.mark.parametrize("kills", [14, pytest.param(200, marks=[pytest.mark.slow, pytest.mark.timeout(600)])])
def test_random_kills_lose_nothing_keep_the_order_and_double_only_what_is_named(
    target: ForkedTarget, server: ArrivalsServer, tmp_path: Path, kills: int
) -> None:
    world = kill_often(target, server, tmp_path, kills=kills)
    assert doubled(world.history), "no kill came between a request and its answer: nothing was shown"


@pytest.mark.parametrize("kills", [6, pytest.param(30, marks=[pytest.mark.slow, pytest.mark.timeout(300)])])
def test_random_kills_send_nothing_twice_where_doubt_is_rejected(
    target: ForkedTarget, server: ArrivalsServer, tmp_path: Path, kills: int
) -> None:
    world = kill_often(target, server, tmp_path, kills=kills, in_doubt="reject")
    assert not doubled(world.history)


def test_random_kills_lose_nothing_and_keep_the_order_without_a_ledger(
    target: ForkedTarget, server: ArrivalsServer, tmp_path: Path
) -> None:
    kill_often(target, server, tmp_path, kills=4, ledger_url="none")


@pytest.mark.parametrize("in_doubt", ["resend", "reject"])
@pytest.mark.parametrize("kills", [4, pytest.param(15, marks=[pytest.mark.slow, pytest.mark.timeout(300)])])
def test_random_kills_lose_nothing_while_the_endpoint_fails_as_well(
    target: ForkedTarget, server: ArrivalsServer, tmp_path: Path, kills: int, in_doubt: str
) -> None:
    rng = random.Random(kills)  # noqa: S311 - no secret
    answers = [None] * 16 + [refusal(429), refusal(503), refusal(500), BROKEN]
    world = World(
        target, server, tmp_path, Tap(ROWS_A_KILL * kills), mood=lambda: rng.choice(answers), in_doubt=in_doubt
    )
    world.most_in_doubt = ROWS_A_KILL * kills  # what waits for its next attempt is in doubt, and not in flight
    for _ in range(kills):
        world.run(kill=at_random(rng))
    world.run()
    assert world.faults() == []
    assert bool(doubled(world.history)) == (in_doubt == "resend")


@pytest.mark.parametrize("kills", [2, pytest.param(20, marks=[pytest.mark.slow, pytest.mark.timeout(300)])])
def test_the_installed_program_may_be_killed_as_well(server: ArrivalsServer, tmp_path: Path, kills: int) -> None:
    kill_often(InstalledTarget(), server, tmp_path, kills=kills)


# With one request at a time it is known what each point leaves: the row in doubt, and whether its event had arrived.
# The fifth event is row 4's; row 10 is the first bad one. A commit notes the last event as delivered and the next as
# intended.
ALONE: dict[tuple[str, int], tuple[set[int], bool]] = {
    ("before send", 5): ({4}, False),
    ("after send", 5): ({4}, True),
    ("before reply", 5): ({4}, True),
    ("after reply", 5): ({4}, True),
    ("before commit of intents", 1): (set(), False),
    ("after commit of intents", 1): ({0}, False),
    ("before commit of intents", 5): ({3}, True),
    ("after commit of intents", 5): ({4}, False),
    ("before commit of deliveries", 5): ({4}, True),
    ("after commit of deliveries", 5): ({5}, False),
}


@pytest.mark.parametrize("in_doubt", ["resend", "reject"])
@pytest.mark.parametrize("point", ALONE, ids=str)
def test_a_kill_between_two_steps_of_an_event_leaves_it_in_doubt_or_as_it_was(
    target: ForkedTarget, server: ArrivalsServer, tmp_path: Path, point: tuple[str, int], in_doubt: str
) -> None:
    world = World(target, server, tmp_path, Tap(12, contacts=1000), max_concurrency=1, in_doubt=in_doubt)
    in_doubt_then, had_arrived = ALONE[point]
    killed = world.run(point=point)
    assert killed.status == -9
    assert killed.in_doubt == in_doubt_then
    assert (in_doubt_then & world.arrived) == (in_doubt_then if had_arrived else set())
    ended = world.run()
    assert ended.named == len(in_doubt_then)
    assert world.faults() == []
    resent = in_doubt_then if in_doubt == "resend" else set()
    assert doubled(world.history) == (resent if had_arrived else set())
    assert ended.in_doubt == in_doubt_then - resent
    assert ended.kept == {10} | (in_doubt_then - resent)


AMONG_MANY = [
    ("before naming of a new ledger", 1),
    ("after naming of a new ledger", 1),
    ("before record", 30),
    ("before send", 20),
    ("after send", 20),
    ("before reply", 20),
    ("after reply", 20),
    ("before commit of intents", 2),
    ("after commit of intents", 2),
    ("before commit of deliveries", 2),
    ("after commit of deliveries", 2),
    ("before sync of the ledger", 1),
    ("after sync of the ledger", 1),
    ("before keeping of rejected records", 1),
    ("amid write of rejected records", 1),
    ("before sync of rejected records", 1),
    ("after sync of rejected records", 1),
    ("after keeping of rejected records", 1),
    ("before write of STATE", 1),
    ("after write of STATE", 1),
]


@pytest.mark.parametrize("point", AMONG_MANY, ids=str)
def test_a_kill_at_any_step_loses_nothing_with_many_in_flight(
    target: ForkedTarget, server: ArrivalsServer, tmp_path: Path, point: tuple[str, int]
) -> None:
    world = World(target, server, tmp_path, Tap(60))
    assert world.run(point=point).status == -9
    assert world.run().status == 0
    assert world.faults() == []


@pytest.mark.parametrize(("moment", "states"), [("before", 0), ("after", 1)])
def test_a_kill_at_states_write_lets_it_leave_whole_or_not_at_all(
    target: ForkedTarget, server: ArrivalsServer, tmp_path: Path, moment: str, states: int
) -> None:
    world = World(target, server, tmp_path, Tap(30))
    assert world.run(point=(f"{moment} write of STATE", 1)).status == -9
    assert sum(isinstance(entry, StateSeen) for entry in world.history) == states


def test_a_rejected_record_is_on_disk_before_a_state_passes_it(
    target: ForkedTarget, server: ArrivalsServer, tmp_path: Path
) -> None:
    world = World(target, server, tmp_path, Tap(11))
    killed = world.run(point=("before sync of rejected records", 1))
    assert not any(isinstance(entry, StateSeen) and entry.rows > 10 for entry in world.history)
    assert killed.kept == {10}
    assert world.run().kept == {10}
    assert world.faults() == []
