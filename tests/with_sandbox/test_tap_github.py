"""What tap-github writes, delivered.

`tap_github_issues.jsonl` is the output of meltanolabs-tap-github 1.30.1 for its stream `issues`, as it came. The issues
are made up: the tap read them from a stand-in of GitHub's API on the same machine, by its setting `api_url_base`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.target_process import Message, config, parse, run_target

if TYPE_CHECKING:
    from tests.sandbox_process import Sandbox

RECORDED = Path(__file__).with_name("tap_github_issues.jsonl").read_bytes()
BY_A_PERSON = "{{ type == 'issue' and user is not none }}"
OPENED: Message = {
    "stream": "issues",
    "when": BY_A_PERSON,
    "name": "Issue opened",
    "description": "{{ org }}/{{ repo }}#{{ number }}: {{ title }}",
    "event_time": "{{ created_at }}",
    "contact": {"remote_id": "{{ user.login }}"},
    "metric": {
        "metric_name": "issues",
        "metric_object_id": "{{ id | uuid('issue') }}",
        "additional_properties": {
            "labels": "{{ labels | map(attribute='name') | join(', ') }}",
            "thumbs": "{{ reactions.plus_one - reactions.minus_one }}",
            "kind": "{{ issue_type.name }}",
        },
    },
    "once_per": "{{ id }}",
}
CLOSED = OPENED | {"name": "Issue closed", "when": "{{ closed_at is not none }}", "event_time": "{{ closed_at }}"}


def test_its_issues_arrive_as_their_mappings_make_them(sandbox: Sandbox, tmp_path: Path) -> None:
    done = run_target(config(tmp_path, sandbox.url, [OPENED, CLOSED]), RECORDED)
    assert done.status == 0, done.log
    bodies = [event["body"] for event in sandbox.events()]
    assert sorted((body["name"], body["description"], body["event_time"]) for body in bodies) == [
        ("Issue closed", "acme/shop#1: The basket forgets its lines", "2026-04-02T08:00:00Z"),
        ("Issue opened", "acme/shop#1: The basket forgets its lines", "2026-04-01T09:30:00Z"),
        ("Issue opened", "acme/shop#2: Zoë's umlauts — „broken“ 🎉", "2026-04-02T09:30:00Z"),
    ]
    assert {body["contact"]["remote_id"] for body in bodies} == {"octo-ada"}
    assert [body["metric"]["additional_properties"] for body in bodies] == [
        {"labels": "bug, help wanted", "thumbs": "1"},
        {"labels": "bug, help wanted", "thumbs": "1"},
        {"thumbs": "1"},
    ]


def test_its_last_state_leaves_as_it_was_written(sandbox: Sandbox, tmp_path: Path) -> None:
    done = run_target(config(tmp_path, sandbox.url, [OPENED]), RECORDED)
    assert done.states[-1] == parse(RECORDED.splitlines()[-1])["value"]


def test_a_second_run_over_its_output_sends_nothing(sandbox: Sandbox, tmp_path: Path) -> None:
    settings = config(tmp_path, sandbox.url, [OPENED, CLOSED])
    for _ in range(2):
        assert run_target(settings, RECORDED).status == 0
    assert len(sandbox.events()) == 3
