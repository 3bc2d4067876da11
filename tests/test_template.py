from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from target_applied_events.notation import Unmappable
from target_applied_events.template import Template, parse

RECORD: dict[str, Any] = {
    "status": "paid",
    "email": "Ann@Example.COM",
    "number": 1001,
    "total": Decimal("129.90"),
    "large": Decimal("0.12345678901234567890123456789012345678"),
    "paid": True,
    "nothing": None,
    "blank": "",
    "customer": {"name": "Ann", "address": {"city": "Köln"}},
    "tags": ["red", "blue"],
    "lines": [{"price": Decimal("1.10"), "count": 2}, {"price": Decimal("2.20"), "count": 1}],
    "raw": '{"a": [1, 2.50]}',
    "order-id": "o-1",
}


def template(source: object) -> Template:
    found, problems = parse(source)  # type: ignore[arg-type]  # what YAML gives
    assert found is not None, problems
    return found


def value(source: object, *, strict: bool = False, record: dict[str, Any] = RECORD) -> object:
    return template(source).reader("public-orders", strict=strict)(record)


VALUES = [
    # text stands for itself, and so does a number of YAML
    ("Order placed", "Order placed"),
    (5, 5),
    (True, True),
    ("", ""),
    ("{# a remark #}", ""),
    # one expression alone keeps its type
    ("{{ number }}", 1001),
    ("{{ total }}", Decimal("129.90")),
    ("{{ paid }}", True),
    ("{{ nothing }}", None),
    ("{{ customer }}", RECORD["customer"]),
    ("{{ 1.10 }}", Decimal("1.10")),
    # anything else makes text: null is empty, booleans and numbers are plain, objects compact JSON
    ("Order {{ number }} for {{ total }}", "Order 1001 for 129.90"),
    ("<{{ nothing }}>", "<>"),
    ("{{ paid }}!", "true!"),
    ("{{ 1 > 2 }}!", "false!"),
    ("{{ customer }} {{ tags }}", '{"name":"Ann","address":{"city":"Köln"}} ["red","blue"]'),
    ("{{ number }}{{ number }}", "10011001"),
    ("{{ 'a' ~ nothing ~ total ~ paid }}", "a129.90true"),
    # names
    ("{{ stream }}", "public-orders"),
    ("{{ record['order-id'] }}", "o-1"),
    ("{{ record.email }}", "Ann@Example.COM"),
    ("{{ record.get('none', 'x') }}", "x"),
    ("{{ self }}", None),
    # a path through null is null, a key that is missing too
    ("{{ absent }}", None),
    ("{{ nothing.at.all }}", None),
    ("{{ customer.address.city }}", "Köln"),
    ("{{ customer.address.street.number }}", None),
    ("{{ customer.items }}", None),
    ("{{ tags[0] }}", "red"),
    ("{{ tags[-1] }}", "blue"),
    ("{{ tags[7] }}", None),
    ("{{ status[:2] }}", "pa"),
    # null passes every filter as null, save default
    ("{{ nothing | lower }}", None),
    ("{{ nothing | int }}", None),
    ("{{ nothing | tojson }}", None),
    ("{{ nothing | sha256 }}", None),
    ("{{ nothing | length }}", None),
    ("{{ nothing | default('x') }}", "x"),
    ("{{ blank | default('x') }}", ""),
    ("{{ blank | default('x', true) }}", "x"),
    ("{{ nothing | lower | default('x') | upper }}", "X"),
    ("{{ nothing or 'now' }}", "now"),
    # arithmetic and order with null are null
    ("{{ nothing + 1 }}", None),
    ("{{ -nothing }}", None),
    ("{{ nothing > 1 }}", None),
    ("{{ 1 <= nothing }}", None),
    ("{{ nothing in ['a', 'b'] }}", False),
    ("{{ 'a' in nothing }}", None),
    ("{{ nothing == none }}", True),
    ("{{ nothing is none }}", True),
    ("{{ nothing is odd }}", False),
    ("{{ not nothing }}", True),
    # arithmetic is exact
    ("{{ total * 1.19 }}", Decimal("154.5810")),
    ("{{ 1 / 4 }}", Decimal("0.25")),
    ("{{ (number / 100 * 1.19) | round(2) }}", Decimal("11.91")),
    ("{{ large * 10 }}", Decimal("1.2345678901234567890123456789012345678")),
    ("{{ total - 0.9 }}", Decimal("129.00")),
    ("{{ '1.10' | float }}", Decimal("1.10")),
    ("{{ total | int }}", 129),
    ("{{ 2 ** 10 }}", 1024),
    ("{{ -7 // 2 }}", -4),
    ("{{ -7.0 // 2 }}", Decimal(-4)),
    ("{{ -7.0 % 2 }}", Decimal("1.0")),
    ("{{ (0 - total) | abs }}", Decimal("129.90")),
    ("{{ lines | map(attribute='price') | sum }}", Decimal("3.30")),
    ("{{ lines | sum(attribute='count') }}", 3),
    ("{{ [1, nothing] | sum }}", None),
    ("{{ 2.5 | round }}", Decimal(3)),
    ("{{ -2.5 | round }}", Decimal(-3)),
    ("{{ 1234 | round(-2) }}", 1200),
    ("{{ 2.41 | round(1, 'ceil') }}", Decimal("2.5")),
    # conditions
    ("{{ status == 'paid' }}", True),
    ("{{ 1 < number < 2000 and paid }}", True),
    ("{{ 'x' if status == 'open' }}", None),
    ("{{ 'x' if status == 'open' else 'y' }}", "y"),
    ("{{ number is number and total is float and not (number is float) }}", True),
    # statements
    ("{% if paid %}yes{% else %}no{% endif %}", "yes"),
    ("{% for tag in tags %}{{ loop.index }}{{ tag }}{{ ',' if not loop.last }}{% endfor %}", "1red,2blue"),
    ("{% for tag in nothing %}x{% endfor %}", ""),
    ("{% for key, item in customer.items() %}{{ key }};{% endfor %}", "name;address;"),
    ("{% set n = namespace(x=0) %}{% for l in lines %}{% set n.x = n.x + l.count %}{% endfor %}{{ n.x }}", "3"),
    ("{% with city = customer.address.city %}{{ city }}{% endwith %}", "Köln"),
    # text
    ("{{ email | lower }}", "ann@example.com"),
    ("{{ email.split('@')[1].lower() }}", "example.com"),
    ("{{ tags | join(', ') }}", "red, blue"),
    ("{{ ['Ann', nothing, 'Lee'] | join(' ') }}", "Ann Lee"),
    ("{{ '%s/%05d' % (status, number) }}", "paid/01001"),
    ("{{ '%s %s' | format(status, paid) }}", "paid true"),
    ("{{ number | lower }}", "1001"),
    ("{{ total | replace('.', ',') }}", "129,90"),
    ("{{ tags | map('upper') | list }}", ["RED", "BLUE"]),
    ("{{ tags | select('equalto', 'red') | first }}", "red"),
    ("{{ [] | first }}", None),
    ("{{ raw | fromjson }}", {"a": [1, Decimal("2.50")]}),
    ("{{ (raw | fromjson).a[1] }}", Decimal("2.50")),
    ("{{ customer | fromjson }}", RECORD["customer"]),
    ("{{ customer | tojson }}", '{"name":"Ann","address":{"city":"Köln"}}'),
    ("{{ '<b>' | escape }}", "&lt;b&gt;"),
]


