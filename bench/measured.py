"""Run a command and tell what it took; a small program, since a child's peak memory includes its parent's at the fork.

Used as `python -I -S measured.py INPUT OUTPUT LOG COMMAND…`; prints one JSON object.
"""

from __future__ import annotations

import json
import os
import sys
import time


def main() -> None:
    """Run it with the three files as its standard streams."""
    given, taken, log, *command = sys.argv[1:]
    started = time.monotonic()
    process = os.fork()
    if not process:
        os.dup2(os.open(given, os.O_RDONLY), 0)
        os.dup2(os.open(taken, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 1)
        os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 2)
        os.execvp(command[0], command)  # noqa: S606 - what is to be measured
    _, status, used = os.wait4(process, 0)
    print(  # noqa: T201 - what it is for
        json.dumps(
            {
                "status": os.waitstatus_to_exitcode(status),
                "wall_seconds": time.monotonic() - started,
                "cpu_seconds": used.ru_utime + used.ru_stime,
                "peak_kib": used.ru_maxrss,
                "switches": used.ru_nvcsw + used.ru_nivcsw,
            }
        )
    )


main()
