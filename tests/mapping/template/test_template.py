from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from target_applied_events.mapping.template.notation import Unmappable
from tests.mapping.template.at_work import template

RECORD: dict[str, Any] = {
    "status": "paid",
    "email": "Ann@Example.COM",
    "number": 1001,
    "total": Decimal("129.90"),
    "large": Decimal("0.12345678901234567890123456789012345678"),
    "paid": True,
    "nothing": None,
    "blank": "",
    "spaces": "  ",
    "customer": {"name": "Ann", "address": {"city": "Köln"}},
    "tags": ["red", "blue"],
    "lines": [{"price": Decimal("1.10"), "count": 2}, {"price": Decimal("2.20"), "count": 1}],
    "raw": '{"a": [1, 2.50]}',
    "order-id": "o-1",
    "loop": "a",
    "range": "b",
    "namespace": "c",
}


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
    ("{{ loop }} {{ range }} {{ namespace }}", "a b c"),
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
    ("{{ '2026-04-07T16:30:00+02:00' < '2026-04-07T14:30:00.25Z' <= '2026-04-07 15:00' }}", True),
    ("{{ ['2026-04-07T16:30:00+02:00', '2026-04-07T15:00Z'] | max }}", "2026-04-07T15:00Z"),
    ("{{ '★' * 3 }}", "★★★"),
    ("{{ 'x' if status == 'open' }}", None),
    ("{{ 'x' if status == 'open' else 'y' }}", "y"),
    ("{{ ('x' if status == 'open') ~ 'y' }}", "y"),
    ("{{ (1 if status == 'open') + 1 }}", None),
    ("{{ number is number and total is float and not (number is float) }}", True),
    ("{{ 'x' not in tags }}", True),
    ("{{ 'x' not in nothing }}", None),
    ("{{ number + 1 == 1002 }}", True),
    ("{{ number + 1 or 5 }}", 1002),
    ("{{ nothing or number + 1 }}", 1002),
    # statements
    ("{% if paid %}yes{% else %}no{% endif %}", "yes"),
    ("{% for tag in tags %}{{ loop.index }}{{ tag }}{{ ',' if not loop.last }}{% endfor %}", "1red,2blue"),
    ("{% for tag in nothing %}x{% endfor %}", ""),
    ("{% for key, item in customer.items() %}{{ key }};{% endfor %}", "name;address;"),
    ("{% set n = namespace(x=0) %}{% for l in lines %}{% set n.x = n.x + l.count %}{% endfor %}{{ n.x }}", "3"),
    ("{% with city = customer.address.city %}{{ city }}{% endwith %}", "Köln"),
    (
        "{% for group in lines | groupby('count') %}{{ group.grouper }}:{{ group.list | length }};{% endfor %}",
        "1:1;2:1;",
    ),
    ("{% for i in range(nothing) %}x{% endfor %}{{ range(3) }}{{ range(5, 1, -2) }}", "[0,1,2][5,3]"),
    # text
    ("{{ email | lower }}", "ann@example.com"),
    ("{{ email.split('@')[1].lower() }}", "example.com"),
    ("{{ tags | join(', ') }}", "red, blue"),
    ("{{ lines | join('-', attribute='count') }}", "2-1"),
    ("{{ tags[1:] }}", ["blue"]),
    ("{{ status | center(8) }}", "  paid  "),
    ("{{ '<p>a<!-- b --> c</p>' | striptags }}", "a c"),
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
    # blank text that comes out of a record is as null
    ("cust-{{ blank }}", None),
    ("cust-{{ spaces }}", None),
    ("{{ number }}-{{ spaces | trim }}", None),
    ("cust-{{ status | replace('paid', '') }}", None),
    ("{% for item in ['a', blank] %}{{ item }}{% endfor %}", None),
    ("{{ 'cust-' ~ blank }}", None),
    ("{{ 'cust-' + spaces }}", None),
    ("{{ 'cust-%s' % blank }}", None),
    ("{{ '%s-%s' % (number, spaces) }}", None),
    ("{{ '%s-%s' | format(number, blank) }}", None),
    ("{{ ['cust', blank] | join('-') }}", None),
    ("{{ '-'.join(['cust', spaces]) }}", None),
    ("cust-{{ blank | sha256 }}", None),
    # and blank text that the template writes itself is text
    ("{{ status }} {{ number }}", "paid 1001"),
    ("{{ status }}{{ ' ' }}{{ number }}", "paid 1001"),
    ("{{ status ~ ' ' ~ number }}", "paid 1001"),
    ("{{ status + ' ' + status }}", "paid paid"),
    ("{{ '+49' + '30123' }}", "+4930123"),
    ("{{ '5' + '007' }}", "5007"),
    ("{{ '%s%s%s' | format(status, ' ', number) }}", "paid 1001"),
    ("{{ [status, ' ', number] | join }}", "paid 1001"),
    ("{{ ' '.join(tags) }}", "red blue"),
    ("{% for tag in tags %}{{ tag }} {% endfor %}", "red blue "),
    ("{% set between = ' ' %}{{ status }}{{ between }}{{ number }}", "paid 1001"),
    ("{{ number }}-{{ blank or '' }}", "1001-"),
    ("{{ number }}{{ nothing | default('') }}", "1001"),
    ("{{ number }}{{ (nothing or '') | trim | upper }}", "1001"),
    ("{{ number }}{{ (blank or '').lower() }}", "1001"),
    ("{{ number }}{{ '-' ~ blank if blank else '' }}", "1001"),
    ("{% if blank %}{{ blank }}-{% endif %}{{ number }}", "1001"),
    ("{{ {'a': '', 'b': [' ']} | tojson }}", '{"a":"","b":[" "]}'),
    ("{{ {'': [' ']} }} ", '{"":[" "]} '),
    ("{{ 'x' if blank == '' }}", "x"),
]


