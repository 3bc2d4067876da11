"""What a reply means: the event is settled, tried again, or the run stops."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, assert_never

import msgspec

from target_applied_events.delivery.reply import excerpt, in_doubt, is_page, retry_after_seconds, seen
from target_applied_events.event import (
    Answer,
    Delivered,
    Failure,
    NoAnswer,
    Outcome,
    Refused,
    Rejection,
    Reply,
    Value,
    Violation,
)

if TYPE_CHECKING:
    import random

BACKOFF_FIRST_SECONDS = 0.5
BACKOFF_MOST_SECONDS = 30.0
PARK_ALONE_SECONDS = 2.0
"""Up to this long a Retry-After parks one lane; a longer one holds everything."""
POISON_ATTEMPTS = 6
RETRIED_REFUSALS = frozenset({408, 425, 429})
RESPONSE_CHARACTERS = 2_000


class Settle(Value, frozen=True):
    """The delivery has ended.

    Attributes:
        outcome: How; a rejection in it knows neither mapping nor body.
    """

    outcome: Outcome


class Retry(Value, frozen=True):
    """The event is sent again.

    Attributes:
        until: When, in monotonic seconds.
        hold_all: Nothing is sent to anyone until then.
    """

    until: float
    hold_all: bool


class Stop(Value, frozen=True):
    """The run can't go on.

    Attributes:
        message: What was seen, which setting governs it, and what to do; safe to log.
        status: The status that was answered, if one was.
        response: The beginning of the answer's body, which may hold a record's values: not for the log.
    """

    message: str
    status: int | None = None
    response: str | None = None

    unshown = ("response",)


Decision: TypeAlias = "Settle | Retry | Stop"
"""What one reply means for its event and its run."""


class History(msgspec.Struct, gc=False):
    """What is known of one delivery so far; `judge` adds each attempt to it.

    Attributes:
        first_at: When its first attempt was started, in monotonic seconds.
        attempts: How many attempts have ended.
        doubted: One of them may have been taken though no answer told.
        failed_alone: How many of the latest ended as poison's do; one before which nothing else was delivered says no
            more than the one before it, and isn't counted.
        only_poisons: None ended otherwise than poison's do.
    """

    first_at: float
    attempts: int = 0
    doubted: bool = False
    failed_alone: int = 0
    only_poisons: bool = True

    def add(self, reply: Reply, *, delivered_since_last: bool) -> None:
        """Add an attempt that has ended."""
        if not _may_be_poison(reply):
            self.failed_alone = 0
            self.only_poisons = False
        elif delivered_since_last or self.failed_alone == 0:
            self.failed_alone += 1
        self.doubted = self.doubted or in_doubt(reply)
        self.attempts += 1


def judge(  # noqa: PLR0913 - all that a decision hangs on comes in by name
    reply: Reply,
    history: History,
    *,
    now: float,
    wall_now: float,
    known_good: bool,
    delivered_since_last: bool,
    others_are_well: bool = False,
    retry_timeout_seconds: float,
    rng: random.Random,
) -> Decision:
    """Decide what a reply means, and add the attempt to the event's history.

    Args:
        reply: What came back.
        history: The event's delivery before this reply.
        now: Monotonic seconds.
        wall_now: Seconds since 1970, to read a date in Retry-After by where the answer has no Date of its own.
        known_good: A delivery to this origin and shop is known, so the address can't be wrong.
        delivered_since_last: Another event was delivered since this one's last attempt.
        others_are_well: Nothing speaks for an outage, though this event fails.
        retry_timeout_seconds: How long an event is retried, from its first attempt.
        rng: Where the jitter comes from.
    """
    history.add(reply, delivered_since_last=delivered_since_last)
    match reply:
        case Answer():
            decision = _settled_or_stopped(reply, known_good=known_good)
        case NoAnswer(failure=Failure.UNTRUSTED):
            decision = Stop(
                f"{seen(reply)}. Check api_url, and REQUESTS_CA_BUNDLE if a proxy or a CA of your own signs."
            )
        case NoAnswer():
            decision = None
        case _:
            assert_never(reply)
    if decision is not None:
        return decision
    if history.failed_alone >= POISON_ATTEMPTS:
        return _poison(reply, f"it failed {POISON_ATTEMPTS} times while others were delivered")
    left = history.first_at + retry_timeout_seconds - now
    if left > 0:
        return _retry(reply, history, now, wall_now, left, rng)
    if others_are_well and history.only_poisons and history.attempts >= POISON_ATTEMPTS:
        return _poison(reply, f"it failed for retry_timeout ({retry_timeout_seconds:g} s) while others were delivered")
    return _timed_out(reply, history, retry_timeout_seconds)


def backoff_seconds(attempt: int, rng: random.Random) -> float:
    """Choose how long to wait after the `attempt`-th attempt, counted from 1: anything up to a bound that doubles."""
    doublings = min(attempt - 1, 10)
    return rng.uniform(0, min(BACKOFF_MOST_SECONDS, BACKOFF_FIRST_SECONDS * 2**doublings))


def _settled_or_stopped(answer: Answer, *, known_good: bool) -> Settle | Stop | None:
    advice = _advice(answer.status, known_good=known_good)
    if advice:
        return _stop(answer, advice)
    match answer.status // 100:
        case 2 if not is_page(answer):
            return Settle(Delivered(answer.status))
        case 4 if answer.status not in RETRIED_REFUSALS:
            return Settle(Refused(_refused(answer)))
        case _:
            return None


def _advice(status: int, *, known_good: bool) -> str | None:
    """Say what to do about a status that stops the run; None where it doesn't."""
    match status:
        case 401 | 402 | 403 | 407:
            return "Check api_key and shop_id, and a proxy's own credentials where one stands between."
        case 404 | 405 | 410 if not known_good:
            return "No delivery to this address and shop is known yet: check api_url and shop_id."
        case 501 | 505:
            return "What stands there doesn't speak the events endpoint's protocol: check api_url."
        case _ if status // 100 == 3:  # noqa: PLR2004 - HTTP's own number
            return "Redirects are never followed: set api_url to the final address."
        case _:
            return None


