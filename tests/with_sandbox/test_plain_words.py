"""Whatever a user gets wrong is told in the words of settings and mappings, never in Python's."""

from __future__ import annotations

import json
import subprocess
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from tests.messages import PYTHONS_OWN, settings
from tests.target_process import PROGRAM, Message, config, record, schema, state

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.sandbox_process import Sandbox
    from tests.with_sandbox.forked_target import ForkedTarget

NOWHERE = "http://127.0.0.1:1/v1"
ROWS = schema("rows", {"id": {"type": "integer"}, "t": {}, "n": {}, "d": {}, "l": {}, "o": {}})
ROW = record("rows", id=1, t="text", n=5, d=1.5, l=[1, "a", None], o={"k": 1})
MAPPING: Message = {"stream": "rows", "name": "Row", "contact": {"remote_id": "{{ id }}"}}
ODD: list[Any] = [[None], {}, {"a": []}, True, 10**30, "x", "\0", "{{", "{{ 1 / 0 }}", "🐙" * 300, "sqlite:////tmp/\0"]
FIELDS = (
    *("stream", "name", "description", "event_time", "when", "once_per", "shop_id", "shard_by", "ordered", "contact"),
    *("metric", "contact.email", "contact.what", "metric.metric_name", "metric.value", "metric.additional_properties"),
)

EXPRESSIONS = """
    l | sort; l | sum; l | min; l | unique | list; l | join(1); n | join(','); n | first; n | length; n | list; n in t
    t | dictsort; t | replace(1, 2); t | int + n; t | batch('x') | list; t | center('x'); t | wordwrap(0); t * n * d
    t | truncate('x'); t | indent('x'); t | trim(1); t | timestamp; t | uuid; t | fromjson; t | round; t | abs; -t
    t.split(1); t.split(''); t.startswith(1); t | filesizeformat; t is divisibleby 2; n is divisibleby 0; t ~ l ~ o
    l | slice(0) | list; l | slice('a') | list; l | groupby('x') | list; l | map('upper') | list; l[t]; l[1:t]; o[l]
    range(t) | list; n | reverse; n / 0; n // 0; n % 0; n ** 99999999; 0 ** -1; n < t; o < l; o | dictsort(by='x')
    o | items | list; o.k.j; n.x; t.x; l | tojson | fromjson | sort; {l: 1}; {n: t}; '%d' | format(t); '%s' | format
    l | random; t | attr('__class__'); t.__class__; self; caller(); t(); loop.index; namespace(a=1).b.c
    t | map(attribute=1) | list; l | select('divisibleby', 0) | list; n | timestamp('%Q'); t | timestamp(zone='Mars')
"""


def in_pythons_words(said: str) -> list[str]:
    return [line for line in said.splitlines() if PYTHONS_OWN.search(line)]


def test_a_template_that_cant_work_is_explained_in_a_mappings_words(
    target: ForkedTarget, sandbox: Sandbox, tmp_path: Path
) -> None:
    expressions = [part.strip() for part in EXPRESSIONS.replace("\n", ";").split(";") if part.strip()]
    assert len(expressions) > 70
    said, rejected = [], 0
    for number, one in enumerate(expressions):
        folder = tmp_path / str(number)
        done = target.run(config(folder, sandbox.url, [{**MAPPING, "name": f"{{{{ {one} }}}}"}]), [ROWS, ROW])
        why = list(reasons(folder / "data"))
        rejected += len(why)
        said += [(one, line) for line in in_pythons_words("\n".join([done.log, *why]))]
    assert said == []
    assert rejected > 30


def reasons(data: Path) -> Iterator[str]:
    for kept in data.glob("rejected/*.jsonl"):
        for line in map(json.loads, kept.read_text().splitlines()):
            yield from (error["message"] for error in line.get("rejection", {}).get("errors", ()))


