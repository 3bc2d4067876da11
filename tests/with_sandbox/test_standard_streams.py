"""Standard streams that are closed or full: the run ends with a clear word, or goes on without the stream."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.target_process import PROGRAM, Message, as_lines, config, record, schema, state
from tests.with_sandbox.arrivals import ArrivalsServer

if TYPE_CHECKING:
    from pathlib import Path

MAPPING: Message = {"stream": "rows", "name": "Row {{ id }}", "contact": {"remote_id": "{{ id }}"}}
MESSAGES = [schema("rows", {"id": {"type": "integer"}}), record("rows", id=1), state(1)]
CLOSED_BY_ITS_READER = "Standard output was closed by its reader"
NO_SPACE = "Standard output can't be written (No space left on device), so no STATE can leave"
STREAMS = {
    ">/dev/full": (1, b"", NO_SPACE, 1),
    ">&-": (143, b"", CLOSED_BY_ITS_READER, 1),
    "<&-": (1, b"", "Standard input is closed", 0),
    "2>/dev/full": (0, b"1\n", "", 1),
    "2>&-": (0, b"1\n", "", 1),
}


@pytest.mark.parametrize("redirection", STREAMS)
def test_a_standard_stream_that_takes_nothing_is_no_traceback(tmp_path: Path, redirection: str) -> None:
    status, states, told, arrived = STREAMS[redirection]
    with ArrivalsServer(lambda _: None) as server:
        settings = config(tmp_path, server.url, [MAPPING])
        command = ["/bin/sh", "-c", f'exec "$0" --config "$1" {redirection}', str(PROGRAM), str(settings)]
        done = subprocess.run(command, input=as_lines(MESSAGES), capture_output=True, check=False, timeout=50)
        assert server.count == arrived
    log = done.stderr.decode()
    assert (done.returncode, done.stdout) == (status, states)
    assert told in log
    assert "Traceback" not in log
    assert "Exception ignored" not in log
