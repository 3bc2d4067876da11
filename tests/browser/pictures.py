"""Makes the pictures of the sandbox's page: `python -m tests.browser.pictures FOLDER`."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from playwright.sync_api import sync_playwright

from tests.browser.conftest import chromium
from tests.browser.shop import events, send
from tests.sandbox_process import Sandbox, running_sandbox

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SIZES = {"wide": (1280, 820), "phone": (390, 844)}
SCHEMES: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")
WRONG = {
    "name": "Order placed",
    "event_time": "2026-04-07 14:30",
    "metric": {"metric_name": "order_value", "value": "12.50", "metric_object_id": "1001"},
}


def take_pictures(browser: Browser, sandbox: Sandbox, folder: Path) -> list[Path]:
    """Fill a sandbox with a shop, and keep each view at each size, light and dark."""
    for event in events(datetime.now(UTC)):
        send(sandbox.url, event)
    send(sandbox.url, WRONG)
    sandbox.put_faults({"faults": [{"kind": "status", "status": 503, "share": 0.1}]})
    [ada] = sandbox.get("contacts", q="ada@example.com")["contacts"]
    views = {
        "timeline": (f"#/timelines/{ada['id']}", "#who h1"),
        "metrics": ("#/metrics", ".metric"),
        "refused": ("#/refused", ".refusal"),
        "faults": ("#/faults", ".fault.on"),
        "reference": ("#/reference", "#reference"),
    }
    taken = []
    folder.mkdir(parents=True, exist_ok=True)
    for size, (width, height) in SIZES.items():
        for scheme in SCHEMES:
            context = browser.new_context(
                viewport={"width": width, "height": height}, color_scheme=scheme, locale="en-GB"
            )
            page = context.new_page()
            for view, (address, landmark) in views.items():
                page.goto(f"{sandbox.base}/{address}")
                page.wait_for_selector(landmark)
                if view == "timeline":
                    page.locator(".event summary").nth(1).click()
                taken.append(folder / f"{view}-{size}-{scheme}.png")
                page.screenshot(path=taken[-1])
            context.close()
    return taken


def main(folder: str) -> None:
    """Start a sandbox and a browser for it."""
    with running_sandbox() as sandbox, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        for path in take_pictures(browser, sandbox, Path(folder)):
            sys.stdout.write(f"{path}\n")
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
