from __future__ import annotations

import pytest

from target_applied_events.delivery.reply import signal
from target_applied_events.delivery.troubles import REPEAT_SECONDS, Troubles
from target_applied_events.event import Answer, Failure, NoAnswer, Reply

DOWN = NoAnswer(Failure.UNREACHABLE, "Connection refused")
TOLD = (
    "The endpoint gave no answer: no connection was made (Connection refused). "
    "What is not taken is tried again until `retry_timeout` is over."
)


def meet(troubles: Troubles, reply: Reply, now: float = 0.0) -> str | None:
    return troubles.meet(reply, signal(reply), now)


def test_a_trouble_is_told_at_once_and_then_once_a_minute() -> None:
    troubles = Troubles()
    moments = (0.0, 1.0, REPEAT_SECONDS - 0.1, REPEAT_SECONDS, REPEAT_SECONDS + 1)
    assert [meet(troubles, DOWN, now) for now in moments] == [TOLD, None, None, TOLD, None]


def test_another_trouble_is_told_beside_it() -> None:
    troubles = Troubles()
    assert meet(troubles, DOWN) == TOLD
    assert str(meet(troubles, Answer(503))).startswith("The endpoint answered 503. ")
    assert repr(troubles).count("The endpoint") == 2


@pytest.mark.parametrize("reply", [Answer(200), Answer(429), Answer(422), Answer(302)])
def test_what_is_taken_refused_or_slowed_down_is_no_trouble(reply: Reply) -> None:
    assert meet(Troubles(), reply) is None


def test_however_many_there_are_few_are_remembered() -> None:
    troubles = Troubles()
    for number in range(1_000):
        assert meet(troubles, NoAnswer(Failure.BROKEN, f"detail {number}")) is not None
    assert repr(troubles).count("detail") <= 100
