"""The settings that are the SDK's own, and names in a config that are nobody's."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

from target_applied_events.settings.settings import PROPERTIES

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_SHOWN = "`target-applied-events --about --format=json` shows it"


def sdk_problems(config: Mapping[str, Any], schemas: Mapping[str, Any]) -> list[str]:
    """Say what is wrong with the settings that are the SDK's own, without their values.

    Args:
        config: The whole config.
        schemas: The JSON Schemas of the SDK's settings, by name.
    """
    theirs = {name: schema for name, schema in schemas.items() if name not in PROPERTIES.wrapped}
    errors = Draft202012Validator({"type": "object", "properties": theirs}).iter_errors(dict(config))
    places = ((".".join(str(part) for part in error.absolute_path), error.validator) for error in errors)
    return [f"{place} breaks the rule `{rule}` of this setting of the SDK; {_SHOWN}." for place, rule in places]


def misspelt(config: Mapping[str, Any], schemas: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Find the names in a config that are no setting.

    A name that is nearly a setting's is a mistake: with `ledger_ur` for `ledger_url` events would go twice.

    Args:
        config: The whole config.
        schemas: The JSON Schemas of the SDK's settings, by name.

    Returns:
        A sentence for each name that is nearly a setting's, and the names that are like none.
    """
    known = {*PROPERTIES.wrapped, *schemas}
    unknown = [name for name in config if name not in known]
    near = {name: found for name in unknown if (found := _nearest(name, known))}
    mistakes = [f"{name} is no setting; did you mean {found}?" for name, found in near.items()]
    return mistakes, [name for name in unknown if name not in near]


def _nearest(name: str, known: Collection[str]) -> str | None:
    plain = {_plain(setting): setting for setting in known}
    found = get_close_matches(_plain(name), plain, n=1, cutoff=0.8)
    return plain[found[0]] if found else None


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")
