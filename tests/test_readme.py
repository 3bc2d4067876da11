from __future__ import annotations

import json
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests import readme
from tests.sandbox_process import running_sandbox

PROGRAM = Path(sys.executable).with_name("target-applied-events")


def test_the_table_of_settings_is_current() -> None:
    text = readme.README.read_text()
    assert readme.settings_table() in text, "python -m tests.readme writes it anew"


def test_the_mapping_makes_the_event_that_is_shown(tmp_path: Path) -> None:
    record = readme.value("record")
    schema = {"type": "SCHEMA", "stream": "public-orders", "schema": _schema(record), "key_properties": ["number"]}
    one_line = readme.block("record").replace("\n", "")
    lines = [json.dumps(schema), f'{{"type": "RECORD", "stream": "public-orders", "record": {one_line}}}']
    with running_sandbox() as sandbox:
        config = tmp_path / "config.json"
        settings = {"api_key": "ALtest", "api_url": sandbox.url, "data_dir": str(tmp_path)}
        config.write_text(json.dumps(readme.value("mapping") | settings))
        command = [str(PROGRAM), "--config", str(config)]
        subprocess.run(command, input="\n".join(lines) + "\n", text=True, timeout=50, check=True)
        arrived = [event["body"] for event in sandbox.events()]
    assert [_without_key(body) for body in arrived] == [_without_key(readme.value("event"))]
    assert str(arrived[0]["metric"]["value"]) == str(readme.value("event")["metric"]["value"])


def test_each_link_into_the_project_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^):#]+)\)", readme.README.read_text())
    assert links
    assert [link for link in links if not (readme.README.parent / link).exists()] == []


def _schema(record: dict[str, Any]) -> dict[str, Any]:
    kinds = {int: "integer", Decimal: "number"}
    return {
        "type": "object",
        "properties": {name: {"type": [kinds.get(type(value), "string"), "null"]} for name, value in record.items()},
    }


def _without_key(body: dict[str, Any]) -> dict[str, Any]:
    metric = {name: value for name, value in body["metric"].items() if name != "deduping_key"}
    return body | {"metric": metric}
