from __future__ import annotations

import http.client
import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import requests

from tests.sandbox.posting import EVENT, HEADERS, SHOP, post

if TYPE_CHECKING:
    from tests.sandbox_process import Sandbox


def raw_exchange(sandbox: Sandbox, request: bytes) -> bytes:
    where = urlsplit(sandbox.base)
    with socket.create_connection((where.hostname, where.port or 0), timeout=10) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while part := connection.recv(65536):
            answer += part
    return answer


def test_a_taken_event_is_answered_with_its_contact(sandbox: Sandbox) -> None:
    answer = post(sandbox, {"name": "x", "contact": {"email": "ada@example.com", "name": "Ada", "phone": "1"}})
    assert answer.status_code == 200
    contact = answer.json()["contact"]
    assert contact == {"id": contact["id"], "email": "ada@example.com", "phone": "1", "remote_id": None}
    assert sandbox.events()[0]["contact_id"] == contact["id"]


def test_a_metric_alone_has_no_contact(sandbox: Sandbox) -> None:
    assert post(sandbox, {"name": "x", "metric": {"metric_name": "m"}}).json() == {"contact": None}


def test_a_body_is_kept_exactly_as_it_came(sandbox: Sandbox) -> None:
    number = "12345678901234567890123456789.10"
    body = f'{{ "name": "\\u00e9 \U0001f388",\n "metric": {{"metric_name": "m", "value": {number} }} }}'
    assert post(sandbox, body.encode()).status_code == 200
    [event] = sandbox.events()
    assert event["body"]["metric"]["value"] == Decimal(number)
    [as_text] = sandbox.get("events", body="text")["events"]
    assert as_text["body"] == body


def test_a_refusal_names_each_field(sandbox: Sandbox) -> None:
    answer = post(sandbox, {"name": "", "contact": {"email": 1}})
    assert answer.status_code == 422
    fields = [problem["field"] for problem in answer.json()["error"]["fields"]]
    assert fields == ["name", "contact.email"]
    assert sandbox.events() == []
    [request] = sandbox.requests()
    assert [problem["field"] for problem in request["problems"]] == fields
    assert request["body"] == '{"name": "", "contact": {"email": 1}}'


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("POST", "/v2026-04/events/", {"Authorization": "Bearer sk-x"}, 401),
        ("POST", "/v2026-04/events/", {"X-Shop-Id": "x"}, 422),
        ("POST", "/v2026-04/events/", {"Content-Type": "text/plain"}, 415),
        ("POST", "/v2026-04/events", {}, 404),
        ("GET", "/v2026-04/events/", {}, 405),
        ("POST", "/elsewhere", {}, 404),
        ("GET", "/v2026-04/%2e%2e/%2e%2e/etc/passwd", {}, 404),
        ("GET", "/%2e%2e/%2e%2e/etc/passwd", {}, 404),
        ("GET", "/page/../server.py", {}, 404),
    ],
)
def test_each_refusal_has_its_status(
    sandbox: Sandbox, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    where = urlsplit(sandbox.base)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=10)
    sent = {"Content-Type": "application/json", **HEADERS, **headers}
    connection.request(method, path, json.dumps(EVENT), sent)
    answer = connection.getresponse()
    assert answer.status == status
    assert answer.read()
    connection.close()


def test_a_refusal_tells_what_would_be_right(sandbox: Sandbox) -> None:
    assert requests.get(f"{sandbox.url}/events/", headers=HEADERS, timeout=10).headers["allow"] == "POST"
    assert post(sandbox, Authorization="none").headers["www-authenticate"] == "Bearer"


def test_a_body_of_50_megabytes_is_refused_and_the_connection_serves_on(sandbox: Sandbox) -> None:
    session = requests.Session()
    sent = {"Content-Type": "application/json", **HEADERS}
    answer = session.post(f"{sandbox.url}/events/", data=b" " * 50_000_000, headers=sent, timeout=30)
    assert answer.status_code == 413
    assert session.post(f"{sandbox.url}/events/", json=EVENT, headers=HEADERS, timeout=10).status_code == 200


@pytest.mark.parametrize("body", [b"\xff\xfe", b"{", b'{"name": NaN}', b"[" * 100_000])
def test_what_is_no_json_is_refused_and_shown(sandbox: Sandbox, body: bytes) -> None:
    assert post(sandbox, body).status_code == 400
    assert sandbox.requests()[0]["body"] == body.decode("utf-8", "replace")
    assert post(sandbox).status_code == 200


def test_what_is_no_http_is_refused_and_others_are_served(sandbox: Sandbox) -> None:
    assert b" 400 " in raw_exchange(sandbox, b"\x16\x03\x01 hello\r\n\r\n")
    injected = b"POST /v2026-04/events/ HTTP/1.1\r\nHost: localhost\r\nX-Shop-Id: a\x00b\r\nContent-Length: 0\r\n\r\n"
    assert b" 400 " in raw_exchange(sandbox, injected) or b" 401 " in raw_exchange(sandbox, injected)
    assert post(sandbox).status_code == 200


def test_a_client_that_leaves_midway_leaves_no_event(sandbox: Sandbox) -> None:
    head = b"POST /v2026-04/events/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"
    raw_exchange(sandbox, head)
    assert post(sandbox).status_code == 200
    assert len(sandbox.events()) == 1


def test_contacts_are_listed_a_page_at_a_time_and_by_email_and_phone(sandbox: Sandbox) -> None:
    for number in range(5):
        post(sandbox, {"name": "x", "contact": {"email": f"{number}@b.c", "phone": f"+{number}"}})
    post(sandbox, X_Shop_Id=SHOP[:-1] + "2")

    def listed(**query: str | int) -> tuple[list[str], str | None]:
        answer = requests.get(f"{sandbox.url}/contacts/", params=query, headers=HEADERS, timeout=10).json()
        return [contact["email"] for contact in answer["contacts"]], answer["next_cursor"]

    emails, cursor = listed(limit=3)
    assert cursor is not None
    assert emails + listed(limit=3, cursor=cursor)[0] == [f"{number}@b.c" for number in range(5)]
    assert listed(limit=5)[1] is None
    assert listed(email="3@B.C") == (["3@b.c"], None)
    assert listed(phone="+ 4") == (["4@b.c"], None)
    assert listed(email="nobody@b.c") == ([], None)


def test_contacts_need_a_key_too(sandbox: Sandbox) -> None:
    assert requests.get(f"{sandbox.url}/contacts/", headers={"X-Shop-Id": SHOP}, timeout=10).status_code == 401


def test_200_connections_at_once_are_served_and_counted(sandbox: Sandbox) -> None:
    sandbox.put_faults({"faults": [{"kind": "latency", "seconds": 1}]})
    ready = threading.Barrier(200)

    def send(number: int) -> int:
        ready.wait()
        return post(sandbox, {"name": "x", "contact": {"remote_id": str(number)}}).status_code

    with ThreadPoolExecutor(200) as pool:
        assert set(pool.map(send, range(200))) == {200}
    assert len(sandbox.events()) == 200
    assert sandbox.most_open() > 100


def test_the_key_is_kept_nowhere(sandbox: Sandbox) -> None:
    post(sandbox, Authorization="Bearer ALhush")
    post(sandbox, b"{", Authorization="Bearer ALhush")
    for what in ("events", "requests", "contacts", "metrics"):
        assert "hush" not in json.dumps(sandbox.get(what), default=str)
