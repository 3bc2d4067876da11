"""The mistakes that a first mapping is likely to have, and the sentence that each of them gets."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.target_process import PROGRAM, Message, as_lines, config, record, run_target, schema

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox_process import Sandbox

MAPPING: Message = {
    "stream": "public-orders",
    "name": "Order paid",
    "event_time": "{{ paid_at }}",
    "contact": {"email": "{{ email | lower }}"},
    "metric": {"metric_name": "order_value", "value": "{{ total }}"},
    "once_per": "{{ number }}",
}
ORDER: Message = {
    "number": 1001,
    "status": "paid",
    "total": "120.50",
    "paid_at": "2026-04-07T16:30:00+02:00",
    "epoch": 1775572200,
    "email": "Ada@Example.com",
}
COLUMNS = {name: {"type": "integer" if isinstance(value, int) else "string"} for name, value in ORDER.items()}
SCHEMA = schema("public-orders", COLUMNS, ["number"])

IN_THE_MAPPING: dict[str, tuple[Message, str]] = {
    "a column's name misspelt": (
        {"event_time": "{{ payed_at }}"},
        'mappings[0].event_time: the stream public-orders has no column "payed_at"; did you mean "paid_at"?',
    ),
    "no braces around a column that identifies": (
        {"contact": {"email": "email"}},
        'mappings[0].contact.email: is a constant, the same for all records; a column is written "{{ email }}"',
    ),
    "no braces around a number's column": (
        {"metric": {"metric_name": "order_value", "value": "total"}},
        (
            "mappings[0].metric.value: found text that is no number; the filter replace takes out what isn't one: "
            "replace('€', ''); a column is written \"{{ total }}\""
        ),
    ),
    "no braces around a time's column": (
        {"event_time": "paid_at"},
        (
            "mappings[0].event_time: found text that is no time as 2026-04-07T14:30:00Z; the filter timestamp reads "
            "other forms: timestamp('%d.%m.%Y %H:%M'); a column is written \"{{ paid_at }}\""
        ),
    ),
    "quotes around a number": (
        {"when": "{{ number == '1001' }}"},
        (
            "mappings[0].when: the column \"number\" is an integer, which never meets the text '1001'; "
            "without quotes it is no text: 1001"
        ),
    ),
    "no braces around a condition": (
        {"when": "status == 'paid'"},
        "mappings[0].when: is one expression and nothing else: \"{{ status == 'paid' }}\"",
    ),
    "another language's braces": (
        {"contact": {"email": "${email}"}},
        'mappings[0].contact.email: is a constant, the same for all records; a column is written "{{ email }}"',
    ),
    "no quotes in YAML, which makes an object of the braces": (
        {"contact": {"email": {"{'email': None}": None}}},
        (
            "mappings[0].contact.email: found an object; it's a template, a number or a boolean; in YAML a value that "
            'begins with {{ needs quotes: "{{ column }}"'
        ),
    ),
    "the table's name for the stream's": (
        {"stream": "orders"},
        (
            "No mapping matches the stream public-orders. There are mappings for orders. Add one to `mappings`, "
            "deselect the stream in the tap, or set `unmapped_streams: ignore`."
        ),
    ),
    "a point in the stream's name": (
        {"stream": "public.orders"},
        (
            "No mapping matches the stream public-orders. A mapping names public.orders, which differs only in case or "
            "punctuation. Add one to `mappings`, deselect the stream in the tap, or set `unmapped_streams: ignore`."
        ),
    ),
    "a contact that nothing identifies": (
        {"contact": {"name": "{{ email }}"}},
        "mappings[0].contact: needs one of email, phone, remote_id; without, it would be left out always",
    ),
    "a contact that is one text": (
        {"contact": "{{ email }}"},
        'mappings[0].contact: found text; it\'s an object of templates, as {email: "{{ email }}"}',
    ),
    "an epoch for a time": (
        {"event_time": "{{ epoch }}"},
        (
            'mappings[0].event_time: the column "epoch" is an integer, which never is a time; the filter timestamp '
            "reads epochs: {{ epoch | timestamp }}"
        ),
    ),
    "an integer for a uuid": (
        {"metric": {"metric_name": "order_value", "metric_object_id": "{{ number }}"}},
        (
            'mappings[0].metric.metric_object_id: the column "number" is an integer, which never is a uuid; the filter '
            "uuid makes a stable one: {{ number | uuid('kind of object') }}"
        ),
    ),
    "a metric without its name": (
        {"metric": {"value": "{{ total }}"}},
        "mappings[0].metric.metric_name: is missing; a metric needs it",
    ),
    "a field that there isn't": (
        {"contact": {"mail": "{{ email }}"}},
        'mappings[0].contact.mail: is not known; did you mean "email"?',
    ),
    "a filter that there isn't": (
        {"contact": {"email": "{{ email | lowercase }}"}},
        'mappings[0].contact.email: there is no filter "lowercase"; did you mean "lower"?',
    ),
    "one equals sign": (
        {"when": "{{ status = 'paid' }}"},
        "mappings[0].when: expected token '}}', got '='; what is equal is written == (at character 11)",
    ),
    "a word of text without its quotes": (
        {"when": "{{ status == paid }}"},
        'mappings[0].when: the stream public-orders has no column "paid"; did you mean "paid_at"?',
    ),
}
IN_THE_SETTINGS: dict[str, tuple[dict[str, Any], str]] = {
    "mappings that are no list": (
        {"mappings": MAPPING},
        "mappings is an object; it must be a list of at least one mapping, in YAML each begins with `- stream:`.",
    ),
    "a setting's name misspelt": (
        {"max_concurency": 4},
        "max_concurency is no setting; did you mean max_concurrency?",
    ),
    "a shop by its name": (
        {"shop_id": "my-shop"},
        "shop_id must be a uuid, such as 66e4c0de-0000-4000-8000-000000000001.",
    ),
    "no shop": (
        {"shop_id": None},
        "shop_id is missing; it is required unless every mapping has its own (mappings[0] has none).",
    ),
    "a key that is another's": (
        {"api_key": "sk-k3y"},
        "api_key: The endpoint answered 401: the key is not good; one of Applied Labs begins with AL.",
    ),
    "the header's word before the key": (
        {"api_key": "Bearer AL-k3y"},
        "api_key must be the key alone, printable ASCII without white space (its value is not shown).",
    ),
    "the address of the events": (
        {"api_url": "https://core.appliedlabs.ai/v2026-04/events/"},
        "api_url must end before /events, which the target adds: https://core.appliedlabs.ai/v2026-04.",
    ),
}
IN_THE_RECORDS: dict[str, tuple[Message, str]] = {
    "a sum with its sign": (
        {"total": "€ 12"},
        "$.metric.value: found text that is no number; the filter replace takes out what isn't one: replace('€', '')",
    ),
    "a date as it is written at home": (
        {"paid_at": "07.04.2026 16:30"},
        (
            "$.event_time: found text that is no time as 2026-04-07T14:30:00Z; the filter timestamp reads other forms: "
            "timestamp('%d.%m.%Y %H:%M')"
        ),
    ),
}


def crossed(settings: Path, messages: list[Message]) -> list[str]:
    """What `check` crosses."""
    (settings.parent / "in").write_bytes(as_lines(messages))
    command = [str(PROGRAM), "check", "--config", str(settings), "--input", str(settings.parent / "in")]
    done = subprocess.run(command, capture_output=True, check=False, timeout=50, text=True)
    assert done.returncode == (1 if "✗" in done.stdout else 0), done.stderr
    return [line.removeprefix("✗ ") for line in done.stdout.splitlines() if line.startswith("✗ ")]


def test_without_a_mistake_nothing_is_crossed(sandbox: Sandbox, tmp_path: Path) -> None:
    assert crossed(config(tmp_path, sandbox.url, [MAPPING]), [SCHEMA]) == []


def test_a_run_without_a_config_says_how_one_is_given() -> None:
    done = subprocess.run([str(PROGRAM)], stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=50)
    assert done.returncode == 2
    assert b"There are no settings. Give them by --config: the name of a JSON file, or ENV." in done.stderr


@pytest.mark.parametrize(("change", "said"), IN_THE_MAPPING.values(), ids=IN_THE_MAPPING)
def test_check_says_of_a_mapping_what_is_wrong_and_what_to_write(
    sandbox: Sandbox, tmp_path: Path, change: Message, said: str
) -> None:
    assert crossed(config(tmp_path, sandbox.url, [MAPPING | change]), [SCHEMA]) == [said]


@pytest.mark.parametrize(("change", "said"), IN_THE_SETTINGS.values(), ids=IN_THE_SETTINGS)
def test_check_says_of_a_setting_what_is_wrong_and_what_it_must_be(
    sandbox: Sandbox, tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    whole = {"api_url": sandbox.url, "mappings": [MAPPING]} | change
    assert crossed(config(tmp_path, **whole), [SCHEMA]) == [said]


@pytest.mark.parametrize(("change", "said"), IN_THE_RECORDS.values(), ids=IN_THE_RECORDS)
def test_a_run_says_of_a_record_what_is_wrong_and_what_to_write_without_its_value(
    sandbox: Sandbox, tmp_path: Path, change: Message, said: str
) -> None:
    messages = [SCHEMA, *(record("public-orders", **(ORDER | change | {"number": number})) for number in range(3))]
    done = run_target(config(tmp_path, sandbox.url, [MAPPING]), messages)
    assert done.status == 1
    assert done.log.count(f"stream public-orders is rejected as unmappable by mappings[0]: {said}. ") == 1
    assert str(next(iter(change.values()))) not in done.log


def test_a_stream_without_its_mapping_ends_a_run_as_check_says(sandbox: Sandbox, tmp_path: Path) -> None:
    change, said = IN_THE_MAPPING["the table's name for the stream's"]
    done = run_target(config(tmp_path, sandbox.url, [MAPPING | change]), [SCHEMA])
    assert done.status == 1
    assert said in done.log
