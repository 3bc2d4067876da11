"""The settings that are the SDK's own, and names in a config that are nobody's."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

from target_applied_events.mapping import KEYS
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

    A name that is nearly a setting's is a mistake: with `ledger_ur` for `ledger_url` events would go twice. So is a
    mapping's key: with a `once_per` one indent too far to the left a row that changes would make a second event.

    Args:
        config: The whole config.
        schemas: The JSON Schemas of the SDK's settings, by name.

    Returns:
        A sentence for each mistake, and the names that are like none.
    """
    known = {*PROPERTIES.wrapped, *schemas}
    unknown = [name for name in config if name not in known]
    told = {name: said for name in unknown if (said := _mistaken(name, known))}
    return list(told.values()), [name for name in unknown if name not in told]


def _mistaken(name: str, known: Collection[str]) -> str | None:
    if name in KEYS:
        return f"{name} is no setting but part of a mapping: move it into one of `mappings`."
    found = _nearest(name, known)
    return f"{name} is no setting; did you mean {found}?" if found else None


def nearly_settings(environment: Mapping[str, str], prefix: str) -> dict[str, str]:
    """Find what an environment holds under a name that is nearly one of our settings'.

    Args:
        environment: All of its variables.
        prefix: What the names of those begin with that are for this program.

    Returns:
        The values by name, without the prefix and in lower case.
    """
    given = {name.removeprefix(prefix).lower(): text for name, text in environment.items() if name.startswith(prefix)}
    ours = PROPERTIES.wrapped
    return {name: text for name, text in given.items() if name not in ours and _nearest(name, ours)}


def _nearest(name: str, known: Collection[str]) -> str | None:
    plain = {_plain(setting): setting for setting in known}
    found = get_close_matches(_plain(name), plain, n=1, cutoff=0.8)
    return plain[found[0]] if found else None


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")
