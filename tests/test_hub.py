"""The definition for MeltanoHub says what meltano.yml says, in the Hub's form."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.hub import FILE, definition

# The rules of the Hub's JSON schemas that a definition like this one can break.
KINDS = {"array", "boolean", "date_iso8601", "decimal", "email", "file", "integer", "object", "options", "string"}
CAPABILITIES = {"about", "batch", "schema-flattening", "stream-maps", "validate-records"}
OF_SETTINGS = {"name", "kind", "label", "description", "sensitive", "options", "value"}


@pytest.fixture(scope="module")
def kept() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(FILE.read_text())
    return found


def test_it_says_what_meltano_yml_says(kept: dict[str, Any]) -> None:
    assert kept == definition(), "python -m tests.hub writes it anew"


def test_it_has_what_the_hub_requires(kept: dict[str, Any]) -> None:
    assert {"name", "namespace", "variant", "quality"} <= set(kept)


def test_its_settings_and_capabilities_are_such_as_the_hub_knows(kept: dict[str, Any]) -> None:
    assert {setting["kind"] for setting in kept["settings"]} <= KINDS
    assert {name for setting in kept["settings"] for name in setting} <= OF_SETTINGS
    assert set(kept["capabilities"]) <= CAPABILITIES
