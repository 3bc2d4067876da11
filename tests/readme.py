"""What README.md shows that is made from the project: `python -m tests.readme` writes it anew."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from target_applied_events.settings import PROPERTIES

PROJECT = Path(__file__).parents[1]
README = PROJECT / "README.md"
SPEED = PROJECT / "docs" / "speed.md"
OURS, PEER = "target-applied-events", "BatchSink"
LATENCIES = ("0 ms", "20 ms", "200 ms")

# Where `pip_url` leads until the target is in an index: a clone beside one's own project.
_LOADER = """\
```yaml
plugins:
  loaders:
    - name: {name}
      namespace: {namespace}
      pip_url: ../target-applied-events[postgres]
      executable: {executable}
      capabilities: [{capabilities}]
      log_parser: {log_parser}
      settings:
{settings}
      commands:
{commands}
      config:
        shop_id: {shop_id}
        mappings:
{mappings}
```
"""
_SPEED = """\
| the endpoint answers after | events a second | to {peer}'s | CPU µs an event | to {peer}'s |
|---|--:|--:|--:|--:|
{rows}

Measured {day} on {machine}, Python {python}.
{ours}: {ours_ran}
{peer}: {peer_ran}
"""


def settings_table() -> str:
    """Build the table of settings from where they are declared."""
    schema = PROPERTIES.to_dict()
    required = schema.get("required", [])
    rows = [_row(name, declared, required=name in required) for name, declared in schema["properties"].items()]
    return "\n".join(["| setting | default | what it does |", "|---|---|---|", *rows, ""])


def _row(name: str, declared: dict[str, Any], *, required: bool) -> str:
    default = "required" if required else f"`{declared['default']}`" if "default" in declared else ""
    secret = " Secret." if declared.get("secret") else ""
    description = declared["description"].replace("|", "\\|")
    return f"| `{name}` | {default} | {description}{secret} |"


def loader() -> str:
    """Build what is pasted into a Meltano project: what Meltano needs of meltano.yml's loader, and a first config."""
    whole = yaml.safe_load((PROJECT / "meltano.yml").read_text())["plugins"]["loaders"][0]
    first = value("config")
    own = [setting for setting in whole["settings"] if setting["name"] in PROPERTIES.wrapped]
    commands = [f"        {name}: {{args: {command['args']}}}" for name, command in whole["commands"].items()]
    lists = {
        "capabilities": ", ".join(whole["capabilities"]),
        "settings": "\n".join(f"        - {_setting(setting)}" for setting in own),
        "commands": "\n".join(commands),
        "mappings": "\n".join(line for mapping in first["mappings"] for line in _mapping(mapping)),
    }
    return _LOADER.format(**{**whole, **first, **lists})


def _setting(declared: dict[str, Any]) -> str:
    """Write one setting as short as Meltano takes it; its words are in the table of settings."""
    kind = "string" if declared["kind"] == "options" else declared["kind"]
    sensitive = ", sensitive: true" if declared.get("sensitive") else ""
    return f"{{name: {declared['name']}, kind: {kind}{sensitive}}}"


def _mapping(mapping: dict[str, Any]) -> list[str]:
    first, *others = [f"{name}: {_inline(item)}" for name, item in mapping.items()]
    return [f"          - {first}", *(f"            {line}" for line in others)]


def _inline(item: str | dict[str, str]) -> str:
    if isinstance(item, dict):
        return f"{{{', '.join(f'{name}: {_inline(inner)}' for name, inner in item.items())}}}"
    return json.dumps(item, ensure_ascii=False) if "{" in item else item


def speed() -> str:
    """Build what README says of the speed from the page that the bench writes."""
    page = SPEED.read_text()
    measured = re.search(r"Measured (\S+) .*? on (.+?), Python ([\d.]+)", " ".join(page.split()))
    if measured is None:
        raise LookupError(f"{SPEED}: when, and on what machine")
    day, machine, python = measured.groups()
    rows = "\n".join(f"| {latency} | {' | '.join(_figures(page, latency))} |" for latency in LATENCIES)
    ran = {"ours": OURS, "peer": PEER, "ours_ran": _ran(page, OURS), "peer_ran": _ran(page, PEER)}
    return _SPEED.format(rows=rows, day=day, machine=machine, python=python, **ran)


def _figures(page: str, latency: str) -> list[str]:
    """Take our row of one of the page's tables: both figures, each with its ratio to the peer's."""
    section = re.search(rf"^### {re.escape(latency)}$(.*?)(?=^##|\Z)", page, re.DOTALL | re.MULTILINE)
    lines = re.findall(r"^\|(.*)\|$", section[1] if section else "", re.MULTILINE)
    titles, *rows = [[cell.strip() for cell in line.split("|")] for line in lines] or [[]]
    ours = next((row for row in rows if row[0] == OURS), None)
    if ours is None:
        raise LookupError(f"{SPEED}: {OURS} at {latency}")
    medians = [re.sub(r" \(.*\)", "", cell) for cell in ours]
    rate, cpu = titles.index("events a second"), titles.index("CPU µs an event")
    return [*medians[rate : rate + 2], *medians[cpu : cpu + 2]]


def _ran(page: str, name: str) -> str:
    """Take what the page says of how a program ran."""
    found = re.search(rf"^- \*\*{re.escape(name)}\*\*: (.*?)(?=\n- |\n\n)", page, re.DOTALL | re.MULTILINE)
    if found is None:
        raise LookupError(f"{SPEED}: how {name} ran")
    return " ".join(found[1].split())


def block(name: str) -> str:
    """Take the code block that follows the comment of this name."""
    found = re.search(rf"<!-- {name} -->\n```\w+\n(.*?)```", README.read_text(), re.DOTALL)
    if found is None:
        raise LookupError(name)
    return found[1]


def value(name: str) -> Any:  # noqa: ANN401 - whatever the JSON holds
    """Read the JSON of the code block that follows the comment of this name."""
    return json.loads(block(name), parse_float=Decimal)


def current(text: str) -> str:
    """Give README's text with the parts made from the project made anew."""
    for name, make in {"settings": settings_table, "loader": loader, "speed": speed}.items():
        before, opening, rest = text.partition(f"<!-- {name} -->\n")
        _, closing, after = rest.partition(f"<!-- /{name} -->")
        text = f"{before}{opening}{make()}{closing}{after}"
    return text


if __name__ == "__main__":
    README.write_text(current(README.read_text()))
