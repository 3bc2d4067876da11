"""The bytes of a request, and the key kept out of what is answered to it."""

from __future__ import annotations

import functools
import html
import json
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import msgspec

from target_applied_events.client.route import prepared
from target_applied_events.errors import InternalError, SettingsError
from target_applied_events.event import Answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_applied_events.event import Reply

_MOST_SHOPS = 1024
_HEADER_VALUE = re.compile(r"[!-~]+")


class Request:
    """Everything of a request that stays the same during a run, so that an attempt only adds what differs."""

    def __init__(self, method: str, url: str, api_key: str, user_agent: str) -> None:
        """Put together what stays the same.

        Args:
            method: POST or GET.
            url: The address.
            api_key: The key, printable and without white space.
            user_agent: Names this program and its version to the endpoint.

        Raises:
            SettingsError: The key can't be a header, or the address is none.
        """
        if not _HEADER_VALUE.fullmatch(api_key):
            raise SettingsError(["api_key: must be printable ASCII without white space."])
        address = prepared(method, url)
        self._told = f"{method} {urlsplit(url).path}"
        host = urlsplit(address.url or url).netloc.rpartition("@")[2]
        self._before_shop = (
            f"{method} {address.path_url} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {user_agent}\r\n"
            f"Accept-Encoding: identity\r\nAuthorization: Bearer {api_key}\r\nX-Shop-Id: "
        )
        self._head = functools.lru_cache(_MOST_SHOPS)(self._make_head)

    def __repr__(self) -> str:
        """Tell what it asks for, without the key."""
        return f"<Request {self._told}>"

    def to(self, shop_id: str, body: bytes | None = None) -> bytes:
        """Write the request for a shop, as it goes over the wire.

        Raises:
            InternalError: The shop's id can't be a header.
        """
        if body is None:
            return self._head(shop_id) + b"\r\n"
        return b"%bContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
            self._head(shop_id),
            len(body),
            body,
        )

    def _make_head(self, shop_id: str) -> bytes:
        if not _HEADER_VALUE.fullmatch(shop_id):
            raise InternalError("an event's shop id can't be a header: mappings must only let uuids through")
        return f"{self._before_shop}{shop_id}\r\n".encode("ascii")


def key_remover(api_key: str) -> Callable[[Reply], Reply]:
    """Make what takes the key out of an answer that quotes it: answers are kept beside what they refuse.

    It is known also as JSON, URLs and HTML write it.
    """
    in_json = json.dumps(api_key)[1:-1]
    in_urls = {quote(api_key), quote(api_key, safe="")}
    forms = {api_key, in_json, in_json.replace("/", "\\/"), html.escape(api_key), *in_urls}
    key = re.compile("|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True)).encode())

    def without_key(reply: Reply) -> Reply:
        if isinstance(reply, Answer) and key.search(reply.body):
            return msgspec.structs.replace(reply, body=key.sub(b"***", reply.body))
        return reply

    return without_key
