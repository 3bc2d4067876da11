"""A tap of any length: `python -m tests.with_sandbox.long_tap COUNT EACH STATE ROW [ROWS]`.

It counts to COUNT; a ROW goes with each number up to ROWS, a STATE with each EACHth, and `#` in them stands for the
number. It keeps its pipe open until its own standard input is closed.
"""

from __future__ import annotations

import sys

CHUNK = 1000
SCHEMA = (
    '{"type":"SCHEMA","stream":"rows","key_properties":["id"],'
    '"schema":{"type":"object","properties":{"id":{"type":"integer"},"text":{"type":"string"}}}}\n'
)


def run(count: int, each: int, state: str, row: str, rows: int) -> None:
    """Write all rows and states, then say so on standard error and wait."""
    record = f'{{"type":"RECORD","stream":"rows","record":{row}}}\n'
    sys.stdout.write(SCHEMA)
    for first in range(1, count + 1, CHUNK):
        lines = []
        for number in range(first, min(first + CHUNK, count + 1)):
            if number <= rows:
                lines.append(record.replace("#", str(number)))
            if number % each == 0:
                lines.append(f'{{"type":"STATE","value":{state}}}\n'.replace("#", str(number)))
        sys.stdout.write("".join(lines))
    sys.stdout.flush()
    sys.stderr.write("written\n")
    sys.stderr.flush()
    sys.stdin.read()


if __name__ == "__main__":
    count, each, state, row, *rows = sys.argv[1:]
    run(int(count), int(each), state, row, int((*rows, count)[0]))
