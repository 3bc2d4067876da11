"""What one event costs in counts that don't depend on the machine: function calls by stage, and bytes kept.

`python -m bench.counts` holds them against `figures.json` and fails where one is more than a tenth above;
`--keep` writes them there.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import json
import pstats
import random
import socket
import subprocess
import sys
import tempfile
import tracemalloc
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import shop
from target_applied_events.client import Client
from target_applied_events.delivery import Delivery, Pace, Policy
from target_applied_events.event import Answer, Event
from target_applied_events.handover import Job, Pending, Returned, Stream, Tally
from target_applied_events.ledger import open_ledger
from target_applied_events.mapping import Mapping, compile_mappings
from target_applied_events.reader import Reader
from target_applied_events.settings import Settings
from target_applied_events.summary import Summary
from target_applied_events.validation import Validator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FIGURES = Path(__file__).with_name("figures.json")
EVENTS = 1_000
TOLERANCE = 0.1


class Stages:
    """Each stage of a record's way can be run by itself, over the same orders.

    Attributes:
        records: The orders, as they are read.
    """

    def __init__(self, directory: Path) -> None:
        """Make the orders; files go to `directory`."""
        self._directory = directory
        self.input = directory / "messages"
        self.input.write_text("".join(shop.messages(EVENTS)), encoding="utf-8")
        self._messages: list[dict[str, Any]] = []
        self.read()
        schema = self._messages[0]
        self.records = [message["record"] for message in self._messages if message["type"] == "RECORD"]
        self._stream = Stream(shop.STREAM, schema["schema"], ("id",))
        self._validator = Validator(shop.STREAM, schema["schema"], ("id",))
        self._mapping, self._bare = (self._compiled(mapping) for mapping in (shop.MAPPING, shop.BARE_MAPPING))
        self._events: list[Event] = []
        self.map()

    def __repr__(self) -> str:
        """Tell how many orders there are."""
        return f"<Stages {len(self.records)} records>"

    def _compiled(self, mapping: dict[str, Any]) -> Mapping:
        settings = Settings.read(
            {"api_key": shop.API_KEY, "shop_id": shop.SHOP_ID, "mappings": [mapping], "data_dir": str(self._directory)}
        )
        (compiled,) = compile_mappings(
            settings.declarations,
            stream=shop.STREAM,
            schema=dict(self._stream.schema),
            key_properties=("id",),
            shop_id=settings.shop_id,
            origin=settings.origin,
            shard_identifier=settings.shard_identifier,
        )
        return compiled

    def read(self) -> None:
        """Read and parse every message."""
        self._messages = []
        with self.input.open() as lines:
            Reader().process_lines(lines, dict.fromkeys(("SCHEMA", "RECORD", "STATE"), self._messages.append))

    def validate(self) -> None:
        """Validate every record."""
        for record in self.records:
            if self._validator.violations(record, deleted=False):
                raise RuntimeError("an order is invalid")

    def map(self) -> None:
        """Make every event."""
        self._events = self._mapped(self._mapping)

    def map_bare(self) -> None:
        """Make an event of every order by a mapping of bare columns."""
        self._mapped(self._bare)

    def _mapped(self, mapping: Mapping) -> list[Event]:
        made = [mapping.event(record, deleted=False) for record in self.records]
        events = [event for event in made if isinstance(event, Event)]
        if len(events) != EVENTS:
            raise RuntimeError("an order makes no event")
        return events

    def deliver(self, ledger_url: str = "") -> None:
        """Take every event through the delivery, 64 in flight and answered at once; the ledger is SQLite by default."""
        with tempfile.TemporaryDirectory(dir=self._directory) as place:
            url = ledger_url or f"sqlite:///{place}/ledger.sqlite"
            ledger = open_ledger(url, origin="http://x", run_id="counted")
            delivery = self._delivery(ledger)
            delivery.accept([Pending(event, self._stream, Tally()) for event in self._events], 0.0)
            now = 0.0
            while delivery.unsettled:
                now += 0.02
                for job in delivery.turn(now):
                    delivery.replied(Returned(job.position, Answer(200), now - 0.02), now)
            ledger.close()

    def _delivery(self, ledger: Any) -> Delivery:  # noqa: ANN401 - what a delivery asks of it, it has
        return Delivery(
            ledger=ledger,
            keep=lambda _: None,
            write_state=lambda _: None,
            pace=Pace(max_concurrency=64, requests_per_second=None, now=0.0),
            policy=Policy(retry_timeout_seconds=300, in_doubt="resend", max_rejected=0),
            summary=Summary(),
            rng=random.Random(1),  # noqa: S311 - no secret
            wall_clock=lambda: 0.0,
        )

    def send(self) -> None:
        """Make an attempt for every event, over one connection."""
        with _endpoint() as url:
            self.send_to(url)

    def send_to(self, url: str) -> None:
        """Make an attempt for every event at an endpoint that takes it."""
        client = Client(api_url=url, api_key=shop.API_KEY, timeout_seconds=30, user_agent="bench")
        for position, event in enumerate(self._events):
            client.start(Job(position, event))
            while not (returned := client.wait(1.0)):
                pass
            reply = returned[0].reply
            if not isinstance(reply, Answer) or reply.status != 200:  # noqa: PLR2004 - as HTTP has it
                raise RuntimeError("an attempt failed")
        client.close()

    def kept_bytes(self) -> float:
        """Tell how many bytes the delivery keeps for an unsettled event, the event itself left out."""
        ledger = open_ledger("none", origin="http://x", run_id="counted")
        delivery = self._delivery(ledger)
        items = [Pending(event, self._stream, Tally()) for event in self._events]
        gc.collect()  # what objects are made of anew is taken from what was freed, which isn't traced
        tracemalloc.start()
        try:
            delivery.accept(items, 0.0)
            gc.collect()  # what is garbage isn't kept
            return tracemalloc.get_traced_memory()[0] / EVENTS
        finally:
            tracemalloc.stop()


@contextmanager
def _endpoint() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        handed_on, port = listener.fileno(), listener.getsockname()[1]
        command = [sys.executable, "-I", "-S", str(Path(__file__).with_name("answerer.py")), str(handed_on)]
        process = subprocess.Popen(command, pass_fds=[handed_on])  # noqa: S603 - our own
    with process:
        yield f"http://127.0.0.1:{port}/v2026-04"


def calls_an_event(stage: Callable[[], None]) -> float:
    """Count the function calls of a stage, by event; the first run, which fills caches, isn't counted."""
    stage()
    profile = cProfile.Profile()
    profile.runcall(stage)
    calls: int = pstats.Stats(profile).total_calls  # type: ignore[attr-defined]  # typeshed lacks it
    return round(calls / EVENTS, 1)