@pytest.mark.parametrize(("source", "expected"), VALUES)
def test_a_template_gives_the_value_that_it_reads_as(source: object, expected: object) -> None:
    found = value(source)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(("source", "expected"), VALUES)
def test_what_skips_jinja_comes_to_what_jinja_would_have_made(source: object, expected: object) -> None:
    found = template(source).reader("public-orders", strict=False, shortcuts=False)(RECORD)
    assert found == expected
    assert type(found) is type(expected)


STRICT = [
    ("cust-{{ number }}", "cust-1001"),
    ("cust-{{ nothing }}", None),
    ("{{ 'cust-' ~ nothing }}", None),
    ("{{ 'cust-' + nothing }}", None),
    ("{{ ('cust-' ~ nothing) | upper }}", None),
    ("{{ 'cust-%s' % nothing }}", None),
    ("{{ 'cust-%s-%s' % (number, nothing) }}", None),
    ("{{ 'cust-%s' | format(nothing) }}", None),
    ("{{ ['cust', nothing] | join('-') }}", None),
    ("{{ '-'.join(['cust', nothing]) }}", None),
    ("{% if paid %}cust-{{ customer.id }}{% endif %}", None),
    ("cust-{{ nothing or 'none' }}", "cust-none"),
    ("cust-{{ nothing | default(number) }}", "cust-1001"),
]


