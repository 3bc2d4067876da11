"""Faults of disks, networks, clocks and limits, felt by the whole program: it loses nothing and says what it met."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shutil
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.target_process import PROGRAM, Finished, Message, config, record, run_target, schema, state
from tests.with_sandbox.arrivals import ArrivalsServer
from tests.with_sandbox.crashes import named_in
from tests.with_sandbox.faulty_server import FaultyServer, Peer, always

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.with_sandbox.faulty_server import Fault
    from tests.with_sandbox.forked_target import ForkedTarget

pytestmark = pytest.mark.usefixtures("_no_file_holds_the_key")

MAPPING: Message = {"stream": "rows", "name": "Row {{ id }}", "contact": {"remote_id": "{{ id }}"}}
SCHEMA = schema("rows", {"id": {"type": "integer"}, "text": {"type": "string"}})
FULL_BYTES = 100_000


def rows(*numbers: int) -> Iterator[Message]:
    """Rows, a STATE behind each."""
    return chain([SCHEMA], chain.from_iterable((record("rows", id=n), state(n)) for n in numbers))


def bad_rows(*numbers: int) -> Iterator[Message]:
    """Rows that can't be events, each of a kilobyte, a STATE behind each."""
    return chain.from_iterable((record("rows", id="bad", text="x" * 1000), state(n)) for n in numbers)


# --- what each status means ------------------------------------------------------------------------------------------

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<html></html>"
STOPPING = [401, 402, 403, 407, 404, 405, 410, 300, 301, 302, 303, 304, 307, 308, 501, 505]
REJECTED = [400, 404, 405, 409, 410, 413, 415, 418, 422, 431]
RETRIED = [408, 425, 429, 500, 502, 503, 504, 507, 520]


def answer(status: int, headers: str = "") -> bytes:
    length = "" if status == 304 else "Content-Length: 2\r\n"
    body = "" if status == 304 else "no"
    return f"HTTP/1.1 {status} So\r\n{headers}{length}\r\n{body}".encode()


def by_row(answers: dict[int, list[bytes]]) -> Fault:
    """Answer each row's event with the next of its answers, and 200 where none is left."""

    def fault(peer: Peer) -> None:
        while request := peer.read_request():
            left = answers.get(row_of(request), [])
            peer.socket.sendall(left.pop(0) if left else OK)

    return fault


def row_of(request: bytes) -> int:
    return int(json.loads(request.partition(b"\r\n\r\n")[2])["name"].removeprefix("Row "))


def url(server: FaultyServer) -> str:
    return f"http://127.0.0.1:{server.port}/v2026-04"


@pytest.mark.parametrize("status", STOPPING)
def test_a_status_that_stops_rejects_nothing_and_holds_state(target: ForkedTarget, tmp_path: Path, status: int) -> None:
    with FaultyServer(always(OK)) as elsewhere:
        location = f"Location: http://127.0.0.1:{elsewhere.port}/\r\n" if status // 100 == 3 else ""
        with FaultyServer(always(answer(status, location))) as server:
            done = target.run(config(tmp_path, url(server), [MAPPING], max_concurrency=1), rows(1, 2))
    assert (done.status, done.states) == (1, [])
    assert f"answered {status}" in done.log
    assert [row_of(request) for request in server.requests] == [1]
    assert elsewhere.connections == 0
    assert not (tmp_path / "data" / "rejected").exists()


def test_a_status_that_stops_does_so_after_a_delivery_too(target: ForkedTarget, tmp_path: Path) -> None:
    with FaultyServer(by_row({2: [answer(403)]})) as server:
        done = target.run(config(tmp_path, url(server), [MAPPING], max_concurrency=1), rows(1, 2, 3))
    assert (done.status, done.states) == (1, [1])


def test_a_status_that_refuses_one_event_rejects_its_record_and_stops_nothing(
    target: ForkedTarget, tmp_path: Path
) -> None:
    with FaultyServer(by_row({status: [answer(status)] for status in REJECTED})) as server:
        done = target.run(config(tmp_path, url(server), [MAPPING], max_concurrency=1), rows(1, *REJECTED, 2))
    assert (done.status, done.states[-1]) == (1, 2)
    assert [row_of(request) for request in server.requests] == [1, *REJECTED, 2]
    assert kept_statuses(tmp_path) == {status: status for status in REJECTED}


