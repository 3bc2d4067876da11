from __future__ import annotations

import contextlib
import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest
from click.testing import CliRunner

from target_applied_events.commands.dry_run import DryRun
from target_applied_events.commands.options import build_target, merged, read_settings, with_config
from target_applied_events.errors import SettingsError
from tests.in_process import handlers_put_back
from tests.target_process import API_KEY, SHOP, config

if TYPE_CHECKING:
    from singer_sdk.plugin_base import _ConfigInput

PREFIX = "TARGET_APPLIED_EVENTS_"
MAPPING = {"stream": "rows", "name": "Row {{ id }}", "contact": {"remote_id": "{{ id }}"}}


@click.group(invoke_without_command=True)
@with_config
def above(config: _ConfigInput) -> None:
    del config


@above.command()
@with_config
def below(config: _ConfigInput) -> None:
    click.echo(json.dumps(merged(config)))


def given(*arguments: str) -> dict[str, Any]:
    """What a subcommand takes for its settings."""
    done = CliRunner().invoke(above, arguments, catch_exceptions=False)
    settings: dict[str, Any] = json.loads(done.stdout)
    return settings


def file(path: Path, **settings: object) -> str:
    path.write_text(json.dumps(settings))
    return str(path)


def test_a_subcommand_without_a_config_takes_the_one_before_its_name(tmp_path: Path) -> None:
    one, two = file(tmp_path / "one", api_url="one"), file(tmp_path / "two", api_url="two")
    assert given("--config", one, "below") == {"api_url": "one"}
    assert given("--config", one, "below", "--config", two) == {"api_url": "two"}


def test_of_two_files_the_later_outweighs_and_the_environment_outweighs_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = file(tmp_path / "one", api_key="1", api_url="1", max_concurrency=1)
    two = file(tmp_path / "two", api_url="2", max_concurrency=2)
    monkeypatch.setenv(f"{PREFIX}MAX_CONCURRENCY", "3")
    assert given("below", "--config", one, "--config", two) == {"api_key": "1", "api_url": "2", "max_concurrency": 2}
    for order in ([one, two, "ENV"], ["ENV", one, two]):
        arguments = [part for name in order for part in ("--config", name)]
        assert given("below", *arguments) == {"api_key": "1", "api_url": "2", "max_concurrency": "3"}


@pytest.mark.parametrize("arguments", [["below"], ["below", "--config", "empty.json"]])
def test_without_settings_it_says_how_they_are_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    file(tmp_path / "empty.json")
    with pytest.raises(SettingsError, match=r"There are no settings\. Give them by --config"):
        given(*arguments)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "there is no such file"),
        ('{"api_key": }', "it is no JSON from line 1, column 13 on"),
        ('{"api_key": "AL-sekret', "it is no JSON from line 1, column 13 on"),
        ("[1]", "it is no JSON object"),
        (b"\xff\xfe\x00", "it is no JSON object"),
    ],
)
def test_a_config_file_that_cannot_be_read_is_named_with_the_reason_and_never_shown(
    tmp_path: Path, content: str | bytes | None, why: str
) -> None:
    path = tmp_path / "config.json"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(SettingsError) as told:
        given("below", "--config", str(path))
    assert told.value.problems == (f"--config: {path} can't be read: {why}. It names a file of JSON, or ENV.",)


def test_a_directory_for_a_config_file_is_told_in_the_system_s_words(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="Is a directory"):
        given("below", "--config", str(tmp_path))


@pytest.mark.parametrize(
    ("variable", "value", "wanted"),
    [
        ("MAPPINGS", '[{"stream": ', "mappings, taken from TARGET_APPLIED_EVENTS_MAPPINGS, must be JSON."),
        ("MAPPINGS", "- stream: orders", "mappings, taken from TARGET_APPLIED_EVENTS_MAPPINGS, must be JSON."),
        (
            "FLATTENING_MAX_DEPTH",
            "deep",
            "flattening_max_depth, taken from TARGET_APPLIED_EVENTS_FLATTENING_MAX_DEPTH, must be a whole number.",
        ),
    ],
)
def test_a_variable_that_its_setting_cannot_be_is_named_with_what_it_must_be(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, wanted: str
) -> None:
    monkeypatch.setenv(f"{PREFIX}API_KEY", API_KEY)
    monkeypatch.setenv(f"{PREFIX}{variable}", value)
    with pytest.raises(SettingsError) as told:
        given("below", "--config", "ENV")
    assert told.value.problems == (wanted,)


def test_all_variables_that_cannot_be_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}MAPPINGS", "[{")
    monkeypatch.setenv(f"{PREFIX}STREAM_MAPS", "{")
    with pytest.raises(SettingsError) as told:
        given("below", "--config", "ENV")
    assert [problem.partition(",")[0] for problem in told.value.problems] == ["mappings", "stream_maps"]


def asked_for(path: Path) -> _ConfigInput:
    @click.command()
    @with_config
    def command(config: _ConfigInput) -> _ConfigInput:
        return config

    found: _ConfigInput = command.main(["--config", str(path)], standalone_mode=False)
    return found


def test_a_variable_that_is_nearly_a_settings_is_told_as_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}API_ULR", "http://127.0.0.1:1")
    monkeypatch.setenv(f"{PREFIX}LOGLEVEL", "DEBUG")
    assert given("below", "--config", "ENV").get("api_ulr") == "http://127.0.0.1:1"
    with pytest.raises(SettingsError) as told:
        build_target(asked_for(Path("ENV")), DryRun)
    assert "api_ulr is no setting; did you mean api_url?" in told.value.problems
    assert "loglevel" not in str(told.value)


def test_neither_key_nor_shop_is_needed_where_nothing_is_sent(tmp_path: Path) -> None:
    chosen = asked_for(config(tmp_path, "https://core.appliedlabs.ai/v1", [MAPPING], api_key=None, shop_id=None))
    assert len(read_settings(chosen, offline=True).declarations) == 1
    with pytest.raises(SettingsError) as told:
        read_settings(chosen, offline=False)
    assert len(told.value.problems) == 2


def test_a_target_is_built_without_a_word_in_the_log_and_the_log_is_left_as_it_was(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    good = asked_for(config(tmp_path / "good", "https://a.example/v1", [MAPPING]))
    wrong = asked_for(config(tmp_path / "wrong", "ftp://a.example", [], shop_id="shop"))
    names = ("target-applied-events", "singer_sdk.configuration")
    with handlers_put_back(), contextlib.ExitStack() as levels:
        for name in names:
            levels.enter_context(caplog.at_level(logging.INFO, name))
        target = build_target(good, DryRun)
        with pytest.raises(SettingsError):
            build_target(wrong, DryRun)
        assert [logging.getLogger(name).level for name in names] == [logging.INFO, logging.INFO]
    assert (target.settings.shop_id, caplog.records) == (SHOP, [])
