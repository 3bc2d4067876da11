from __future__ import annotations

import json

import pytest

from target_applied_events.sandbox.answers import NOTHING_KEPT, answer_json, answer_refusal, answer_status
from target_applied_events.sandbox.contract import Problem, Refusal
from target_applied_events.sandbox.faults import Status


def test_the_length_that_is_told_is_that_of_the_bytes() -> None:
    answer = answer_json(200, {"name": "Zoë 🎉"})
    assert json.loads(answer.body) == {"name": "Zoë 🎉"}
    assert answer.headers["content-length"] == str(len(answer.body)) == "21"


def test_what_is_broken_off_is_an_answer_as_to_an_event_without_contact() -> None:
    assert (NOTHING_KEPT.status, json.loads(NOTHING_KEPT.body)) == (200, {"contact": None})


def test_a_refusal_tells_each_problem_by_its_field_and_all_in_one_sentence() -> None:
    problems = (Problem("name", "is required"), Problem("metric.value", "must be a number"))
    answer = answer_refusal(Refusal(405, problems, (("allow", "POST"),)))
    error = json.loads(answer.body)["error"]
    assert (answer.status, answer.headers["allow"]) == (405, "POST")
    assert error["message"] == "name is required; metric.value must be a number"
    assert [(each["field"], each["message"]) for each in error["fields"]] == [
        ("name", "is required"),
        ("metric.value", "must be a number"),
    ]


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_that_has_no_body_is_answered_without_one_whatever_the_fault_says(status: int) -> None:
    answer = answer_status(Status(status, {"X-Said": "so"}, body="more"))
    assert (answer.status, answer.body, answer.headers) == (status, b"", {"x-said": "so"})


def test_a_fault_has_its_own_headers_in_place_of_ours() -> None:
    answer = answer_status(Status(503, {"Content-Type": "text/html", "Retry-After": "7"}, body="<p>später</p>"))
    assert answer.body.decode() == "<p>später</p>"
    assert answer.headers == {"content-type": "text/html", "content-length": "14", "retry-after": "7"}


@pytest.mark.parametrize("length", ["1", "999", "many"])
def test_the_length_of_a_fault_s_body_is_told_right_whatever_its_headers_say(length: str) -> None:
    assert answer_status(Status(503, {"Content-Length": length}, body="later")).headers["content-length"] == "5"
    assert "content-length" not in answer_status(Status(204, {"Content-Length": length})).headers


def test_a_fault_without_a_body_says_that_it_is_one() -> None:
    answer = answer_status(Status(418))
    assert json.loads(answer.body)["error"]["message"] == "a fault of the sandbox"
    assert answer.headers["content-type"] == "application/json"
