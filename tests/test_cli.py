from __future__ import annotations

import importlib
import logging
import pkgutil
import subprocess
import sys

import click
import pytest
from singer_sdk.exceptions import MappingError as StreamMapsError
from singer_sdk.exceptions import SingerSDKError

from target_applied_events import cli, commands, errors
from tests.target_process import PROGRAM


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=50, check=False)


def program(*arguments: str) -> subprocess.CompletedProcess[str]:
    return run(str(PROGRAM), *arguments)


def test_help_shows_each_subcommand_with_what_it_is_for() -> None:
    done = program("--help")
    assert (done.returncode, done.stderr) == (0, "")
    shown = done.stdout.partition("Commands:")[2].split("\n")
    told = {words[0]: words[1:] for words in (line.split() for line in shown) if words}
    assert list(told) == list(cli.SUBCOMMANDS)
    assert all(told.values())


def test_each_module_that_holds_a_command_of_its_name_is_a_subcommand_and_no_other_is() -> None:
    group = cli._command()  # noqa: SLF001 - what main runs
    context = click.Context(group)
    found = {name: group.get_command(context, name) for name in group.list_commands(context)}
    held = {}
    for _, name, _ in pkgutil.iter_modules(commands.__path__):
        held[name] = getattr(importlib.import_module(f"{commands.__name__}.{name}"), name, None)
    assert found == {name: command for name, command in held.items() if isinstance(command, click.Command)}
    assert group.get_command(context, "options") is None


def test_a_subcommand_that_there_is_not_is_a_mistake_of_usage() -> None:
    done = program("previw")
    assert (done.returncode, done.stdout) == (2, "")
    assert "previw" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_run_does_not_import_what_only_subcommands_need() -> None:
    code = "import sys, target_applied_events.cli; print(*sys.modules)"
    imported = run(sys.executable, "-c", code).stdout.split()
    subcommands = {name for name in imported if name.startswith("target_applied_events.commands.")}
    assert subcommands == {"target_applied_events.commands.options"}
    assert not [name for name in imported if name.startswith("target_applied_events.sandbox")]
    assert not {"starlette", "uvicorn"} & set(imported)


ENDS = {
    errors.SettingsError(["one is wrong", "two is wrong"]): (2, logging.ERROR, ["one is wrong", "two is wrong"]),
    errors.MappingError(["this", "that"]): (1, logging.ERROR, ["this", "that"]),
    errors.LedgerError("The ledger is gone."): (1, logging.ERROR, ["The ledger is gone."]),
    errors.StopReading("Ended by SIGTERM", 143): (143, logging.WARNING, ["Ended by SIGTERM"]),
    StreamMapsError("no such column"): (1, logging.ERROR, ["stream_maps: no such column"]),
    SingerSDKError("no schema yet"): (1, logging.ERROR, ["no schema yet"]),
    errors.InternalError("it doesn't add up"): (
        1,
        logging.ERROR,
        ["This is a mistake of the program itself, please report it: it doesn't add up"],
    ),
}


@pytest.mark.parametrize("error", ENDS, ids=lambda error: type(error).__name__)
def test_what_ended_a_run_is_logged_and_becomes_its_status(
    error: errors.TargetError | SingerSDKError, caplog: pytest.LogCaptureFixture
) -> None:
    status, level, said = ENDS[error]
    assert cli._tell(error) == status  # noqa: SLF001 - what main ends by
    assert [line.getMessage() for line in caplog.records] == said
    assert {line.levelno for line in caplog.records} == {level}
    with_traceback = [line for line in caplog.records if line.exc_info]
    assert len(with_traceback) == isinstance(error, errors.InternalError)
