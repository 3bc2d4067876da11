"""The endpoint as an application: numbers each request, lets it meet the faults in force, answers, and logs it."""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from target_applied_events.sandbox import contract
from target_applied_events.sandbox.answers import NOTHING_KEPT, Answer, answer_status
from target_applied_events.sandbox.breaks import BareBreak, break_answer
from target_applied_events.sandbox.clerk import Clerk, Request, refuse
from target_applied_events.sandbox.contract import Problem, Refusal
from target_applied_events.sandbox.faults import Faults, Meeting, Status
from target_applied_events.sandbox.traffic import Traffic
from target_applied_events.sandbox.visit import Visit
from target_applied_events.sandbox.wire import transport_of

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from target_applied_events.sandbox.store import Store


@dataclass(frozen=True, slots=True)
class Broken:
    """An answer that a fault breaks on its way."""

    effect: BareBreak
    answer: Answer


class Endpoint:
    """Every request is numbered as it arrives, and logged once it is answered or broken off."""

    def __init__(self, store: Store, rules: contract.Rules, faults: Faults | None = None) -> None:
        """Keep what arrives in `store`."""
        self.store = store
        self.faults = faults or Faults([], random.Random())  # noqa: S311 - dice for faults, no secret
        self.traffic = Traffic(store.last_request() + 1)
        self.closing = asyncio.Event()
        self._max_body_bytes = rules.max_body_bytes
        self._clerk = Clerk(store, rules)
        self._broken: set[asyncio.Transport] = set()
        self._forgotten = 0

    def __repr__(self) -> str:
        """Tell what it has seen, and what is in force."""
        return f"<Endpoint {self.traffic!r} {self.faults!r}>"

    def close(self) -> None:
        """Let go of those whose answer a fault holds back."""
        self.closing.set()
        for wire in self._broken:
            wire.abort()

    def clear(self) -> None:
        """Forget all that came, requests that are still open included."""
        self._forgotten = self.traffic.last
        self.store.clear()
        self.traffic.clear()

    async def pause(self, seconds: float) -> None:
        """Wait so long, or until the sandbox ends."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.closing.wait(), seconds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one request."""
        visit = self._begin(scope)
        try:
            match await self._serve(scope, receive, visit):
                case Answer() as answer:
                    await _send(send, answer, visit)
                case Broken(effect, answer):
                    await self._break(effect, answer, transport_of(scope), receive)
                case None:
                    pass
        finally:
            self._end(visit)

    def _begin(self, scope: Scope) -> Visit:
        client = scope["client"]
        came_from = f"{client[0]}:{client[1]}" if client else None
        return Visit(self.traffic.begin(), time.time(), time.monotonic(), scope["method"], scope["path"], came_from)

    def _end(self, visit: Visit) -> None:
        visit.finished = time.monotonic()
        self.traffic.end(visit.started, visit.finished, refused=visit.problems is not None)
        if visit.number > self._forgotten:
            self.store.log_visit(visit)

    async def _serve(self, scope: Scope, receive: Receive, visit: Visit) -> Answer | Broken | None:
        """Find what comes back; None where the client went away before its request was whole."""
        what = contract.check_route(visit.method, visit.path)
        if isinstance(what, Refusal):
            return refuse(what, visit)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        visit.shop_id = headers.get("x-shop-id")
        try:
            raw = await _read(receive, self._max_body_bytes)
        except ConnectionResetError:
            return None
        if raw is None:
            problem = Problem("body", f"must not exceed {self._max_body_bytes} bytes")
            return refuse(Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, (problem,)), visit)
        return await self._meet(Request(what, headers, scope["query_string"].decode("latin-1"), raw), visit)

    async def _meet(self, request: Request, visit: Visit) -> Answer | Broken:
        text = request.raw.decode("utf-8", "replace")
        meeting = self.faults.meet(text, visit.started, visit.at)
        visit.fault = ", ".join(meeting.kinds) or None
        kept = meeting.instead is None or meeting.instead.taken
        answer = self._clerk.deal(request, visit) if kept else NOTHING_KEPT
        visit.body = text if visit.event_id is None else None
        if meeting.delay_seconds:
            await self.pause(meeting.delay_seconds)
        return _broken(meeting, answer)

    async def _break(self, effect: BareBreak, answer: Answer, wire: asyncio.Transport, receive: Receive) -> None:
        self._broken.add(wire)
        try:
            await break_answer(effect, answer, wire, receive)
        finally:
            self._broken.discard(wire)


def _broken(meeting: Meeting, answer: Answer) -> Answer | Broken:
    match meeting.instead:
        case None:
            return answer
        case Status() as effect:
            return answer_status(effect)
        case effect:
            return Broken(effect, answer)


async def _send(send: Send, answer: Answer, visit: Visit) -> None:
    visit.status = answer.status
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


async def _read(receive: Receive, max_bytes: int) -> bytes | None:
    """Read a body; None where it is too large, ConnectionResetError where the client went away."""
    chunks, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionResetError
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > max_bytes:
            return None
        chunks.append(chunk)
        more = message.get("more_body", False)
    return b"".join(chunks)
