"""One mapping as the user wrote it: read and held against what needs no schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from target_applied_events.mapping.contract import CONTACT, EVENT, IDENTIFIERS, METRIC, NEVER_EMPTY, Want, fit
from target_applied_events.mapping.template import Template, parse, scalar, why_not
from target_applied_events.mapping.template.notation import Unmappable, is_unicode, kind, text
from target_applied_events.mapping.template.syntax import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from target_applied_events.event import Json

_CONDITIONS: Final[Mapping[str, Want]] = {"when": Want.CONDITION}
_ASIDE: Final[Mapping[str, Want]] = {"shop_id": Want.UUID, "once_per": Want.IDENTIFIER, "shard_by": Want.IDENTIFIER}
KEYS: Final = ("stream", "ordered", "contact", "metric", *EVENT, *_CONDITIONS, *_ASIDE)
"""What a mapping may hold at its top."""

_PROPERTIES: Final = "additional_properties"
_SHOWN: Final = {"contact": '{email: "{{ email }}"}', "metric": "{metric_name: orders, value: 1}"}
_QUOTES: Final = 'in YAML a value that begins with {{ needs quotes: "{{ column }}"'
_REQUIRED: Final = frozenset({"stream", "name", "metric.metric_name"})


@dataclass(frozen=True, slots=True)
class Declaration:
    """One mapping as the user wrote it, its templates parsed.

    Attributes:
        label: How users find it in their settings, `mappings[0]`.
        stream: The stream's name, or a pattern of names.
        ordered: Whether its events keep their order for their contact.
        fields: The templates by field, `contact.email`, in the order of the body; `when` and the like by their names.
        properties: The templates of `additional_properties` by name, or one that yields all of them.
    """

    label: str
    stream: str
    ordered: bool
    fields: Mapping[str, Template]
    properties: Mapping[str, Template] | Template | None

    @property
    def identifiers(self) -> frozenset[str]:
        """The contact's identifiers that it names: email, phone, remote_id."""
        return frozenset(name for name in IDENTIFIERS if f"contact.{name}" in self.fields)

    def wants(self) -> Iterator[tuple[str, Want, Template]]:
        """Go through the fields that the contract or the language types: where, what is wanted, the template."""
        for field, template in self.fields.items():
            yield field, WANTS[field], template

    def others(self) -> Iterator[tuple[str, Template]]:
        """Go through the templates of `additional_properties`."""
        if isinstance(self.properties, Template):
            yield f"metric.{_PROPERTIES}", self.properties
        elif self.properties is not None:
            for name, template in self.properties.items():
                yield f"metric.{_PROPERTIES}.{name}", template


WANTS: Final[Mapping[str, Want]] = {
    **EVENT,
    **{f"contact.{name}": want for name, want in CONTACT.items()},
    **{f"metric.{name}": want for name, want in METRIC.items()},
    **_CONDITIONS,
    **_ASIDE,
}
"""Every field that a template may be written for, and what it holds."""


def declare(raw: object, label: str) -> tuple[Declaration | None, tuple[str, ...]]:
    """Read one mapping; where it's wrong, say all that is and that needs no schema to be seen.

    Args:
        raw: The mapping as it came out of the settings.
        label: How users find it there, `mappings[0]`.

    Returns:
        The declaration, or None and the mistakes, each as a sentence for people.
    """
    reading = _Reading(label)
    if not isinstance(raw, Mapping):
        return None, (f"{label}: found {kind(raw)}; a mapping is an object with stream, name and contact or metric",)
    declaration = reading.mapping(reading.filled({str(key): value for key, value in raw.items()}))
    return (None, tuple(reading.problems)) if reading.problems else (declaration, ())


