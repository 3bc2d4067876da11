"""The definition of the loader in meltano.yml says what the program itself says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from demo.pipeline import PROJECT

PROGRAM = Path(sys.executable).with_name("target-applied-events")


@pytest.fixture(scope="module")
def about() -> dict[str, Any]:
    command = [str(PROGRAM), "--about", "--format=json"]
    told = subprocess.run(command, capture_output=True, text=True, timeout=50, check=True)
    found: dict[str, Any] = json.loads(told.stdout)
    return found


@pytest.fixture(scope="module")
def loader() -> dict[str, Any]:
    project = yaml.safe_load((PROJECT / "meltano.yml").read_text())
    found: dict[str, Any] = project["plugins"]["loaders"][0]
    return found


def test_it_declares_each_setting_that_the_program_has(about: dict[str, Any], loader: dict[str, Any]) -> None:
    assert {setting["name"] for setting in loader["settings"]} == set(about["settings"]["properties"])


def test_it_marks_the_settings_that_are_secret(about: dict[str, Any], loader: dict[str, Any]) -> None:
    secret = {name for name, declared in about["settings"]["properties"].items() if declared.get("secret")}
    assert (
        {setting["name"] for setting in loader["settings"] if setting.get("sensitive")}
        == secret
        == {"api_key", "ledger_url"}
    )


def test_each_setting_has_a_kind_a_label_and_a_description(loader: dict[str, Any]) -> None:
    lacking = [
        setting["name"] for setting in loader["settings"] if not {"kind", "label", "description"} <= set(setting)
    ]
    assert lacking == []


def test_it_names_what_the_program_can_do(about: dict[str, Any], loader: dict[str, Any]) -> None:
    assert set(loader["capabilities"]) == set(about["capabilities"])


def test_each_of_its_commands_is_one_of_the_program(loader: dict[str, Any]) -> None:
    told = subprocess.run([str(PROGRAM), "--help"], capture_output=True, text=True, timeout=50, check=True)
    assert [name for name in loader.get("commands", {}) if f"  {name}  " not in told.stdout] == []
