from __future__ import annotations

import pytest

from target_applied_events.mapping.template.blanks import Meant, is_missing, joins_missing, still_meant


@pytest.mark.parametrize("value", [None, "", " ", "\t\n", "\N{NO-BREAK SPACE}"])
def test_null_and_blank_text_are_missing(value: str | None) -> None:
    assert is_missing(value)


@pytest.mark.parametrize("value", ["a", " a ", 0, False, [], {}, Meant(""), Meant(" ")])
def test_what_a_template_wrote_itself_and_what_is_not_blank_is_not_missing(value: object) -> None:
    assert not is_missing(value)


@pytest.mark.parametrize("missing", [None, "", "  "])
def test_a_part_is_missing_on_either_side_of_a_plus_and_among_what_a_format_is_given(missing: str | None) -> None:
    assert joins_missing("%", "crm-%s", missing)
    assert joins_missing("%", "%s-%s", ("a", missing))
    if missing is not None:
        assert joins_missing("+", "crm-", missing)
        assert joins_missing("+", missing, "-crm")


@pytest.mark.parametrize(
    ("operator", "left", "right"),
    [
        ("+", "crm-", "7"),
        ("+", "a", Meant(" ")),
        ("+", 1, 2),
        ("+", "", 1),
        ("%", "%s", ("a", 0)),
        ("%", 7, 2),
        ("*", "", ""),
    ],
)
def test_no_part_is_missing_where_none_is_blank_or_no_text_is_made(operator: str, left: object, right: object) -> None:
    assert not joins_missing(operator, left, right)


def test_a_text_is_meant_only_while_it_is_blank_and_made_of_one_that_was() -> None:
    assert isinstance(still_meant("", Meant(" ")), Meant)
    assert type(still_meant("a", Meant(" "))) is str
    assert type(still_meant("", "")) is str
    assert still_meant(0, Meant("")) == 0
