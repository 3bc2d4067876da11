"""From messages on standard input to events at the endpoint, and STATE on standard output."""

from __future__ import annotations

import gzip
import json
import os
import socket
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tests.target_process import SHOP, Message, as_lines, config, record, run_target, schema, state

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox_process import Sandbox

ORDERS: dict[str, Any] = {
    "id": {"type": "integer"},
    "email": {"type": ["string", "null"]},
    "total": {"type": ["number", "null"]},
    "created_at": {"type": ["string", "null"], "format": "date-time"},
}
PLACED: Message = {
    "stream": "orders",
    "name": "Order placed",
    "description": "Order {{ id }} for {{ total }}",
    "event_time": "{{ created_at }}",
    "contact": {"email": "{{ email | lower }}"},
    "metric": {"metric_name": "order_value", "value": "{{ total }}"},
}
SCHEMA = schema("orders", ORDERS)


def order(number: int, **changes: Any) -> Message:  # noqa: ANN401 - any JSON
    columns: dict[str, Any] = {
        "id": number,
        "email": f"Person{number}@Example.com",
        "total": Decimal("10.5000"),
        "created_at": "2026-04-07T14:30:00+02:00",
    }
    return record("orders", **{**columns, **changes})


def bodies(sandbox: Sandbox) -> list[Message]:
    return [event["body"] for event in sandbox.events()]


def test_a_record_becomes_its_event_and_state_follows(sandbox: Sandbox, tmp_path: Path) -> None:
    done = run_target(config(tmp_path, sandbox.url, [PLACED]), [SCHEMA, order(1001), state({"at": Decimal("1.10")})])
    assert (done.status, done.states) == (0, [{"at": Decimal("1.10")}])
    (event,) = sandbox.events()
    key = event["body"]["metric"].pop("deduping_key")
    assert len(key) == 32
    assert event["shop_id"] == SHOP
    assert event["body"] == {
        "name": "Order placed",
        "description": "Order 1001 for 10.5000",
        "event_time": "2026-04-07T12:30:00Z",
        "contact": {"email": "person1001@example.com"},
        "metric": {"metric_name": "order_value", "value": Decimal("10.5000")},
    }


def test_a_second_run_over_the_same_records_sends_nothing(sandbox: Sandbox, tmp_path: Path) -> None:
    messages = [SCHEMA, *(order(number) for number in range(20)), state(1)]
    settings = config(tmp_path, sandbox.url, [PLACED])
    first, second = run_target(settings, messages), run_target(settings, messages)
    assert (first.status, second.status) == (0, 0)
    assert (first.states, second.states) == ([1], [1])
    assert len(bodies(sandbox)) == 20
    assert "skipped 0 by mapping and 20 by the ledger" in second.log


