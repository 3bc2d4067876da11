"""What a stream's columns are probably for, by their names and types: a first mapping of it, field by field."""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from target_applied_events.mapping import declare
from target_applied_events.mapping.checking import mistakes
from target_applied_events.mapping.columns import RESERVED, Columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PEOPLE: Final = "account buyer client contact customer guest lead member patient people person profile subscriber user"
_EMAILS: Final = ("email", "email_address", "e_mail", "mail", "*_email", "email_*")
_PHONES: Final = ("phone", "phone_number", "mobile", "mobile_number", "telephone", "*_phone", "phone_*")
_NAMES: Final = ("full_name", "customer_name", "contact_name", "display_name", "user_name")
_IDS: Final = tuple(f"{name}_id" for name in _PEOPLE.split())
_TIMES: Final = (
    "occurred_at",
    "happened_at",
    "placed_at",
    "created_at",
    "created",
    "created_on",
    "inserted_at",
    "*_at",
)
_LATE: Final = re.compile(r"(updated|modified|deleted|expires?|expired|synced)_(at|on)|_sdc_.*", re.IGNORECASE)
_AMOUNTS: Final = ("total", "amount", "grand_total", "total_*", "*_total", "amount_*", "*_amount", "price", "*_price")
_TEXT, _NUMBER = frozenset({"string"}), frozenset({"number", "integer"})
_JINJA: Final = {"false", "none", "true", "loop", "recursive", "self", "set"}


@dataclass(frozen=True, slots=True)
class Draft:
    """A first mapping of a stream.

    Attributes:
        stream: The stream's name.
        columns: The names of its columns.
        fields: A template for each field that there is a guess for, `contact.email`.
    """

    stream: str
    columns: tuple[str, ...]
    fields: dict[str, str | int] = field(default_factory=dict)


def draft(stream: str, schema: dict[str, Any], key_properties: Sequence[str]) -> Draft:
    """Guess a mapping that works with a schema: what can't is left out, as if nothing had been guessed."""
    guesser = _Guesser(stream, schema, key_properties)
    guessed = {name: value for name, value in guesser.fields() if value is not None}
    while True:
        _complete(guessed, guesser.kind)
        wrong = _wrong_fields(stream, schema, guessed)
        if not wrong & set(guessed):
            return Draft(stream, guesser.columns.names(), guessed)
        guessed = {name: value for name, value in guessed.items() if name not in wrong}


def _complete(guessed: dict[str, str | int], kind: str) -> None:
    """Bring what is left into a mapping that is whole: with a contact that is one, or else a metric that counts."""
    if not guessed.keys() & {"contact.email", "contact.phone", "contact.remote_id"}:
        guessed.pop("contact.name", None)
        guessed.setdefault("metric.metric_name", f"{kind}_count")
    if "metric.metric_name" not in guessed:
        for name in [name for name in guessed if name.startswith("metric.")]:
            del guessed[name]
    elif "metric.value" not in guessed:
        guessed |= {"metric.metric_name": f"{kind}_count", "metric.value": 1}


def _wrong_fields(stream: str, schema: dict[str, Any], guessed: dict[str, str | int]) -> set[str]:
    declaration, problems = declare(nested({"stream": stream, **guessed}), "")
    if declaration is not None:
        problems = tuple(mistakes(declaration, stream, schema))
    return {problem.removeprefix(".").split(": ", 1)[0] for problem in problems}


def nested(fields: dict[str, Any]) -> dict[str, Any]:
    """Put `contact.email` into the object `contact`."""
    found: dict[str, Any] = {}
    for name, value in fields.items():
        *sections, last = name.split(".", 2)
        place = found
        for section in sections:
            place = place.setdefault(section, {})
        place[last] = value
    return found


