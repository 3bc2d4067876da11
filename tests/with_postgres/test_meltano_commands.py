"""The commands that meltano.yml declares take their settings from Meltano."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from demo.pipeline import MELTANO, PROJECT, Pipeline
from tests.target_process import Message, as_lines, parse, record, schema

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("meltano"), pytest.mark.usefixtures("_meltano")]

COLUMNS: Message = {name: {} for name in ("id", "full_name", "email", "phone", "created_at", "attributes")}


def invoke(folder: Path, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    pipeline = Pipeline(folder, "postgresql://unused", "http://127.0.0.1:9/v2026-04")
    return subprocess.run(
        [MELTANO, "invoke", f"target-applied-events:{command}", *arguments],
        cwd=PROJECT,
        env=pipeline.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        text=True,
    )


def test_preview_shows_the_events_of_the_projects_mappings(tmp_path: Path) -> None:
    columns = {"id": 7, "full_name": "Ada", "email": "ADA@example.com", "created_at": "2026-01-02T03:04:05Z"}
    (tmp_path / "in").write_bytes(
        as_lines([schema("public-customers", COLUMNS), record("public-customers", **columns)])
    )
    done = invoke(tmp_path, "preview", "--input", str(tmp_path / "in"))
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    assert parse(line)["event"]["contact"]["email"] == "ada@example.com"


def test_rejected_finds_the_data_directory(tmp_path: Path) -> None:
    done = invoke(tmp_path, "rejected")
    assert done.returncode == 0, done.stderr
    assert str(tmp_path / "data") in done.stderr
