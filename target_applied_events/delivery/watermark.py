"""Positions in flight, and the STATE that waits until all before it is settled."""

from __future__ import annotations

from typing import Generic, TypeVar

from target_applied_events.errors import InternalError

RELEASE_INTERVAL_SECONDS = 1.0

T = TypeVar("T")


class _Unsettled(Generic[T]):
    """A position that isn't settled, between its unsettled neighbours, with the newest state that waits for it last."""

    __slots__ = ("after", "before", "position", "state", "state_bytes")

    def __init__(self, position: int, before: _Unsettled[T] | None) -> None:
        """Append it behind `before`."""
        self.position = position
        self.before = before
        self.after: _Unsettled[T] | None = None
        self.state: T | None = None
        self.state_bytes = 0


class Watermark(Generic[T]):
    """A state is released only when every position handed out before it is settled.

    A held state waits for the newest position that was unsettled when it was read. When that one is settled, the state
    moves to the next older unsettled position, over the state that waits there: both could leave at the same moment,
    and the newer one says all that the older says. So there is at most one state for each unsettled position, however
    many are held, and every step costs the same.

    Attributes:
        held_bytes: Of the states that wait or may leave; each leaves them once all before it is settled.
    """

    def __init__(self) -> None:
        """Start at position 0, with nothing to release."""
        self.held_bytes = 0
        self._issued = 0
        self._unsettled: dict[int, _Unsettled[T]] = {}
        self._oldest: _Unsettled[T] | None = None
        self._newest: _Unsettled[T] | None = None
        self._releasable: T | None = None
        self._releasable_bytes = 0
        self._released: T | None = None
        self._released_at: float | None = None

    def __repr__(self) -> str:
        """Tell how far it is."""
        waits = "a state may leave" if self._releasable is not None else "no state may leave"
        return f"<Watermark issued={self._issued} unsettled={self.unsettled} oldest={self.oldest}, {waits}>"

    @property
    def unsettled(self) -> int:
        """How many positions are handed out and not settled."""
        return len(self._unsettled)

    @property
    def oldest(self) -> int | None:
        """The oldest position that isn't settled; None where all are. May be asked from any thread."""
        oldest = self._oldest
        return None if oldest is None else oldest.position

    def issue(self) -> int:
        """Hand out the next position: 0, 1, 2 and so on."""
        unsettled = _Unsettled(self._issued, self._newest)
        if self._newest is None:
            self._oldest = unsettled
        else:
            self._newest.after = unsettled
        self._newest = unsettled
        self._unsettled[self._issued] = unsettled
        self._issued += 1
        return unsettled.position

    def settle(self, position: int) -> None:
        """Settle a position, in any order.

        Raises:
            InternalError: It was never handed out, or is settled already.
        """
        settled = self._unsettled.pop(position, None)
        if settled is None:
            raise InternalError(f"position {position} was settled twice or never handed out ({self!r})")
        self._unlink(settled)
        if settled.state is not None:
            self.held_bytes -= settled.state_bytes
            self._wait_for(settled.before, settled.state, settled.state_bytes)

    def hold(self, state: T, size_bytes: int = 0) -> None:
        """Hold a state that was read behind all positions handed out so far; None is no state."""
        self._wait_for(self._newest, state, size_bytes if state is not None else 0)

    def release(self, now: float, *, final: bool = False) -> T | None:
        """Give the newest state that may leave: the first at once, then at most one a second.

        Args:
            now: Monotonic time in seconds.
            final: Don't wait for the second to pass.

        Returns:
            The state; None where none may leave, or where it's the same as the last one that left.
        """
        due_at = self.due_at(now)
        if due_at is None or (due_at > now and not final):
            return None
        self._released = self._releasable
        self._let_leave(None, 0)
        self._released_at = now
        return self._released

    def due_at(self, now: float) -> float | None:
        """Tell when `release` gives a state though nothing more is settled; None: it won't."""
        if self._releasable is None:
            return None
        return now if self._released_at is None else max(now, self._released_at + RELEASE_INTERVAL_SECONDS)

    def _unlink(self, settled: _Unsettled[T]) -> None:
        if settled.before is None:
            self._oldest = settled.after
        else:
            settled.before.after = settled.after
        if settled.after is None:
            self._newest = settled.before
        else:
            settled.after.before = settled.before

    def _wait_for(self, unsettled: _Unsettled[T] | None, state: T, size_bytes: int) -> None:
        if unsettled is not None:
            self.held_bytes += size_bytes - unsettled.state_bytes
            unsettled.state, unsettled.state_bytes = state, size_bytes
        elif state == self._released:
            self._let_leave(None, 0)
        else:
            self._let_leave(state, size_bytes)

    def _let_leave(self, state: T | None, size_bytes: int) -> None:
        self.held_bytes += size_bytes - self._releasable_bytes
        self._releasable, self._releasable_bytes = state, size_bytes