def test_many_requests_are_in_flight_at_once_and_never_more_than_allowed(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.put_faults({"faults": [{"kind": "latency", "seconds": 0.05}]})
    messages = [SCHEMA, *(order(number) for number in range(60)), state(1)]
    done = run_target(config(tmp_path, sandbox.url, [PLACED], max_concurrency=6), messages)
    assert done.status == 0
    assert sandbox.most_open() == 6


def test_events_of_one_contact_arrive_in_the_order_read_one_at_a_time(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.put_faults({"faults": [{"kind": "latency", "seconds": 0.002, "jitter_seconds": 0.01}]})
    numbers = list(range(60))
    messages = [SCHEMA, *(order(number, email=f"p{number % 3}@example.com") for number in numbers)]
    assert run_target(config(tmp_path, sandbox.url, [PLACED]), messages).status == 0
    for contact in range(3):
        arrived = [
            body["description"] for body in bodies(sandbox) if body["contact"]["email"] == f"p{contact}@example.com"
        ]
        assert arrived == [f"Order {number} for 10.5000" for number in numbers if number % 3 == contact]
    assert sandbox.most_open() <= 3


def test_a_bad_record_is_kept_and_stops_nothing(sandbox: Sandbox, tmp_path: Path) -> None:
    messages = [SCHEMA, order(1), order(2, total="a lot"), order(3), state(3)]
    done = run_target(config(tmp_path, sandbox.url, [PLACED]), messages)
    assert (done.status, done.states) == (1, [3])
    assert sorted(body["description"][:7] for body in bodies(sandbox)) == ["Order 1", "Order 3"]
    assert "More records were rejected (1) than max_rejected allows (0)" in done.log
    assert "a lot" not in done.log
    (kept,) = (tmp_path / "data" / "rejected").glob("*.jsonl")
    _, rejected = [json.loads(line) for line in kept.read_text().splitlines()]
    assert rejected["record"]["total"] == "a lot"
    assert rejected["rejection"]["reason"] == "invalid"
    again = run_target(config(tmp_path, sandbox.url, [PLACED], max_rejected=1), messages)
    assert again.status == 0
    (_, report) = sorted((tmp_path / "data" / "runs").glob("*.json"), key=os.path.getmtime)
    assert json.loads(report.read_text())["summary"]["rejected"] == {"invalid": 1}


def test_a_record_that_lacks_its_key_is_invalid_and_stops_nothing(sandbox: Sandbox, tmp_path: Path) -> None:
    nameless = record("orders", email="a@example.com", total=1)
    done = run_target(config(tmp_path, sandbox.url, [PLACED]), [SCHEMA, nameless, order(2, created_at=None), order(3)])
    assert done.status == 1
    assert [body["description"][:7] for body in bodies(sandbox)] == ["Order 3"]
    assert "rejected 2 (invalid 1, unmappable 1)" in done.log


def test_state_waits_for_what_was_read_before_it(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.put_faults({"faults": [{"kind": "status", "status": 401, "match": "Order 2 "}]})
    messages = [SCHEMA, order(1), state(1), order(2), state(2), order(3), state(3)]
    done = run_target(config(tmp_path, sandbox.url, [PLACED], max_concurrency=1), messages)
    assert (done.status, done.states) == (1, [1])
    assert "answered 401" in done.log
    assert "api_key" in done.log


def test_batch_records_take_the_way_of_records(sandbox: Sandbox, tmp_path: Path) -> None:
    lines = [json.dumps(order(number, total=number)["record"]) + "\n" for number in range(1, 6)]
    bad = json.dumps(order(6, total="x")["record"]) + "\n"
    with gzip.open(tmp_path / "one.jsonl.gz", "wt") as file:
        file.writelines([*lines[:3], bad])
    (tmp_path / "two.jsonl").write_text("".join(lines[3:]))
    zipped, plain = (tmp_path / "one.jsonl.gz").as_uri(), (tmp_path / "two.jsonl").as_uri()

    def batch(compression: str | None, address: str) -> Message:
        encoding = {"format": "jsonl", **({"compression": compression} if compression else {})}
        return {"type": "BATCH", "stream": "orders", "encoding": encoding, "manifest": [address]}

    done = run_target(
        config(tmp_path, sandbox.url, [PLACED]), [SCHEMA, batch("gzip", zipped), batch(None, plain), state("end")]
    )
    assert (done.status, done.states) == (1, ["end"])
    assert sorted(body["metric"]["value"] for body in bodies(sandbox)) == [1, 2, 3, 4, 5]
    assert "rejected 1 (invalid 1)" in done.log


def test_a_batch_file_that_is_missing_is_named(sandbox: Sandbox, tmp_path: Path) -> None:
    batch = {
        "type": "BATCH",
        "stream": "orders",
        "encoding": {"format": "jsonl"},
        "manifest": ["file:///no/where.jsonl"],
    }
    done = run_target(config(tmp_path, sandbox.url, [PLACED]), [SCHEMA, order(1), batch, state(1)])
    assert (done.status, done.states) == (1, [])
    assert "The batch file file:///no/where.jsonl can't be read: there is no such file." in done.log
    assert len(bodies(sandbox)) == 1


def test_activate_version_is_passed_over(sandbox: Sandbox, tmp_path: Path) -> None:
    messages = [SCHEMA, {"type": "ACTIVATE_VERSION", "stream": "orders", "version": 1}, order(1), state(1)]
    done = run_target(config(tmp_path, sandbox.url, [PLACED]), messages)
    assert (done.status, done.states, len(bodies(sandbox))) == (0, [1], 1)


def test_what_came_before_a_bad_line_is_delivered(sandbox: Sandbox, tmp_path: Path) -> None:
    data = as_lines([SCHEMA, order(1), state(1)]) + b"Traceback: the tap failed\n" + as_lines([order(2), state(2)])
    done = run_target(config(tmp_path, sandbox.url, [PLACED]), data)
    assert (done.status, done.states, len(bodies(sandbox))) == (1, [1], 1)
    assert "Input line 4 can't be read as JSON" in done.log
    assert "Traceback: the tap" not in done.log


def test_an_input_that_ends_mid_line_fails_after_delivering_what_was_whole(sandbox: Sandbox, tmp_path: Path) -> None:
    data = as_lines([SCHEMA, order(1), state(1)]) + as_lines([order(2)])[:-9]
    done = run_target(config(tmp_path, sandbox.url, [PLACED]), data)
    assert (done.status, done.states, len(bodies(sandbox))) == (1, [1], 1)
    assert "ends in the middle of line 4" in done.log


def test_a_record_before_its_schema_fails_clearly(sandbox: Sandbox, tmp_path: Path) -> None:
    done = run_target(config(tmp_path, sandbox.url, [PLACED]), [order(1)])
    assert done.status == 1
    assert "stream 'orders' was encountered before a corresponding schema" in done.log
    assert "Traceback" not in done.log


def test_an_empty_input_is_a_success(sandbox: Sandbox, tmp_path: Path) -> None:
    done = run_target(config(tmp_path, sandbox.url, [PLACED]), b"")
    assert (done.status, done.states) == (0, [])


def test_an_unreachable_endpoint_fails_the_run_and_holds_state(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v2026-04"
        done = run_target(config(tmp_path, url, [PLACED], retry_timeout=0.5), [SCHEMA, order(1), state(1)])
    assert (done.status, done.states) == (1, [])
    assert "retry_timeout" in done.log
    assert not (tmp_path / "data" / "rejected").exists()


def test_wrong_settings_end_with_status_2_all_at_once_before_input_is_read(tmp_path: Path) -> None:
    path = config(tmp_path, "http://example.com", [], api_key=None, max_concurrency="many")
    done = run_target(path, b"this is not even JSON")
    assert done.status == 2
    for name in ("api_key", "api_url", "mappings", "max_concurrency"):
        assert f"| {name} " in done.log
    assert "Traceback" not in done.log


def test_the_settings_of_the_sdk_are_checked_too(tmp_path: Path) -> None:
    done = run_target(config(tmp_path, "http://127.0.0.1:1/", [PLACED], flattening_enabled="perhaps"), b"")
    assert done.status == 2
    assert "flattening_enabled breaks the rule `type`" in done.log


def test_an_unmapped_stream_stops_the_run_at_its_schema_or_is_passed_over(sandbox: Sandbox, tmp_path: Path) -> None:
    messages = [schema("refunds", ORDERS), record("refunds", id=1), SCHEMA, order(1), state(1)]
    done = run_target(config(tmp_path, sandbox.url, [PLACED]), messages)
    assert (done.status, done.states) == (1, [])
    assert "No mapping matches the stream refunds." in done.log
    done = run_target(config(tmp_path, sandbox.url, [PLACED], unmapped_streams="ignore"), messages)
    assert (done.status, done.states, len(bodies(sandbox))) == (0, [1], 1)
    assert "passed over 1" in done.log


def test_what_meltano_sends_as_a_test_is_passed_over(sandbox: Sandbox, tmp_path: Path) -> None:
    messages = [
        schema("meltano_test_stream", {"id": {"type": "integer"}}),
        record("meltano_test_stream", id=1),
        {"type": "STATE", "value": {}},
    ]
    done = run_target(config(tmp_path, sandbox.url, [PLACED]), messages)
    assert (done.status, len(bodies(sandbox))) == (0, 0)
    assert "meltano_test_stream is Meltano's own test" in done.log


def test_a_mapping_that_met_no_stream_is_told_at_the_end(sandbox: Sandbox, tmp_path: Path) -> None:
    other = {**PLACED, "stream": "invoices"}
    done = run_target(config(tmp_path, sandbox.url, [PLACED, other]), [SCHEMA, order(1)])
    assert done.status == 0
    assert "mappings[1] met no stream: invoices didn't come." in done.log


def test_stream_maps_and_flattening_keep_their_meaning(sandbox: Sandbox, tmp_path: Path) -> None:
    properties = {**ORDERS, "customer": {"type": "object", "properties": {"email": {"type": "string"}}}}
    mapping = {"stream": "sales", "name": "Order {{ id }}", "contact": {"email": "{{ customer__email }}"}}
    path = config(
        tmp_path,
        sandbox.url,
        [mapping],
        stream_maps={"orders": {"__alias__": "sales", "__filter__": "id > 1", "total": "__NULL__"}},
        flattening_enabled=True,
        flattening_max_depth=1,
    )
    orders = [order(number, customer={"email": f"c{number}@example.com"}) for number in (1, 2)]
    done = run_target(path, [schema("orders", properties), *orders])
    assert done.status == 0, done.log
    assert bodies(sandbox) == [{"name": "Order 2", "contact": {"email": "c2@example.com"}}]


def test_a_stream_map_that_fails_on_a_record_ends_the_run_clearly_after_what_came_before(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    path = config(tmp_path, sandbox.url, [PLACED], stream_maps={"orders": {"total": "1 / total"}})
    messages = [SCHEMA, order(1, total=2), state(1), order(2, total=0), state(2)]
    done = run_target(path, messages)
    assert (done.status, done.states, len(bodies(sandbox))) == (1, [1], 1)
    assert "An expression of stream_maps can't work on a record of the stream orders" in done.log
    assert "Traceback" not in done.log


def test_a_file_given_as_input_is_read_like_standard_input(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "messages.jsonl").write_bytes(as_lines([SCHEMA, order(1), state(1)]))
    done = run_target(config(tmp_path, sandbox.url, [PLACED]), b"", "--input", str(tmp_path / "messages.jsonl"))
    assert (done.status, done.states, len(bodies(sandbox))) == (0, [1], 1)


def test_settings_come_by_environment_as_meltano_hands_them_over(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = config(tmp_path, sandbox.url, [PLACED])
    for name, value in json.loads(path.read_text()).items():
        text = value if isinstance(value, str) else json.dumps(value)
        monkeypatch.setenv(f"TARGET_APPLIED_EVENTS_{name.upper()}", text)
    monkeypatch.setenv("TARGET_APPLIED_EVENTS_MAX_CONCURRENCY", "4")
    path.write_text("{}")
    done = run_target(path, [SCHEMA, order(1)], "--config", "ENV")
    assert (done.status, len(bodies(sandbox))) == (0, 1)
    assert "The ledger: " in done.log.splitlines()[0]


@pytest.mark.parametrize("arguments", [["--about", "--format=markdown"], ["--about", "--format=json"], ["--version"]])
def test_about_and_version_answer_as_the_sdk_has_them(arguments: list[str]) -> None:
    from subprocess import run  # noqa: PLC0415 - the one test without a config

    from tests.target_process import PROGRAM  # noqa: PLC0415 - as above

    done = run([str(PROGRAM), *arguments], capture_output=True, check=True, text=True, env=dict(os.environ))
    assert "target-applied-events" in done.stdout
    if "--format=json" in arguments:
        assert "max_concurrency" in json.loads(done.stdout)["settings"]["properties"]
