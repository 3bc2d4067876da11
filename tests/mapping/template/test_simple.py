from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Environment, nodes

from target_applied_events.mapping.template.notation import Unmappable
from target_applied_events.mapping.template.simple import Simple
from target_applied_events.mapping.template.source import Source
from tests.mapping.template.at_work import template

if TYPE_CHECKING:
    from target_applied_events.mapping.template.template import Template

BLANK = st.sampled_from(["", " ", "\t\n"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False) | st.text() | BLANK,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
SIMPLE = [
    "{{ a }}",
    "{{ a.b }}",
    "{{ a[0] }}",
    "{{ record['a'] }}",
    "{{ a | lower }}",
    "{{ a | trim | upper }}",
    "{{ a | string }}",
    "{{ a | sha256 }}",
    "{{ a | uuid('order') }}",
    "{{ a | int }}",
    "{{ a | float }}",
    "{{ a | timestamp }}",
    "{{ a | timestamp('%Y') }}",
    "{{ a | fromjson }}",
    "{{ a == 'x' }}",
    "{{ a != b }}",
    "{{ a or b }}",
    "<{{ a }}|{{ b | lower }}>",
    "{{ a }} {{ b }}",
    "{{ a }}{{ ' ' }}{{ b or '-' }}",
    "crm-{{ a | trim }}",
    "crm-{{ a | sha256 }}",
]


HOSTILE = ["'", '"', "\\", "{", "}", "%", "\n", "\0", "\ud800", "'); 1 / 0; ('", "record", "_0", "found_1"]


def outcome(found: Template, record: dict[str, Any], *, strict: bool, shortcuts: bool) -> str:
    try:
        return repr(found.reader("s", strict=strict, shortcuts=shortcuts)(record))
    except Unmappable as error:
        return str(error)


def is_simple(source: str) -> bool:
    (output,) = Environment(autoescape=True).parse(source).body
    assert isinstance(output, nodes.Output)
    return Simple("s", Source()).template(output.nodes, strict=True) is not None


@settings(max_examples=300, deadline=None)
@given(source=st.sampled_from(SIMPLE), a=JSON, b=JSON, strict=st.booleans())
def test_what_is_simple_comes_to_what_jinja_comes_to(*, source: str, a: object, b: object, strict: bool) -> None:
    found, record = template(source), {"a": a, "b": b}
    assert is_simple(source)
    with_jinja = outcome(found, record, strict=strict, shortcuts=False)
    assert outcome(found, record, strict=strict, shortcuts=True) == with_jinja


@pytest.mark.parametrize(
    "source", ["{{ a + 1 }}", "{{ a | lower(x) }}", "{{ a | join }}", "{{ a == b == c }}", "{{ a[b] }}"]
)
def test_what_is_more_than_simple_is_left_to_jinja(source: str) -> None:
    assert not is_simple(source)
    assert not is_simple(f"text and {source}")


@pytest.mark.parametrize(
    "source", ["{{ a or '' }}-{{ b }}", "x{{ a or b or ' ' }}", "x{{ '' | lower }}", "x{{ a == '' }}"]
)
def test_a_blank_text_that_the_template_writes_into_an_identifier_is_left_to_jinja(source: str) -> None:
    assert not is_simple(source)
    assert is_simple("{{ a or '' }}")
    found = template(source)
    for a in ("", " ", "a", None):
        with_jinja = outcome(found, {"a": a, "b": "b"}, strict=True, shortcuts=False)
        assert outcome(found, {"a": a, "b": "b"}, strict=True, shortcuts=True) == with_jinja


@pytest.mark.parametrize("levels", [1, 15, 16, 17, 60, 95])
@pytest.mark.parametrize("grown", ["{{ a.b%s }}", "{{ a%s }}", "{{ a%s }} and {{ b%s }}", "{{ a or b%s }}"])
def test_what_is_nested_deeply_is_no_mistake(grown: str, levels: int) -> None:
    step = ".b" if ".b" in grown else " | lower"
    source = grown.replace("%s", step * levels)
    record = {"a": "Text", "b": "More"}
    found = template(source)
    with_jinja = outcome(found, record, strict=True, shortcuts=False)
    assert outcome(found, record, strict=True, shortcuts=True) == with_jinja


@pytest.mark.parametrize("name", HOSTILE)
def test_whatever_a_column_or_a_text_is_called_it_is_no_code(name: str) -> None:
    written = name.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    found = template(f"{{{{ record['{written}'] or '{written}' }}}}")
    assert found.reader("s", strict=False)({name: "found"}) == "found"
    assert found.reader("s", strict=False)({}) == name


def test_a_stream_is_its_name_whatever_that_is() -> None:
    for name in HOSTILE:
        assert template("{{ stream }}").reader(name, strict=False)({}) == name
