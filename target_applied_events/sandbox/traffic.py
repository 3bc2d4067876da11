"""How much comes in: the number of requests, the most at once, the rate and the latency of the last minute."""

from __future__ import annotations

from collections import deque

WINDOW_SECONDS = 60
RECENT_SECONDS = 5
_MOST_RECENT = 2000


class Traffic:
    """Every request that began ends once; between the two it counts as open."""

    def __init__(self, first: int = 1) -> None:
        """Begin with no traffic; `first` is the number of the first request."""
        self.requests = 0
        self.refused = 0
        self.open = 0
        self.most_open = 0
        self.last = first - 1
        self._seconds: deque[tuple[int, int]] = deque(maxlen=WINDOW_SECONDS)
        self._recent: deque[tuple[float, float]] = deque(maxlen=_MOST_RECENT)

    def __repr__(self) -> str:
        """Tell the counts."""
        return f"<Traffic {self.requests} requests, {self.open} open, {self.most_open} at most>"

    def begin(self) -> int:
        """Give a request its number, in the order of arrival."""
        self.last += 1
        self.requests += 1
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        return self.last

    def end(self, started: float, now: float, *, refused: bool) -> None:
        """Count a request as answered, or broken off."""
        self.open -= 1
        self.refused += refused
        second = int(now)
        if self._seconds and self._seconds[-1][0] == second:
            self._seconds[-1] = (second, self._seconds[-1][1] + 1)
        else:
            self._seconds.append((second, 1))
        self._recent.append((now, now - started))

    def clear(self) -> None:
        """Count anew; requests that are open stay so, and numbers go on."""
        self.requests = self.most_open = self.open
        self.refused = 0

    def rate(self, now: float) -> list[int]:
        """Requests that ended in each of the last 60 whole seconds, the latest last."""
        counts = dict(self._seconds)
        return [counts.get(int(now) - ago, 0) for ago in range(WINDOW_SECONDS, 0, -1)]

    def latency(self, now: float) -> dict[str, float] | None:
        """Median and 95th percentile in seconds over the last five; None without requests in them."""
        recent = sorted(seconds for ended, seconds in self._recent if now - ended <= RECENT_SECONDS)
        if not recent:
            return None
        return {"median": recent[len(recent) // 2], "p95": recent[min(len(recent) - 1, len(recent) * 95 // 100)]}
