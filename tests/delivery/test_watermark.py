from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from target_applied_events.delivery.watermark import Watermark, _Unsettled
from target_applied_events.errors import InternalError
from tests.planted_bugs import ORDINARY_RUN, assert_found


class AgainstAListOfAll(RuleBasedStateMachine):
    """Holds a watermark against a model that keeps every position and every state for ever."""

    watermark_class: type[Watermark[str]] = Watermark

    @initialize()
    def begin(self) -> None:
        self.watermark = self.watermark_class()
        self.now = 100.0
        self.unsettled: set[int] = set()
        self.issued = 0
        self.held: list[tuple[int, str]] = []
        self.size_bytes: dict[str, int] = {}
        self.released: list[tuple[float, str]] = []

    def releasable(self) -> str | None:
        """Find the newest state with nothing unsettled before it, unless it left already."""
        low = min(self.unsettled, default=self.issued)
        states = [state for issued_before, state in self.held if issued_before <= low]
        left = self.released[-1][1] if self.released else None
        return states[-1] if states and states[-1] != left else None

    @rule(times=st.integers(1, 3))
    def issue(self, times: int) -> None:
        for _ in range(times):
            assert self.watermark.issue() == self.issued
            self.unsettled.add(self.issued)
            self.issued += 1

    @precondition(lambda self: self.unsettled)
    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        for position in data.draw(st.lists(st.sampled_from(sorted(self.unsettled)), min_size=1, unique=True)):
            self.watermark.settle(position)
            self.unsettled.remove(position)

    @rule()
    def end(self) -> None:
        for position in self.unsettled:
            self.watermark.settle(position)
        self.unsettled.clear()
        self.release(final=True)

    @rule(data=st.data())
    def settle_what_is_settled_or_unknown(self, data: st.DataObject) -> None:
        position = data.draw(st.integers(-1, self.issued + 1).filter(lambda p: p not in self.unsettled))
        with pytest.raises(InternalError):
            self.watermark.settle(position)

    @rule(sizes=st.lists(st.integers(1, 1000), min_size=1, max_size=2))
    def hold(self, sizes: list[int]) -> None:
        for size_bytes in sizes:
            state = f"state {len(self.held)}"
            self.watermark.hold(state, size_bytes)
            self.held.append((self.issued, state))
            self.size_bytes[state] = size_bytes

    @rule(seconds=st.sampled_from([0.0, 0.25, 0.5, 1.0, 5.0]))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds

    @rule(final=st.booleans())
    def release(self, final: bool) -> None:  # noqa: FBT001 - hypothesis passes by name
        due = not self.released or self.now >= self.released[-1][0] + 1
        expected = self.releasable() if due or final else None
        assert self.watermark.release(self.now, final=final) == expected
        if expected is not None:
            self.released.append((self.now, expected))

    @invariant()
    def it_tells_when_a_state_is_due(self) -> None:
        earliest = self.released[-1][0] + 1 if self.released else self.now
        expected = None if self.releasable() is None else max(self.now, earliest)
        assert self.watermark.due_at(self.now) == expected

    @invariant()
    def it_counts_what_is_unsettled(self) -> None:
        assert self.watermark.unsettled == len(self.unsettled)
        assert self.watermark.oldest == min(self.unsettled, default=None)

    @invariant()
    def it_counts_the_newest_state_behind_each_position_and_none_that_left(self) -> None:
        kept = {}
        for issued_before, state in self.held:
            kept[max((each for each in self.unsettled if each < issued_before), default=None)] = state
        if self.released and kept.get(None) == self.released[-1][1]:
            del kept[None]
        assert self.watermark.held_bytes == sum(self.size_bytes[state] for state in kept.values())


TestWatermark = AgainstAListOfAll.TestCase
TestWatermark.settings = ORDINARY_RUN


class AStateLeavesAPositionEarly(Watermark[str]):
    def hold(self, state: str, size_bytes: int = 0) -> None:
        self._wait_for(self._newest.before if self._newest else None, state, size_bytes)


class AStateIsLostWhenItsPositionIsSettled(Watermark[str]):
    def settle(self, position: int) -> None:
        if position in self._unsettled:
            self._unsettled[position].state = None
        super().settle(position)


