"""What arrived, as JSON under /sandbox."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request

    from target_applied_events.sandbox.endpoint import Endpoint

_MOST_A_PAGE = 1000


class Desk:
    """Answers questions about what an endpoint has kept."""

    def __init__(self, endpoint: Endpoint) -> None:
        """Look at this endpoint."""
        self._endpoint = endpoint

    def app(self) -> Starlette:
        """Build the application."""
        return Starlette(
            routes=[
                Route("/sandbox/events", self._events),
                Route("/sandbox/requests", self._requests),
                Route("/sandbox", self._clear, methods=["DELETE"]),
            ]
        )

    async def _events(self, request: Request) -> Response:
        rows = list(self._endpoint.store.events(*_page(request)))
        parts = []
        for row in rows:
            body = row.pop("body")
            parts.append(json.dumps(row)[:-1] + ', "body": ' + body + "}")
        after = rows[-1]["id"] if rows else None
        text = f'{{"events": [{", ".join(parts)}], "next": {json.dumps(after)}}}'
        return Response(text.encode("utf-8"), media_type="application/json")

    async def _requests(self, request: Request) -> Response:
        rows = self._endpoint.store.requests(*_page(request))
        for row in rows:
            row["problems"] = json.loads(row["problems"]) if row["problems"] else []
        traffic = self._endpoint.traffic
        answer = {
            "requests": rows,
            "next": rows[-1]["id"] if rows else None,
            "open": traffic.open,
            "most_open": traffic.most_open,
        }
        return JSONResponse(answer)

    async def _clear(self, _request: Request) -> Response:
        self._endpoint.store.clear()
        return Response(status_code=204)


def _page(request: Request) -> tuple[int, int]:
    after, limit = (request.query_params.get(name, default) for name, default in (("after", "0"), ("limit", "100")))
    return int(after), min(int(limit), _MOST_A_PAGE)
