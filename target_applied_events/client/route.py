"""How the endpoint is reached: address, certificates and proxy, as requests reads them from the environment."""

from __future__ import annotations

import base64
import contextlib
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import requests
import requests.utils

from target_applied_events.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy that opens a tunnel to the endpoint.

    Attributes:
        host: Its name or address.
        port: Its port.
        authorization: The Proxy-Authorization header, empty where it asks for none.
    """

    host: str
    port: int
    authorization: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Route:
    """How the endpoint is reached.

    Attributes:
        host: The endpoint's name or address.
        port: Its port.
        tls: What certificates are trusted; None for plain HTTP.
        proxy: The proxy between, if there is one.
    """

    host: str
    port: int
    tls: ssl.SSLContext | None = None
    proxy: Proxy | None = None


def find_route(api_url: str) -> Route:
    """Find the way to the endpoint as requests would; plain HTTP, which is for loopback alone, takes no proxy.

    HTTPS_PROXY, NO_PROXY, REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE count; netrc doesn't, since it would replace the key.

    Raises:
        SettingsError: The address is none, or the proxy or the certificates can't be used.
    """
    url = urlsplit(prepared("GET", api_url).url or api_url)
    host = url.hostname or ""
    if url.scheme == "http":
        return Route(host, url.port or 80)
    with requests.Session() as session:
        environment = session.merge_environment_settings(api_url, {}, None, None, None)
    proxy = requests.utils.select_proxy(api_url, environment["proxies"])
    return Route(host, url.port or 443, _trust(environment["verify"]), _proxy(proxy) if proxy else None)


def prepared(method: str, url: str) -> requests.PreparedRequest:
    """Have requests put an address into the form that is sent.

    Raises:
        SettingsError: It is no address.
    """
    try:
        return requests.Request(method, url).prepare()
    except (requests.RequestException, ValueError):  # their text quotes the address, which may hold a password
        raise SettingsError(["api_url: must be the endpoint's address, as https://HOST/v2026-04."]) from None


def _trust(verify: object) -> ssl.SSLContext:
    """Trust the bundle that the environment names, else the one that requests brings."""
    bundle = Path(verify if isinstance(verify, str) else requests.utils.DEFAULT_CA_BUNDLE_PATH)
    try:
        context = ssl.create_default_context(
            cafile=None if bundle.is_dir() else bundle, capath=bundle if bundle.is_dir() else None
        )
    except OSError as error:
        said = error.strerror or str(error)
        problem = f"REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE: {bundle} can't be read as certificates ({said})."
        raise SettingsError([problem]) from error
    context.set_alpn_protocols(["http/1.1"])
    return context


def _proxy(address: str) -> Proxy:
    # What is wrong with an address isn't shown: the parser quotes from it, and it may hold a password.
    with contextlib.suppress(ValueError):
        url = urlsplit(address if "://" in address else f"http://{address}")
        user, password = requests.utils.get_auth_from_url(url.geturl())
        credentials = base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
        if url.scheme == "http" and url.hostname:
            return Proxy(url.hostname, url.port or 80, f"Basic {credentials}" if user else "")
    raise SettingsError(["HTTPS_PROXY or ALL_PROXY: must be an HTTP proxy, http://host:port."])
