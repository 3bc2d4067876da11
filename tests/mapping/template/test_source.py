from __future__ import annotations

import pytest

from target_applied_events.mapping.template.source import Source


def test_a_name_means_its_thing_whatever_is_named_later() -> None:
    source = Source()
    first, second = source.value([1]), source.value([1])
    function = source.function(f"({first}, {second})")
    assert first != second
    for number in range(20):
        source.value(number)
    assert function({}) == ([1], [1])


def test_no_expression_changes_what_another_found() -> None:
    source = Source()
    a, b = source.unless_null(str.lower, source.column("a")), source.unless_null(str.upper, source.column("b"))
    both = source.joined([a, source.if_null(lambda: "none", b), a], str, strict=True)
    function = source.function(both)
    assert function({"a": "X", "b": "y"}) == "xYx"
    assert function({"a": "X"}) == "xnonex"
    assert function({"b": "y"}) is None


@pytest.mark.parametrize(("strict", "expected"), [(True, None), (False, "a-None-1")])
def test_what_joins_writes_all_that_is_no_text_unless_null_makes_it_null(*, strict: bool, expected: str | None) -> None:
    source = Source()
    parts = [source.column("a"), source.value("-"), source.column("b"), source.value("-"), source.column("c")]
    assert source.function(source.joined(parts, str, strict=strict))({"a": "a", "b": None, "c": 1}) == expected


@pytest.mark.parametrize(("strict", "expected"), [(True, None), (False, "a- ")])
def test_what_joins_takes_blank_text_for_null_but_not_text_that_has_a_name(
    *, strict: bool, expected: str | None
) -> None:
    source = Source()
    parts = [source.column("a"), source.value("-"), source.column("b")]
    assert source.function(source.joined(parts, str, strict=strict))({"a": "a", "b": " "}) == expected
    named = [source.value(""), source.column("a"), source.value(" "), source.column("b")]
    assert source.function(source.joined(named, str, strict=strict))({"a": "a", "b": "b"}) == "a b"
    assert source.function(source.joined([source.value(" ")], str, strict=strict))({}) == " "


def test_objects_hold_their_fields_in_order_without_those_that_are_null_and_are_made_anew() -> None:
    source = Source()
    fields = {"b": source.column("b"), "it's": source.column("a"), "c": source.value(3)}
    function = source.objects(fields, {}, {"d": source.column("b")})
    first, empty, last = function({"a": 1, "b": None})
    assert (list(first.items()), empty, last) == ([("it's", 1), ("c", 3)], {}, {})
    first["e"] = 1
    assert function({"a": 1, "b": 2}) == ({"b": 2, "it's": 1, "c": 3}, {}, {"d": 2})
    assert source.objects(fields)({"a": 0, "b": ""}) == ({"b": "", "it's": 0, "c": 3},)


def test_what_is_compiled_sees_nothing_of_other_sources() -> None:
    source, other = Source(), Source()
    name = source.value("mine")
    source.function(name)
    with pytest.raises(NameError):
        other.function(name)({})