class _Reading:
    """Every mistake of one mapping that was met so far is in `problems`, in the order met."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.problems: list[str] = []
        self.fields: dict[str, Template] = {}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.label} problems={self.problems}>"

    def _wrong(self, field: str, what: str) -> None:
        self.problems.append(f"{self.label}.{field}: {what}" if field else f"{self.label}: {what}")

    def filled(self, raw: Mapping[str, object]) -> dict[str, object]:
        """Leave out what YAML reads as null: a key without a value would pass for one that isn't there."""
        for key, value in raw.items():
            if value is None and key not in _REQUIRED:  # that such a one is missing is told where it's looked for
                self._wrong(key, "is empty: write what it holds, or leave it out")
        return {key: value for key, value in raw.items() if value is not None}

    def mapping(self, raw: Mapping[str, object]) -> Declaration:
        self._known("", raw, KEYS)
        stream = raw.get("stream")
        if not isinstance(stream, str) or not stream.strip():
            seen = f"found {kind(stream)}" if stream else "is missing"
            self._wrong("stream", f"{seen}; it names one stream, or a pattern such as public-*")
        if "name" not in raw:
            self._wrong("name", "is missing; it's the title of the event")
        for name in EVENT:
            self._field(name, raw)
        self._contact(raw)
        properties = self._metric(raw)
        for name in (*_CONDITIONS, *_ASIDE):
            self._field(name, raw)
        if "contact" not in raw and "metric" not in raw:
            self._wrong("", "has neither contact nor metric; an event needs one of them")
        return Declaration(self.label, str(stream).strip(), self._ordered(raw), self.fields, properties)

    def _known(self, section: str, raw: Mapping[str, object], known: Iterable[str]) -> None:
        for key in raw:
            name = key.removeprefix(section)
            if name not in known:
                self._wrong(key, f"is not known{nearest(name, known) or '; known are ' + ', '.join(known)}")

    def _section(self, name: str, raw: Mapping[str, object]) -> Mapping[str, object] | None:
        found = raw.get(name)
        if found is None:
            return None
        if not isinstance(found, Mapping):
            self._wrong(name, f"found {kind(found)}; it's an object of templates, as {_SHOWN[name]}")
            return None
        return self.filled({f"{name}.{key}": value for key, value in found.items()})

    def _contact(self, raw: Mapping[str, object]) -> None:
        if (found := self._section("contact", raw)) is None:
            return
        self._known("contact.", found, CONTACT)
        for name in CONTACT:
            self._field(f"contact.{name}", found)
        if set(found) <= {"contact.name"}:
            self._wrong("contact", f"needs one of {', '.join(IDENTIFIERS)}; without, it would be left out always")

    def _metric(self, raw: Mapping[str, object]) -> Mapping[str, Template] | Template | None:
        if (found := self._section("metric", raw)) is None:
            return None
        self._known("metric.", found, (*METRIC, _PROPERTIES))
        for name in METRIC:
            self._field(f"metric.{name}", found)
        if "metric.metric_name" not in found:
            self._wrong("metric.metric_name", "is missing; a metric needs it")
        return self._properties(found.get(f"metric.{_PROPERTIES}"))

    def _properties(self, raw: object) -> Mapping[str, Template] | Template | None:
        field = f"metric.{_PROPERTIES}"
        if isinstance(raw, Mapping):
            given = self.filled({f"{field}.{name}": value for name, value in raw.items()})
            read = {name.removeprefix(f"{field}."): self._template(name, value) for name, value in given.items()}
            return {name: template for name, template in read.items() if template is not None}
        wanted = 'an object of templates, or one expression that yields an object: "{{ attributes }}"'
        if isinstance(raw, list):
            self._wrong(field, f"found {kind(raw)}; it's {wanted}")
            return None
        template = None if raw is None else self._template(field, raw)
        if template is not None and not template.is_alone:
            self._wrong(field, f"is {wanted}")
        return template

    def _ordered(self, raw: Mapping[str, object]) -> bool:
        found = raw.get("ordered", True)
        if not isinstance(found, bool):
            self._wrong("ordered", f"found {kind(found)}; it's true or false")
        return found is not False

    def _field(self, field: str, raw: Mapping[str, object]) -> None:
        if field not in raw:
            return
        template = self._template(field, raw[field])
        if template is not None:
            self._suits(field, WANTS[field], template)
            self.fields[field] = template

    def _template(self, field: str, raw: object) -> Template | None:
        source = scalar(raw)
        if source is None:
            quotes = f"; {_QUOTES}" if isinstance(raw, dict) else ""
            self._wrong(field, f"found {kind(raw)}; it's a template, a number or a boolean{quotes}")
            return None
        if WANTS.get(field) is Want.CONDITION and isinstance(source, str):
            source = source.strip()
        if not is_unicode(f"{field}{source}"):
            self._wrong(field, "holds half a surrogate pair, which UTF-8 can't hold")
            return None
        template, problems = parse(source)
        for problem in problems:
            self._wrong(field, problem)
        if template is not None and not template.is_constant and not template.paths:
            self._works_alone(field, template)
        return template

    def _works_alone(self, field: str, template: Template) -> None:
        """Try an expression that reads nothing: whether it works can be seen now."""
        try:
            template.reader("", strict=False)({})
        except Exception as mistake:  # noqa: BLE001  a template may raise anything
            self._wrong(field, f"never works: {why_not(mistake)}")

    def _suits(self, field: str, want: Want, template: Template) -> None:
        if want is Want.CONDITION and not template.is_alone and not isinstance(template.source, bool):
            written = text(template.source)
            shown = (not written.startswith("{%") and written.strip("{} ")) or "status == 'paid'"
            self._wrong(field, f'is one expression and nothing else: "{{{{ {shown} }}}}"')
        elif want is Want.IDENTIFIER and all(path[0] == "stream" for path in template.paths):
            shown = "record.stream" if template.paths else _column_meant(template.source) or "column"
            self._wrong(field, f'is a constant, the same for all records; a column is written "{{{{ {shown} }}}}"')
        elif field == "once_per" and template.runs_together:
            self._wrong(field, 'has nothing between two values, so 1 and 11 pass for 11 and 1: "{{ id }}-{{ line }}"')
        elif want is not Want.CONDITION and template.is_constant:
            self._constant(field, want, template.source)

    def _constant(self, field: str, want: Want, value: Json) -> None:
        try:
            if fit(want, value) is None and field in NEVER_EMPTY:
                self._wrong(field, "is empty")
        except Unmappable as mistake:
            column = _column_meant(value)
            self._wrong(field, f'{mistake}; a column is written "{{{{ {column} }}}}"' if column else str(mistake))


def _column_meant(source: Json) -> str | None:
    """Guess the column of a text that lacks its braces, or has those of another language: `{total}`, `${total}`."""
    found = str(source).strip("${} ")
    return found if found.isidentifier() else None
