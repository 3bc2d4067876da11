from __future__ import annotations

import pytest

from target_applied_events.client.request import Request, key_remover
from target_applied_events.errors import InternalError, SettingsError
from target_applied_events.event import Answer, Failure, NoAnswer

KEY = "AL-a-key"
SHOP = "66e4e63f-8a2a-4f3a-9a5b-ffaf1f1b2c3d"
URL = "https://core.appliedlabs.ai/v2026-04/events/"


def test_a_request_with_a_body_is_written_to_the_byte() -> None:
    assert Request("POST", URL, KEY, "target/1").to(SHOP, b'{"name":"\xc3\xb6"}') == (
        b"POST /v2026-04/events/ HTTP/1.1\r\nHost: core.appliedlabs.ai\r\nUser-Agent: target/1\r\n"
        b"Accept-Encoding: identity\r\nAuthorization: Bearer AL-a-key\r\n"
        b"X-Shop-Id: 66e4e63f-8a2a-4f3a-9a5b-ffaf1f1b2c3d\r\n"
        b"Content-Type: application/json\r\nContent-Length: 13\r\n\r\n"
        b'{"name":"\xc3\xb6"}'
    )


def test_a_request_without_a_body_ends_with_its_headers() -> None:
    written = Request("GET", f"{URL}?limit=1", KEY, "target/1").to(SHOP)
    assert written.startswith(b"GET /v2026-04/events/?limit=1 HTTP/1.1\r\n")
    assert written.endswith(b"\r\n\r\n")
    assert b"Content-Length" not in written


@pytest.mark.parametrize("url", ["http://user:secret@localhost:8080/v1/events/", "http://localhost:8080/v1/events/"])
def test_the_host_is_told_without_credentials(url: str) -> None:
    assert b"\r\nHost: localhost:8080\r\n" in Request("POST", url, KEY, "target/1").to(SHOP, b"")


@pytest.mark.parametrize("shop_id", ["a b", "a\r\nX-Evil: 1", "", "ü"])
def test_a_shop_id_that_would_be_more_than_its_header_is_never_written(shop_id: str) -> None:
    with pytest.raises(InternalError):
        Request("POST", URL, KEY, "target/1").to(shop_id, b"{}")


@pytest.mark.parametrize("key", ["AL a", "AL\n", "ALü", ""])
def test_a_key_that_would_be_more_than_its_header_is_told_without_being_shown(key: str) -> None:
    with pytest.raises(SettingsError) as told:
        Request("POST", URL, key, "target/1")
    assert not key or key not in str(told.value)


def test_its_repr_shows_no_key() -> None:
    assert repr(Request("POST", URL, KEY, "target/1")) == "<Request POST /v2026-04/events/>"


@pytest.mark.parametrize("quoted", ["AL/b+c&d", r"AL\/b+c&d", "AL/b%2Bc%26d", "AL%2Fb%2Bc%26d", "AL/b+c&amp;d"])
def test_the_key_is_taken_out_however_it_is_quoted(quoted: str) -> None:
    found = key_remover("AL/b+c&d")(Answer(400, f"the key {quoted}, {quoted} is wrong".encode()))
    assert found == Answer(400, b"the key ***, *** is wrong")


def test_an_answer_that_quotes_the_key_is_kept_without_it() -> None:
    without_key = key_remover(KEY)
    assert without_key(Answer(401, b"no such key: AL-a-key.")).body == b"no such key: ***."  # type: ignore[union-attr]
    for other in (Answer(200, b"{}"), NoAnswer(Failure.BROKEN, "reset")):
        assert without_key(other) is other