class SettledTwiceGoesUnseen(Watermark[str]):
    def settle(self, position: int) -> None:
        if position in self._unsettled:
            super().settle(position)


class AnOlderStateReplacesANewer(Watermark[str]):
    def _wait_for(self, unsettled: _Unsettled[str] | None, state: str, size_bytes: int) -> None:
        if unsettled is None or unsettled.state is None:
            super()._wait_for(unsettled, state, size_bytes)


class AStateThatIsReplacedIsCountedOn(Watermark[str]):
    def _wait_for(self, unsettled: _Unsettled[str] | None, state: str, size_bytes: int) -> None:
        if unsettled is not None:
            unsettled.state_bytes = 0
        super()._wait_for(unsettled, state, size_bytes)


class AStateThatLeftIsCountedOn(Watermark[str]):
    def _let_leave(self, state: str | None, size_bytes: int) -> None:
        self._releasable_bytes *= state is not None
        super()._let_leave(state, size_bytes)


class ASecondStateLeavesWithinTheSecond(Watermark[str]):
    def release(self, now: float, *, final: bool = False) -> str | None:
        self._released_at = None
        return super().release(now, final=final)


class TheFirstStateWaitsASecond(Watermark[str]):
    def due_at(self, now: float) -> float | None:
        due_at = super().due_at(now)
        return due_at if due_at is None or self._released_at is not None else due_at + 1


@pytest.mark.parametrize(
    "planted",
    [
        AStateLeavesAPositionEarly,
        AStateIsLostWhenItsPositionIsSettled,
        SettledTwiceGoesUnseen,
        AnOlderStateReplacesANewer,
        AStateThatIsReplacedIsCountedOn,
        AStateThatLeftIsCountedOn,
        ASecondStateLeavesWithinTheSecond,
        TheFirstStateWaitsASecond,
    ],
)
def test_the_machine_finds_a_planted_bug(planted: type[Watermark[str]]) -> None:
    assert_found(AgainstAListOfAll, watermark_class=planted)


def test_a_state_read_before_anything_else_leaves_at_once() -> None:
    watermark = Watermark[str]()
    watermark.hold("empty")
    assert watermark.release(0.0) == "empty"


def test_a_state_never_leaves_before_an_unsettled_position() -> None:
    watermark = Watermark[str]()
    first = watermark.issue()
    watermark.hold("behind the first")
    second = watermark.issue()
    watermark.hold("behind the second")
    watermark.settle(second)
    assert watermark.release(0.0, final=True) is None
    watermark.settle(first)
    assert watermark.release(0.0) == "behind the second"


def test_the_last_state_leaves_at_the_end_within_the_second() -> None:
    watermark = Watermark[str]()
    watermark.hold("first")
    assert watermark.release(0.0) == "first"
    watermark.hold("last")
    assert watermark.release(0.1) is None
    assert watermark.due_at(0.1) == 1.0
    assert watermark.release(0.1, final=True) == "last"


def test_a_state_that_already_left_does_not_leave_again() -> None:
    watermark = Watermark[str]()
    watermark.hold("same")
    assert watermark.release(0.0) == "same"
    watermark.hold("same")
    assert watermark.release(5.0, final=True) is None
    assert watermark.due_at(5.0) is None


@given(st.integers(1, 50))
def test_states_held_behind_a_stuck_position_are_folded(window: int) -> None:
    watermark = Watermark[int]()
    in_flight = [watermark.issue() for _ in range(window)]
    for state in range(2_000):
        watermark.hold(state)
        in_flight.append(watermark.issue())
        watermark.settle(in_flight.pop(1) if window > 1 else in_flight.pop())
    unsettled = watermark._unsettled.values()  # noqa: SLF001 - what it keeps is the promise
    assert sum(position.state is not None for position in unsettled) <= window


def test_its_repr_tells_how_far_it_is() -> None:
    watermark = Watermark[str]()
    watermark.issue()
    watermark.hold("secret")
    assert repr(watermark) == "<Watermark issued=1 unsettled=1 oldest=0, no state may leave>"
    watermark.settle(0)
    assert repr(watermark) == "<Watermark issued=1 unsettled=0 oldest=None, a state may leave>"