def test_a_setting_that_cant_be_is_explained_in_its_own_words(target: ForkedTarget, tmp_path: Path) -> None:
    path, said = config(tmp_path, NOWHERE, [MAPPING]), []
    whole = json.loads(path.read_text())
    for name, odd in product(settings(), ODD):
        value = f"{tmp_path}/{odd}" if name == "data_dir" and isinstance(odd, str) else odd
        path.write_text(json.dumps(whole | {name: value}))
        said += [(name, value, line) for line in in_pythons_words(target.run(path, [state(1)]).log)]
    assert said == []


STREAM_MAPS: list[dict[str, Any]] = [
    {"x": "(("},
    {"x": "lambda: 1"},
    {"x": "__import__('os')"},
    {"x": "nope.upper()"},
    {"x": "1 / 0"},
    {"x": "'a' + 1"},
    {"id": None},
    {"__filter__": "nope"},
    {"__key_properties__": ["nope"]},
]


@pytest.mark.parametrize("stream_map", STREAM_MAPS, ids=str)
def test_a_stream_map_that_cant_work_is_told_by_its_setting(
    target: ForkedTarget, tmp_path: Path, stream_map: dict[str, Any]
) -> None:
    done = target.run(config(tmp_path, NOWHERE, [MAPPING], stream_maps={"rows": stream_map}), [ROWS, ROW])
    assert done.status == 1
    assert "stream_maps" in done.log.rsplit("| ERROR    |", maxsplit=1)[-1]
    assert in_pythons_words(done.log) == []


def test_a_field_of_a_mapping_that_cant_be_is_explained_in_its_own_words(target: ForkedTarget, tmp_path: Path) -> None:
    said = []
    for field, value in product(FIELDS, ODD):
        section, _, name = field.rpartition(".")
        inner = {section: {**MAPPING.get(section, {}), name: value}} if section else {name: value}
        done = target.run(config(tmp_path, NOWHERE, [{**MAPPING, **inner}], shard="1/2"), [ROWS, state(1)])
        said += [(field, value, line) for line in in_pythons_words(done.log)]
    assert said == []


MISTAKES: dict[str, tuple[str, ...]] = {
    "no such file": ("--config", "nowhere.json"),
    "no JSON": ("--config", "text.txt"),
    "no object": ("--config", "list.json"),
    "a directory": ("--config", "."),
    "no such option": ("--confg", "config.json"),
    "no such run": ("rejected", "--config", "config.json", "--done", "x/../y"),
    "no file of rejected records": ("--config", "config.json", "--input", "rejected.jsonl"),
    "a preview that no preview wrote": ("preview", "--config", "config.json", "--expect", "text.txt"),
    "a limit that is none": ("preview", "--config", "config.json", "--limit", "many"),
    "a catalog that is none": ("check", "--config", "config.json", "--catalog", "list.json"),
    "a suggestion from no messages": ("suggest", "--input", "list.json"),
    "a ledger that is none": ("ledger", "--config", "no-ledger.json"),
    "a day that is none": ("ledger", "--config", "config.json", "--forget-before", "yesterday"),
    "a ledger in a directory that is a file": ("ledger", "--config", "bad-data.json", "--in-doubt"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files to be wrong with."""
    path = tmp_path_factory.mktemp("mistakes")
    whole = json.loads(config(path, NOWHERE, [MAPPING]).read_text())
    (path / "text.txt").write_text("no \0 JSON\n")
    (path / "list.json").write_text("[1, null]\n")
    (path / "rejected.jsonl").write_text('{"type": "RECORD", "stream": "x", "record": {}, "rejection": 7}\n')
    (path / "no-ledger.json").write_text(json.dumps(whole | {"ledger_url": "sqlite:////dev/null"}))
    (path / "bad-data.json").write_text(json.dumps(whole | {"data_dir": str(path / "text.txt")}))
    return path


@pytest.mark.parametrize("arguments", MISTAKES.values(), ids=MISTAKES)
def test_a_command_given_what_it_cant_take_says_so_plainly(folder: Path, arguments: tuple[str, ...]) -> None:
    done = subprocess.run(
        [str(PROGRAM), *arguments], cwd=folder, input=b"", capture_output=True, check=False, timeout=50
    )
    assert done.returncode in {1, 2}
    assert done.stderr
    assert in_pythons_words(done.stderr.decode()) == []
