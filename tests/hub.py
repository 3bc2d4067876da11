"""The definition for MeltanoHub, made of what meltano.yml says: `python -m tests.hub` writes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).parents[1]
FILE = PROJECT / "hub" / "target-applied-events.yml"

# What the Hub wants to know beside it. Its form has no capability `structured-logging`: `log_parser` says it there.
_BESIDE = {
    "variant": "applied-labs",
    "description": "Delivers records as events to the timelines of contacts, and as metrics.",
    "domain_url": "https://appliedlabs.ai",
    "keywords": ["meltano_sdk", "events", "reverse ETL"],
    "maintenance_status": "beta",
    "quality": "unknown",
    "pip_url": "target-applied-events[postgres]",
    "supported_python_versions": ["3.11", "3.12", "3.13"],
    "settings_preamble": (
        "A mapping says how a record becomes an event; its values are Jinja templates over the record's columns. "
        "`$NAME` is replaced by Meltano: write `$$` for a `$` in a mapping.\n"
    ),
    "next_steps": (
        "`meltano invoke target-applied-events:suggest --input CATALOG` prints a first `mappings` block for a tap's "
        "streams, and `meltano invoke target-applied-events:preview --input FILE` the events that come of it.\n"
    ),
}
_SAME = ("name", "namespace", "label", "executable", "log_parser", "settings_group_validation", "settings", "commands")


def definition() -> dict[str, Any]:
    """Make the definition of meltano.yml's loader."""
    loader = yaml.safe_load((PROJECT / "meltano.yml").read_text())["plugins"]["loaders"][0]
    capabilities = [name for name in loader["capabilities"] if name != "structured-logging"]
    return {name: loader[name] for name in _SAME} | _BESIDE | {"capabilities": capabilities}


def main() -> None:
    """Write it in the order of its names, as the Hub has it."""
    FILE.write_text(yaml.safe_dump(definition(), allow_unicode=True, width=120))


if __name__ == "__main__":
    main()
