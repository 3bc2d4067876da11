"""Runs of the target as forks of one process that has imported it: a few starts a second, and each can be killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, BinaryIO, Self

from tests.target_process import API_KEY, PROGRAM, Finished, Message, as_lines, parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

ANSWER_BYTES = 64


class ForkedTarget:
    """Every process that it started is ended before it is closed.

    Attributes:
        running: The runs that nobody has waited for, by process id.
    """

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair()
        command = [sys.executable, "-m", "tests.with_sandbox.fork_server", str(theirs.fileno())]
        root = Path(__file__).parents[2]
        self._server = subprocess.Popen(command, pass_fds=[theirs.fileno()], cwd=root)
        theirs.close()
        self.running: set[int] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in list(self.running):
            os.kill(process, signal.SIGKILL)
            self.wait(process)
        self._control.close()
        self._server.wait(timeout=20)

    def start(
        self,
        settings: Path,
        standard: tuple[int, int, int],
        point: tuple[str, int] | None = None,
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> int:
        """Start a run; gives its process id.

        Args:
            settings: Its config file.
            standard: Its standard input, output and error.
            point: A kill point and its count.
            environment: Variables that it has beside those of this process.
        """
        request = {"arguments": ["--config", str(settings)], "point": point, "environment": dict(environment)}
        return self._start(request, standard)

    def _start(self, request: dict[str, Any], standard: tuple[int, int, int]) -> int:
        socket.send_fds(self._control, [json.dumps(request).encode()], standard)
        process = int(self._control.recv(ANSWER_BYTES))
        self.running.add(process)
        return process

    def kill(self, process: int) -> None:
        """Kill it as `kill -9` does; it may have ended by itself, as long as nobody has waited for it."""
        os.kill(process, signal.SIGKILL)

    def wait(self, process: int) -> int:
        """Wait for its end; its exit status, negative where a signal ended it."""
        self._control.sendall(json.dumps({"wait": process}).encode())
        status = int(self._control.recv(ANSWER_BYTES))
        self.running.discard(process)
        return status

    def run(
        self,
        settings: Path,
        messages: bytes | Iterable[Message],
        *,
        point: tuple[str, int] | None = None,
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> Finished:
        """Run over an input to the end; the key may be in nothing that it writes."""
        data = messages if isinstance(messages, bytes) else as_lines(messages)
        with _files(data) as (given, out, log):
            standard = (given.fileno(), out.fileno(), log.fileno())
            process = self.start(settings, standard, point=point, environment=environment)
            status = self.wait(process)
            written, logged = _content(out), _content(log)
        assert API_KEY.encode() not in written + logged
        return Finished(status, [parse(line) for line in written.splitlines()], logged.decode())

    def run_in(self, folder: Path, *arguments: str) -> tuple[int, str]:
        """Run with any arguments in a folder, with nothing to read; gives the exit status and what it logged."""
        request: dict[str, Any] = {"arguments": arguments, "point": None, "environment": {}, "folder": str(folder)}
        with _files(b"") as (given, out, log):
            status = self.wait(self._start(request, (given.fileno(), out.fileno(), log.fileno())))
            logged = _content(log)
            assert API_KEY.encode() not in _content(out) + logged
        return status, logged.decode()


class InstalledTarget:
    """Runs of the installed program, each started as a user starts it: about a second more for each."""

    def __init__(self) -> None:
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    def start(self, settings: Path, standard: tuple[int, int, int], *, point: tuple[str, int] | None = None) -> int:
        """Start a run, as `ForkedTarget` does; it knows no kill points."""
        assert point is None
        given, out, log = standard
        process = subprocess.Popen([str(PROGRAM), "--config", str(settings)], stdin=given, stdout=out, stderr=log)
        self._processes[process.pid] = process
        return process.pid

    def kill(self, process: int) -> None:
        """Kill it as `kill -9` does."""
        self._processes[process].kill()

    def wait(self, process: int) -> int:
        """Wait for its end; its exit status, negative where a signal ended it."""
        return self._processes.pop(process).wait()


@contextlib.contextmanager
def _files(data: bytes) -> Iterator[tuple[BinaryIO, BinaryIO, BinaryIO]]:
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as log:
        given.write(data)
        given.flush()
        given.seek(0)
        yield given, out, log


def _content(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read()
