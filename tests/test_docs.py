"""What the pages under docs/ show and list is what the program does."""

from __future__ import annotations

import random
import re
import shlex
import subprocess
from typing import TYPE_CHECKING, get_args

import pytest

from target_applied_events.delivery.departures import MOST_ROWS_A_COMMIT
from target_applied_events.delivery.retry import Decision, History, Retry, Settle, Stop, judge
from target_applied_events.delivery.window import MOST_UNSETTLED, MOST_UNSETTLED_BYTES
from target_applied_events.event import Answer, Reason
from target_applied_events.settings import PROPERTIES
from target_applied_events.summary import Summary
from tests import examples
from tests.examples import Example, Expression
from tests.pages import PAGES, PROJECT, README, commands, links, rows_of
from tests.target_process import PROGRAM

if TYPE_CHECKING:
    from pathlib import Path

SHOWN = list(examples.examples(examples.PAGE.read_text()))
COMMANDS = [shlex.split(command) for page in PAGES for command in commands(page)]


@pytest.mark.parametrize("example", [item for item in SHOWN if isinstance(item, Example)], ids=lambda item: item.name)
def test_an_example_comes_to_what_the_page_shows(example: Example) -> None:
    kind, said = examples.outcome(example)
    assert kind == example.kind, said
    if kind != "event":
        assert said == example.said.strip()
        return
    shown = examples.numbers_kept(example.said)
    assert examples.without_made_keys(examples.numbers_kept(said), shown) == shown


@pytest.mark.parametrize(
    "expression", [item for item in SHOWN if isinstance(item, Expression)], ids=lambda item: item.source
)
def test_an_expression_gives_what_the_page_says(expression: Expression) -> None:
    assert examples.value_of(expression) == expression.said


def test_no_block_of_the_page_of_mappings_is_left_out() -> None:
    page = examples.PAGE.read_text()
    results = [item.kind for item in SHOWN if isinstance(item, Example)]
    blocks = re.findall(r"^```(.+)$", page, re.MULTILINE)
    givers = [kind for kind in blocks if kind not in {"yaml", "json record"}]
    assert results == [kind.split()[-1] for kind in givers]
    assert set(results) == {"event", "rejected", "passed", "mistake"}
    tables = re.findall(r"^\| expression \|(?:.*\n\|)+", page, re.MULTILINE)
    cells = sum((table.count("\n") - 1) * table.splitlines()[0].count(" | ") for table in tables)
    assert cells == len([item for item in SHOWN if isinstance(item, Expression)])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_link_leads_somewhere(page: Path) -> None:
    for address, _, place in (link.partition("#") for _, link in links(page)):
        target = page.parent / address if address else page
        assert target.exists(), address
        headings = re.findall(r"^#+ (.*)$", target.read_text(), re.MULTILINE) if place else []
        assert not place or place in [_anchor(heading) for heading in headings], f"{address}#{place}"


def _anchor(heading: str) -> str:
    """Name a heading as GitHub does."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("subcommand", sorted({command[0] for command in COMMANDS if not command[0].startswith("-")}))
def test_each_command_on_a_page_is_there_with_the_options_named(subcommand: str) -> None:
    named = {word for command in COMMANDS if command[0] == subcommand for word in command if word.startswith("--")}
    assert named <= _options(subcommand)


def test_the_target_has_the_options_that_the_pages_name() -> None:
    named = {word for command in COMMANDS if command[0].startswith("-") for word in command if word.startswith("--")}
    assert {"--config", "--input"} <= named <= _options()


def _options(*subcommand: str) -> set[str]:
    told = subprocess.run([str(PROGRAM), *subcommand, "--help"], capture_output=True, text=True, check=True, timeout=50)
    return set(re.findall(r"--[a-z-]+", told.stdout))


@pytest.mark.parametrize(("statuses", "meaning"), rows_of("reply", "what follows", page=README))
def test_a_reply_means_what_readme_says(statuses: str, meaning: str) -> None:
    for status in map(int, statuses.split(", ")):
        usual, _, while_unknown = meaning.partition("; ")
        assert usual.startswith(_words(_judged(status, known_good=True)))
        assert (while_unknown or usual).startswith(_words(_judged(status, known_good=False)))


def _judged(status: int, *, known_good: bool) -> Decision:
    return judge(
        Answer(status),
        History(first_at=0.0),
        now=1.0,
        wall_now=0.0,
        known_good=known_good,
        delivered_since_last=True,
        retry_timeout_seconds=300.0,
        rng=random.Random(1),  # noqa: S311 - jitter, no secret
    )


def _words(decision: Decision) -> str:
    match decision:
        case Retry():
            return "tried again"
        case Stop():
            return "the run stops"
        case Settle(outcome):
            return {"Delivered": "delivered", "Refused": "rejected as `refused`"}[type(outcome).__name__]


def test_the_page_of_operations_lists_the_reasons_the_figures_and_the_words_that_there_are() -> None:
    reasons = {name.strip("`") for name, _ in rows_of("reason", "what it means")}
    assert reasons == set(get_args(Reason))
    figures = {name.strip("`") for name, _ in rows_of("figure", "counts")}
    assert figures == set(Summary().figures())
    words = {name.strip("`") for name, _ in rows_of("`in_doubt`", "")}
    assert words == set(PROPERTIES.to_dict()["properties"]["in_doubt"]["enum"])


def test_the_steps_of_the_page_of_design_are_modules_that_there_are() -> None:
    page = (PROJECT / "docs" / "design.md").read_text()
    steps = re.findall(r"^\| [a-z ]+ \| (`.*?`) \|", page, re.MULTILINE)
    names = {name.replace(".", "/") for modules in steps for name in re.findall(r"`([\w.]+)`", modules)}
    package = PROJECT / "target_applied_events"
    assert len(names) > 10
    assert {name for name in names if not (package / name).is_dir() and not (package / f"{name}.py").exists()} == set()


def test_the_figures_of_the_page_of_design_are_the_programs() -> None:
    page = " ".join((PROJECT / "docs" / "design.md").read_text().split())
    assert (
        f"At most {MOST_UNSETTLED:,} events or {MOST_UNSETTLED_BYTES >> 20} MiB of bodies and records are unsettled"
        in page
    )
    assert f"Up to {MOST_ROWS_A_COMMIT} events share a commit" in page
    shares = re.findall(r"([\d.]+) % \| ([\d.]+) % \|$", (PROJECT / "docs" / "delivery.md").read_text(), re.MULTILINE)
    lowest, highest = min(float(share) for share, _ in shares), max(float(share) for share, _ in shares)
    assert f"{lowest:.0f} to {highest:g} % of what a sender could" in page
    assert max(float(refused) for _, refused in shares) < 1, "less than 1 % refused"
