"""What docs/sandbox.md shows is what the sandbox does."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import pytest
import requests

from tests.pages import PROJECT, commands, rows_of
from tests.sandbox_process import running_sandbox

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox_process import Sandbox

PAGE = PROJECT / "docs" / "sandbox.md"
STARTS = [shlex.split(command)[1:] for command in commands(PAGE) if command.startswith("sandbox")]
REQUESTS = re.findall(r"`([A-Z]+) (\S+)`", " ".join(name for name, _ in rows_of("request", "", page=PAGE)))


@pytest.mark.parametrize("arguments", STARTS, ids=" ".join)
def test_it_starts_as_the_page_says(arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with running_sandbox(*arguments) as started:
        assert started.events() == []
        faults = started.get("faults")["faults"]
    assert len(faults) == arguments.count("--fault")
    assert (tmp_path / "sandbox.sqlite").exists() == ("--data" in arguments)


def test_it_answers_each_request_of_the_page(sandbox: Sandbox) -> None:
    assert {method for method, _ in REQUESTS} == {"GET", "PUT", "DELETE"}
    for method, path in REQUESTS:
        answer = requests.request(method, f"{sandbox.base}{path}", json={} if method == "PUT" else None, timeout=10)
        assert answer.ok, f"{method} {path}"