def kept_statuses(directory: Path) -> dict[int, int]:
    (file,) = (directory / "data" / "rejected").glob("*.jsonl")
    messages = [json.loads(line) for line in file.read_text().splitlines()]
    return {m["record"]["id"]: m["rejection"]["status"] for m in messages if m["type"] == "RECORD"}


def test_an_address_that_took_an_event_in_an_earlier_run_may_refuse_one_with_404(
    target: ForkedTarget, tmp_path: Path
) -> None:
    with FaultyServer(by_row({404: [answer(404)]})) as server:
        settings = config(tmp_path, url(server), [MAPPING])
        assert target.run(settings, rows(1)).status == 0
        done = target.run(settings, rows(404))
    assert (done.status, done.states) == (1, [404])
    assert kept_statuses(tmp_path) == {404: 404}


def test_a_status_that_passes_is_tried_again_and_so_is_a_page_in_between(target: ForkedTarget, tmp_path: Path) -> None:
    answers = {status: [answer(status)] for status in RETRIED} | {200: [PAGE]}
    with FaultyServer(by_row(answers)) as server:
        done = target.run(config(tmp_path, url(server), [MAPPING]), rows(1, *RETRIED, 200))
    assert (done.status, done.states[-1]) == (0, 200)
    assert sorted(row_of(request) for request in server.requests) == sorted([1, *RETRIED * 2, 200, 200])


def beginning(head: bytes) -> Fault:
    """Answer the first event with the beginning of an answer, and the next ones whole."""
    answers = iter([head])

    def fault(peer: Peer) -> None:
        peer.answer(given := next(answers, OK))
        if given == head:
            peer.hang()
        always(OK)(peer)

    return fault


@pytest.mark.parametrize(
    "framing", ["Content-Length: 50\r\n\r\n{", "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n", "\r\n"]
)
@pytest.mark.parametrize("in_doubt", ["resend", "reject"])
def test_an_event_whose_2xx_never_ends_is_delivered_and_sent_once(
    target: ForkedTarget, tmp_path: Path, framing: str, in_doubt: str
) -> None:
    with FaultyServer(beginning(f"HTTP/1.1 201 Created\r\n{framing}".encode())) as server:
        settings = config(tmp_path, url(server), [MAPPING], request_timeout=0.5, max_concurrency=1, in_doubt=in_doubt)
        done = target.run(settings, rows(1, 2))
        assert (done.status, done.states[-1]) == (0, 2), done.log
        assert target.run(settings, rows(1, 2)).status == 0
    assert [row_of(request) for request in server.requests] == [1, 2]


def test_an_event_whose_2xx_is_the_beginning_of_a_page_is_tried_again(target: ForkedTarget, tmp_path: Path) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 50\r\n\r\n<html>"
    with FaultyServer(beginning(head)) as server:
        settings = config(tmp_path, url(server), [MAPPING], request_timeout=0.5, max_concurrency=1)
        done = target.run(settings, rows(1, 2))
    assert (done.status, done.states[-1]) == (0, 2), done.log
    assert sorted(row_of(request) for request in server.requests) == [1, 1, 2]


@pytest.mark.parametrize("fault", [always(answer(503)), always(PAGE), Peer.hang, Peer.reset])
def test_an_endpoint_that_stays_ill_until_retry_timeout_fails_the_run_and_holds_state(
    target: ForkedTarget, tmp_path: Path, fault: Fault
) -> None:
    with FaultyServer(fault) as server:
        settings = config(tmp_path, url(server), [MAPPING], retry_timeout=0.5, request_timeout=0.3)
        done = target.run(settings, rows(1, 2))
    assert (done.status, done.states) == (1, [])
    assert "retry_timeout" in done.log
    assert not (tmp_path / "data" / "rejected").exists()


