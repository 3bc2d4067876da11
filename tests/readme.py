"""What README.md shows that is made from the program: `python -m tests.readme` writes it anew."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

from target_applied_events.settings import PROPERTIES

README = Path(__file__).parents[1] / "README.md"
SETTINGS = re.compile(r"(?<=<!-- settings -->\n).*?(?=<!-- /settings -->)", re.DOTALL)


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
    """Give README's text with the parts made from the program made anew."""
    return SETTINGS.sub(lambda _: settings_table(), text)


if __name__ == "__main__":
    README.write_text(current(README.read_text()))
