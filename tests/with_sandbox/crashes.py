"""A tap, an endpoint and a target that is killed and started again, and all that is to be seen of them."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import simplejson

from target_applied_events.ledger import open_ledger
from tests.crash_history import Arrived, Ended, Entry, Row, StateSeen, faults
from tests.target_process import API_KEY, Message, as_lines, config, record, schema, state
from tests.with_sandbox.arrivals import refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.with_sandbox.arrivals import ArrivalsServer
    from tests.with_sandbox.forked_target import ForkedTarget, InstalledTarget

Kill: TypeAlias = "Callable[[ArrivalsServer, Callable[[], bool]], None]"
"""Waits for the moment at which a run is to be killed; it is given the endpoint, and whether the run has ended."""

Mood: TypeAlias = "Callable[[], bytes | None]"
"""What the endpoint answers next; None for 200."""

NOT_TAKEN = (refusal(429), refusal(503))
PATIENCE_SECONDS = 30
ROWS_A_BOOKMARK = 3
ROWS_A_STATE = 5
NOT_BAD = 11
MAPPING: Message = {
    "stream": "rows",
    "name": "Row {{ id }}",
    "contact": {"remote_id": "{{ contact }}"},
    "metric": {"metric_name": "rows", "value": "{{ value }}"},
}
SCHEMA = schema(
    "rows",
    {
        "id": {"type": "integer"},
        "at": {"type": "integer"},
        "contact": {"type": "string"},
        "value": {"type": "number"},
    },
)


class Tap:
    """Sends all rows from the bookmark of the last STATE on, those of the bookmark itself again."""

    def __init__(self, count: int, *, contacts: int = 7) -> None:
        self.rows = [Row(n, f"c{n * n % contacts}", is_bad=n % NOT_BAD == NOT_BAD - 1) for n in range(count)]

    def messages(self, last_state: Message | None) -> Iterator[Message]:
        yield SCHEMA
        first = (last_state or {"at": 0})["at"] * ROWS_A_BOOKMARK
        for row in self.rows[first:]:
            at = row.number // ROWS_A_BOOKMARK
            value = "no number" if row.is_bad else row.number
            yield record("rows", id=row.number, at=at, contact=row.contact, value=value)
            if row.number % ROWS_A_STATE == 0 or row is self.rows[-1]:
                yield state({"at": at, "rows": row.number + 1})


class World:
    """What has happened stands in `history`, in the order seen.

    Attributes:
        history: What was seen so far.
        server: The endpoint.
        settings: The run's own, beside what all have.
        most_in_doubt: How many events one run may leave in doubt.
    """

    def __init__(
        self,
        target: ForkedTarget | InstalledTarget,
        server: ArrivalsServer,
        directory: Path,
        tap: Tap,
        *,
        mood: Mood = lambda: None,
        **settings: Any,  # noqa: ANN401 - any JSON
    ) -> None:
        self.history: list[Entry] = []
        self.server = server
        self._target = target
        self._directory = directory
        self._tap = tap
        self.settings: dict[str, Any] = {"max_rejected": 10**6, "batch_size_rows": 50, **settings}
        self._config = config(directory, server.url, [MAPPING], **self.settings)
        self._last_state: Message | None = None
        self._looked_at: set[Path] = set()
        self._known_kept: set[int] = set()
        self._mood = mood
        self.most_in_doubt = self.settings.get("max_concurrency", 32)
        server.on_arrival = self._arrived

    def run(self, *, kill: Kill | None = None, point: tuple[str, int] | None = None) -> Ended:
        """Run from the last STATE on, to the end or until it is killed, and look at what it left."""
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as log:
            given.write(as_lines(self._tap.messages(self._last_state)))
            given.flush()
            given.seek(0)
            out, written = os.pipe()
            process = self._target.start(self._config, (given.fileno(), written, log.fileno()), point=point)
            os.close(written)
            reader = threading.Thread(target=self._read_states, args=(out,))
            reader.start()
            if kill is not None:
                kill(self.server, lambda: not reader.is_alive())
                self._target.kill(process)
            status = self._target.wait(process)
            reader.join(PATIENCE_SECONDS)
            self.server.wait_for_quiet()
            log.seek(0)
            return self._look(status, log.read().decode())

    @property
    def arrived(self) -> set[int]:
        """The rows whose events have arrived."""
        return {entry.number for entry in self.history if isinstance(entry, Arrived)}

    def faults(self) -> list[str]:
        """What the whole history shows to be wrong."""
        setting: Literal["resend", "reject"] = self.settings.get("in_doubt", "resend")
        return faults(
            self._tap.rows,
            self.history,
            in_doubt=setting,
            most_in_flight=self.most_in_doubt,
            has_ledger=self.settings.get("ledger_url") != "none",
        )

    def _arrived(self, body: bytes) -> bytes | None:
        number = int(json.loads(body)["name"].removeprefix("Row "))
        answer = self._mood()
        if answer not in NOT_TAKEN:
            self.history.append(Arrived(number, body, told=answer is None))
        return answer

    def _read_states(self, descriptor: int) -> None:
        with os.fdopen(descriptor, "rb") as out:
            for line in out:
                self._last_state = json.loads(line)
                self.history.append(StateSeen(json.loads(line)["rows"]))

    def _look(self, status: int, log: str) -> Ended:
        assert "Traceback" not in log
        assert API_KEY not in log
        assert status in {0, -9}, log
        doubts = self.doubts()
        ended = Ended(
            status=status,
            named=named_in(log),
            in_doubt=frozenset(number for number, _ in doubts),
            intended=max(Counter(run for _, run in doubts).values(), default=0),
            kept=self._kept(),
        )
        self.history.append(ended)
        return ended

    def doubts(self) -> list[tuple[int, str]]:
        """Rows and runs of what is in doubt, seen in a copy: the next run is to mend what a kill has left."""
        ledger = self._directory / "data" / "ledger.sqlite"
        if not ledger.exists():
            return []
        with tempfile.TemporaryDirectory() as elsewhere:
            for path in ledger.parent.glob("ledger.sqlite*"):
                if path.name in {"ledger.sqlite", "ledger.sqlite-wal"}:
                    shutil.copy(path, elsewhere)
            return in_doubt_in(f"sqlite:///{elsewhere}/ledger.sqlite")

    def _kept(self) -> frozenset[int]:
        for file in (self._directory / "data" / "rejected").glob("*.jsonl"):
            if file not in self._looked_at:  # each run has its own
                self._looked_at.add(file)
                *whole, _cut_off = file.read_bytes().split(b"\n")
                messages = [simplejson.loads(line) for line in whole]
                self._known_kept |= {message["record"]["id"] for message in messages if message["type"] == "RECORD"}
        return frozenset(self._known_kept)


def in_doubt_in(ledger_url: str) -> list[tuple[int, str]]:
    """Rows and runs of what a ledger holds as in doubt."""
    ledger = open_ledger(ledger_url, origin="http://127.0.0.1", run_id="a look")
    try:
        return [(doubt.key_properties["id"], doubt.run) for doubt in ledger.in_doubt()]
    finally:
        ledger.close()


def key_is_found(directory: Path) -> list[Path]:
    """The files, the configs aside, that hold the key."""
    files = (path for path in directory.rglob("*") if path.is_file() and path.name != "config.json")
    return [path for path in files if API_KEY.encode() in path.read_bytes()]


def named_in(log: str) -> int | None:
    """How many events a run said to be in doubt in its first line; None where it didn't come so far."""
    if ", new: " in log:
        return 0
    opening = re.search(r"events delivered since [-\d]+(?:, (\d+) in doubt)?", log)
    return int(opening[1] or 0) if opening else None
