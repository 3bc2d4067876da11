"""What arrived, as JSON under /sandbox, the faults in force, and the page that shows both."""

from __future__ import annotations

import json
import random
import time
from importlib import resources
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from target_applied_events.sandbox import questions
from target_applied_events.sandbox.declared import read_faults, write_faults
from target_applied_events.sandbox.faults import KINDS, Fault, Faults

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from starlette.requests import Request

    from target_applied_events.sandbox.endpoint import Endpoint

_USUAL_LIMIT, _MOST_LIMIT = 100, 1000
_PULSE_SECONDS = 0.5

_ASSETS = {
    "": ("index.html", "text/html; charset=utf-8"),
    "page.css": ("page.css", "text/css; charset=utf-8"),
    "favicon.svg": ("favicon.svg", "image/svg+xml"),
    **{
        f"{name}.js": (f"{name}.js", "text/javascript; charset=utf-8")
        for name in ("page", "parts", "timelines", "metrics", "requests", "faults")
    },
}
_GUARDS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
    " img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}


class Desk:
    """Looks at one endpoint, and changes nothing but its faults; only `clear` empties it."""

    def __init__(self, endpoint: Endpoint) -> None:
        """Look at this endpoint."""
        self._endpoint = endpoint
        self._store = endpoint.store

    def __repr__(self) -> str:
        """Tell what it looks at."""
        return f"<Desk of {self._endpoint!r}>"

    def app(self) -> Starlette:
        """Build the application."""
        pages = [Route(f"/{path}", _asset(*asset)) for path, asset in _ASSETS.items()]
        routes = [
            Route("/sandbox/events", self._events),
            Route("/sandbox/contacts", self._contacts),
            Route("/sandbox/metrics", self._metrics),
            Route("/sandbox/requests", self._requests),
            Route("/sandbox/faults", self._faults, methods=["GET"]),
            Route("/sandbox/faults", self._put_faults, methods=["PUT"]),
            Route("/sandbox/live", self._live),
            Route("/sandbox", self._clear, methods=["DELETE"]),
        ]
        return Starlette(
            routes=[*pages, *routes], exception_handlers={HTTPException: _tell, questions.CursorError: _tell}
        )

    async def _events(self, request: Request) -> Response:
        latest = _choice(request, "order", ("arrival", "latest")) == "latest"
        page = questions.list_events(self._store.db, request.query_params, latest=latest, **_part(request))
        as_text = request.query_params.get("body") == "text"
        return _json(f'{{"events": [{", ".join(_event(row, as_text=as_text) for row in page.rows)}], ', page.next)

    async def _contacts(self, request: Request) -> Response:
        page = questions.list_contacts(self._store.db, request.query_params, **_part(request))
        return JSONResponse({"contacts": page.rows, "next": page.next}, headers=_GUARDS)

    async def _metrics(self, _request: Request) -> Response:
        return JSONResponse({"metrics": questions.list_metrics(self._store)}, headers=_GUARDS)

    async def _requests(self, request: Request) -> Response:
        latest = _choice(request, "order", ("arrival", "latest")) == "latest"
        outcome = _choice(request, "outcome", ("", "taken", "refused", "faulted")) or None
        page = questions.list_requests(self._store.db, outcome, latest=latest, **_part(request))
        traffic = self._endpoint.traffic
        told = {"requests": page.rows, "next": page.next, "open": traffic.open, "most_open": traffic.most_open}
        return JSONResponse(told, headers=_GUARDS)

    async def _faults(self, _request: Request) -> Response:
        faults = self._endpoint.faults
        left = faults.left()
        told = [{**fault, "left": left[index]} for index, fault in enumerate(write_faults(faults.faults))]
        kinds = {kind: write_faults([Fault(effect())])[0] for kind, effect in KINDS.items()}
        return JSONResponse({"faults": told, "kinds": kinds}, headers=_GUARDS)

    async def _put_faults(self, request: Request) -> Response:
        try:
            faults, seed = _declared(await request.json())
        except (ValueError, RecursionError) as error:
            raise HTTPException(422, str(error)) from None
        self._endpoint.faults = Faults(faults, random.Random(seed))  # noqa: S311 - dice for faults, no secret
        return await self._faults(request)

    async def _clear(self, _request: Request) -> Response:
        self._endpoint.clear()
        return Response(status_code=204, headers=_GUARDS)

    async def _live(self, _request: Request) -> Response:
        return StreamingResponse(self._pulses(), media_type="text/event-stream", headers=_GUARDS)

    async def _pulses(self) -> AsyncIterator[str]:
        """Tell the counts whenever they have changed; what is new, the page asks for itself."""
        told = ""
        while not self._endpoint.closing.is_set():
            pulse = json.dumps(self._pulse())
            yield f"data: {pulse}\n\n" if pulse != told else ": still here\n\n"
            told = pulse
            await self._endpoint.pause(_PULSE_SECONDS)

    def _pulse(self) -> dict[str, Any]:
        traffic, now = self._endpoint.traffic, time.monotonic()
        return {
            "events": self._store.events,
            "contacts": self._store.contacts,
            "requests": traffic.requests,
            "refused": traffic.refused,
            "open": traffic.open,
            "most_open": traffic.most_open,
            "rate": traffic.rate(now),
            "latency_seconds": traffic.latency(now),
            "faults": [fault.effect.kind for fault in self._endpoint.faults.faults],
        }


def _asset(name: str, media_type: str) -> Callable[[Request], Awaitable[Response]]:
    content = (resources.files(__package__ or "") / "page" / name).read_bytes()

    async def answer(_request: Request) -> Response:
        return Response(content, media_type=media_type, headers=_GUARDS)

    return answer


def _event(row: dict[str, Any], *, as_text: bool) -> str:
    """Write an event with its body exactly as it came, as JSON within JSON or as text."""
    shown = ("id", "request_id", "at", "received_at", "shop_id", "contact_id", "counted")
    if as_text:
        return json.dumps(row)
    return json.dumps({name: row[name] for name in shown})[:-1] + f', "body": {row["body"]}}}'


def _json(start: str, following: str | None) -> Response:
    return Response(f'{start}"next": {json.dumps(following)}}}', media_type="application/json", headers=_GUARDS)


def _choice(request: Request, name: str, allowed: tuple[str, ...]) -> str:
    chosen = request.query_params.get(name, allowed[0])
    if chosen not in allowed:
        raise HTTPException(422, f"{name} must be one of {', '.join(filter(None, allowed))}")
    return chosen


def _part(request: Request) -> dict[str, Any]:
    limit = request.query_params.get("limit", str(_USUAL_LIMIT))
    if not limit.isascii() or not limit.isdigit():
        raise HTTPException(422, "limit must be a whole number")
    return {"cursor": request.query_params.get("after", ""), "limit": min(max(int(limit[:9]), 1), _MOST_LIMIT)}


def _declared(declared: object) -> tuple[list[Fault], int | None]:
    if not isinstance(declared, dict) or not set(declared) <= {"faults", "seed"}:
        raise ValueError("wanted is an object such as {'faults': [{'kind': 'status', 'share': 0.1}], 'seed': 1}")
    seed = declared.get("seed")
    if seed is not None and type(seed) is not int:
        raise ValueError("seed must be a whole number or null")
    return read_faults(declared.get("faults", [])), seed


async def _tell(_request: Request, error: Exception) -> Response:
    status, detail = (error.status_code, error.detail) if isinstance(error, HTTPException) else (422, str(error))
    return JSONResponse({"error": {"message": detail}}, status, headers=_GUARDS)
