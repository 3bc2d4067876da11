"""One thread decides and sends; who hands over to it waits while too much is unsettled."""

from __future__ import annotations

import logging
import queue
import threading
import time
from typing import TYPE_CHECKING, Protocol

from target_applied_events.delivery.troubles import Troubles
from target_applied_events.delivery.window import MOST_UNSETTLED, Window
from target_applied_events.errors import InternalError, TargetError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from target_applied_events.delivery.delivery import Delivery
    from target_applied_events.handover import Item, Job, Returned

GRACE_SECONDS = 20.0
_LONGEST_SLEEP_SECONDS = 1.0
_PAUSE_SECONDS = 20e-6  # between two turns, for each request in flight
# More at once would hold up what is ready meanwhile; and replies that wait for one another stay together from then on.
_MOST_ITEMS_AT_ONCE = 250
_MOST_BYTES_AT_ONCE = 8 << 20  # rejected records are written three times over in memory before they are in the file
_MOST_REPLIES_AT_ONCE = 16

logger = logging.getLogger(__name__)


class Attempts(Protocol):
    """What makes the attempts; used by the dispatcher's thread alone, but `wake`."""

    def start(self, job: Job) -> None:
        """Begin an attempt."""

    def wait(self, seconds: float) -> Sequence[Returned]:
        """Wait at most so long for what came of those that were begun, or until it's woken."""

    def wake(self) -> None:
        """End a wait."""


