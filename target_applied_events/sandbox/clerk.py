"""Deals with a request that came in whole: holds it to the contract, and takes its event or lists contacts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qsl

from target_applied_events.sandbox import contract
from target_applied_events.sandbox.answers import Answer, answer_json, answer_refusal, problems_of
from target_applied_events.sandbox.body import read_body
from target_applied_events.sandbox.contract import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_applied_events.sandbox.store import Store
    from target_applied_events.sandbox.visit import Visit


@dataclass(frozen=True, slots=True)
class Request:
    """A request that came in whole.

    Attributes:
        what: What it is for.
        headers: Its headers, names in lower case.
        query: What stands behind the question mark.
        raw: Its body.
    """

    what: Literal["events", "contacts"]
    headers: Mapping[str, str]
    query: str
    raw: bytes


class Clerk:
    """Whatever he refuses, he notes with its reason."""

    def __init__(self, store: Store, rules: contract.Rules) -> None:
        """Keep what is taken in `store`."""
        self._store = store
        self._rules = rules

    def __repr__(self) -> str:
        """Tell what he keeps to."""
        return f"<Clerk of {self._store!r}>"

    def deal(self, request: Request, visit: Visit) -> Answer:
        """Answer a request; what became of it is noted in `visit`."""
        refusal = contract.check_headers(request.headers, self._rules)
        if refusal is not None:
            return refuse(refusal, visit)
        shop_id = contract.canonical_uuid(request.headers["x-shop-id"])
        return (
            self._list(shop_id, request, visit) if request.what == "contacts" else self._take(shop_id, request, visit)
        )

    def _take(self, shop_id: str, request: Request, visit: Visit) -> Answer:
        body = contract.check_content_type(request.headers) or read_body(request.raw, self._rules)
        if isinstance(body, Refusal):
            return refuse(body, visit)
        taken = self._store.take(visit.number, shop_id, body, request.raw.decode("utf-8"), visit.at)
        visit.event_id = taken.event_id
        return answer_json(HTTPStatus.OK, {"contact": taken.contact.answer() if taken.contact else None})

    def _list(self, shop_id: str, request: Request, visit: Visit) -> Answer:
        asked = dict(parse_qsl(request.query))
        refusal = contract.check_query(asked)
        if refusal is not None:
            return refuse(refusal, visit)
        limit = int(asked.get("limit", contract.USUAL_LIMIT))
        after = int(asked.get("cursor", "0"))
        found = self._store.list_contacts(shop_id, asked.get("email"), asked.get("phone"), after, limit + 1)
        cursor = str(found[limit - 1].number) if len(found) > limit else None
        listed = [contact.answer() for contact in found[:limit]]
        return answer_json(HTTPStatus.OK, {"contacts": listed, "next_cursor": cursor})


def refuse(refusal: Refusal, visit: Visit) -> Answer:
    """Tell what is wrong with a request, and note it."""
    visit.problems = json.dumps(problems_of(refusal))
    return answer_refusal(refusal)