# --- one event that always fails, and an outage that looks like it ----------------------------------------------------

TIME_FOR_SIX_ATTEMPTS_SECONDS = 8.0
"""The first four waits take 7.5 s at most, and the last attempt comes when the time is up."""


@dataclass
class SmallRun:
    """Twenty rows, then those of the next run; it takes its time, so several run side by side."""

    directory: Path
    fault: Fault
    max_rejected: int = 0
    max_concurrency: int = 8
    next_rows: tuple[int, ...] = (20, 21)

    def run(self) -> None:
        with FaultyServer(self.fault) as server:
            settings = config(
                self.directory,
                url(server),
                [MAPPING],
                retry_timeout=TIME_FOR_SIX_ATTEMPTS_SECONDS,
                max_rejected=self.max_rejected,
                max_concurrency=self.max_concurrency,
            )
            self.done = run_target(settings, rows(*range(1, 21)))
            before = len(server.requests)
            self.next = run_target(settings, rows(*self.next_rows))
            self.sent_next = [row_of(request) for request in server.requests[before:]]

    @property
    def kept(self) -> list[tuple[int, str]]:
        records = [line for line in kept_lines(self.directory) if line["type"] == "RECORD"]
        return [(line["record"]["id"], line["rejection"]["reason"]) for line in records]


def break_off_row_3(peer: Peer) -> None:
    while request := peer.read_request():
        if row_of(request) == 3:
            peer.reset()
            return
        peer.socket.sendall(OK)


def down_from_row_16_on(peer: Peer) -> None:
    while request := peer.read_request():
        peer.socket.sendall(OK if row_of(request) < 16 else answer(500))


@pytest.fixture(scope="module")
def small_runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, SmallRun]:
    directory = tmp_path_factory.mktemp("small_runs")
    runs = {
        "500": SmallRun(directory / "500", by_row({3: [answer(500)] * 100}), max_rejected=1),
        "reset": SmallRun(directory / "reset", break_off_row_3),
        "outage": SmallRun(directory / "outage", down_from_row_16_on, max_concurrency=1, next_rows=(15,)),
    }
    with ThreadPoolExecutor() as pool:
        list(pool.map(SmallRun.run, runs.values()))
    return runs


@pytest.mark.parametrize(("kind", "status"), [("500", 0), ("reset", 1)])
def test_one_of_twenty_that_always_fails_is_kept_in_doubt_and_the_next_run_goes_on(
    small_runs: dict[str, SmallRun], kind: str, status: int
) -> None:
    run = small_runs[kind]
    assert (run.done.status, run.done.states[-1]) == (status, 20), run.done.log
    assert run.kept == [(3, "in_doubt")]
    assert (run.next.status, run.next.states[-1], run.sent_next) == (0, 21, [21])


def test_an_outage_at_the_end_of_a_run_rejects_nothing_and_holds_state(small_runs: dict[str, SmallRun]) -> None:
    run = small_runs["outage"]
    assert (run.done.status, run.done.states[-1]) == (1, 15), run.done.log
    assert "retry_timeout" in run.done.log
    assert not (run.directory / "data" / "rejected").exists()


# --- what befalls a run midway ---------------------------------------------------------------------------------------


class Endpoint:
    """Takes every event, and lets something happen at one of them, before it is answered."""

    def __init__(self, at: int = 0, happens: Callable[[], object] = lambda: None) -> None:
        self.arrived: list[int] = []
        self._at, self._happens = at, happens

    def take(self, body: bytes) -> None:
        self.arrived.append(int(json.loads(body)["name"].removeprefix("Row ")))
        if len(self.arrived) == self._at:
            self._happens()


def assert_held(done: Finished, endpoint: Endpoint, last: int) -> None:
    """Each STATE that left stands behind rows that arrived, and the last one is held."""
    assert done.status == 1
    assert done.states[-1:] != [last]
    assert all(set(range(1, passed + 1)) <= set(endpoint.arrived) for passed in done.states)
    assert "Traceback" not in done.log


def remove_ledger(directory: Path) -> None:
    (directory / "data" / "ledger.sqlite").unlink()