@pytest.mark.parametrize(("source", "expected"), STRICT)
@pytest.mark.parametrize("shortcuts", [True, False])
def test_a_null_in_an_identifier_makes_the_whole_value_null(
    source: str, expected: str | None, *, shortcuts: bool
) -> None:
    assert template(source).reader("s", strict=True, shortcuts=shortcuts)(RECORD) == expected


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{{ status.code }}", "a path leads into text"),
        ("{{ status[0] }}", "a path leads into text"),
        ("{{ number.x }}", "a path leads into a number"),
        ("{{ tags.x }}", "a path leads into an array"),
        ("{{ status + number }}", "+ doesn't go between text and a number"),
        ("{{ customer * 2 }}", "* doesn't go between an object and a number"),
        ("{{ tags * 2 }}", "* doesn't go between an array and a number"),
        ("{{ number / 0 }}", "a division by zero"),
        ("{{ number // 0 }}", "a division by zero"),
        ("{{ 0.0 / (number - 1001) }}", "/ has no result"),
        ("{{ tags | lower }}", "a filter that works on text found an array"),
        ("{% for c in status %}{{ c }}{% endfor %}", "a loop goes over text"),
        ("{{ number.get('x') }}", "a number has no get()"),
        ("{{ status | fromjson }}", "found text that is no JSON"),
        ("{{ status | round }}", "round takes a number"),
        ("{{ status | abs }}", "abs works on numbers"),
    ],
)
def test_what_can_not_be_done_says_why_without_the_value(source: str, said: str) -> None:
    with pytest.raises(Unmappable) as caught:
        value(source)
    assert said in str(caught.value)
    assert "paid" not in str(caught.value)


