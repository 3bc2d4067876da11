"""README.md as it stands: what is made is current, blocks run, and what is linked is there."""

from __future__ import annotations

import json
import os
import re
import subprocess
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests import readme
from tests.pages import README, links, rows_of
from tests.sandbox_process import running_sandbox
from tests.target_process import PROGRAM, parse, run_target

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.sandbox_process import Sandbox

PACKAGE = readme.PROJECT / "target_applied_events"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox() as running:
        yield running


def test_what_is_made_from_the_project_is_current() -> None:
    text = README.read_text()
    assert readme.current(text) == text, "make readme writes it anew"


def test_no_code_block_is_left_without_a_test() -> None:
    text = README.read_text()
    names = re.findall(r"^<!-- (\w+) -->\n```", text, re.MULTILINE)
    assert len(names) == text.count("\n```") / 2, "each block has its name before it"
    tests = "".join(path.read_text() for path in (readme.PROJECT / "tests").rglob("test_*.py"))
    assert [
        name for name in names if f'readme.block("{name}")' not in tests and f'readme.value("{name}")' not in tests
    ] == []


def test_the_demo_is_what_the_test_of_the_demo_runs() -> None:
    assert readme.block("demo") == "make demo\n"
    assert '"make", "--silent", "demo"' in (readme.PROJECT / "tests" / "with_postgres" / "test_demo.py").read_text()


def test_the_mapping_makes_the_event_that_is_shown(sandbox: Sandbox, tmp_path: Path) -> None:
    settings = _config(tmp_path, sandbox, yaml.safe_load(readme.block("mapping")))
    done = run_target(settings, _messages())
    assert done.status == 0, done.log
    (arrived,) = [event["body"] for event in sandbox.events()]
    assert _without_key(arrived) == _without_key(readme.value("event"))
    assert str(arrived["metric"]["value"]) == str(readme.value("event")["metric"]["value"])


def test_the_commands_that_help_to_write_a_mapping_do_so_and_send_nothing(sandbox: Sandbox, tmp_path: Path) -> None:
    _config(tmp_path, sandbox, readme.value("config")["mappings"])
    (tmp_path / "messages.jsonl").write_bytes(_messages())
    path = f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", readme.block("commands")],  # noqa: S607 - bash is wherever it is
        cwd=tmp_path,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "\nmappings:\n" in done.stdout
    (shown,) = [parse(line) for line in done.stdout.splitlines() if line.startswith('{"stream"')]
    assert shown["event"]["contact"] == {"email": "Ada@Example.com", "remote_id": "42"}
    assert "✓ mappings: they suit the schemas of the streams: public-orders." in done.stdout
    assert "✓ api_key and shop_id: the key opens the shop" in done.stdout
    assert not re.search("^[!✗-]", done.stdout, re.MULTILINE), "nothing of README's own config is to be bettered"
    assert sandbox.events() == []


@pytest.mark.parametrize(("promise", "shown_by"), rows_of("promise", "tests", page=README))
def test_a_promise_leads_to_tests_that_there_are(promise: str, shown_by: str) -> None:
    named = [link for link in links(README) if f"[{link[0]}]({link[1]})" in shown_by]
    assert named, promise
    for words, address in named:
        assert f"def test_{words.replace(' ', '_')}(" in (README.parent / address).read_text()


@pytest.mark.parametrize(("step", "modules"), rows_of("step", "modules", page=README))
def test_a_step_of_a_records_way_names_modules_that_there_are(step: str, modules: str) -> None:
    names = re.findall(r"`(\w+)`", modules)
    assert names, step
    assert [name for name in names if not (PACKAGE / name).is_dir() and not (PACKAGE / f"{name}.py").is_file()] == []


def test_each_make_target_that_is_named_is_there() -> None:
    named = set(re.findall(r"(?:`|^)make ([a-z-]+)", README.read_text(), re.MULTILINE))
    makefile = (readme.PROJECT / "Makefile").read_text()
    assert {"demo", "test", "lint", "bench"} <= named
    assert [name for name in named if f"\n{name}:" not in makefile] == []


def _config(folder: Path, sandbox: Sandbox, mappings: list[dict[str, Any]]) -> Path:
    """Write config.json as README shows it, with these mappings and the sandbox's address."""
    path = folder / "config.json"
    own = {"api_url": sandbox.url, "data_dir": str(folder / "data"), "mappings": mappings}
    path.write_text(json.dumps(readme.value("config") | own))
    return path


def _messages() -> bytes:
    """Write the record that README shows as a tap does."""
    record = readme.value("record")
    schema = {"type": "SCHEMA", "stream": "public-orders", "schema": _schema(record), "key_properties": ["number"]}
    shown = readme.block("record").replace("\n", "")
    return f'{json.dumps(schema)}\n{{"type": "RECORD", "stream": "public-orders", "record": {shown}}}\n'.encode()


def _schema(record: dict[str, Any]) -> dict[str, Any]:
    kinds = {int: "integer", Decimal: "number"}
    return {
        "type": "object",
        "properties": {name: {"type": [kinds.get(type(value), "string"), "null"]} for name, value in record.items()},
    }


def _without_key(body: dict[str, Any]) -> dict[str, Any]:
    metric = {name: value for name, value in body["metric"].items() if name != "deduping_key"}
    return body | {"metric": metric}
