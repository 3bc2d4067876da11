from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from target_applied_events.delivery.lanes import Lanes, _Standing, _Waiter
from target_applied_events.errors import InternalError
from tests.planted_bugs import ORDINARY_RUN, assert_found

IDENTIFIERS = ("email:a", "phone:1", "remote:x")
TIED = st.lists(st.sampled_from(IDENTIFIERS), min_size=1, max_size=3)


class AgainstAListInOrder(RuleBasedStateMachine):
    """Holds lanes against a model that looks through all unsettled events at every question."""

    lanes_class: type[Lanes] = Lanes

    @initialize()
    def begin(self) -> None:
        self.lanes = self.lanes_class()
        self.now = 0.0
        self.added = 0
        self.unsettled: dict[int, frozenset[str]] = {}
        self.out: set[int] = set()
        self.parked: dict[int, float] = {}

    def ready(self) -> list[int]:
        ready = []
        before: set[str] = set()
        for position, identifiers in self.unsettled.items():
            if not before & identifiers and position not in self.out and position not in self.parked:
                ready.append(position)
            before |= identifiers
        return ready

    @rule(added=st.lists(TIED | st.just([]), min_size=1, max_size=4), gap=st.integers(0, 2))
    def add(self, added: list[list[str]], gap: int) -> None:
        self.added += gap
        for identifiers in added:
            self.lanes.add(self.added, tuple(identifiers))
            self.unsettled[self.added] = frozenset(identifiers)
            self.added += 1

    @precondition(lambda self: self.added)
    @rule(data=st.data())
    def add_out_of_order(self, data: st.DataObject) -> None:
        with pytest.raises(InternalError):
            self.lanes.add(data.draw(st.integers(0, self.added - 1)), ())

    @rule(times=st.integers(1, 3))
    def take(self, times: int) -> None:
        for _ in range(times):
            expected = min(self.ready(), default=None)
            assert self.lanes.take() == expected
            if expected is not None:
                self.out.add(expected)

    @precondition(lambda self: self.out)
    @rule(data=st.data(), seconds=st.sampled_from([0.0, 0.5, 1.0, 2.0]))
    def park(self, data: st.DataObject, seconds: float) -> None:
        position = data.draw(st.sampled_from(sorted(self.out)))
        self.lanes.park(position, self.now + seconds)
        self.out.remove(position)
        self.parked[position] = self.now + seconds

    @precondition(lambda self: self.out)
    @rule(data=st.data())
    def put_back(self, data: st.DataObject) -> None:
        position = data.draw(st.sampled_from(sorted(self.out)))
        self.lanes.put_back(position)
        self.out.remove(position)

    @precondition(lambda self: self.out)
    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        position = data.draw(st.sampled_from(sorted(self.out)))
        self.lanes.settle(position)
        self.out.remove(position)
        del self.unsettled[position]

    @rule(bring_back=st.sampled_from(["settle", "put_back", "park"]))
    def bring_back_what_is_not_out(self, bring_back: str) -> None:
        for position in {-1, 0, self.added, *self.unsettled} - self.out:
            with pytest.raises(InternalError):
                getattr(self.lanes, bring_back)(position, *([self.now] if bring_back == "park" else []))

    @rule(seconds=st.sampled_from([0.25, 1.0, 5.0]))
    def wake(self, seconds: float) -> None:
        self.now += seconds
        due = {position for position, until in self.parked.items() if until <= self.now}
        assert self.lanes.wake(self.now) == len(due)
        for position in due:
            del self.parked[position]

    @invariant()
    def it_tells_the_next_wake(self) -> None:
        assert self.lanes.next_wake() == min(self.parked.values(), default=None)

    @invariant()
    def it_counts_where_events_stand(self) -> None:
        ready = len(self.ready())
        waiting = len(self.unsettled) - ready - len(self.out) - len(self.parked)
        assert len(self.lanes) == len(self.unsettled)
        assert (self.lanes.ready, self.lanes.out) == (ready, len(self.out))
        assert (self.lanes.parked, self.lanes.waiting) == (len(self.parked), waiting)

    @invariant()
    def it_counts_the_crowd_behind_the_oldest(self) -> None:
        behind: set[int] = set()
        for position in sorted(self.unsettled):
            ties = (self.unsettled[other] for other in behind)
            if not behind or any(self.unsettled[position] & tie for tie in ties):
                behind.add(position)
        assert self.lanes.crowd() == max(0, len(behind) - 1)

    @invariant()
    def empty_lanes_are_forgotten(self) -> None:
        named = frozenset[str]().union(*self.unsettled.values())
        assert set(self.lanes._lanes) == named  # noqa: SLF001 - what it keeps is the promise


TestLanes = AgainstAListInOrder.TestCase
TestLanes.settings = ORDINARY_RUN


class LanesThatCanBeFreed(Lanes):
    def free(self, position: int) -> None:
        followers, self._waiters[position].followers = self._waiters[position].followers, ()
        for follower in followers:
            follower.ahead -= 1
            if not follower.ahead:
                self._make_ready(follower)


