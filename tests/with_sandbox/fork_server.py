"""The program, imported once and forked for each run: a process of its own that starts in a moment.

Started as `python -m tests.with_sandbox.fork_server DESCRIPTOR`; `forked_target` holds the other end.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import traceback
from typing import Any

from target_applied_events.cli import main
from tests.with_sandbox import kill_points

REQUEST_BYTES = 1 << 16


def serve(control: socket.socket) -> None:
    """Start runs and wait for their ends, as asked, until the other end closes."""
    while True:
        text, descriptors, _, _ = socket.recv_fds(control, REQUEST_BYTES, 3)
        if not text:
            return
        request = json.loads(text)
        answer = _wait(request["wait"]) if "wait" in request else _start(request, descriptors, control)
        control.sendall(json.dumps(answer).encode())


def _wait(process: int) -> int:
    _, status = os.waitpid(process, 0)
    return os.waitstatus_to_exitcode(status)


def _start(request: dict[str, Any], descriptors: list[int], control: socket.socket) -> int:
    process = os.fork()
    if process:
        for descriptor in descriptors:
            os.close(descriptor)
        return process
    control.close()
    for standard, descriptor in enumerate(descriptors):
        os.dup2(descriptor, standard)
        os.close(descriptor)
    os._exit(_run(request))


def _run(request: dict[str, Any]) -> int:
    """Run the program as its command would; never returns into the server's own code by an exception."""
    status = 1
    try:
        os.chdir(request.get("folder", "."))
        os.environ.update(request["environment"])
        sys.argv = ["target-applied-events", *request["arguments"]]
        if request["point"]:
            kill_points.arm(*request["point"])
        main()
    except SystemExit as end:
        status = int(end.code or 0)
    except BaseException:  # noqa: BLE001 - as the interpreter shows it at its end
        traceback.print_exc()
    sys.stderr.flush()
    return status


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
