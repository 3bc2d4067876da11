"""One config read setting by setting, everything that is wrong with it told at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from target_applied_events.mapping import Declaration, clashes, declare
from target_applied_events.mapping.template.notation import kind
from target_applied_events.settings import values
from target_applied_events.shard import shard_identifier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_applied_events.settings.values import Check, T


class SettingReader:
    """What is wrong is collected while the settings are read, so that all of it is told at once.

    Attributes:
        problems: A sentence for each.
    """

    def __init__(self, config: Mapping[str, object]) -> None:
        """Start with no problem."""
        self._config = config
        self.problems: list[str] = []

    def optional(self, name: str, check: Check[T]) -> T | None:
        """The setting's value; None where it isn't given."""
        value = self._config.get(name)
        if values.is_absent(value):
            return None
        try:
            return check(value)
        except ValueError as wrong:
            self.problems.append(f"{name} {wrong}")
            return None

    def take(self, name: str, check: Check[T], default: T | None) -> T:
        """The setting's value or its default; without a default it's required."""
        if values.is_absent(self._config.get(name)):
            if default is None:
                self.problems.append(f"{name} is missing; it is required.")
            return cast("T", default)
        value = self.optional(name, check)
        return cast("T", default if value is None else value)

    def mappings(self) -> tuple[Declaration, ...]:
        """The mappings as declared, those that are wrong left out."""
        raw = self._config.get("mappings")
        if not isinstance(raw, list) or not raw:
            seen = f"is {kind(raw)}" if raw else "is missing or empty"
            self.problems.append(
                f"mappings {seen}; it must be a list of at least one mapping, in YAML each begins with `- stream:`."
            )
            return ()
        declared = [declare(item, f"mappings[{index}]") for index, item in enumerate(raw)]
        declarations = tuple(declaration for declaration, _ in declared if declaration is not None)
        self.problems.extend(problem for _, problems in declared for problem in problems)
        self.problems.extend(clashes(declarations))
        return declarations

    def shard_identifier(self, declarations: tuple[Declaration, ...]) -> str | None:
        """By which identifier contacts fall into shards where a mapping has no `shard_by`."""
        if values.is_absent(self._config.get("shard")):
            return None
        contacts = [declaration.identifiers for declaration in declarations if "shard_by" not in declaration.fields]
        found = shard_identifier([identifiers for identifiers in contacts if identifiers])
        if found is None:
            self.problems.append(
                "shard needs one identifier (remote_id, email or phone) that every mapping with a contact names, so "
                "that all events of a contact fall into one shard; or give each mapping a `shard_by`."
            )
        return found

    def shop_id(self, declarations: tuple[Declaration, ...], *, needed: bool) -> str | None:
        """The shop of all mappings that name none."""
        shop_id = self.optional("shop_id", values.uuid_text)
        lacking = [declaration.label for declaration in declarations if "shop_id" not in declaration.fields]
        if needed and lacking and values.is_absent(self._config.get("shop_id")):
            self.problems.append(
                f"shop_id is missing; it is required unless every mapping has its own ({lacking[0]} has none)."
            )
        return shop_id
