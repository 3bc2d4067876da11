"""Whatever a user gets wrong is told in the words of settings and mappings, never in Python's."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from tests.messages import PYTHONS_OWN, settings
from tests.target_process import Message, config, record, schema, state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from tests.sandbox_process import Sandbox
    from tests.target_process import Finished
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
    l | upper; l | random; t | attr('__class__'); t.__class__; self; caller(); t(); loop.index; namespace(a=1).b.c
    t | map(attribute=1) | list; l | select('divisibleby', 0) | list; n | timestamp('%Q'); t | timestamp(zone='Mars')
"""


NAMED = re.compile(r"\| ERROR +\| target-applied-events +\| (mappings\[\d+\]|\w+)")
"""What a line of the log complains of."""

T = TypeVar("T")


def in_pythons_words(*said: str) -> list[str]:
    return [line for text in said for line in text.splitlines() if PYTHONS_OWN.search(line)]


def logs(wrong: Sequence[T], run: Callable[[Sequence[T]], Finished], name: Callable[[int, T], str]) -> Iterator[str]:
    """Run with all at once that may be wrong, since all mistakes are told at once, and give the log.

    What a run that fails doesn't complain of is run again without the others, since it may be wrong later on; by
    itself where the run complained of none by its name.
    """
    done = run(wrong)
    yield done.log
    if done.status == 0 or len(wrong) == 1:
        return
    named = set(NAMED.findall(done.log))
    left = [one for index, one in enumerate(wrong) if name(index, one) not in named]
    if len(left) == len(wrong):
        yield from (run([one]).log for one in wrong)
    elif left:
        yield from logs(left, run, name)


def label(index: int, _mapping: Message) -> str:
    return f"mappings[{index}]"


def test_a_template_that_cant_work_is_explained_in_a_mappings_words(
    target: ForkedTarget, sandbox: Sandbox, tmp_path: Path
) -> None:
    def run(mappings: Sequence[Message]) -> Finished:
        return target.run(config(tmp_path, sandbox.url, list(mappings), max_rejected=99), [ROWS, ROW])

    expressions = [part.strip() for part in EXPRESSIONS.replace("\n", ";").split(";") if part.strip()]
    said = list(logs([{**MAPPING, "name": f"{{{{ {one} }}}}"} for one in expressions], run, label))
    refused = [name for log in said for name in dict.fromkeys(NAMED.findall(log))]
    rejected = list(reasons(tmp_path / "data"))
    assert in_pythons_words(*said, *rejected) == []
    assert len(rejected) > 30
    assert len(refused) + len(rejected) + len(sandbox.events()) == len(expressions) > 70


def reasons(data: Path) -> Iterator[str]:
    for kept in data.glob("rejected/*.jsonl"):
        for line in map(json.loads, kept.read_text().splitlines()):
            yield from (error["message"] for error in line.get("rejection", {}).get("errors", ()))


def test_a_setting_that_cant_be_is_explained_in_its_own_words(target: ForkedTarget, tmp_path: Path) -> None:
    path = config(tmp_path, NOWHERE, [MAPPING])
    whole, said = json.loads(path.read_text()), list[str]()
    for odd in ODD:

        def run(names: Sequence[str], odd: Any = odd) -> Finished:  # noqa: ANN401 - any JSON
            folder = f"{tmp_path}/{odd}" if isinstance(odd, str) else odd
            wrong = {name: folder if name == "data_dir" else odd for name in names}
            path.write_text(json.dumps(whole | wrong))
            return target.run(path, [state(1)])

        said += logs(settings(), run, lambda _, name: name)
    assert in_pythons_words(*said) == []
    assert {name for log in said for name in NAMED.findall(log)} >= set(settings())


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


@pytest.mark.parametrize("field", FIELDS)
def test_a_field_of_a_mapping_that_cant_be_is_explained_in_its_own_words(
    target: ForkedTarget, tmp_path: Path, field: str
) -> None:
    def run(mappings: Sequence[Message]) -> Finished:
        return target.run(config(tmp_path, NOWHERE, list(mappings), shard="1/2"), [ROWS, state(1)])

    section, _, name = field.rpartition(".")
    wrong = [{section: {**MAPPING.get(section, {}), name: odd}} if section else {name: odd} for odd in ODD]
    said = list(logs([{**MAPPING, **inner} for inner in wrong], run, label))
    assert in_pythons_words(*said) == []
    assert any(NAMED.search(log) for log in said)


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
def test_a_command_given_what_it_cant_take_says_so_plainly(
    target: ForkedTarget, folder: Path, arguments: tuple[str, ...]
) -> None:
    status, said = target.run_in(folder, *arguments)
    assert status in {1, 2}
    assert said
    assert in_pythons_words(said) == []
