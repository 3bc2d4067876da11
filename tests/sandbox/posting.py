"""Events as a client posts them, and faults as one puts them in force."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from tests.sandbox_process import Sandbox

SHOP = "66e4a5f0-0000-4000-8000-000000000001"
HEADERS = {"Authorization": "Bearer ALabc", "X-Shop-Id": SHOP}
EVENT = {"name": "Order placed", "contact": {"email": "ada@example.com"}}


def post(sandbox: Sandbox, body: object = EVENT, **headers: str) -> requests.Response:
    """Post a body, which may be bytes of any kind; headers by their names with `_` for `-`."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {
        "Content-Type": "application/json",
        **HEADERS,
        **{key.replace("_", "-"): value for key, value in headers.items()},
    }
    return requests.post(f"{sandbox.url}/events/", data=raw, headers=sent, timeout=10)


def post_and_see(sandbox: Sandbox, name: str = "x", timeout_seconds: float = 10) -> requests.Response:
    """Post an event of a name; of the answer only the head is read."""
    body = {"name": name, "contact": {"email": "ada@example.com"}}
    return requests.post(
        f"{sandbox.url}/events/",
        json=body,
        headers=HEADERS,
        timeout=timeout_seconds,
        stream=True,
        allow_redirects=False,
    )


def put(sandbox: Sandbox, *faults: dict[str, Any]) -> None:
    """Put these faults in force, and no others; their dice fall the same way each time."""
    sandbox.put_faults({"faults": list(faults), "seed": 1})
