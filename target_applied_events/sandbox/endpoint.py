"""The endpoint itself: takes events, lists contacts, and answers as the documented one does."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Any

from target_applied_events.sandbox import contract
from target_applied_events.sandbox.contract import Problem, Refusal

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from target_applied_events.sandbox.store import Store

_PATH = re.compile(r"/v[^/]+/(events|contacts)/")


class Traffic:
    """Counts requests: the number of each, and the most that were open at once."""

    def __init__(self) -> None:
        """Begin with none."""
        self.requests = 0
        self.open = 0
        self.most_open = 0

    def __repr__(self) -> str:
        """Tell the counts."""
        return f"<Traffic {self.requests} requests, {self.open} open, {self.most_open} at most>"

    def begin(self) -> int:
        """Give a request its number."""
        self.requests += 1
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        return self.requests

    def end(self) -> None:
        """A request has been answered, or broken off."""
        self.open -= 1


class Endpoint:
    """An ASGI application: every request is numbered as it arrives, and logged once it is answered."""

    def __init__(self, store: Store, rules: contract.Rules) -> None:
        """Keep what arrives in `store`."""
        self.store = store
        self.rules = rules
        self.traffic = Traffic()

    def __repr__(self) -> str:
        """Tell what it has seen."""
        return f"<Endpoint {self.traffic!r}>"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one request."""
        client = scope.get("client")
        row: dict[str, Any] = {
            "id": self.traffic.begin(),
            "at": time.time(),
            "started": time.monotonic(),
            "method": scope["method"],
            "path": scope["path"],
            "client": f"{client[0]}:{client[1]}" if client else None,
            **dict.fromkeys(("shop_id", "status", "fault", "problems", "event_id", "body")),
        }
        try:
            status, answer, headers = await self._answer(scope, receive, row)
            row["status"] = status
            await _send(send, status, answer, headers)
        finally:
            self.traffic.end()
            row["finished"] = time.monotonic()
            self.store.log_request(row)

    async def _answer(
        self, scope: Scope, receive: Receive, row: dict[str, Any]
    ) -> tuple[int, dict[str, Any], dict[str, str]]:
        found = _PATH.fullmatch(scope["path"])
        if found is None:
            return 404, _told((Problem("path", "is not one of /v…/events/ and /v…/contacts/"),)), {}
        wanted = "POST" if found[1] == "events" else "GET"
        if scope["method"] != wanted:
            return 405, _told((Problem("method", f"must be {wanted}"),)), {"allow": wanted}
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        row["shop_id"] = headers.get("x-shop-id")
        refusal = contract.check_headers(headers, self.rules)
        if refusal is None and wanted == "GET":
            return 200, {"contacts": [], "next_cursor": None}, {}
        outcome = refusal or await self._take(headers, receive, row)
        if isinstance(outcome, Refusal):
            row["problems"] = json.dumps([[problem.field, problem.message] for problem in outcome.problems])
            return outcome.status, _told(outcome.problems), {}
        return 200, outcome, {}

    async def _take(self, headers: dict[str, str], receive: Receive, row: dict[str, Any]) -> dict[str, Any] | Refusal:
        refusal = contract.check_content_type(headers)
        raw = await _read(receive, self.rules.max_body_bytes)
        if raw is None:
            return Refusal(413, (Problem("body", f"must not exceed {self.rules.max_body_bytes} bytes"),))
        body = refusal or contract.read_body(raw, self.rules)
        if isinstance(body, Refusal):
            row["body"] = raw.decode("utf-8", "replace")
            return body
        shop_id = contract.canonical_uuid(headers["x-shop-id"])
        taken = self.store.take(row["id"], shop_id, body, raw.decode("utf-8"), row["at"])
        row["event_id"] = taken.event_id
        return {"contact": taken.contact.answer() if taken.contact else None}


def _told(problems: tuple[Problem, ...]) -> dict[str, Any]:
    message = "; ".join(f"{problem.field} {problem.message}" for problem in problems)
    fields = [{"field": problem.field, "message": problem.message} for problem in problems]
    return {"error": {"message": message, "fields": fields}}


async def _read(receive: Receive, max_bytes: int) -> bytes | None:
    chunks, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionResetError("the client went away before its request was whole")
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > max_bytes:
            return None
        chunks.append(chunk)
        more = message.get("more_body", False)
    return b"".join(chunks)


async def _send(send: Send, status: int, answer: dict[str, Any], headers: dict[str, str]) -> None:
    body = json.dumps(answer, ensure_ascii=False).encode("utf-8")
    own = {"content-type": "application/json", "content-length": str(len(body)), **headers}
    encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in own.items()]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": body})
