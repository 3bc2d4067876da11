"""The command: the Singer target itself, and its subcommands."""

from __future__ import annotations

import gc
import importlib
import logging
import os
import resource
import sys
from typing import TYPE_CHECKING, NoReturn

import click
from singer_sdk.exceptions import MappingError as StreamMapsError
from singer_sdk.exceptions import SingerSDKError
from singer_sdk.plugin_base import SingerCommand

from target_applied_events.commands.options import build_target, read_config
from target_applied_events.errors import InternalError, MappingError, SettingsError, StopReading, TargetError
from target_applied_events.target import TargetAppliedEvents

if TYPE_CHECKING:
    from typing import IO

    from singer_sdk.plugin_base import _ConfigInput

SUBCOMMANDS = ("preview", "check", "suggest", "rejected", "ledger", "sandbox", "demo")
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
    next(parameter for parameter in singer.params if parameter.name == "config").callback = read_config
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
    # A core file would hold the key.
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    build_target(config, TargetAppliedEvents).deliver(file_input)


def main() -> None:
    """Run the command; ends the process with the status that the run deserves."""
    gc.freeze()  # what was imported stays to the end: looking it over at the exit would take a quarter of a short run
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
            logger.error("This is a mistake of the program itself, please report it: %s", error, exc_info=error)
        case StreamMapsError():
            logger.error("stream_maps: %s", error)
        case StopReading():
            logger.warning("%s", error)
        case _:
            logger.error("%s", error)
    return error.exit_status if isinstance(error, TargetError) else 1


def _leave(status: int) -> NoReturn:
    """End; a standard output that nobody reads must not turn into a traceback at the last flush."""
    try:
        if sys.stdout is not None:  # it was closed before the start
            sys.stdout.flush()
    except (OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.exit(status)
