from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from target_applied_events.client import Client
from target_applied_events.client.route import Proxy, find_route
from target_applied_events.errors import SettingsError
from tests.client.attempts import KEY, OK, WHOLE, client_of, event, send
from tests.with_sandbox.faulty_server import FaultyServer, always, tunnelling

if TYPE_CHECKING:
    import ssl
    from pathlib import Path

HTTPS = "https://core.example.com/v2026-04"
BASIC = "Basic dXNlcjpwQHNz"


# Addresses


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("http://localhost/v1", "localhost", 80),
        ("http://LOCALHOST:8080/v1", "localhost", 8080),
        ("http://[::1]:8080/v1", "::1", 8080),
        ("https://core.example.com/v1", "core.example.com", 443),
        ("https://user:secret@core.example.com:8443", "core.example.com", 8443),
        ("https://bücher.example/v1", "xn--bcher-kva.example", 443),
    ],
)
def test_an_address_gives_host_and_port_as_they_are_connected_to(url: str, host: str, port: int) -> None:
    route = find_route(url)
    assert (route.host, route.port, route.proxy) == (host, port, None)
    assert (route.tls is not None) is url.startswith("https:")


@pytest.mark.parametrize("url", ["https://*.example/v1", "https://:443/", "https://[::1/"])
def test_an_address_that_is_none_is_told_as_a_setting(url: str) -> None:
    with pytest.raises(SettingsError, match="api_url"):
        Client(api_url=url, api_key=KEY, timeout_seconds=1, user_agent="x")


def test_netrc_does_not_replace_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with FaultyServer(always(OK)) as server, client_of(server.port) as client:
        send(client, event())
    assert f"\r\nAuthorization: Bearer {KEY}\r\n".encode() in server.requests[0]
    assert server.requests[0].lower().count(b"authorization:") == 1


# Certificates


def test_curl_ca_bundle_is_honoured_too(
    valid_tls: ssl.SSLContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    monkeypatch.setenv("CURL_CA_BUNDLE", str(tmp_path / "authority.pem"))
    with FaultyServer(always(OK), valid_tls) as server, client_of(server.port, scheme="https") as client:
        assert send(client, event()) == WHOLE


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_bundle_that_cannot_be_used_is_told_as_a_setting(
    content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if content:
        (tmp_path / "bundle.pem").write_text(content)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "bundle.pem"))
    with pytest.raises(SettingsError, match=r"REQUESTS_CA_BUNDLE.*bundle\.pem"), client_of(443, scheme="https"):
        pass


# Proxies


@pytest.mark.parametrize(
    ("environment", "proxy"),
    [
        ({"HTTPS_PROXY": "http://proxy:3128"}, Proxy("proxy", 3128)),
        ({"https_proxy": "http://proxy"}, Proxy("proxy", 80)),
        ({"ALL_PROXY": "proxy:3128"}, Proxy("proxy", 3128)),
        ({"HTTPS_PROXY": "http://one:1", "ALL_PROXY": "http://two:2"}, Proxy("one", 1)),
        ({"HTTPS_PROXY": "http://user:p%40ss@[::1]:3128/"}, Proxy("::1", 3128, BASIC)),
        ({"HTTPS_PROXY": "user:p%40ss@proxy:3128"}, Proxy("proxy", 3128, BASIC)),
        ({"HTTP_PROXY": "http://proxy:3128"}, None),
        ({"HTTPS_PROXY": ""}, None),
    ],
)
def test_a_proxy_is_the_one_that_the_environment_names_for_https(
    environment: dict[str, str], proxy: Proxy | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert find_route(HTTPS).proxy == proxy


@pytest.mark.parametrize(
    ("no_proxy", "is_direct"),
    [("core.example.com", True), (".example.com", True), ("example.com,other", True), ("*", True), ("other", False)],
)
def test_a_host_that_needs_no_proxy_takes_none(
    no_proxy: str, monkeypatch: pytest.MonkeyPatch, *, is_direct: bool
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    monkeypatch.setenv("NO_PROXY", no_proxy)
    assert (find_route(HTTPS).proxy is None) is is_direct


def test_a_route_shows_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:p%40ss@proxy:3128")
    shown = repr(find_route(HTTPS.replace("//", "//user:secret@")))
    assert "proxy" in shown
    assert not any(secret in shown for secret in ("p@ss", "p%40ss", BASIC, "secret"))


def test_no_proxy_is_honoured(valid_tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch) -> None:
    with FaultyServer(always(OK), valid_tls) as server, FaultyServer(tunnelling()) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NO_PROXY", "example.com,localhost")
        with client_of(server.port, scheme="https", host="localhost") as client:
            assert send(client, event()) == WHOLE
    assert proxy.connections == 0


def test_plain_http_on_loopback_never_leaves_for_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with FaultyServer(always(OK)) as server, FaultyServer(tunnelling()) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{proxy.port}")
        with client_of(server.port) as client:
            assert send(client, event()) == WHOLE
    assert proxy.connections == 0


@pytest.mark.parametrize(
    "proxy", ["socks5://user:secret@127.0.0.1:1", "https://127.0.0.1:1", "http://u:secret", "http://u:secret@[::1"]
)
def test_a_proxy_that_cannot_be_used_is_told_as_a_setting(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(SettingsError, match="HTTPS_PROXY") as refused, client_of(443, scheme="https"):
        pass
    assert "secret" not in str(refused.value)
