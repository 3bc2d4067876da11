from __future__ import annotations

import json
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.browser.pictures import take_pictures
from tests.browser.shop import HEADERS, SHOP, events, send
from tests.target_process import config, record, run_target, schema

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.sandbox_process import Sandbox

pytestmark = pytest.mark.slow

ARTEFACTS = Path("build/pictures")
ADA: dict[str, Any] = {"name": "Ada Lovelace", "email": "ada@example.com"}
MAPPING = {"stream": "orders", "name": "Order placed", "contact": {"email": "{{ email }}"}}


def order(**parts: object) -> dict[str, Any]:
    return {"name": "Order placed", "contact": ADA, **parts}


def test_an_empty_sandbox_says_how_to_begin(page: Page, sandbox: Sandbox) -> None:
    expect(page.get_by_role("heading", name="Nothing has arrived yet")).to_be_visible()
    expect(page.locator("#config-snippet pre")).to_contain_text(f"{sandbox.base}/v2026-04")


def test_what_arrives_appears_without_reload(page: Page, sandbox: Sandbox) -> None:
    send(sandbox.url, order(description="Order 1001"))
    expect(page.locator(".event")).to_have_count(1)
    expect(page.locator(".event")).to_contain_text("Order 1001")
    expect(page.locator("#contacts")).to_contain_text("Ada Lovelace")
    expect(page.locator("#live")).to_contain_text("1 event")
    send(sandbox.url, order(name="Order shipped"))
    expect(page.locator(".event b").first).to_have_text("Order shipped")
    expect(page.locator(".event")).to_have_count(2)


def test_an_open_event_stays_open_while_others_arrive(page: Page, sandbox: Sandbox) -> None:
    send(sandbox.url, order(description="first"))
    page.locator(".event summary").click()
    send(sandbox.url, order(description="second"))
    expect(page.locator(".event")).to_have_count(2)
    expect(page.locator(".event details[open]")).to_contain_text("first")


def test_a_timeline_has_one_contacts_events_newest_first(page: Page, sandbox: Sandbox) -> None:
    for day in (2, 3, 1):
        send(sandbox.url, order(description=f"day {day}", event_time=f"2026-04-0{day}T12:00:00Z"))
    send(sandbox.url, {"name": "Other", "contact": {"email": "grace@example.com"}})
    page.locator("#contacts a", has_text="Ada Lovelace").click()
    expect(page.locator("#who h1")).to_have_text("Ada Lovelace")
    expect(page.locator(".event .description")).to_have_text(["day 3", "day 2", "day 1"])
    expect(page.locator(".day")).to_have_count(3)


@pytest.mark.parametrize("text", ["grace@", "+44 20", "c-1002", "HOPPER"])
def test_search_finds_a_contact_by_whatever_it_is_known_by(page: Page, sandbox: Sandbox, text: str) -> None:
    send(sandbox.url, order())
    grace = {"name": "Grace Hopper", "email": "grace@example.com", "phone": "+44 20 7946 0018", "remote_id": "c-1002"}
    send(sandbox.url, order(contact=grace))
    expect(page.locator("#contacts a")).to_have_count(3)
    page.get_by_label("Search contacts").fill(text)
    expect(page.locator("#contacts a")).to_have_count(1)
    expect(page.locator("#contacts a")).to_contain_text("Grace Hopper")
    page.get_by_label("Search contacts").fill("nobody at all")
    expect(page.locator("#contacts")).to_contain_text("Nobody is known by that")


SCRIPT = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'


def test_a_script_stays_text_wherever_it_comes_in(page: Page, sandbox: Sandbox) -> None:
    contact = {"name": SCRIPT, "email": SCRIPT, "remote_id": SCRIPT}
    metric = {"metric_name": SCRIPT, "value": 1, "additional_properties": {SCRIPT: SCRIPT}}
    send(sandbox.url, {"name": SCRIPT, "description": SCRIPT, "contact": contact, "metric": metric})
    send(sandbox.url, {"name": 1, SCRIPT: SCRIPT})
    expect(page.locator(".event b").first).to_have_text(SCRIPT)
    page.locator(".event summary").click()
    expect(page.locator(".event pre")).to_contain_text("window.hacked=1")
    page.locator("#contacts a").nth(1).click()
    expect(page.locator("#who h1")).to_have_text(SCRIPT)
    page.goto(f"{sandbox.base}/#/metrics")
    expect(page.locator(".metric h2")).to_have_text(SCRIPT)
    page.goto(f"{sandbox.base}/#/refused")
    expect(page.locator(".refusal")).to_contain_text("isn't documented")
    assert page.evaluate("window.hacked") is None
    assert page.locator("main img, main script").count() == 0


