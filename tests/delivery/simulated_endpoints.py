"""Endpoints that behave as real ones do, on a virtual clock: when a request is answered, and how."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from heapq import heappop, heappush, heapreplace

from target_applied_events.event import Answer, Failure, NoAnswer, Reply

LATENCY_SECONDS = 0.1
REFUSAL_SECONDS = 0.02


class Endpoint(ABC):
    """Takes requests in the order of time; every chance it takes comes from the generator it was given."""

    name: str

    @abstractmethod
    def receive(self, now: float) -> tuple[float, Reply]:
        """Take a request; tell when it's answered and how."""

    @abstractmethod
    def ideal_seconds(self, events: int, concurrency: int) -> float:
        """Tell how long the best sender takes, that never has more than so many in flight and knows all this."""


@dataclass
class Constant(Endpoint):
    """Answers everything after the same time."""

    name = "constant 100 ms"

    def receive(self, now: float) -> tuple[float, Reply]:
        return now + LATENCY_SECONDS, Answer(200)

    def ideal_seconds(self, events: int, concurrency: int) -> float:
        return events * LATENCY_SECONDS / concurrency


@dataclass
class Jittery(Endpoint):
    """Answers most well before 100 ms, a few after seconds (Pareto, shape 1.5)."""

    rng: random.Random
    served_seconds: float = 0.0
    name = "heavy-tailed jitter"

    def receive(self, now: float) -> tuple[float, Reply]:
        latency = min(5.0, self.rng.paretovariate(1.5) * LATENCY_SECONDS / 3)
        self.served_seconds += latency
        return now + latency, Answer(200)

    def ideal_seconds(self, events: int, concurrency: int) -> float:  # noqa: ARG002 - chance decided, not their number
        return self.served_seconds / concurrency


@dataclass
class HardLimit(Endpoint):
    """Refuses what comes while so many are being served."""

    limit: int = 20
    serving: list[float] = field(default_factory=list)
    name = "hard limit of 20 concurrent"

    def receive(self, now: float) -> tuple[float, Reply]:
        while self.serving and self.serving[0] <= now:
            heappop(self.serving)
        if len(self.serving) >= self.limit:
            return now + REFUSAL_SECONDS, Answer(429)
        heappush(self.serving, now + LATENCY_SECONDS)
        return now + LATENCY_SECONDS, Answer(200)

    def ideal_seconds(self, events: int, concurrency: int) -> float:
        return events * LATENCY_SECONDS / min(self.limit, concurrency)


@dataclass
class PerSecond(Endpoint):
    """Refuses more than so many in a second, and doesn't say until when."""

    rate: int = 100
    second: int = 0
    taken: int = 0
    name = "100 a second, no Retry-After"

    def receive(self, now: float) -> tuple[float, Reply]:
        if int(now) != self.second:
            self.second, self.taken = int(now), 0
        self.taken += 1
        if self.taken > self.rate:
            return now + REFUSAL_SECONDS, Answer(429)
        return now + LATENCY_SECONDS, Answer(200)

    def ideal_seconds(self, events: int, concurrency: int) -> float:
        return events / min(self.rate, concurrency / LATENCY_SECONDS)


@dataclass
class PerMinute(Endpoint):
    """Refuses more than so many in a minute, and says when the next begins."""

    rate: int = 3_000
    minute: int = 0
    taken: int = 0
    name = "3,000 a minute, Retry-After"

    def receive(self, now: float) -> tuple[float, Reply]:
        if int(now / 60) != self.minute:
            self.minute, self.taken = int(now / 60), 0
        self.taken += 1
        if self.taken > self.rate:
            return now + REFUSAL_SECONDS, Answer(429, retry_after=str(int(60 * (self.minute + 1) - now) + 1))
        return now + LATENCY_SECONDS, Answer(200)

    def ideal_seconds(self, events: int, concurrency: int) -> float:
        minutes, rest = divmod(events, self.rate)
        return minutes * 60 + rest * LATENCY_SECONDS / concurrency


@dataclass
class Queue(Endpoint):
    """Serves with so many workers; what waits too long in the queue before them gets a 503."""

    rng: random.Random
    workers: int = 24
    patience_seconds: float = 0.05
    free_at: list[float] = field(default_factory=list)
    name = "queue of 24 workers"

    def receive(self, now: float) -> tuple[float, Reply]:
        self.free_at = self.free_at or [0.0] * self.workers
        begins = max(now, self.free_at[0])
        if begins - now > self.patience_seconds:
            return now + self.patience_seconds, Answer(503)
        ends = begins + self.rng.uniform(0.5, 1.5) * LATENCY_SECONDS
        heapreplace(self.free_at, ends)
        return ends, Answer(200)

    def ideal_seconds(self, events: int, concurrency: int) -> float:
        return events * LATENCY_SECONDS / min(self.workers, concurrency)


@dataclass
class Outage(Endpoint):
    """Refuses connections for a while."""

    begins: float = 20.0
    seconds: float = 60.0
    name = "60 s outage"

    def receive(self, now: float) -> tuple[float, Reply]:
        if self.begins <= now < self.begins + self.seconds:
            return now + REFUSAL_SECONDS, NoAnswer(Failure.UNREACHABLE, "connection refused")
        return now + LATENCY_SECONDS, Answer(200)

    def ideal_seconds(self, events: int, concurrency: int) -> float:
        return events * LATENCY_SECONDS / concurrency + self.seconds


@dataclass
class Faulty(Endpoint):
    """Fails at a small share of what it gets."""

    rng: random.Random
    share: float = 0.01
    name = "500s at 1 %"

    def receive(self, now: float) -> tuple[float, Reply]:
        status = 500 if self.rng.random() < self.share else 200
        return now + LATENCY_SECONDS, Answer(status)

    def ideal_seconds(self, events: int, concurrency: int) -> float:
        return events / (1 - self.share) * LATENCY_SECONDS / concurrency


def chance(seed: int) -> random.Random:
    """Make a generator that gives the same numbers each time."""
    return random.Random(seed)  # noqa: S311 - it decides who waits, and opens nothing


def all_kinds(rng: random.Random) -> list[Endpoint]:
    """Make one of each kind."""
    return [
        Constant(),
        Jittery(rng),
        HardLimit(),
        PerSecond(),
        PerMinute(),
        Queue(rng),
        Outage(),
        Faulty(rng),
    ]
