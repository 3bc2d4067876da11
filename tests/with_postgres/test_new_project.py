"""What README says of installing, followed word for word: in a Meltano project with taps of its own, and without."""

from __future__ import annotations

import json
import os
import re
import subprocess
import venv
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from demo import postgres, shop
from demo.pipeline import MELTANO, Pipeline
from tests import readme
from tests.pages import README
from tests.sandbox_process import running_sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.sandbox_process import Sandbox

# One group, so that it's installed once. The package index may be slow.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.xdist_group("new project")]

SPREADSHEETS = {
    "name": "tap-spreadsheets",
    "namespace": "tap_spreadsheets",
    "pip_url": "tap-spreadsheets>=1.1,<2",
    "executable": "tap-spreadsheets",
    "capabilities": ["catalog", "discover", "state"],
    "settings": [{"name": "files", "kind": "array"}],
    "config": {"files": [{"path": "orders.csv", "format": "csv", "table_name": "orders", "primary_keys": ["number"]}]},
}
"""tap-csv itself is in no package index."""
ORDERS = """\
number,placed_at,email,total,paid
1001,2026-04-07 16:30:00,Ada@Example.com,120.50,yes
1002,2026-04-08,"zoë@example.com","1,250.00",yes
1003,,,80,yes
1004,2026-04-09,grace@example.com,7,no
"""
OF_ORDERS = {
    "stream": "orders",
    "when": "{{ paid == 'yes' }}",
    "name": "Order {{ number }} paid",
    "event_time": "{{ placed_at or 'now' }}",
    "contact": {"email": "{{ email | lower }}"},
    "metric": {"metric_name": "order_value", "value": "{{ total | replace(',', '') }}"},
    "once_per": "{{ number }}",
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox() as running:
        yield running


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Meltano project with two taps, beside which the repository lies, and README's plugin pasted in."""
    folder = tmp_path_factory.mktemp("beside") / "project"
    folder.mkdir()
    (folder.parent / "target-applied-events").symlink_to(readme.PROJECT)
    ours = yaml.safe_load((readme.PROJECT / "meltano.yml").read_text())
    taps = {"extractors": [*ours["plugins"]["extractors"], SPREADSHEETS]}
    theirs = {
        "send_anonymous_usage_stats": False,
        "project_id": "new",
        "default_environment": "dev",
        "environments": [{"name": "dev"}],
        "plugins": taps | yaml.safe_load(readme.block("loader"))["plugins"],
    }
    (folder / "meltano.yml").write_text(yaml.safe_dump(theirs))
    (folder / "orders.csv").write_text(ORDERS)
    return folder


@pytest.fixture(scope="module")
def environment(socket: Path, sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What stands in for the user's own: a database, and the sandbox for the endpoint; the key is README's."""
    postgres.create_tables(socket)
    postgres.insert(socket, shop.opened(shop.seeded(7)))
    ours = Pipeline(tmp_path_factory.mktemp("kept"), postgres.url(socket), sandbox.url).environment()
    del ours["TARGET_APPLIED_EVENTS_API_KEY"]
    return ours | {"PATH": f"{MELTANO.parent}{os.pathsep}{os.environ['PATH']}"}


def run(script: str, folder: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],  # noqa: S607 - bash is wherever it is
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def installed(project: Path, environment: dict[str, str], sandbox: Sandbox) -> list[dict[str, Any]]:
    """README's commands for Meltano, run once; gives what arrived of them."""
    sandbox.clear()
    only_orders = {"TARGET_APPLIED_EVENTS_UNMAPPED_STREAMS": "ignore"}
    done = run(readme.block("meltano"), project, environment | only_orders)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "✓ api_key and shop_id: the key opens the shop" in done.stdout
    return sandbox.events()


def test_the_plugin_pasted_into_a_meltano_project_delivers(installed: list[dict[str, Any]]) -> None:
    assert len(installed) > 100
    assert {event["body"]["name"] for event in installed} == {"Order placed"}


@pytest.mark.usefixtures("installed")
def test_a_taps_messages_are_previewed_in_the_project(
    project: Path, environment: dict[str, str], sandbox: Sandbox
) -> None:
    sandbox.clear()
    done = run(readme.block("invoke"), project, environment | {"TARGET_APPLIED_EVENTS_UNMAPPED_STREAMS": "ignore"})
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"name":"Order placed"' in done.stdout
    assert "Nothing was sent." in done.stderr
    assert sandbox.requests() == []


@pytest.mark.usefixtures("installed")
def test_a_csv_file_is_delivered_by_another_tap(project: Path, environment: dict[str, str], sandbox: Sandbox) -> None:
    sandbox.clear()
    mapped = environment | {"TARGET_APPLIED_EVENTS_MAPPINGS": json.dumps([OF_ORDERS])}
    done = run("meltano run tap-spreadsheets target-applied-events", project, mapped)
    assert done.returncode == 0, done.stdout + done.stderr
    bodies = [event["body"] for event in sandbox.events()]
    assert sorted(
        (body["name"], body.get("event_time"), body.get("contact"), str(body["metric"]["value"])) for body in bodies
    ) == [
        ("Order 1001 paid", "2026-04-07T16:30:00Z", {"email": "ada@example.com"}, "120.50"),
        ("Order 1002 paid", "2026-04-08T00:00:00Z", {"email": "zoë@example.com"}, "1250.00"),
        ("Order 1003 paid", None, None, "80"),
    ]


@pytest.mark.usefixtures("installed")
def test_an_expression_without_quotes_ends_meltano_as_readme_says(
    project: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    unquoted = (project / "meltano.yml").read_text().replace("'{{ email }}'", "{{ email }}")
    (tmp_path / "meltano.yml").write_text(unquoted)
    done = run("meltano config print target-applied-events", tmp_path, environment)
    said = " ".join((done.stdout + done.stderr).split())
    shown = re.search(r"Meltano ends with `([^`]+)`", README.read_text())
    assert shown is not None
    assert "email: {{ email }}" in unquoted
    assert [part for part in shown[1].split(" … ") if part not in said] == []


@pytest.fixture(scope="module")
def alone(project: Path, environment: dict[str, str]) -> dict[str, str]:
    """A venv of one's own, with tap-postgres beside it: what README's commands without Meltano find on their path."""
    made = project.parent / "venv"
    venv.create(made, with_pip=True)
    taps = project / ".meltano" / "extractors" / "tap-postgres" / "venv" / "bin"
    path = os.pathsep.join([str(made / "bin"), str(taps), os.environ["PATH"]])
    return {name: value for name, value in environment.items() if not name.startswith("TARGET_")} | {"PATH": path}


@pytest.mark.usefixtures("installed")
def test_a_taps_messages_are_delivered_without_meltano(
    project: Path, alone: dict[str, str], environment: dict[str, str], sandbox: Sandbox
) -> None:
    sandbox.clear()
    tap = {"sqlalchemy_url": environment["TAP_POSTGRES_SQLALCHEMY_URL"], "filter_schemas": ["public"]}
    (project / "tap.json").write_text(json.dumps(tap))
    found = json.loads(run("tap-postgres --config tap.json --discover", project, alone).stdout)
    (project / "catalog.json").write_text(json.dumps(_selected(found, "public-orders")))
    own = {"api_url": sandbox.url, "data_dir": "alone"}
    (project / "config.json").write_text(json.dumps(readme.value("config") | own))
    done = run(readme.block("pip"), project, alone)
    assert done.returncode == 0, done.stdout + done.stderr
    assert {event["body"]["name"] for event in sandbox.events()} == {"Order placed"}
    done = run(readme.block("sandbox"), project, alone)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "none of them twice" in done.stdout


def _selected(catalog: dict[str, Any], stream: str) -> dict[str, Any]:
    (chosen,) = [item for item in catalog["streams"] if item["tap_stream_id"] == stream]
    (whole,) = [told["metadata"] for told in chosen["metadata"] if told["breadcrumb"] == []]
    whole["selected"] = True
    return {"streams": [chosen]}