def test_a_number_is_shown_as_it_was_written(page: Page, sandbox: Sandbox) -> None:
    number = "12345678901234567890123456789.10"
    body = f'{{"name": "x", "metric": {{"metric_name": "m", "value": {number}}}}}'
    headers = HEADERS | {"Content-Type": "application/json"}
    requests.post(f"{sandbox.url}/events/", data=body, headers=headers, timeout=10).raise_for_status()
    page.locator(".event summary").click()
    expect(page.locator(".event pre")).to_contain_text(number)


def test_copy_as_curl_sends_the_same_event_again(page: Page, sandbox: Sandbox) -> None:
    send(sandbox.url, order(description="It's 5 o'clock; $(echo no) \\ \"quoted\"\n§"))
    page.locator(".event summary").click()
    page.get_by_role("button", name="Copy as curl").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    command = page.evaluate("navigator.clipboard.readText()")
    shell = shutil.which("sh")
    assert shell is not None
    subprocess.run([shell, "-c", command], check=True, capture_output=True, timeout=10)
    first, second = sandbox.events()
    assert first["body"] == second["body"]
    assert (second["shop_id"], second["contact_id"]) == (SHOP, first["contact_id"])


def test_a_refused_request_stands_beside_its_reason(page: Page, sandbox: Sandbox) -> None:
    send(sandbox.url, {"name": "x", "contact": {"email": 7}})
    page.get_by_role("link", name="Refused 1").click()
    expect(page.locator(".reason")).to_contain_text("contact.email must be a string, not a number")
    expect(page.locator(".refusal pre .wrong")).to_have_text('    "email": 7')


def test_metrics_have_their_exact_sum_and_a_chart(page: Page, sandbox: Sandbox) -> None:
    for day, value in enumerate((0.1, 0.2, -1)):
        metric = {"metric_name": "order_value", "value": value, "deduping_key": str(day)}
        send(sandbox.url, {"name": "x", "metric": metric, "event_time": f"2026-04-0{day + 1}T12:00:00Z"})
        send(sandbox.url, {"name": "x", "metric": metric})
    page.get_by_role("link", name="Metrics").click()
    expect(page.locator(".metric .sum")).to_have_text("\N{MINUS SIGN}0.7")
    expect(page.locator(".metric .counted")).to_have_text("counted 3 times · 3 not counted again")
    expect(page.locator(".metric .sum-bar")).to_have_count(3)


def test_a_fault_that_is_switched_on_is_felt_by_the_target(page: Page, sandbox: Sandbox, tmp_path: Path) -> None:
    page.get_by_role("link", name="Faults").click()
    page.get_by_role("switch", name="Status").click()
    card = page.locator('.fault[data-kind="status"]')
    for name, value in (("status", "503"), ("times", "2")):
        card.locator(f'[name="{name}"]').fill(value)
        card.locator(f'[name="{name}"]').press("Enter")
    expect(card.locator(".left")).to_have_text("2 left")
    path = config(tmp_path, sandbox.url, [MAPPING])
    messages = [schema("orders", {"id": {"type": "integer"}, "email": {"type": "string"}})]
    messages += [record("orders", id=1, email="ada@example.com")]
    ended = run_target(path, messages)
    assert ended.status == 0
    assert [request["status"] for request in sandbox.requests()] == [503, 503, 200]
    expect(card.locator(".left")).to_have_text("spent")
    expect(page.locator("#met li")).to_have_count(2)
    page.get_by_role("switch", name="Status").click()
    expect(page.get_by_role("switch", name="Status")).not_to_be_checked()
    assert sandbox.get("faults")["faults"] == []


def test_a_switch_leaves_faults_alone_that_were_set_elsewhere(page: Page, sandbox: Sandbox) -> None:
    faults = [{"kind": "status", "status": status, "match": str(status)} for status in (500, 502)]
    sandbox.put_faults({"faults": faults})
    page.get_by_role("link", name="Faults").click()
    expect(page.locator("#fault-others")).to_contain_text("502")
    page.get_by_role("switch", name="Latency").click()
    expect(page.locator(".fault.on")).to_have_count(2)
    kinds = [(fault["kind"], fault.get("status")) for fault in sandbox.get("faults")["faults"]]
    assert kinds == [("status", 500), ("status", 502), ("latency", None)]


