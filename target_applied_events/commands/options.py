"""The `--config` of every command, and what is built from it."""

from __future__ import annotations

import contextlib
import logging
import os
from typing import TYPE_CHECKING, Any, TypeVar

import click
from singer_sdk.configuration._dict_config import parse_environment_config
from singer_sdk.plugin_base import _ConfigInput

from target_applied_events.errors import SettingsError, said
from target_applied_events.settings import PROPERTIES, Settings
from target_applied_events.settings.sdk import nearly_settings
from target_applied_events.target import TargetAppliedEvents

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PREFIX = f"{TargetAppliedEvents.name.upper().replace('-', '_')}_"

T = TypeVar("T", bound=TargetAppliedEvents)


def with_config(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a subcommand the target's own `--config`."""
    option = click.option(
        "--config",
        multiple=True,
        type=click.STRING,
        is_eager=True,
        callback=read_config,
        help="Configuration file location or 'ENV' to use environment variables.",
    )
    return option(command)


def read_config(context: click.Context, parameter: click.Parameter, value: tuple[str, ...]) -> _ConfigInput:
    """Read what `--config` names; a subcommand without one takes the one before its name, as Meltano writes it.

    Raises:
        SettingsError: A file can't be read.
    """
    del parameter
    if not value and context.parent is not None:
        inherited: _ConfigInput = context.parent.params.get("config") or _ConfigInput()
        return inherited
    try:
        return _ConfigInput.from_cli_args(*value)
    except (OSError, ValueError, TypeError) as error:
        problem = f"--config: {', '.join(value)} can't be read: {_reason(error)}. It names a file of JSON, or ENV."
        raise SettingsError([problem]) from error


def _reason(error: Exception) -> str:
    match error:
        case FileNotFoundError():
            return "there is no such file"
        case OSError():
            return said(error)
        case ValueError() if hasattr(error, "lineno") and hasattr(error, "colno"):
            return f"it is no JSON from line {error.lineno}, column {error.colno} on"
        case _:
            return "it is no JSON object"


def build_target(config: _ConfigInput, kind: type[T]) -> T:
    """Build a target of a kind from what `--config` named.

    Raises:
        SettingsError: With every problem at once.
    """
    whole = merged(config)
    with _sdk_quiet():
        return kind(config=whole)


def read_settings(config: _ConfigInput, *, offline: bool) -> Settings:
    """Read the settings alone.

    Args:
        config: What `--config` named.
        offline: Nothing will be sent: neither key nor shop is needed.

    Raises:
        SettingsError: With every problem at once.
    """
    return Settings.read(merged(config), offline=offline)


def merged(config: _ConfigInput) -> dict[str, Any]:
    """Bring files and environment together, the environment last.

    Raises:
        SettingsError: There are none at all, or a variable that should hold JSON doesn't.
    """
    if not config.parse_env:
        if not config.config:
            raise SettingsError(["There are no settings. Give them by --config: the name of a JSON file, or ENV."])
        return dict(config.config)
    try:
        with _sdk_quiet():
            known = TargetAppliedEvents._env_var_config  # noqa: SLF001 - the SDK's reading of its own
    except ValueError as error:
        unknown = f"--config ENV: a variable whose name begins with {_PREFIX} is none that its setting could be."
        raise SettingsError(_unparsable_variables() or [unknown]) from error
    return {**config.config, **nearly_settings(os.environ, _PREFIX), **known}  # what is nearly one is told as a mistake


@contextlib.contextmanager
def _sdk_quiet() -> Iterator[None]:
    """Keep out of the log how the SDK takes settings: a run's first line says which ledger it is."""
    loggers = [TargetAppliedEvents.logger, logging.getLogger("singer_sdk.configuration")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _unparsable_variables() -> list[str]:
    """Name the settings whose variables the SDK can't read, and what they must be."""
    schema: dict[str, Any] = {"properties": dict(PROPERTIES.to_dict()["properties"])}
    TargetAppliedEvents.append_builtin_config(schema)
    return [
        f"{name}, taken from {_PREFIX}{name.upper()}, must be {_wanted(definition)}."
        for name, definition in schema["properties"].items()
        if not _can_read(name, definition)
    ]


def _can_read(name: str, definition: dict[str, Any]) -> bool:
    try:
        parse_environment_config({"properties": {name: definition}}, _PREFIX)
    except ValueError:
        return False
    return True


def _wanted(definition: dict[str, Any]) -> str:
    return "a whole number" if "integer" in definition.get("type", ()) else "JSON"
