"""Which fault a request meets: decided by dice with a seed, so that it can be repeated."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias, assert_never

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

TOO_MANY_REQUESTS = 429


@dataclass(frozen=True, slots=True)
class Latency:
    """Answers later: `seconds`, and up to `jitter_seconds` more."""

    kind: ClassVar[str] = "latency"
    seconds: float = 0.2
    jitter_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class RateLimit:
    """Answers 429 beyond so many requests a second, after `burst` at once; tells how long to wait, or not."""

    kind: ClassVar[str] = "rate_limit"
    requests_per_second: float = 20.0
    burst: int | None = None
    retry_after: Literal["seconds", "date", "none"] = "seconds"


@dataclass(frozen=True, slots=True)
class Status:
    """Answers a status of your choice, with headers and a body of your choice."""

    kind: ClassVar[str] = "status"
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None
    taken: bool = False


@dataclass(frozen=True, slots=True)
class Drop:
    """Resets the connection instead of answering."""

    kind: ClassVar[str] = "drop"
    taken: bool = False


@dataclass(frozen=True, slots=True)
class Truncate:
    """Answers half of what it announced, and closes."""

    kind: ClassVar[str] = "truncate"
    taken: bool = True


@dataclass(frozen=True, slots=True)
class Slow:
    """Answers a byte at a time, `byte_seconds` apart."""

    kind: ClassVar[str] = "slow"
    byte_seconds: float = 1.0
    taken: bool = True


@dataclass(frozen=True, slots=True)
class Endless:
    """Answers, and never comes to an end."""

    kind: ClassVar[str] = "endless"
    taken: bool = True


@dataclass(frozen=True, slots=True)
class Garbage:
    """Answers something that is no HTTP."""

    kind: ClassVar[str] = "garbage"
    taken: bool = False


@dataclass(frozen=True, slots=True)
class Silent:
    """Never answers, and keeps the connection."""

    kind: ClassVar[str] = "silent"
    taken: bool = False


Break: TypeAlias = "Status | Drop | Truncate | Slow | Endless | Garbage | Silent"
"""What comes instead of the answer; `taken` says whether the event is kept all the same."""

Effect: TypeAlias = "Latency | RateLimit | Break"

_EFFECTS: tuple[type[Effect], ...] = (
    Latency,
    RateLimit,
    Status,
    Drop,
    Truncate,
    Slow,
    Endless,
    Garbage,
    Silent,
)
KINDS = {effect.kind: effect for effect in _EFFECTS}


@dataclass(frozen=True, slots=True)
class Fault:
    """An effect, and which requests it meets.

    Attributes:
        effect: What happens to them.
        share: The share of requests that meet it, 0 to 1.
        match: A regular expression that the body has to contain.
        times: How many requests meet it before it is spent.
    """

    effect: Effect
    share: float = 1.0
    match: str | None = None
    times: int | None = None


@dataclass(frozen=True, slots=True)
class Meeting:
    """What a request meets: a delay, and something instead of its answer.

    Attributes:
        delay_seconds: How much later it is answered.
        instead: What comes instead of the answer.
        kinds: The kinds of the faults that it met.
    """

    delay_seconds: float = 0.0
    instead: Break | None = None
    kinds: tuple[str, ...] = ()


class Faults:
    """Faults are asked in the order declared: delays add up, and the first that breaks the answer is the last asked."""

    def __init__(self, faults: Sequence[Fault], dice: random.Random) -> None:
        """Put these faults in force; `dice` decides shares and jitter."""
        self.faults = tuple(faults)
        self._dice = dice
        self._left = [fault.times for fault in faults]
        self._next_free = [-math.inf] * len(self.faults)

    def __repr__(self) -> str:
        """Tell the faults, and how often each may still happen."""
        left = ", ".join(f"{fault.effect.kind}:{left}" for fault, left in zip(self.faults, self._left, strict=True))
        return f"<Faults {left or 'none'}>"

    def meet(self, body: str, now: float, wall_clock: float) -> Meeting:
        """Decide what a request with this body meets; `now` is monotonic, `wall_clock` since 1970."""
        delay, kinds = 0.0, []
        for index, fault in enumerate(self.faults):
            if not self._hits(index, fault, body):
                continue
            instead: Break | None = None
            match fault.effect:
                case Latency(seconds, jitter_seconds):
                    delay += seconds + self._dice.uniform(0, jitter_seconds)
                case RateLimit() as limit:
                    instead = self._limited(index, limit, now, wall_clock)
                    if instead is None:
                        continue
                case Status() | Drop() | Truncate() | Slow() | Endless() | Garbage() | Silent():
                    instead = fault.effect
                case _:
                    assert_never(fault.effect)
            self._spend(index)
            kinds.append(fault.effect.kind)
            if instead is not None:
                return Meeting(delay, instead, tuple(kinds))
        return Meeting(delay, None, tuple(kinds))

    def left(self) -> list[int | None]:
        """How many requests each fault can still meet; None is without end."""
        return list(self._left)

    def _hits(self, index: int, fault: Fault, body: str) -> bool:
        if self._left[index] == 0 or (fault.match is not None and not re.search(fault.match, body)):
            return False
        return fault.share >= 1 or self._dice.random() < fault.share

    def _spend(self, index: int) -> None:
        left = self._left[index]
        self._left[index] = None if left is None else left - 1

    def _limited(self, index: int, limit: RateLimit, now: float, wall_clock: float) -> Status | None:
        interval = 1 / limit.requests_per_second
        burst = limit.burst or max(1, int(limit.requests_per_second))
        free = max(self._next_free[index], now)
        wait = free - (burst - 1) * interval - now
        if wait <= 0:
            self._next_free[index] = free + interval
            return None
        seconds = math.ceil(wait)
        told = {
            "seconds": {"retry-after": str(seconds)},
            "date": {"retry-after": formatdate(math.ceil(wall_clock + wait), usegmt=True)},
            "none": {},
        }[limit.retry_after]
        return Status(TOO_MANY_REQUESTS, told)