def test_a_wrong_setting_is_told_beside_the_faults(page: Page, sandbox: Sandbox) -> None:
    page.get_by_role("link", name="Faults").click()
    page.get_by_role("switch", name="Status").click()
    field = page.locator('.fault[data-kind="status"] [name="match"]')
    field.fill("(")
    field.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("match must be a regular expression")
    assert sandbox.get("faults")["faults"][0]["match"] is None


def test_the_keyboard_alone_suffices(page: Page, sandbox: Sandbox) -> None:
    send(sandbox.url, order(description="found"))
    send(sandbox.url, order(contact={"email": "grace@example.com"}))
    expect(page.locator("#contacts a")).to_have_count(3)
    expect(page.get_by_label("Search contacts")).to_be_visible()
    keys = page.keyboard
    keys.press("/")
    keys.type("ada")
    expect(page.locator("#contacts a")).to_have_count(1)
    keys.press("ArrowDown")
    keys.press("Enter")
    expect(page.locator("#who h1")).to_have_text("Ada Lovelace")
    expect(page.locator("#contacts a")).to_be_focused()
    keys.press("ArrowUp")
    expect(page.get_by_label("Search contacts")).to_be_focused()
    page.locator("#contacts a").focus()
    keys.press("Tab")
    expect(page.locator(".event summary")).to_be_focused()
    keys.press("Enter")
    expect(page.get_by_role("button", name="Copy as curl")).to_be_visible()
    keys.press("Tab")
    expect(page.get_by_role("button", name="Copy as curl")).to_be_focused()
    page.get_by_role("link", name="Faults").focus()
    keys.press("Enter")
    page.get_by_role("switch", name="Latency").focus()
    keys.press("Space")
    expect(page.get_by_role("switch", name="Latency")).to_be_checked()
    expect(page.locator("#fault-count")).to_have_text("1")


def test_clearing_asks_first(page: Page, sandbox: Sandbox) -> None:
    send(sandbox.url, order())
    expect(page.locator(".event")).to_have_count(1)
    page.get_by_role("button", name="Clear").click()
    assert len(sandbox.events()) == 1
    page.get_by_role("button", name="Clear all?").click()
    expect(page.get_by_role("heading", name="Nothing has arrived yet")).to_be_visible()
    assert sandbox.events() == []


def test_many_events_come_a_page_at_a_time(page: Page, sandbox: Sandbox) -> None:
    for number in range(120):
        send(sandbox.url, order(description=f"Order {number}", contact={"remote_id": str(number)}))
    page.reload()
    expect(page.locator(".event")).to_have_count(50)
    page.get_by_role("button", name="Earlier events").click()
    expect(page.locator(".event")).to_have_count(100)
    page.get_by_role("button", name="Earlier events").click()
    expect(page.locator(".event")).to_have_count(120)
    expect(page.get_by_role("button", name="Earlier events")).to_be_hidden()
    descriptions = page.locator(".event .description").all_inner_texts()
    assert descriptions == [f"Order {number}" for number in reversed(range(120))]


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_no_width_needs_scrolling_sideways(page: Page, sandbox: Sandbox, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    long = "x" * 300
    metric = {"metric_name": long, "value": 1}
    send(sandbox.url, {"name": long, "description": long, "contact": {"email": long, "name": long}, "metric": metric})
    send(sandbox.url, {"name": 1, long: long})
    [contact] = sandbox.get("contacts")["contacts"]
    landmarks = {
        f"timelines/{contact['id']}": ".event",
        "timelines": "#contacts a",
        "metrics": ".metric",
        "refused": ".refusal",
        "faults": ".fault",
        "reference": "#reference",
    }
    for view, landmark in landmarks.items():
        page.goto(f"{sandbox.base}/#/{view}")
        expect(page.locator(landmark).first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_sandbox_that_has_ended_is_told(browser: Browser) -> None:
    from tests.sandbox_process import running_sandbox  # noqa: PLC0415 - this test alone stops its sandbox

    page = browser.new_page()
    with running_sandbox() as sandbox:
        page.goto(f"{sandbox.base}/")
        expect(page.locator("#live")).to_contain_text("0 events")
    expect(page.locator("#live")).to_contain_text("not running")
    page.close()


def test_pictures_of_every_view_are_kept(browser: Browser, sandbox: Sandbox) -> None:
    pictures = take_pictures(browser, sandbox, ARTEFACTS)
    assert len(pictures) == 20
    assert all(picture.stat().st_size > 10_000 for picture in pictures)
    kept = [json.dumps(event["body"], sort_keys=True, default=str) for event in sandbox.events()]
    assert len(kept) == len(list(events(datetime.now(UTC))))
