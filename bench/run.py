"""Measure the target beside its peers: whole processes, in rounds that take turns, into `.bench/results.json`.

Started as `python -m bench.run`; `python -m bench.page` writes the page from what it found.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import trustme

from bench import shop

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
PLACE = ROOT / ".bench"
RESULTS = PLACE / "results.json"
PYTHON = sys.executable
WRK_SECONDS = 5
ROUNDS = 5

COMMANDS = {
    "target-applied-events": [str(Path(PYTHON).with_name("target-applied-events"))],
    "BatchSink": [PYTHON, "-m", "bench.peers.batch_sink"],
    "RecordSink": [PYTHON, "-m", "bench.peers.record_sink"],
    "dlt": [PYTHON, "-m", "bench.peers.dlt_destination"],
    "floor": [PYTHON, "-m", "bench.peers.floor"],
}


@dataclass(frozen=True, slots=True)
class Case:
    """What is measured in one round.

    Attributes:
        group: What it is compared within.
        name: What it is called there.
        program: A key of `COMMANDS`.
        events: How many are delivered.
        latency_ms: What the endpoint takes for an answer.
        tls: Whether the endpoint speaks TLS.
        in_flight: The most requests at once, where the program lets one choose.
        messages: What else `shop.messages` is told.
        settings: What else the config holds.
    """

    group: str
    name: str
    program: str
    events: int
    latency_ms: int = 0
    tls: bool = False
    in_flight: int = 64
    messages: dict[str, int] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def rounds(self) -> int:
        """In how many rounds it is measured, at most; what takes minutes only once."""
        if self.events > 30_000:  # noqa: PLR2004 - a minute or more
            return 1
        return 3 if self.group.endswith("records") else ROUNDS

    def input(self) -> Path:
        """Give the file that it reads, made if it isn't there."""
        kind = "bodies" if self.program == "floor" else "messages"
        name = "-".join([kind, str(self.events), *(f"{key}{value}" for key, value in self.messages.items())])
        path = PLACE / name
        if not path.exists():
            lines = shop.messages(self.events, **self.messages)
            with path.open("w", encoding="utf-8") as file:
                file.writelines(shop.bodies(lines) if kind == "bodies" else lines)
        return path


OURS = "target-applied-events"


def cases() -> Iterator[Case]:
    """Give everything that is measured."""
    for latency_ms, tls in ((0, False), (20, False), (200, False), (20, True)):
        yield from _beside_peers(latency_ms, tls=tls)
    for latency_ms, in_flight in ((0, 64), (20, 64), (200, 256)):
        name = f"{latency_ms} ms, {in_flight} in flight"
        yield Case("30,000 records", name, OURS, 30_000, latency_ms, in_flight=in_flight)
    for events in (0, 1, 1_000, 10_000, 100_000, 1_000_000):
        yield Case("records", f"{events:,} record{'s' if events != 1 else ''}", OURS, events)
    kinds: dict[str, dict[str, int]] = {
        "as they are": {},
        "100 columns that no mapping names": {"extra_columns": 100},
        "10,000 contacts": {"contacts": 10_000},
        "200 contacts": {"contacts": 200},
        "a STATE behind each record": {"states": 1},
    }
    for name, more in kinds.items():
        yield Case("10,000 records", name, OURS, 10_000, messages=more)
    yield Case("10,000 records", "without a ledger", OURS, 10_000, settings={"ledger_url": "none"})


def _beside_peers(latency_ms: int, *, tls: bool) -> Iterator[Case]:
    group = f"{latency_ms} ms, TLS" if tls else f"{latency_ms} ms"
    far = latency_ms > 100  # noqa: PLR2004 - where 64 in flight are the limit, it may have more
    yield Case(group, OURS, OURS, 8_000, latency_ms, tls, 256 if far else 64)
    yield Case(group, "BatchSink", "BatchSink", 3_000 if far else 6_000, latency_ms, tls)
    if not tls:
        yield Case(group, "dlt", "dlt", 1_600 if far else 4_000, latency_ms)
        yield Case(group, "RecordSink", "RecordSink", {0: 2_000, 20: 200}.get(latency_ms, 25), latency_ms)
        yield Case(group, "floor", "floor", 8_000, latency_ms, in_flight=256 if far else 64)


