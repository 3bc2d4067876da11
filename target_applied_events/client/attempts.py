"""Attempts over HTTP: events go out, replies come back, whatever network and endpoint do in between."""

from __future__ import annotations

import contextlib
import math
import selectors
import socket
import time
from typing import TYPE_CHECKING

from target_applied_events.client.answer import NotHttpError
from target_applied_events.client.opening import Openings, said
from target_applied_events.client.request import Request, key_remover
from target_applied_events.client.route import find_route
from target_applied_events.client.wire import Connection
from target_applied_events.event import Failure, NoAnswer, Value
from target_applied_events.handover import Returned

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_applied_events.event import Reply
    from target_applied_events.handover import Job

_MOST_WAKES = 4096
_READ, _READ_AND_WRITE = selectors.EVENT_READ, selectors.EVENT_READ | selectors.EVENT_WRITE


class _Attempt(Value, frozen=True, eq=False):
    position: int
    request: bytes
    started: float
    deadline: float

    unshown = ("request",)


class Client:
    """Every attempt that is started comes back once, in time, as a reply.

    One thread starts all attempts and waits for them; only opening a connection, which blocks, has a thread of its own.
    `wake` alone may be called from other threads.
    """

    def __init__(
        self,
        *,
        api_url: str,
        api_key: str,
        timeout_seconds: float,
        user_agent: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare what all attempts of a run have in common; nothing is connected yet.

        Args:
            api_url: The endpoint's address, https, or http on a loopback address.
            api_key: The key, printable and without white space.
            timeout_seconds: The deadline of one whole attempt; connecting gets at most 5 seconds of it.
            user_agent: Names this program and its version to the endpoint.
            clock: Gives monotonic seconds.

        Raises:
            SettingsError: The key can't be a header, or the proxy or the certificates can't be used.
        """
        self._post = Request("POST", f"{api_url}/events/", api_key, user_agent)
        self._get = Request("GET", f"{api_url}/contacts/?limit=1", api_key, user_agent)
        self._without_key = key_remover(api_key)
        self._timeout_seconds, self._clock = timeout_seconds, clock
        self._route = find_route(api_url)
        self._openings: Openings[_Attempt] = Openings(self._route, clock, self.wake)
        self._kept: list[Connection] = []
        self._under_way: dict[Connection, _Attempt] = {}
        self._look_for_late_at = math.inf
        self._returned: list[Returned] = []
        self._selector = selectors.DefaultSelector()
        self._waker, self._woken = socket.socketpair()
        self._waker.settimeout(0)
        self._woken.settimeout(0)
        self._selector.register(self._woken, _READ)
        self._is_closed = False

    def __repr__(self) -> str:
        """Tell where it sends to, how much is under way and how many connections wait."""
        state = "closed" if self._is_closed else f"{len(self._under_way)} under way, {len(self._kept)} connections kept"
        return f"<Client to {self._route.host}:{self._route.port}, {state}>"

    def start(self, job: Job) -> None:
        """Begin an attempt to deliver an event; `wait` gives what came of it."""
        self._begin(job.position, self._post.to(job.event.shop_id, job.event.body))

    def contacts(self, shop_id: str) -> Reply:
        """Ask for one contact of a shop, and wait for the reply: tries key and shop without writing anything."""
        self._begin(0, self._get.to(shop_id))
        while not (returned := self.wait(self._timeout_seconds)):
            pass
        return returned[0].reply

    def wait(self, seconds: float) -> list[Returned]:
        """Wait until something comes back, at most so long, or until it's woken; what goes wrong is a reply as well.

        Args:
            seconds: 0: give what is there.

        Raises:
            InternalError: An attempt failed in a way that nobody foresaw.
        """
        if self._returned:
            seconds = 0.0
        elif self._look_for_late_at < math.inf:
            seconds = max(0.0, min(seconds, self._look_for_late_at - self._clock()))
        self._take_what_came(seconds)
        if self._clock() >= self._look_for_late_at:
            self._take_what_came(0)  # a wait that the process was stopped in ends without looking
            self._end_late()
        returned, self._returned = self._returned, []
        return returned

    def _take_what_came(self, seconds: float) -> None:
        for key, _ in self._selector.select(seconds):
            if isinstance(key.fileobj, Connection):
                self._proceed(key.fileobj, key.events)
            else:
                self._take_opened()

    def wake(self) -> None:
        """End a wait of the other thread."""
        with contextlib.suppress(OSError):  # so many have called before that it will wake anyway; or it's closed
            self._waker.send(b"\0")

    def close(self) -> None:
        """Close all connections, those under way too, and those being opened once they are."""
        self._is_closed = True
        for connection in (*self._kept, *self._under_way):
            self._drop(connection)
        self._kept.clear()
        self._under_way.clear()
        self._selector.close()
        self._waker.close()
        self._woken.close()
        self._openings.close()

    # --- an attempt's way ----------------------------------------------------------------------------------------

    def _begin(self, position: int, request: bytes) -> None:
        now = self._clock()
        attempt = _Attempt(position, request, now, now + self._timeout_seconds)
        if connection := self._take_kept(now):
            self._send(attempt, connection)
        else:
            self._openings.ask(attempt, attempt.deadline)

    def _take_kept(self, now: float) -> Connection | None:
        """Take the one used last; those that went stale meanwhile are closed on the way."""
        while self._kept:
            connection = self._kept.pop()
            if connection.is_fresh(now):
                return connection
            self._drop(connection)
        return None

    def _send(self, attempt: _Attempt, connection: Connection) -> None:
        if self._clock() >= attempt.deadline:
            self._drop(connection)
            self._return(attempt, NoAnswer(Failure.UNREACHABLE, "timed out"))
            return
        connection.begin(attempt.request)
        if connection.has_unsent:
            self._selector.modify(connection, _READ_AND_WRITE)
        self._under_way[connection] = attempt
        self._look_for_late_at = min(self._look_for_late_at, attempt.deadline)

    def _proceed(self, connection: Connection, watched: int) -> None:
        if connection not in self._under_way:  # kept, and readable: it was closed, or speaks out of turn
            self._kept.remove(connection)
            self._drop(connection)
            return
        try:
            answer = connection.proceed(self._clock())
        except TimeoutError as error:
            self._end_unanswered(connection, NoAnswer(Failure.TIMED_OUT, said(error)))
        except (OSError, NotHttpError) as error:
            self._end_unanswered(connection, NoAnswer(Failure.BROKEN, said(error)))
        else:
            if watched != _READ and not connection.has_unsent:
                self._selector.modify(connection, _READ)
            if answer is not None:
                self._end(connection, answer)

    def _end_late(self) -> None:
        now = self._clock()
        for connection, attempt in [*self._under_way.items()]:
            if now >= attempt.deadline:
                self._end_unanswered(connection, NoAnswer(Failure.TIMED_OUT, "timed out"))
        self._look_for_late_at = min((each.deadline for each in self._under_way.values()), default=math.inf)

    def _end_unanswered(self, connection: Connection, reply: NoAnswer) -> None:
        """End an attempt whose answer didn't come whole: the head of a 2xx says enough."""
        self._end(connection, connection.cut_off() or reply)

    def _end(self, connection: Connection, reply: Reply) -> None:
        attempt = self._under_way.pop(connection)
        if connection.is_reusable:
            self._kept.append(connection)
        else:
            self._drop(connection)
        self._return(attempt, reply)

    def _return(self, attempt: _Attempt, reply: Reply) -> None:
        self._returned.append(Returned(attempt.position, self._without_key(reply), attempt.started))

    def _drop(self, connection: Connection) -> None:
        self._selector.unregister(connection)
        connection.close()

    def _take_opened(self) -> None:
        """Go on with the attempts whose connections are open now, or can't be."""
        self._woken.recv(_MOST_WAKES)
        for attempt, opened in self._openings.take():
            if isinstance(opened, NoAnswer):
                self._return(attempt, opened)
            else:
                connection = Connection(opened, self._clock())
                self._selector.register(connection, _READ)
                self._send(attempt, connection)