class _Guesser:
    """Every guess is a template over columns that the schema has."""

    def __init__(self, stream: str, schema: dict[str, Any], key_properties: Sequence[str]) -> None:
        self.columns = Columns(stream, schema)
        self.kind = _singular(stream)
        self._schema = schema
        self._keys = [name for name in key_properties if name in self.columns.names()]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.kind} of {self.columns.stream}>"

    def fields(self) -> Iterator[tuple[str, str | int | None]]:
        time = self._time()
        yield "name", _title(self.kind, time)
        yield "event_time", self._time_template(time)
        email = self._find(_EMAILS, _TEXT)
        yield "contact.email", email and f"{{{{ {reference(email)} | lower }}}}"
        yield "contact.name", self._name()
        yield "contact.phone", self._template(self._find(_PHONES, _TEXT | _NUMBER))
        yield "contact.remote_id", self._template(self._find(_IDS, _TEXT | _NUMBER)) or self._own_id()
        if (amount := self._amount()) is not None:
            yield from self._metric(amount)
        yield "once_per", self._occasion()

    def _find(self, patterns: Sequence[str], types: frozenset[str]) -> str | None:
        """The first column of a fitting name and type, the likeliest name first."""
        for pattern in patterns:
            wanted = re.compile(pattern.replace("*", ".+"), re.IGNORECASE)
            for name in self.columns.names():
                found = self.columns.types((name,))
                if wanted.fullmatch(name) and (not found or found & types):
                    return name
        return None

    def _template(self, column: str | None) -> str | None:
        return None if column is None else f"{{{{ {reference(column)} }}}}"

    def _time(self) -> str | None:
        early = [name for name in self.columns.names() if not _LATE.fullmatch(name)]
        for pattern in _TIMES:
            wanted = re.compile(pattern.replace("*", ".+"), re.IGNORECASE)
            found = next((name for name in early if wanted.fullmatch(name) and self._is_time(name)), None)
            if found is not None:
                return found
        formatted = (name for name in early if self._format(name) in {"date-time", "date"})
        return next(formatted, None) or self._find(("updated_at", "modified_at"), _TEXT)

    def _is_time(self, name: str) -> bool:
        types = self.columns.types((name,))
        return not types or bool(types & (_TEXT | _NUMBER))

    def _time_template(self, column: str | None) -> str | None:
        if column is None:
            return None
        is_epoch = bool(self.columns.types((column,)) & _NUMBER)
        return f"{{{{ {reference(column)}{' | timestamp' if is_epoch else ''} }}}}"

    def _format(self, column: str) -> str | None:
        properties = self._schema.get("properties")
        node = properties.get(column) if isinstance(properties, dict) else None
        nodes = [node, *(node.get("anyOf") or [])] if isinstance(node, dict) else []
        return next((str(item["format"]) for item in nodes if isinstance(item, dict) and item.get("format")), None)

    def _name(self) -> str | None:
        first, last = self._find(("first_name",), _TEXT), self._find(("last_name",), _TEXT)
        if first and last:
            return f"{{{{ {reference(first)} }}}} {{{{ {reference(last)} }}}}"
        names = (*_NAMES, "name") if self._is_people() else _NAMES
        return self._template(self._find(names, _TEXT))

    def _is_people(self) -> bool:
        return self.kind.rpartition("_")[2] in _PEOPLE.split()

    def _own_id(self) -> str | None:
        return self._template(self._keys[0]) if self._is_people() and len(self._keys) == 1 else None

    def _amount(self) -> str | None:
        return self._find(_AMOUNTS, _NUMBER) or self._find(_AMOUNTS, _TEXT)

    def _metric(self, amount: str) -> Iterator[tuple[str, str | None]]:
        yield "metric.metric_name", f"{self.kind}_{_word(amount)}"
        yield "metric.value", self._template(amount)
        if len(self._keys) == 1:
            key = self._keys[0]
            made = "" if self._format(key) == "uuid" else f" | uuid('{self.kind}')"
            yield "metric.metric_object_id", f"{{{{ {reference(key)}{made} }}}}"
            yield "metric.metric_object_type", self.kind
        yield "metric.additional_properties.currency", self._template(self._find(("currency", "currency_*"), _TEXT))

    def _occasion(self) -> str | None:
        return "/".join(f"{{{{ {reference(name)} }}}}" for name in self._keys) or None


def reference(column: str) -> str:
    """Write a column as a template names it."""
    plain = column.isascii() and column.isidentifier() and not keyword.iskeyword(column)
    return column if plain and column.lower() not in _JINJA and column not in RESERVED else f"record[{column!r}]"


def _word(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_") or "row"


def _singular(stream: str) -> str:
    """The kind of thing that a row is: `public-order_items` holds each an `order_item`."""
    word = _word(re.split(r"[-.]", stream)[-1])
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    return word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 1 else word


def _title(kind: str, time: str | None) -> str:
    noun = kind.replace("_", " ").capitalize()
    done = re.fullmatch(r"(.+)_(at|on)", _word(time or ""))
    return f"{noun} {done[1].replace('_', ' ')}" if done else noun
