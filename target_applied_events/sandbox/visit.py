"""A request on its way through the sandbox, as it will be logged."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Visit:
    """One request, filled in as it goes.

    Attributes:
        number: Its number in the order of arrival.
        at: When it arrived, in seconds since 1970.
        started: When it arrived, by the monotonic clock.
        method: Its HTTP method.
        path: Its path.
        client: The address and port that it came from.
        shop_id: Its X-Shop-Id as it came; None where its method and path lead nowhere.
        finished: When it was answered or broken off, by the monotonic clock.
        status: The status answered; None where a fault answered otherwise or not at all.
        fault: The kinds of faults that it met.
        problems: Why it was refused, as JSON.
        event_id: The event that was kept of it.
        body: Its body where no event was kept.
    """

    number: int
    at: float
    started: float
    method: str
    path: str
    client: str | None
    shop_id: str | None = None
    finished: float | None = None
    status: int | None = None
    fault: str | None = None
    problems: str | None = None
    event_id: int | None = None
    body: str | None = None
