"""The key is sent to the endpoint and is nowhere else: in no output, file, log, repr or traceback."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from target_applied_events.target import TargetAppliedEvents
from tests.target_process import API_KEY, PROGRAM, SHOP, Message, config, record, run_target, schema, state
from tests.with_sandbox.arrivals import ArrivalsServer
from tests.with_sandbox.faulty_server import FaultyServer, Peer, always

if TYPE_CHECKING:
    from pathlib import Path

    from tests.with_sandbox.faulty_server import Fault
    from tests.with_sandbox.forked_target import ForkedTarget

pytestmark = pytest.mark.usefixtures("_no_file_holds_the_key")

MAPPING: Message = {"stream": "rows", "name": "Row {{ id }}", "contact": {"remote_id": "{{ id }}"}}
MESSAGES = [schema("rows", {"id": {"type": "integer"}}), record("rows", id=1), record("rows", id="bad"), state(1)]


def test_the_key_reaches_the_endpoint(target: ForkedTarget, tmp_path: Path) -> None:
    """Else all else in here would show nothing."""
    with FaultyServer(always(b"HTTP/1.1 204 So\r\n\r\n")) as server:
        assert target.run(config(tmp_path, url(server), [MAPPING], max_rejected=1), MESSAGES).status == 0
    assert all(f"Authorization: Bearer {API_KEY}".encode() in request for request in server.requests)


def url(server: FaultyServer) -> str:
    return f"http://127.0.0.1:{server.port}/v2026-04"


@pytest.mark.parametrize("by_environment", [False, True])
def test_no_log_level_shows_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by_environment: bool) -> None:  # noqa: FBT001 - a test's parameter
    monkeypatch.setenv("LOGLEVEL", "DEBUG")
    monkeypatch.setenv("TARGET_APPLIED_EVENTS_LOGLEVEL", "DEBUG")
    with ArrivalsServer(lambda _: None) as server:
        path = config(tmp_path, server.url, [MAPPING], max_rejected=1)
        if by_environment:
            for name, value in json.loads(path.read_text()).items():
                text = value if isinstance(value, str) else json.dumps(value)
                monkeypatch.setenv(f"TARGET_APPLIED_EVENTS_{name.upper()}", text)
            path.write_text("{}")
        done = run_target(path, MESSAGES, *(["--config", "ENV"] if by_environment else []))
        assert (done.status, server.count) == (0, 1)
    assert "DEBUG" in done.log


def echo(status: bytes, *, in_headers: bool = False) -> Fault:
    """Answer with what was asked."""

    def fault(peer: Peer) -> None:
        while request := peer.read_request():
            headers = request.replace(b"\r\n", b" ") if in_headers else b""
            peer.socket.sendall(
                b"HTTP/1.1 %b %b\r\nRetry-After: %b\r\nContent-Type: text/%b\r\nContent-Length: %d\r\n\r\n%b"
                % (status, headers, headers, headers, len(request), request)
            )

    return fault


def echo_bare(peer: Peer) -> None:
    peer.socket.sendall(peer.read_request())


def echo_late(peer: Peer) -> None:
    """A header that is none, with the key in it."""
    peer.socket.sendall(b"HTTP/1.1 200 So\r\n" + peer.read_request())


@pytest.mark.parametrize(
    "fault",
    [
        echo(b"401"),
        echo(b"422"),
        echo(b"503"),
        echo(b"307", in_headers=True),
        echo(b"429", in_headers=True),
        echo_bare,
        echo_late,
    ],
)
def test_an_endpoint_that_quotes_it_puts_it_nowhere(target: ForkedTarget, tmp_path: Path, fault: Fault) -> None:
    with FaultyServer(fault) as server:
        done = target.run(config(tmp_path, url(server), [MAPPING], retry_timeout=0.3), MESSAGES)
    assert done.status == 1
    assert any(API_KEY.encode() in request for request in server.requests)


@pytest.mark.parametrize(
    "seam", ["record", "send", "commit of intents", "keeping of rejected records", "write of STATE"]
)
def test_a_crash_that_nobody_foresaw_shows_no_secret(target: ForkedTarget, tmp_path: Path, seam: str) -> None:
    with ArrivalsServer(lambda _: None) as server:
        settings = config(tmp_path, server.url, [MAPPING])
        done = target.run(settings, MESSAGES, point=(f"crash {seam}", 1), environment={"LOGLEVEL": "DEBUG"})
    assert done.status == 1
    assert done.states == []
    assert "ZeroDivisionError" in done.log
    assert "| DEBUG " in done.log


@pytest.mark.parametrize(
    "wrong",
    [
        {"api_key": API_KEY + " and a space"},
        {"api_key": API_KEY + "\u00e9"},
        {"api_key": [API_KEY]},
        {"api_key": {"nested": API_KEY}},
        {"shop_id": API_KEY},
        {"max_concurrency": API_KEY},
        {"stream_maps": API_KEY},
        {"ledger_url": f"postgresql://user:{API_KEY}@127.0.0.1:1/ledger"},
        {"ledger_url": f"mysql://user:{API_KEY}@127.0.0.1:1/ledger"},
    ],
    ids=str,
)
def test_a_setting_that_is_wrong_is_not_shown(target: ForkedTarget, tmp_path: Path, wrong: dict[str, Any]) -> None:
    """Whatever a secret was put into by mistake."""
    done = target.run(config(tmp_path, "http://127.0.0.1:1/v2026-04", [MAPPING], **wrong), b"")
    assert done.status in {1, 2}
    assert "ERROR" in done.log
    assert "Traceback" not in done.log


def test_a_config_file_that_is_broken_is_not_shown(target: ForkedTarget, tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(f'{{"api_key": "{API_KEY}", "mappings"')
    assert target.run(path, b"").status == 2


@pytest.mark.parametrize("arguments", [["--about"], ["--about", "--format=json"], ["--about", "--format=markdown"]])
def test_about_does_not_show_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    monkeypatch.setenv("TARGET_APPLIED_EVENTS_API_KEY", API_KEY)
    path = config(tmp_path, "http://127.0.0.1:1/", [MAPPING])
    command = [str(PROGRAM), "--config", str(path), "--config", "ENV", *arguments]
    done = subprocess.run(command, capture_output=True, check=True, timeout=50)
    assert API_KEY.encode() not in done.stdout + done.stderr
    assert b"api_key" in done.stdout


def test_no_repr_shows_it(tmp_path: Path) -> None:
    settings = {
        "api_key": API_KEY,
        "shop_id": SHOP,
        "api_url": "http://127.0.0.1:1/v2026-04",
        "data_dir": str(tmp_path),
        "mappings": [MAPPING],
    }
    target = TargetAppliedEvents(config=settings)
    try:
        parts = [target, target.settings, target.run, *vars(target.run).values()]
        assert not any(API_KEY in text for part in parts for text in (repr(part), str(part)))
        assert len(parts) > 10
    finally:
        target.run.close(None)