def replace_ledger(directory: Path) -> None:
    remove_ledger(directory)
    (directory / "data" / "ledger.sqlite").write_bytes(b"something else")


def remove_everything(directory: Path) -> None:
    shutil.rmtree(directory / "data")


@pytest.mark.parametrize("befall", [remove_ledger, replace_ledger, remove_everything])
def test_a_run_whose_ledger_goes_ends_and_makes_no_other(
    target: ForkedTarget, tmp_path: Path, befall: Callable[[Path], None]
) -> None:
    endpoint = Endpoint(20, lambda: befall(tmp_path))
    with ArrivalsServer(endpoint.take) as server:
        done = target.run(config(tmp_path, server.url, [MAPPING]), rows(*range(1, 301)))
    assert_held(done, endpoint, 300)
    assert len(endpoint.arrived) < 20 + 32
    assert "was removed or replaced while this run used it" in done.log
    left = tmp_path / "data" / "ledger.sqlite"
    assert not left.exists() or left.read_bytes() == b"something else"


def fill(target: ForkedTarget) -> None:
    """Let no file grow beyond what a full disk would have let it."""
    (process,) = target.running
    resource.prlimit(process, resource.RLIMIT_FSIZE, (FULL_BYTES, FULL_BYTES))


def test_a_disk_that_is_full_for_the_ledger_ends_the_run_and_the_next_one_goes_on(
    target: ForkedTarget, tmp_path: Path
) -> None:
    endpoint = Endpoint(10, lambda: fill(target))
    with ArrivalsServer(endpoint.take) as server:
        settings = config(tmp_path, server.url, [MAPPING])
        done = target.run(settings, rows(*range(1, 1001)))
        assert_held(done, endpoint, 1000)
        assert "can't be" in done.log
        assert "disk is full" in done.log
        arrived = len(endpoint.arrived)
        again = target.run(settings, rows(*range(1, 1001)))
    assert (again.status, again.states[-1]) == (0, 1000)
    assert arrived < 1000
    assert set(endpoint.arrived) == set(range(1, 1001))
    assert len(endpoint.arrived) - 1000 <= (named_in(again.log) or 0) <= 32


def test_a_disk_that_is_full_for_rejected_records_ends_the_run_and_leaves_whole_lines(
    target: ForkedTarget, tmp_path: Path
) -> None:
    def fill_and_refuse(peer: Peer) -> None:
        fill(target)
        always(answer(422))(peer)

    messages = chain([SCHEMA], *((record("rows", id=n, text="x" * 2000), state(n)) for n in range(1, 301)))
    with FaultyServer(fill_and_refuse) as server:
        done = target.run(config(tmp_path, url(server), [MAPPING], max_rejected=1000), messages)
    assert done.status == 1
    assert "Rejected records can't be kept" in done.log
    kept = {message["record"]["id"] for message in kept_lines(tmp_path) if message["type"] == "RECORD"}
    assert 0 < len(kept) < 300
    assert all(set(range(1, passed + 1)) <= kept for passed in done.states)


def kept_lines(directory: Path) -> list[Message]:
    (file,) = (directory / "data" / "rejected").glob("*.jsonl")
    return [json.loads(line) for line in file.read_text().splitlines()]


def remove_rejected(directory: Path) -> None:
    shutil.rmtree(directory / "data" / "rejected")


def test_rejected_records_whose_file_was_removed_end_the_run(target: ForkedTarget, tmp_path: Path) -> None:
    """Written on, it would be a file that nobody can open."""

    def remove_and_refuse(peer: Peer) -> None:
        peer.read_request()
        remove_rejected(tmp_path)
        peer.socket.sendall(answer(422))

    with FaultyServer(remove_and_refuse) as server:
        settings = config(tmp_path, url(server), [MAPPING], max_rejected=10)
        done = target.run(settings, [SCHEMA, *bad_rows(1), record("rows", id=2), state(2)])
    assert done.status == 1
    assert 2 not in done.states
    assert "Rejected records can't be kept" in done.log