@pytest.mark.parametrize(
    "source",
    [
        "{{ range(10**9) | list }}",
        "{{ range(-(10**30), 10**30) | list }}",
        "{{ 'a' * 10**9 }}",
        "{{ 10**9 * 'a' }}",
        "{{ 10 ** (10 ** 10) }}",
        "{{ (10 ** 19000) * (10 ** 19000) }}",
        "{{ 'a' | center(10**9) }}",
        "{{ 'a' | indent(10**9) }}",
        "{{ ('a\n' * 10**5) | indent('b' * 10**5) }}",
        "{{ ('a' * 10**6) | replace('a', 'b' * 10**6) }}",
        "{{ ('a' * 10**6).replace('a', 'b' * 10**6) }}",
        "{{ 'a'.zfill(10**9) }}",
        "{{ [1, 2] | batch(10**9, 'x') | list }}",
        "{{ [1, 2] | slice(10**9) | list }}",
        "{{ range(1000) | join('b' * 10**6) }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ '%*d' % (1000000000, 1) }}",
        "{{ '%.1000000000f' % 1.5 }}",
        "{{ range(100000) | map('center', 1000) | list }}",
        "{% for i in range(10**5) %}{% for j in range(10**5) %}x{% endfor %}{% endfor %}",
        "{% set n = namespace(x='ab') %}{% for i in range(64) %}{% set n.x = n.x ~ n.x %}{% endfor %}{{ n.x }}",
        "{% set n = namespace(x='ab') %}{% for i in range(64) %}{% set n.x = n.x + n.x %}{% endfor %}{{ n.x }}",
        "{% set n = namespace(x=7) %}{% for i in range(64) %}{% set n.x = n.x * n.x %}{% endfor %}{{ n.x }}",
        "{% set n = namespace(x=[1]) %}{% for i in range(64) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x }}",
        "{% set n = namespace(x=[1]) %}{% for i in range(64) %}{% set n.x = n.x + n.x %}{% endfor %}{{ n.x }}",
        "{% set n = namespace(x=1) %}{% for i in range(64) %}{% set n.x = {'a': n.x, 'b': n.x} %}{% endfor %}{{ n.x }}",
        "{{ huge | int }}",
        "{{ huge | string }}",
        "{{ huge }}!",
        "{{ '%d' % huge }}",
        "{{ huge | uuid }}",
        "{{ huge | round(2) }}",
        "{{ huge | timestamp }}",
        "{{ huge % 7 }}",
    ],
)
def test_a_template_that_would_make_too_much_is_stopped(source: str) -> None:
    with pytest.raises((Unmappable, OverflowError)):
        value(source, record={"huge": Decimal("1E+999999999")})


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{{ email", "unexpected end of template, expected 'end of print statement' (at character 9)"),
        ("{{ email | }}", "(at character 12)"),
        ("{{ email $ }}", "unexpected char '$' at 9 (at character 10)"),
        ("{% if paid %}x", "(at character"),
        ("{{ email | lowr }}", 'there is no filter "lowr"; did you mean "lower"?'),
        ("{{ tags | map('lowr') }}", 'there is no filter "lowr"; did you mean "lower"?'),
        ("{{ tags | select('equaltoo', 1) }}", 'there is no test "equaltoo"; did you mean "equalto"?'),
        ("{{ email is strin }}", 'there is no test "strin"; did you mean "string"?'),
        ("{{ tags | random }}", 'the filter "random" isn\'t available'),
        ("{{ now() }}", "only range(), namespace() and methods"),
        ("{{ email.lowr() }}", '"lowr()" is nothing that can be called here; did you mean "lower"?'),
        ("{{ d | timestamp('%d', 'Europe/Berlni') }}", 'there is no time zone "Europe/Berlni"'),
        ("{{ d | timestamp(zone='Mars') }}", 'there is no time zone "Mars"'),
        ("{% macro m() %}{% endmacro %}", "a mapping has no {% macro %}"),
        ("{% include 'x' %}", "a mapping has no {% include %}"),
        ("{% import 'x' as y %}", "a mapping has no {% import %}"),
        ("{% extends 'x' %}", "a mapping has no {% extends %}"),
        ("{% set x %}a{% endset %}", "a mapping has no {% assignblock %}"),
        ("{% for x in tags recursive %}{{ loop(x) }}{% endfor %}", "a loop can't be recursive"),
        ("{{ email.lower(*tags) }}", "stars in arguments"),
        ("{{ email | lower(**customer) }}", "stars in arguments"),
        ("{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}", "nested too deeply"),
    ],
)
def test_a_mistake_in_a_template_is_named_with_its_place(source: str, said: str) -> None:
    found, problems = parse(source)
    assert found is None
    assert said in "\n".join(problems)


def test_all_the_mistakes_of_a_template_are_said_at_once() -> None:
    _, problems = parse("{{ a | lowr }} {{ b is strin }} {{ c.__class__ }}")
    assert len(problems) == 3


