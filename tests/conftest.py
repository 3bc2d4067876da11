"""What all tests share: folders of their own, no proxy to their servers, a sandbox, and how hypothesis searches."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import hypothesis
import pytest

from tests.sandbox_process import Sandbox, running_sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

OUTSIDE = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "NETRC", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")

# A slow machine is no failure, so no example has a deadline; a failure in CI can be repeated from its output.
hypothesis.settings.register_profile("dev", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, print_blob=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "dev")


@pytest.fixture(scope="session", autouse=True)
def _isolated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the user's own state, configuration and network settings out of every test, and the tests out of them."""
    with pytest.MonkeyPatch.context() as patch:
        for kind in ("CACHE_HOME", "CONFIG_HOME", "DATA_HOME", "RUNTIME_DIR", "STATE_HOME"):
            patch.setenv(f"XDG_{kind}", str(tmp_path_factory.mktemp(kind.lower())))
        for name in list(os.environ):
            if name.upper() in OUTSIDE or name.startswith("TARGET_APPLIED_EVENTS_"):
                patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def _one_sandbox() -> Iterator[Sandbox]:
    """Started once for all tests that want one."""
    with running_sandbox() as running:
        yield running


@pytest.fixture
def sandbox(_one_sandbox: Sandbox) -> Iterator[Sandbox]:
    """An empty sandbox without faults."""
    _one_sandbox.clear()
    yield _one_sandbox
    _one_sandbox.put_faults({})