@contextlib.contextmanager
def server(latency_ms: int, *, certificate: Path | None = None, keep: Path | None = None) -> Iterator[int]:
    """Run the endpoint; gives its port."""
    command = [PYTHON, "-m", "bench.server", "--latency-ms", str(latency_ms)]
    command += ["--certificate", str(certificate)] if certificate else []
    command += ["--keep", str(keep)] if keep else []
    with subprocess.Popen(  # noqa: S603 - our own
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin  # noqa: S101 - tells mypy what PIPE promises
        assert process.stdout  # noqa: S101 - as above
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()


def certificates() -> tuple[Path, Path]:
    """Make a certificate for the endpoint, and the bundle that trusts it."""
    certificate, bundle = PLACE / "endpoint.pem", PLACE / "trusted.pem"
    authority = trustme.CA()
    authority.issue_cert("localhost", "127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(certificate))
    authority.cert_pem.write_to_path(str(bundle))
    return certificate, bundle


def measure(case: Case, *, keep: Path | None = None) -> dict[str, float]:
    """Run it once, in a directory of its own.

    Raises:
        RuntimeError: It failed.
    """
    given, place = case.input(), PLACE / "run"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    certificate, bundle = certificates()
    with server(case.latency_ms, certificate=certificate if case.tls else None, keep=keep) as port:
        scheme = "https" if case.tls else "http"
        config = {
            "api_key": shop.API_KEY,
            "shop_id": shop.SHOP_ID,
            "api_url": f"{scheme}://127.0.0.1:{port}/v2026-04",
            "data_dir": str(place / "data"),
            "mappings": [shop.MAPPING],
            "max_concurrency": case.in_flight,
            **case.settings,
        }
        (place / "config.json").write_text(json.dumps(config), encoding="utf-8")
        streams = [str(given), str(place / "out"), str(place / "log")]
        command = [PYTHON, "-I", "-S", str(ROOT / "bench/measured.py"), *streams, *COMMANDS[case.program]]
        environment = os.environ | {"PYTHONPATH": str(ROOT), "REQUESTS_CA_BUNDLE": str(bundle), "NO_PROXY": "*"}
        command += ["--config", str(place / "config.json")]
        told = subprocess.check_output(command, env=environment, cwd=ROOT)  # noqa: S603 - from COMMANDS
    measured: dict[str, float] = json.loads(told)
    if measured.pop("status"):
        raise RuntimeError(f"{case}\n{(place / 'log').read_text(encoding='utf-8')[-2000:]}")
    return measured


def compare_bodies() -> None:
    """See that all programs deliver the same events.

    Raises:
        RuntimeError: One doesn't.
    """
    kept, found = PLACE / "kept", {}
    for program in COMMANDS:
        measure(Case("bodies", program, program, 500), keep=kept)
        bodies = [json.loads(line) for line in kept.read_text(encoding="utf-8").splitlines()]
        found[program] = sorted(json.dumps(body, sort_keys=True) for body in bodies)
    for program, bodies in found.items():
        if bodies != found[OURS]:
            raise RuntimeError(f"{program} delivers other events than {OURS}")


def ceiling() -> float | None:
    """Tell how many answers a second the endpoint itself can give, where wrk is installed."""
    if not shutil.which("wrk"):
        return None
    script = PLACE / "post.lua"
    body = next(iter(shop.bodies(shop.messages(1)))).strip()
    script.write_text(f"wrk.method = 'POST'\nwrk.body = {json.dumps(body)}\n", encoding="utf-8")
    with server(0) as port:
        url = f"http://127.0.0.1:{port}/v2026-04/events/"
        command = ["wrk", "-t1", "-c64", f"-d{WRK_SECONDS}", "-s", str(script), url]
        told = subprocess.check_output(command, text=True)  # noqa: S603 - wrk, with words of ours
    return float(next(line.split()[1] for line in told.splitlines() if line.startswith("Requests/sec")))


def main() -> None:
    """Measure all of it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--only", help="what the group's name begins with; the others keep what was found before")
    chosen = parser.parse_args()
    PLACE.mkdir(exist_ok=True)
    compare_bodies()
    wanted = [case for case in cases() if case.group.startswith(chosen.only or "")]
    found: list[dict[str, Any]] = [{**asdict(case), "rounds": []} for case in wanted]
    before: dict[str, list[Any]] = {"ceilings": [], "loads": [], "cases": []}
    if chosen.only and RESULTS.exists():
        before = json.loads(RESULTS.read_text(encoding="utf-8"))
    others = [case for case in before["cases"] if not case["group"].startswith(chosen.only)]
    ceilings, loads = before["ceilings"], before["loads"]
    for number in range(chosen.rounds):
        ceilings.append(ceiling())
        loads.append(os.getloadavg()[0])
        for case, result in zip(wanted, found, strict=True):
            if number >= case.rounds:
                continue
            result["rounds"].append(measure(case))
            sys.stderr.write(f"round {number + 1}: {case.group}, {case.name}: {result['rounds'][-1]}\n")
            told = before | {"ceilings": ceilings, "loads": loads, "cases": [*others, *found]}
            RESULTS.write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main()