ESCAPES = [
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ ''['__class__'] }}",
    "{{ tags.__init__.__globals__ }}",
    "{{ record.__class__ }}",
    "{{ self.__init__.__globals__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ lipsum.__globals__['os'] }}",
    "{{ lipsum() }}",
    "{{ joiner() }}",
    "{{ '{0.__class__}'.format(1) }}",
    "{{ '{0.__class__}'.format_map(customer) }}",
    "{{ ''.format.__self__ }}",
    "{{ email | attr('__class__') }}",
    "{{ [email] | map('attr', '__class__') | list }}",
    "{{ [email] | map(attribute='__class__') | list }}",
    "{{ [email] | groupby('__class__') }}",
    "{{ [email] | sort(attribute='__class__.x') }}",
    "{{ '%(__class__)s' % email }}",
    "{{ record.update({'a': 1}) }}",
    "{{ record.pop('email') }}",
    "{{ tags.append(1) }}",
    "{{ tags.sort() }}",
    "{{ email.encode('idna') }}",
    "{{ (tags | map('upper')).gi_frame }}",
    "{% for x in tags %}{{ loop.__class__ }}{% endfor %}",
    "{% for x in tags %}{{ loop._iterator }}{% endfor %}",
    "{% set n = namespace() %}{{ n.__class__ }}",
    "{% set n = namespace() %}{{ n['_Namespace__attrs'].x }}{{ n | tojson }}",
    "{{ range.__class__ }}",
    "{{ range(3).__class__ }}",
    "{{ (1).__class__ }}",
    "{{ total.as_tuple() }}",
    "{{ config }}{{ request.application }}",
    "{{ caller() }}",
    "{{ super() }}",
    "{{ get_flashed_messages.__globals__ }}",
    "{{ ''|attr(['_'*2,'class','_'*2]|join) }}",
    "{{ email[('_'*2 ~ 'class' ~ '_'*2)] }}",
    "{{ environment }}{{ context }}",
    "{% for x in ().__class__.__base__.__subclasses__() %}{% endfor %}",
]


@pytest.mark.parametrize("source", ESCAPES)
def test_a_way_out_of_the_sandbox_leads_nowhere(source: str) -> None:
    found, problems = parse(source)
    if found is None:
        assert problems
        return
    record = {**RECORD, "tags": [*RECORD["tags"]]}
    try:
        result = found.reader("s", strict=False)(record)
    except Exception:  # noqa: BLE001  whichever way it's refused
        result = None
    assert result in (None, "", [], [None]), result
    assert record == RECORD


def test_the_columns_that_a_template_names_are_known() -> None:
    source = "{{ a.b['c'][0].d }} {{ record['x-y'].z }} {% for l in lines %}{{ l.price }}{{ loop.index }}{% endfor %}"
    assert template(source).paths >= {("a", "b", "c", 0, "d"), ("record", "x-y", "z"), ("lines",)}
    assert not [path for path in template(source).paths if path[0] in ("l", "loop")]


@pytest.mark.parametrize(
    ("source", "column"),
    [
        ("{{ a }}", ("a",)),
        ("{{ a.b }}", ("a", "b")),
        ("{{ record['a-b'] }}", ("record", "a-b")),
        ("{{ a | lower }}", None),
        ("{{ a }} ", None),
        ("a", None),
    ],
)
def test_a_bare_column_is_known_as_one(source: str, column: tuple[str, ...] | None) -> None:
    assert template(source).column == column


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False) | st.text(),
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
]


@settings(max_examples=300, deadline=None)
@given(source=st.sampled_from(SIMPLE), a=JSON, b=JSON, strict=st.booleans())
def test_a_shortcut_is_never_told_from_jinja(*, source: str, a: object, b: object, strict: bool) -> None:
    def outcome(*, shortcuts: bool) -> object:
        try:
            return repr(template(source).reader("s", strict=strict, shortcuts=shortcuts)({"a": a, "b": b}))  # type: ignore[dict-item]
        except Unmappable as error:
            return str(error)

    assert outcome(shortcuts=True) == outcome(shortcuts=False)