class ALaneIsFreedAtARetry(LanesThatCanBeFreed):
    def park(self, position: int, until: float) -> None:
        super().park(position, until)
        self.free(position)


class ALaneIsFreedWhenPutBack(LanesThatCanBeFreed):
    def put_back(self, position: int) -> None:
        super().put_back(position)
        self.free(position)


class OnlyTheFirstIdentifierTies(Lanes):
    def add(self, position: int, identifiers: tuple[str, ...]) -> None:  # type: ignore[override]
        super().add(position, identifiers[:1])


class AnEventWaitsForOneOfItsLanesOnly(Lanes):
    def _enter_lanes(self, waiter: _Waiter) -> set[_Waiter]:
        return set(sorted(super()._enter_lanes(waiter), key=lambda ahead: ahead.position)[:1])


class TheYoungestIsTakenFirst(Lanes):
    def take(self) -> int | None:
        self._ready.sort(reverse=True)
        return super().take()


class AParkedEventIsReadyAtOnce(Lanes):
    def park(self, position: int, until: float) -> None:
        super().park(position, until - 1)


class SettledTwiceGoesUnseen(Lanes):
    def settle(self, position: int) -> None:
        if position in self._waiters:
            super().settle(position)


class AWaitingEventCanBeSettled(Lanes):
    def settle(self, position: int) -> None:
        waiter = self._waiters.get(position)
        if waiter and waiter.standing is _Standing.WAITING:
            waiter.standing = _Standing.OUT
        super().settle(position)


class LanesAreKeptForEver(Lanes):
    def _leave_lanes(self, waiter: _Waiter) -> None:
        for identifier in waiter.identifiers:
            self._lanes[identifier].sent = None


@pytest.mark.parametrize(
    "planted",
    [
        ALaneIsFreedAtARetry,
        ALaneIsFreedWhenPutBack,
        OnlyTheFirstIdentifierTies,
        AnEventWaitsForOneOfItsLanesOnly,
        TheYoungestIsTakenFirst,
        AParkedEventIsReadyAtOnce,
        SettledTwiceGoesUnseen,
        AWaitingEventCanBeSettled,
        LanesAreKeptForEver,
    ],
)
def test_the_machine_finds_a_planted_bug(planted: type[Lanes]) -> None:
    assert_found(AgainstAListInOrder, lanes_class=planted)


def test_an_event_waits_for_the_last_that_shares_any_identifier() -> None:
    lanes = Lanes()
    lanes.add(0, ("email:a",))
    lanes.add(1, ("phone:1",))
    lanes.add(2, ("email:a", "phone:1"))
    assert [lanes.take(), lanes.take(), lanes.take()] == [0, 1, None]
    lanes.settle(1)
    assert lanes.take() is None
    lanes.settle(0)
    assert lanes.take() == 2


def test_events_without_identifiers_wait_for_nothing() -> None:
    lanes = Lanes()
    lanes.add(0, ())
    lanes.add(1, ())
    assert [lanes.take(), lanes.take()] == [0, 1]


def test_a_parked_event_holds_its_lane_and_no_other() -> None:
    lanes = Lanes()
    lanes.add(0, ("email:a",))
    lanes.add(1, ("email:a",))
    lanes.add(2, ("email:b",))
    lanes.take()
    lanes.park(0, until=5.0)
    assert [lanes.take(), lanes.take()] == [2, None]
    assert lanes.wake(4.9) == 0
    assert lanes.wake(5.0) == 1
    assert lanes.take() == 0


def test_an_event_older_than_the_last_sent_of_its_lane_is_an_internal_error() -> None:
    lanes = Lanes()
    lanes.add(0, ("email:a",))
    lanes.add(1, ("email:a",))
    lanes._make_ready(lanes._waiters[1])  # noqa: SLF001 - the bug that the check is for
    lanes._ready.sort(reverse=True)  # noqa: SLF001 - as above
    assert lanes.take() == 1
    with pytest.raises(InternalError, match="before its turn"):
        lanes.take()


def test_ten_thousand_events_behind_one_contact_cost_no_more_each() -> None:
    lanes = Lanes()
    for position in range(10_000):
        lanes.add(position, ("email:guest", f"remote:{position}"))
    assert lanes.crowd() == 9_999
    assert max(len(waiter.followers) for waiter in lanes._waiters.values()) == 1  # noqa: SLF001 - what a settle costs
    for position in range(10_000):
        assert lanes.take() == position
        lanes.settle(position)
    assert len(lanes) == 0
    assert not lanes._lanes  # noqa: SLF001 - what it keeps is the promise


def test_its_repr_tells_how_many_stand_where_and_no_identifier() -> None:
    lanes = Lanes()
    for position in range(4):
        lanes.add(position, ("a@b.example",) if position < 2 else ())
    lanes.take()
    lanes.take()
    lanes.park(2, until=1.0)
    assert repr(lanes) == "<Lanes ready=1 out=1 parked=1 waiting=1>"