class Dispatcher:
    """One thread of its own runs the delivery and all attempts, so nothing of them needs a lock.

    What is handed over reaches it through a queue, and waits before that while the window is full.
    """

    def __init__(
        self,
        delivery: Delivery,
        attempts: Attempts,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the parts; `start` sets them going.

        Args:
            delivery: Decides; used by the dispatcher's thread alone once it's started.
            attempts: Makes the attempts.
            clock: Gives monotonic seconds.
        """
        self._delivery, self._attempts, self._clock = delivery, attempts, clock
        self._inbox: queue.SimpleQueue[Sequence[Item] | None] = queue.SimpleQueue()  # None: nothing more comes
        self._window = Window()
        self._troubles = Troubles()
        self._is_full = self._told_crowd = False
        self._is_finishing = False
        self._aborted_by: Exception | None = None
        self._deadline = float("inf")
        self._gathered_at = float("-inf")
        self._pause = threading.Event()  # never set; unlike sleep, waiting on it bears a clock that is set meanwhile
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="dispatcher", daemon=True)

    def __repr__(self) -> str:
        """Tell the state."""
        return f"<Dispatcher ended={self.ended} {self._delivery!r}>"

    def start(self) -> None:
        """Set the dispatcher's thread going."""
        self._thread.start()

    def hand_over(self, items: Sequence[Item], on_wait: Callable[[], None]) -> None:
        """Hand over items in the order read; waits while too much is unsettled.

        Args:
            items: What comes next.
            on_wait: Called each 50 ms while waiting; what it raises ends the wait.

        Raises:
            TargetError: What ended the delivery before.
        """
        while not self._window.has_room(items):
            self._is_full = True
            self._wait(on_wait)
        self.raise_failure()
        self._window.hand_over(items)
        for piece in _pieces(items):
            self._inbox.put(piece)
        self._attempts.wake()

    def finish(self, on_wait: Callable[[], None]) -> None:
        """Wait until all that was handed over is settled and the last STATE has left.

        Raises:
            TargetError: What ended the delivery before that.
        """
        self._inbox.put(None)
        self._attempts.wake()
        while not self.ended:
            self._wait(on_wait)
        self.raise_failure()

    def abort(self, reason: Exception) -> None:
        """Send nothing more; what is in flight gets 20 s, the ledger is committed, STATE that may leave leaves.

        A second call gives no more time than the first.
        """
        if self._aborted_by is not None:
            return
        self._aborted_by = reason
        self._attempts.wake()
        self._thread.join(GRACE_SECONDS + _LONGEST_SLEEP_SECONDS + 1)

    @property
    def ended(self) -> bool:
        """Whether the dispatcher's thread is done."""
        return self._window.is_closed

    @property
    def unsettled(self) -> int:
        """How many of the events and rejected records handed over aren't settled."""
        return self._window.unsettled

    def _wait(self, on_wait: Callable[[], None]) -> None:
        self._window.wait(0.05)
        on_wait()

    def raise_failure(self) -> None:
        """Raise what ended the delivery, if something did.

        Raises:
            TargetError: What it was.
        """
        if self._failure is not None:
            raise self._failure

    # --- the dispatcher's thread ---------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._is_over():
                self._receive()
                self._turn()
            self._delivery.release(self._clock(), final=True)
            self._failure = self._delivery.stopped
        except TargetError as failure:  # it is raised where the run can end: in the main thread
            self._failure = failure
        except BaseException as failure:
            logger.debug("dispatcher", exc_info=failure)
            self._failure = InternalError(f"The delivery failed in an unforeseen way: {type(failure).__name__}.")
        finally:
            self._window.settle(self._delivery.unsettled, self._delivery.unsettled_bytes)
            self._window.close()

    def _is_over(self) -> bool:
        if self._delivery.stopped is not None:
            return not self._delivery.pace.in_flight or self._clock() >= self._deadline
        return self._is_finishing and not self._delivery.unsettled

    def _receive(self) -> None:
        """Wait for what comes in or for what is due, then take it in."""
        self._gather()
        now = self._clock()
        due = self._delivery.wake_at(now)
        timeout = _LONGEST_SLEEP_SECONDS if due is None else min(_LONGEST_SLEEP_SECONDS, max(0.0, due - now))
        returned = self._attempts.wait(timeout if self._inbox.empty() else 0.0)
        for number, each in enumerate(returned, 1):
            told = self._delivery.replied(each, now := self._clock())
            if (trouble := self._troubles.meet(each.reply, told, now)) is not None:
                logger.warning("%s", trouble)
            if number % _MOST_REPLIES_AT_ONCE == 0:
                self._turn()
        if self._aborted_by is not None and self._deadline == float("inf"):
            self._delivery.stop(self._aborted_by)
            self._deadline = self._clock() + GRACE_SECONDS
        if not self._inbox.empty():
            self._take_in(self._inbox.get_nowait())

    def _gather(self) -> None:
        """Let more come in where many are in flight: a turn and its commit cost little more for ten than for one."""
        pause = _PAUSE_SECONDS * self._delivery.pace.in_flight
        if (remaining := self._gathered_at + pause - self._clock()) > 0:
            self._pause.wait(remaining)
        self._gathered_at = self._clock()

    def _take_in(self, items: Sequence[Item] | None) -> None:
        if items is None:
            self._is_finishing = True
        else:
            self._delivery.accept(items, self._clock())
            self._window.accept(items, self._delivery.unsettled, self._delivery.unsettled_bytes)

    def _turn(self) -> None:
        for job in self._delivery.turn(self._clock()):
            self._attempts.start(job)
        self._publish()

    def _publish(self) -> None:
        self._window.settle(self._delivery.unsettled, self._delivery.unsettled_bytes)
        if self._is_full and not self._told_crowd:
            self._told_crowd = self._tell_crowd()

    def _tell_crowd(self) -> bool:
        """Say once that one contact holds up the rest."""
        crowd = self._delivery.crowd
        if crowd * 2 < MOST_UNSETTLED:
            self._is_full = False
            return False
        logger.warning(
            "As many records are unsettled as may be, and %d of them wait behind one contact, whose events go one at a "
            "time. `ordered: false` in a mapping frees a contact that many share.",
            crowd,
        )
        return True


def _pieces(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """Cut a batch into what is taken in at once."""
    first = size_bytes = 0
    for number, item in enumerate(items):
        size_bytes += item.size_bytes
        if number - first >= _MOST_ITEMS_AT_ONCE or (size_bytes > _MOST_BYTES_AT_ONCE and number > first):
            yield items[first:number]
            first, size_bytes = number, item.size_bytes
    yield items[first:]
