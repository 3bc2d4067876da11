"""No misspelt setting is passed over quietly."""

from __future__ import annotations

import pytest

from target_applied_events.settings.sdk import misspelt, nearly_settings, sdk_problems

SDKS = {"flattening_enabled": {"type": ["boolean", "null"]}, "batch_size_rows": {"type": "integer"}}


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("max_reject", "max_rejected"),
        ("data_dirr", "data_dir"),
        ("dataDir", "data_dir"),
        ("shopid", "shop_id"),
        ("ledger-url", "ledger_url"),
        ("mapping", "mappings"),
        ("flatening_enabled", "flattening_enabled"),
    ],
)
def test_a_name_that_is_nearly_a_settings_is_a_mistake(name: str, meant: str) -> None:
    assert misspelt({name: "x", "api_key": "AL"}, SDKS) == ([f"{name} is no setting; did you mean {meant}?"], [])


@pytest.mark.parametrize("name", ["once_per", "when", "contact", "stream"])
def test_a_part_of_a_mapping_that_stands_beside_the_mappings_is_a_mistake(name: str) -> None:
    said = f"{name} is no setting but part of a mapping: move it into one of `mappings`."
    assert misspelt({name: "x", "api_key": "AL"}, SDKS) == ([said], [])


def test_a_variable_that_is_nearly_a_settings_is_found_and_what_is_anothers_is_not() -> None:
    environment = {
        "T_API_ULR": "http://127.0.0.1:1",
        "T_API_URL": "https://x",
        "T_LOGLEVEL": "DEBUG",
        "T__DIALECT": "x",
        "T_BATCH_CONFIG_ENCODING_FORMAT": "jsonl",
        "T_MAX_REJECTD": "5",
        "API_ULR": "x",
    }
    assert nearly_settings(environment, "T_") == {"api_ulr": "http://127.0.0.1:1", "max_rejectd": "5"}


def test_a_name_that_is_like_none_is_another_programs() -> None:
    assert misspelt({"start_date": "x", "api_key": "AL"}, SDKS) == ([], ["start_date"])


def test_settings_of_the_sdk_are_held_to_its_schemas_and_ours_are_not() -> None:
    config = {"flattening_enabled": "perhaps", "batch_size_rows": "1000"}
    (problem,) = sdk_problems(config, SDKS)
    assert problem == (
        "flattening_enabled breaks the rule `type` of this setting of the SDK; `target-applied-events --about "
        "--format=json` shows it."
    )