def test_rejected_records_that_have_no_place_end_the_run(target: ForkedTarget, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "rejected").write_text("in the way")
    with ArrivalsServer(lambda _: None) as server:
        settings = config(tmp_path, server.url, [MAPPING], max_rejected=10)
        done = target.run(settings, chain(rows(1), bad_rows(2)))
    assert done.status == 1
    assert 2 not in done.states
    assert "Rejected records can't be kept" in done.log


def files_but_sockets(process: int) -> int:
    count = 0
    for file in Path(f"/proc/{process}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            count += "socket" not in str(file.readlink())
    return count


def test_too_many_open_files_slow_a_run_down_and_lose_nothing(target: ForkedTarget, tmp_path: Path) -> None:
    """Each request needs a connection, and two of them may be open beside the pair of sockets that wakes the client."""

    def limit_and_take(peer: Peer) -> None:
        if peer.read_request():
            (process,) = target.running
            resource.prlimit(process, resource.RLIMIT_NOFILE, (files_but_sockets(process) + 4,) * 2)
            peer.socket.sendall(answer(200, "Connection: close\r\n"))

    with FaultyServer(limit_and_take) as server:
        done = target.run(config(tmp_path, url(server), [MAPPING]), rows(*range(1, 61)))
    assert (done.status, done.states[-1]) == (0, 60)
    assert sorted(row_of(request) for request in server.requests) == list(range(1, 61))
    assert "Retried 0," not in done.log


def test_an_outage_of_some_seconds_loses_nothing(target: ForkedTarget, tmp_path: Path) -> None:
    endpoint = Endpoint()
    with ArrivalsServer(endpoint.take, latency_seconds=0.01) as server:
        settings = config(tmp_path, server.url, [MAPPING], max_concurrency=8)

        def fail_for_a_while() -> None:
            assert server.wait_for(50)
            server.stop()
            time.sleep(2)  # the outage itself
            server.start()

        outage = threading.Thread(target=fail_for_a_while)
        outage.start()
        done = target.run(settings, rows(*range(1, 301)))
        outage.join()
    assert (done.status, done.states[-1]) == (0, 300), done.log
    assert set(endpoint.arrived) == set(range(1, 301))
    assert len(endpoint.arrived) <= 300 + 8
    assert done.states == sorted(done.states)


# --- what a run finds at its start -----------------------------------------------------------------------------------


def test_a_damaged_ledger_is_left_as_it_is_and_nothing_is_sent(target: ForkedTarget, tmp_path: Path) -> None:
    ledger = tmp_path / "data" / "ledger.sqlite"
    ledger.parent.mkdir()
    ledger.write_bytes(b"SQLite format 3\0" + b"damage " * 1000)
    before = ledger.read_bytes()
    with ArrivalsServer(lambda _: None) as server:
        done = target.run(config(tmp_path, server.url, [MAPPING]), rows(1))
        assert (done.status, done.states, server.count) == (1, [], 0)
    assert f"The ledger {ledger} is damaged" in done.log
    assert ledger.read_bytes() == before


POWERLESS = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
"""Root without its powers meets permissions like anybody else."""


@pytest.mark.parametrize("existing", [False, True])
def test_a_data_dir_that_can_not_be_written_ends_a_run_before_its_input_is_read(tmp_path: Path, existing: bool) -> None:  # noqa: FBT001 - a test's parameter
    with ArrivalsServer(lambda _: None) as server:
        settings = config(tmp_path, server.url, [MAPPING])
        if existing:
            assert run_target(settings, rows(1)).status == 0
        data = tmp_path / "data"
        data.mkdir(exist_ok=True)
        data.chmod(0o500)
        command = [*POWERLESS, str(PROGRAM), "--config", str(settings)]
        done = subprocess.run(command, input=b"no JSON", capture_output=True, check=False, timeout=50)
        data.chmod(0o700)
        assert server.count == existing
    log = done.stderr.decode()
    assert (done.returncode, done.stdout) == (1, b"")
    assert f"The ledger {data / 'ledger.sqlite'} can't be" in log
    assert "Traceback" not in log
