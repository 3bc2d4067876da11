"""A real Airflow with the DAG, in a folder of its own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from demo.pipeline import API_KEY, MELTANO, PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

BIN = PROJECT / ".venv-airflow" / "bin"
DAG = "applied_events"
DAG_FILE = PROJECT / "orchestrate" / "dags" / "applied_events.py"
COMMAND_SECONDS = 240
START_SECONDS = 180
STOP_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Task:
    """One task of a run of the DAG; `number` is -1 where there is one alone of its kind."""

    name: str
    number: int
    state: str | None
    tries: int
    pid: int | None


@dataclass(frozen=True, slots=True)
class Airflow:
    """An Airflow that has nothing to do with any other.

    Attributes:
        home: The folder of all that it keeps: settings, database, logs.
        settings: What the workers find in their environment, besides the connection with the key.
        extras: The connection's extras.
    """

    home: Path
    settings: Mapping[str, str]
    extras: Mapping[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        """Give the environment that all of its programs run in."""
        steering = ("AIRFLOW", "APPLIED_EVENTS_", "MELTANO_", "TAP_POSTGRES_", "TARGET_APPLIED_EVENTS_", "PYTHON")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(steering)}
        temporary = self.home / "tmp"
        temporary.mkdir(parents=True, exist_ok=True)
        return inherited | {
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "TMPDIR": str(temporary),
            "NO_COLOR": "1",
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(DAG_FILE.parent),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": "6",
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW_CONN_APPLIED_EVENTS": _connection(API_KEY, self.extras),
            "APPLIED_EVENTS_MELTANO": str(MELTANO),
            "APPLIED_EVENTS_PROJECT": str(PROJECT),
            "APPLIED_EVENTS_SCHEDULE": "",
            "APPLIED_EVENTS_RETRY_SECONDS": "3",
            **self.settings,
        }

    def run(self, *arguments: str, status: int | None = 0) -> str:
        """Run one of its commands; gives all that it says."""
        with self.started(*arguments) as process:
            said, _ = process.communicate(timeout=COMMAND_SECONDS)
        assert status in {None, process.returncode}, said
        return said

    @contextlib.contextmanager
    def started(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """Run one of its commands until the block ends at the latest."""
        with subprocess.Popen(
            [BIN / "airflow", *arguments],
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def set_up(self) -> None:
        """Make its database, and the pool that the DAG asks for."""
        self.run("db", "migrate")
        self.run("pools", "set", DAG, "4", "runs of the pipeline side by side")

    def tasks(self) -> list[Task]:
        """All tasks of all runs of the DAG as they stand now."""
        query = "select task_id, map_index, state, try_number, pid from task_instance where dag_id = ? order by 1, 2"
        return [Task(*row) for row in self._ask(query, DAG)]

    def run_state(self) -> str | None:
        """How the one run of the DAG stands."""
        ((state,),) = self._ask("select state from dag_run where dag_id = ?", DAG)
        return None if state is None else str(state)

    def _ask(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        with contextlib.closing(
            sqlite3.connect(f"file:{self.home}/airflow.db?mode=ro", uri=True, timeout=30)
        ) as database:
            return database.execute(query, values).fetchall()

    def logs(self) -> str:
        """All that the tasks have logged."""
        return "".join(path.read_text() for path in sorted((self.home / "logs").rglob("attempt=*.log")))

    def files_with(self, text: str) -> list[Path]:
        """What it keeps that holds a text."""
        kept = [self.home / "airflow.db", *self.home.glob("airflow.db-*"), *(self.home / "logs").rglob("*")]
        return [path for path in kept if path.is_file() and text.encode() in path.read_bytes()]

    def processes(self) -> dict[int, str]:
        """What is running of it and of all that its tasks started, by command: each has its home in the environment."""
        mark = f"AIRFLOW_HOME={self.home}".encode()
        found = [path for path in Path("/proc").glob("[0-9]*") if mark in _read(path / "environ").split(b"\0")]
        return {int(path.name): _read(path / "cmdline").replace(b"\0", b" ").decode() for path in found}

    @contextlib.contextmanager
    def standing(self, log: Path) -> Iterator[subprocess.Popen[bytes]]:
        """Run all its services until the block ends; what doesn't end in order then is killed."""
        port = _free_port()
        own = {
            "AIRFLOW__API__PORT": str(port),
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
            "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
        }
        with (
            log.open("wb") as file,
            subprocess.Popen(
                [BIN / "airflow", "standalone"],
                env=self.environment() | own,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            ) as process,
        ):
            try:
                _wait_until_healthy(port, process)
                yield process
            finally:
                self._stop(process)

    def _stop(self, standalone: subprocess.Popen[bytes]) -> None:
        """End the services in order, and then whatever is left of them and of what they started.

        Airflow's own parent of them ends at once at a SIGTERM, and leaves them.
        """
        session = standalone.pid
        services = [pid for pid, (_, parent, _) in _running().items() if parent == session]
        _signal([*services, session], signal.SIGTERM)
        _wait_for_end_of(session)
        _signal({*members(session), *self.processes()}, signal.SIGKILL)
        _wait_for_end_of(session)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # the process has ended
        return b""


def descendants(pid: int) -> list[int]:
    """A process, and all that it and its children started."""
    found = [pid]
    for known in found:
        found += [child for child, (_, parent, _) in _running().items() if parent == known]
    return found


def members(session: int) -> list[int]:
    """What is running of a session, however it calls itself."""
    return [pid for pid, (state, _, itself) in _running().items() if itself == session and state != "Z"]


def _signal(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _wait_for_end_of(session: int) -> None:
    until = time.monotonic() + STOP_SECONDS
    while members(session) and time.monotonic() < until:
        time.sleep(0.2)


def _running() -> dict[int, tuple[str, int, int]]:
    """State, parent and session of each process."""
    stats = {int(path.name): _read(path / "stat").decode() for path in Path("/proc").glob("[0-9]*")}
    fields = {pid: stat.rpartition(")")[2].split() for pid, stat in stats.items() if stat}
    return {pid: (told[0], int(told[1]), int(told[3])) for pid, told in fields.items()}


def _wait_until_healthy(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until its scheduler and its API say that they are well."""
    until = time.monotonic() + START_SECONDS
    while not _is_healthy(f"http://127.0.0.1:{port}/api/v2/monitor/health"):
        assert process.poll() is None, "Airflow ended before it was up"
        assert time.monotonic() < until, "Airflow is not up"
        time.sleep(0.5)


def _is_healthy(address: str) -> bool:
    try:
        parts = requests.get(address, timeout=10).json()
    except (requests.RequestException, ValueError):
        return False
    return all(parts[name]["status"] == "healthy" for name in ("scheduler", "dag_processor"))


def _connection(password: str, extras: Mapping[str, str]) -> str:
    return json.dumps({"conn_type": "generic", "password": password, "extra": dict(extras)})


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
