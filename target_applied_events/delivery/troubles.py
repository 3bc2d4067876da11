"""What keeps the endpoint from taking events, told while the run still waits for it to pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from target_applied_events.delivery.reply import seen
from target_applied_events.event import Signal

if TYPE_CHECKING:
    from target_applied_events.event import Reply

REPEAT_SECONDS: Final = 60.0
"""So long after it was told is a trouble told again, if it's still met."""

_MOST: Final = 100


class Troubles:
    """Each trouble is told when it's met first, and at most once a minute from then on."""

    def __init__(self) -> None:
        """Start with none met."""
        self._told_at: dict[str, float] = {}

    def __repr__(self) -> str:
        """Tell which were met."""
        return f"<Troubles {sorted(self._told_at)}>"

    def meet(self, reply: Reply, told: Signal, now: float) -> str | None:
        """Take a reply; gives what is to be told of it, None where that is nothing.

        That the endpoint wants fewer requests a second is no trouble.

        Args:
            reply: What came back from an attempt.
            told: What that tells of how much the endpoint can take.
            now: Monotonic seconds.
        """
        if told not in (Signal.FAILURE, Signal.PUSH_BACK):
            return None
        what = seen(reply)
        if now - self._told_at.get(what, float("-inf")) < REPEAT_SECONDS:
            return None
        if len(self._told_at) >= _MOST:
            self._told_at.clear()
        self._told_at[what] = now
        return f"{what}. What is not taken is tried again until `retry_timeout` is over."