def count() -> dict[str, float]:
    """Count every stage."""
    with tempfile.TemporaryDirectory() as directory:
        stages = Stages(Path(directory))
        runs = {
            "read": stages.read,
            "validate": stages.validate,
            "map": stages.map,
            "map bare columns": stages.map_bare,
        }
        runs |= {"deliver": stages.deliver, "send": stages.send}
        found = {f"calls to {name}": calls_an_event(stage) for name, stage in runs.items()}
        return found | {"bytes kept while unsettled": round(stages.kept_bytes())}


def exceeded(found: dict[str, float], kept: dict[str, float]) -> list[str]:
    """Name what is more than a tenth above its figure, or has none."""
    problems = []
    for name, value in found.items():
        figure = kept.get(name)
        if figure is None:
            problems.append(f"{name}: no figure is kept")
        elif value > figure * (1 + TOLERANCE):
            problems.append(f"{name}: {value:g} an event, {figure:g} were kept")
    return problems


def main() -> None:
    """Hold the counts against the figures, or keep them as such."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--keep", action="store_true", help="write them to figures.json, for this Python")
    chosen = parser.parse_args()
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    figures: dict[str, dict[str, float]] = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.exists() else {}
    found = count()
    for name, value in found.items():
        print(f"{name}: {value:g}")  # noqa: T201 - what it is for
    if chosen.keep:
        FIGURES.write_text(json.dumps(figures | {version: found}, indent=2) + "\n", encoding="utf-8")
    elif version not in figures:
        print(f"No figures are kept for Python {version}: nothing to compare with.")  # noqa: T201 - as above
    elif problems := exceeded(found, figures[version]):
        sys.exit("\n".join(["Slower than it was:", *problems, "Where that's worth it: python -m bench.counts --keep"]))


if __name__ == "__main__":
    main()
