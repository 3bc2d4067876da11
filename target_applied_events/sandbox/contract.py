"""The endpoint's contract, written anew from its documentation: where requests go, and what their headers must be."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

USUAL_LIMIT = 50
MOST_LIMIT = 200
"""How many contacts an answer lists."""

_PATH = re.compile(r"/v[^/]+/(events|contacts)/")
_METHODS = {"events": "POST", "contacts": "GET"}
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Rules:
    """How strict the sandbox is where the documentation doesn't speak.

    Attributes:
        api_key: The one key that is good; None takes any that begins with `AL`.
        max_body_bytes: The largest body that is read.
        allow_unknown_fields: Takes fields that the documentation doesn't name.
        allow_nulls: Takes null for a field that is optional, as if it were missing.
        allow_anonymous: Takes contacts without email, phone and remote_id, each as a new one.
    """

    api_key: str | None = None
    max_body_bytes: int = 1024 * 1024
    allow_unknown_fields: bool = False
    allow_nulls: bool = False
    allow_anonymous: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a request.

    Attributes:
        field: Its place: a header's name, or a path into the body.
        message: What is wanted, and what came.
    """

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that isn't taken.

    Attributes:
        status: The HTTP status.
        problems: Everything that is wrong.
        headers: What the status demands beside it.
    """

    status: int
    problems: tuple[Problem, ...]
    headers: tuple[tuple[str, str], ...] = ()


def check_route(method: str, path: str) -> Literal["events", "contacts"] | Refusal:
    """Find what a request is for; any version stands for the documented one."""
    found = _PATH.fullmatch(path)
    if found is None:
        lacks_slash = _PATH.fullmatch(path + "/")
        message = "must end with a slash" if lacks_slash else "is not one of /v…/events/ and /v…/contacts/"
        return Refusal(404, (Problem("path", message),))
    what: Literal["events", "contacts"] = "events" if found[1] == "events" else "contacts"
    wanted = _METHODS[what]
    if method != wanted:
        return Refusal(405, (Problem("method", f"must be {wanted}"),), (("allow", wanted),))
    return what


def check_headers(headers: Mapping[str, str], rules: Rules) -> Refusal | None:
    """Hold a request's headers to the contract; names are in lower case."""
    message = _key_problem(headers.get("authorization", ""), rules)
    if message is not None:
        return Refusal(401, (Problem("Authorization", message),), (("www-authenticate", "Bearer"),))
    if not is_uuid(headers.get("x-shop-id", "")):
        return Refusal(422, (Problem("X-Shop-Id", "must be a uuid"),))
    return None


def _key_problem(authorization: str, rules: Rules) -> str | None:
    scheme, _, key = authorization.partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        return "must be a bearer key"
    if rules.api_key is None:
        return None if key.strip().startswith("AL") else "must be a key that begins with AL"
    return None if key.strip() == rules.api_key else "must be the key given with --api-key"


def check_query(asked: Mapping[str, str]) -> Refusal | None:
    """Hold the query of a list of contacts to the contract."""
    wanted = {"limit": f"a whole number from 1 to {MOST_LIMIT}", "cursor": "a next_cursor of an earlier answer"}
    problems = [Problem(name, f"must be {wanted[name]}") for name in wanted if not _is_whole(asked.get(name, "1"))]
    if not problems and not 1 <= int(asked.get("limit", "1")) <= MOST_LIMIT:
        problems = [Problem("limit", f"must be {wanted['limit']}")]
    return Refusal(422, tuple(problems)) if problems else None


def _is_whole(text: str) -> bool:
    return bool(re.fullmatch(r"[0-9]{1,15}", text))


def check_content_type(headers: Mapping[str, str]) -> Refusal | None:
    """Hold a POST's Content-Type to the contract."""
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return Refusal(415, (Problem("Content-Type", "must be application/json"),))
    return None


def is_uuid(text: str) -> bool:
    """Tell whether a text is a uuid in its usual form."""
    return bool(_UUID.fullmatch(text))


def canonical_uuid(text: str) -> str:
    """Write a uuid that was checked in its usual form."""
    return str(uuid.UUID(text))
