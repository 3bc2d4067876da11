"""The release as its users get it: built, looked into, and installed alone."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
VERSION: str = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"]

# One group, so that it's built and installed once. The package index may be slow.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.xdist_group("release")]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The sdist, and the wheel that is made from it."""
    directory = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--outdir", directory, PROJECT)
    (sdist,), (wheel,) = directory.glob("*.tar.gz"), directory.glob("*.whl")
    return sdist, wheel


@pytest.fixture(scope="module")
def installed(built: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program of the wheel, in a venv of its own."""
    directory = tmp_path_factory.mktemp("alone")
    venv.create(directory, with_pip=True)
    run(directory / "bin" / "pip", "install", "--quiet", built[1])
    return directory / "bin" / "target-applied-events"


def run(*command: str | Path, data: str | None = None) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, input=data, capture_output=True, text=True, check=False, timeout=500, cwd="/")
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def files_of(package: Path) -> set[str]:
    with zipfile.ZipFile(package) as archive:
        return set(archive.namelist())


def test_the_wheel_holds_the_package_with_its_page_and_types_and_nothing_else(built: tuple[Path, Path]) -> None:
    found = files_of(built[1])
    package = PROJECT / "target_applied_events"
    there = {
        path.relative_to(PROJECT).as_posix()
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {name for name in found if ".dist-info/" not in name} == there
    assert {"target_applied_events/py.typed", "target_applied_events/sandbox/page/index.html"} <= there
    assert f"target_applied_events-{VERSION}.dist-info/licenses/LICENSE" in found


def test_the_sdist_holds_what_the_project_keeps_and_nothing_that_its_tools_leave(built: tuple[Path, Path]) -> None:
    with tarfile.open(built[0]) as archive:
        found = {name.partition("/")[2] for name in archive.getnames()}
    pages = {
        "README.md",
        "CHANGELOG.md",
        "LICENSE",
        "SECURITY.md",
        "docs/mapping.md",
        "docs/sandbox.png",
        "tests/test_release.py",
    }
    assert pages <= found
    hidden = [name for name in found if any(part.startswith(".") for part in name.split("/"))]
    assert hidden == [".gitignore"]
    assert [name for name in found if name.endswith(".pyc") or "__pycache__" in name] == []


def test_the_metadata_is_what_an_index_takes(built: tuple[Path, Path]) -> None:
    run(sys.executable, "-m", "twine", "check", "--strict", *built)
    with zipfile.ZipFile(built[1]) as archive:
        metadata = message_from_bytes(archive.read(f"target_applied_events-{VERSION}.dist-info/METADATA"))
    assert (metadata["Version"], metadata["License-Expression"]) == (VERSION, "Apache-2.0")
    assert metadata["Requires-Python"] == ">=3.11"


def test_the_version_stands_in_one_place_and_has_its_entry_in_the_changelog(installed: Path) -> None:
    assert VERSION in run(installed, "--version").stdout
    assert f"\n## [{VERSION}] - " in (PROJECT / "CHANGELOG.md").read_text()
    sources = (PROJECT / "target_applied_events").rglob("*.py")
    assert [path.name for path in sources if f'"{VERSION}"' in path.read_text()] == []


def test_the_wheel_alone_runs_over_an_empty_input(installed: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    mapping = {"stream": "rows", "name": "Row", "contact": {"remote_id": "{{ id }}"}}
    settings = {
        "api_key": "AL",
        "shop_id": "66e4c0de-0000-4000-8000-000000000001",
        "data_dir": str(tmp_path / "data"),
        "mappings": [mapping],
    }
    config.write_text(json.dumps(settings))
    done = run(installed, "--config", config, data="")
    assert "Read 0: delivered 0" in done.stderr
    assert done.stdout == ""


def test_what_needs_an_extra_says_which(installed: Path) -> None:
    done = subprocess.run([installed, "sandbox"], capture_output=True, text=True, check=False, timeout=50)
    assert done.returncode != 0
    assert "target-applied-events[sandbox]" in done.stderr
    assert "Traceback" not in done.stderr