@pytest.mark.parametrize(("source", "expected"), STRICT)
@pytest.mark.parametrize("shortcuts", [True, False])
def test_a_null_or_blank_text_in_an_identifier_makes_the_whole_value_null(
    source: str, expected: str | None, *, shortcuts: bool
) -> None:
    assert template(source).reader("s", strict=True, shortcuts=shortcuts)(RECORD) == expected


@pytest.mark.parametrize(
    "source",
    [
        "{% if no %}x{% endif %}",
        "{% if nothing %}x{% elif no %}y{% endif %}",
        "{{ 'x' if no }}",
        "{{ 'x' if paid and no else 'y' }}",
        "{{ not no }}",
        "{{ no and paid }}",
        "{{ not (nothing or no) }}",
        "{% for line in lines if no %}x{% endfor %}",
        "{{ paid if customer.no else number }}",
    ],
)
def test_a_condition_takes_no_text_for_true_that_says_no(source: str) -> None:
    for no in ("false", "0", "N"):
        with pytest.raises(Unmappable, match="a condition takes text for true even where it says no"):
            value(source, record={**RECORD, "no": no, "customer": {"no": no}})
    for yes in ("true", "1", "Y", "NO", True):
        value(source, record={**RECORD, "no": yes, "customer": {"no": yes}})


@pytest.mark.parametrize("source", ["{{ no or paid }}", "{{ nothing or no }}", "{{ no | default(paid, true) }}"])
def test_what_chooses_a_value_takes_any_text(source: str) -> None:
    assert value(source, record={**RECORD, "no": "No"}) == "No"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{{ status.code }}", "a path leads into text"),
        ("{{ status[0] }}", "a path leads into text"),
        ("{{ number.x }}", "a path leads into a number"),
        ("{{ tags.x }}", "a path leads into an array"),
        ("{{ status + number }}", "+ doesn't go between text and a number"),
        ("{{ number < status }}", "a number is neither more nor less than text"),
        ("{{ customer * 2 }}", "* doesn't go between an object and a number"),
        ("{{ status * 2 }}", "* doesn't go between text and a number; where text holds a number, the filter float"),
        ("{{ '1200' + '90' }}", "+ stands between two texts that read as numbers; where text holds a number"),
        ("{{ '90.5' > '100' }}", "two texts that read as numbers are compared"),
        ("{{ ['90.5'] | select('gt', '100') | list }}", "two texts that read as numbers are compared"),
        ("{{ '2026-04-07' < '01.06.2026' }}", "a time is compared with text that is no time"),
        ("{{ tags * 2 }}", "* doesn't go between an array and a number"),
        ("{{ number / 0 }}", "a division by zero"),
        ("{{ number // 0 }}", "a division by zero"),
        ("{{ 0.0 / (number - 1001) }}", "a division by zero"),
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
