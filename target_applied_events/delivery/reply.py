"""What a reply says by itself: its doubt, its load, how long to wait, and its words for people."""

from __future__ import annotations

import re
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import assert_never

from target_applied_events.event import PAGE_STARTS, Answer, Failure, NoAnswer, Reply, Signal

EXCERPT_CHARACTERS = 200


def in_doubt(reply: Reply) -> bool:
    """Tell whether the request was written and may have been taken: it ended neither in 2xx, 3xx, 4xx nor 503.

    A page of HTML with a 2xx is no answer of the endpoint's, so it leaves a doubt too.
    """
    match reply:
        case NoAnswer(failure=failure):
            return failure in {Failure.BROKEN, Failure.TIMED_OUT}
        case Answer(status=status):
            return is_page(reply) or not (200 <= status <= 499 or status == 503)  # noqa: PLR2004 - HTTP's own numbers
        case _:
            assert_never(reply)


def signal(reply: Reply) -> Signal:
    """Tell what a reply says about how much the endpoint can take."""
    match reply:
        case NoAnswer(failure=Failure.TIMED_OUT) | Answer(status=502 | 503 | 504):
            return Signal.PUSH_BACK
        case NoAnswer():
            return Signal.FAILURE
        case Answer(status=429):
            return Signal.RATE_LIMITED
        case Answer(status=status):
            return _signal_by_hundred(status, page=is_page(reply))
        case _:
            assert_never(reply)


def retry_after_seconds(answer: Answer, wall_now: float) -> float | None:
    """Read Retry-After, seconds or a date; None where there is none or it is nonsense.

    Args:
        answer: The answer with its headers.
        wall_now: Seconds since 1970, by our own clock; the answer's Date is preferred to it.
    """
    text = (answer.retry_after or "").strip()
    if re.fullmatch(r"[0-9]+(\.[0-9]*)?", text):
        return float(text)
    until = _epoch(text)
    if until is None:
        return None
    answered = _epoch(answer.date or "")
    return max(0.0, until - (wall_now if answered is None else answered))


def excerpt(answer: Answer, characters: int = EXCERPT_CHARACTERS) -> str:
    """Show the beginning of an answer's body on one line, printable whatever it holds."""
    text = answer.body[: 4 * characters].decode("utf-8", "replace")
    return "".join(c if c.isprintable() else " " for c in text[:characters]).strip()


def seen(reply: Reply) -> str:
    """Say in one clause what came back, without the answer's own words."""
    match reply:
        case Answer(status=status):
            page = " with a page of HTML, as of something that stands between" if is_page(reply) else ""
            return f"The endpoint answered {status}{page}"
        case NoAnswer(failure=failure, detail=detail):
            return f"The endpoint gave no answer: {failure.value}{f' ({detail})' if detail else ''}"
        case _:
            assert_never(reply)


def is_page(answer: Answer) -> bool:
    """Tell a page of HTML that came with a 2xx, by its label or its first words; JSON under a wrong label is none."""
    if answer.status // 100 != 2:  # noqa: PLR2004 - HTTP's own number
        return False
    if not answer.body or answer.body.startswith((b"{", b"[")):  # as nearly all are
        return False
    start = answer.first_word
    if start.startswith(PAGE_STARTS):
        return True
    return answer.is_labelled_page and bool(start) and not start.startswith((b"{", b"["))


def _signal_by_hundred(status: int, *, page: bool) -> Signal:
    match status // 100:
        case 2 if not page:
            return Signal.SUCCESS
        case 3 | 4:
            return Signal.NEUTRAL
        case _:
            return Signal.FAILURE


def _epoch(date: str) -> float | None:
    try:
        parsed = parsedate_to_datetime(date)
    except (ValueError, OverflowError):
        return None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
