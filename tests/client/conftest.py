"""An authority of the tests' own, trusted, and a server's certificate of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trustme

from tests.client.attempts import serving

if TYPE_CHECKING:
    import ssl
    from pathlib import Path


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """Have the tests' own authority trusted, by the variable that users set for theirs."""
    bundle = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(bundle)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    return authority


@pytest.fixture
def valid_tls(trusted: trustme.CA) -> ssl.SSLContext:
    return serving(trusted.issue_cert("localhost", "127.0.0.1"))
