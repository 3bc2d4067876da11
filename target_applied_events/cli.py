"""The command: the Singer target itself, and its subcommands."""

from __future__ import annotations

import importlib
import json
import logging
import os
import sys
from typing import TYPE_CHECKING, Any, NoReturn

import click
from singer_sdk.exceptions import SingerSDKError
from singer_sdk.plugin_base import SingerCommand

from target_applied_events.errors import InternalError, MappingError, SettingsError, StopReading, TargetError
from target_applied_events.target import TargetAppliedEvents

if TYPE_CHECKING:
    from typing import IO

    from singer_sdk.plugin_base import _ConfigInput

SUBCOMMANDS = ("sandbox",)
"""Each a module of `commands` with a command of its own name, imported only when it's called."""

logger = logging.getLogger(TargetAppliedEvents.name)


class Group(SingerCommand, click.Group):
    """The target's own command; a subcommand's module is imported when it's called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the subcommands."""
        del ctx
        return list(SUBCOMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a subcommand."""
        del ctx
        if cmd_name not in SUBCOMMANDS:
            return None
        module = importlib.import_module(f"target_applied_events.commands.{cmd_name}")
        command: click.Command = getattr(module, cmd_name)
        return command


def _command() -> Group:
    singer = TargetAppliedEvents.cli
    return Group(
        name=TargetAppliedEvents.name,
        callback=_run,
        params=singer.params,
        context_settings=singer.context_settings,
        help="Deliver the records of a Singer tap to the Applied Labs events endpoint.",
        invoke_without_command=True,
        logger=TargetAppliedEvents.logger,
    )


@click.pass_context
def _run(
    context: click.Context,
    *,
    about: bool,
    about_format: str | None,
    config: _ConfigInput,
    file_input: IO[str] | None,
) -> None:
    if context.invoked_subcommand is not None:
        return
    if about:
        TargetAppliedEvents.print_about(about_format)
        return
    build_target(config).deliver(file_input)


def build_target(config: _ConfigInput) -> TargetAppliedEvents:
    """Build the target from what `--config` named.

    Raises:
        SettingsError: With every problem at once.
    """
    try:
        return TargetAppliedEvents(config=config.config, parse_env_config=config.parse_env)
    except ValueError as error:  # the SDK parses arrays and objects from the environment
        problems = _unparsable_environment()
        if not problems:
            raise
        raise SettingsError(problems) from error


def _unparsable_environment() -> list[str]:
    schema: dict[str, Any] = {"properties": dict(TargetAppliedEvents.config_jsonschema["properties"])}
    TargetAppliedEvents.append_builtin_config(schema)
    return [
        f"{name}, taken from {variable}, must be JSON."
        for name in schema["properties"]
        if (variable := f"TARGET_APPLIED_EVENTS_{name.upper()}") in os.environ
        and os.environ[variable].lstrip()[:1] in {"[", "{"}
        and not _is_json(os.environ[variable])
    ]


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def main() -> None:
    """Run the command; ends the process with the status that the run deserves."""
    try:
        _command().main(standalone_mode=False)
        status = 0
    except click.exceptions.Exit as end:
        status = end.exit_code
    except click.ClickException as wrong:
        wrong.show()
        status = 2
    except (TargetError, SingerSDKError) as error:
        status = _tell(error)
    _leave(status)


def _tell(error: TargetError | SingerSDKError) -> int:
    """Log what ended the run, and choose the exit status."""
    match error:
        case SettingsError() | MappingError():
            for problem in error.problems:
                logger.error("%s", problem)
        case InternalError():
            logger.error("%s", error, exc_info=error)
        case StopReading():
            logger.warning("%s", error)
        case _:
            logger.error("%s", error)
    return error.exit_status if isinstance(error, TargetError) else 1


def _leave(status: int) -> NoReturn:
    """End; a standard output that nobody reads must not turn into a traceback at the last flush."""
    try:
        sys.stdout.flush()
    except (BrokenPipeError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.exit(status)