def _retry(  # noqa: PLR0913, PLR0917 - judge's arguments, handed on
    reply: Reply, history: History, now: float, wall_now: float, left: float, rng: random.Random
) -> Retry | Stop:
    asked = retry_after_seconds(reply, wall_now) if isinstance(reply, Answer) else None
    if asked is not None and asked > left:
        return _asked_too_long(reply, asked, left)
    if asked is not None and asked > PARK_ALONE_SECONDS:
        return Retry(now + asked, hold_all=True)
    # The last attempt comes when the time is up, not after it; no backoff undercuts what the endpoint asked for.
    wait = min(left, max(asked or 0.0, backoff_seconds(history.attempts, rng)))
    return Retry(now + wait, hold_all=False)


def _timed_out(reply: Reply, history: History, retry_timeout_seconds: float) -> Stop:
    tried = "once" if history.attempts == 1 else f"{history.attempts} times"
    message = (
        f"An event was tried {tried} within retry_timeout ({retry_timeout_seconds:g} s) without success. "
        f"{seen(reply)}. Nothing is rejected and STATE stays behind it: run again when the endpoint is well, "
        "or raise retry_timeout."
    )
    return _stop_with(message, reply)


def _asked_too_long(reply: Reply, asked: float, left: float) -> Stop:
    message = (
        f"{seen(reply)} and asks to wait {asked:.0f} s (Retry-After); {left:.0f} s are left of retry_timeout. "
        "Nothing is rejected and STATE stays behind it: run again after that time, or raise retry_timeout."
    )
    return _stop_with(message, reply)


def _stop(answer: Answer, advice: str) -> Stop:
    return _stop_with(f"{seen(answer)}. {advice}", answer)


def _stop_with(message: str, reply: Reply) -> Stop:
    if isinstance(reply, Answer):
        return Stop(message, reply.status, excerpt(reply, RESPONSE_CHARACTERS))
    return Stop(message)


def _refused(answer: Answer) -> Rejection:
    errors = (Violation("$", f"the endpoint refused it with status {answer.status}"),)
    return Rejection("refused", errors, status=answer.status, response=excerpt(answer, RESPONSE_CHARACTERS))


def _poison(reply: Reply, failed: str) -> Settle:
    errors = (Violation("$", f"{failed}; one of these attempts may have been taken. {seen(reply)}"),)
    if isinstance(reply, Answer):
        response = excerpt(reply, RESPONSE_CHARACTERS)
        return Settle(Refused(Rejection("in_doubt", errors, status=reply.status, response=response)))
    return Settle(Refused(Rejection("in_doubt", errors)))


def _may_be_poison(reply: Reply) -> bool:
    match reply:
        case Answer(status=500 | 502 | 504) | NoAnswer(failure=Failure.TIMED_OUT | Failure.BROKEN):
            return True
        case _:
            return False
