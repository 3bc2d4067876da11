from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_applied_events.settings import values
from target_applied_events.shard import Shard

if TYPE_CHECKING:
    from collections.abc import Callable

UUID = "66e4c0de-0000-4000-8000-000000000001"
CHECKS: dict[str, Callable[[object], object]] = {
    "text": values.text,
    "path": values.path,
    "api_key": values.api_key,
    "uuid_text": values.uuid_text,
    "one_of": values.one_of("error", "ignore"),
    "positive": values.positive,
    "whole": values.whole(1, 256),
    "whole without an end": values.whole(0, None),
    "boolean": values.boolean,
    "shard": values.shard,
    "api_url": values.api_url,
    "ledger_url": values.ledger_url,
}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.decimals() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
@given(value=ANYTHING)
def test_any_value_is_taken_or_told_in_a_sentence_that_goes_on_from_the_settings_name(
    check: Callable[[object], object], value: object
) -> None:
    try:
        check(value)
    except ValueError as wrong:
        said = str(wrong)
    else:
        said = "must be told nothing."
    assert said.startswith(("must ", "is ", "names ", "lacks "))
    assert said.endswith(".")


@pytest.mark.parametrize("value", [None, ""])
def test_null_and_an_empty_text_are_a_setting_that_isnt_given(value: object) -> None:
    assert values.is_absent(value)


@pytest.mark.parametrize("value", [0, False, [], {}, " "])
def test_whatever_else_counts_as_false_is_given(value: object) -> None:
    assert not values.is_absent(value)


@pytest.mark.parametrize("key", ["two words", "line\nbreak", "tab\t", "umläut", "nul\x00", "del\x7f", 7, ["AL"]])
def test_a_key_that_is_no_header_is_refused_and_never_shown(key: object) -> None:
    with pytest.raises(ValueError, match=r"^must be") as refused:
        values.api_key(key)
    assert str(key) not in str(refused.value)


@pytest.mark.parametrize("written", [UUID, UUID.upper(), f"{{{UUID}}}", f"urn:uuid:{UUID}", UUID.replace("-", "")])
def test_a_uuid_however_it_is_written_comes_out_in_its_usual_form(written: str) -> None:
    assert values.uuid_text(written) == UUID


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("https://core.appliedlabs.ai/v2026-04/", "https://core.appliedlabs.ai:443"),
        ("https://Core.AppliedLabs.ai:8443/x", "https://core.appliedlabs.ai:8443"),
        ("http://127.0.0.1:8080/v2026-04", "http://127.0.0.1:8080"),
        ("http://localhost/v2026-04", "http://localhost:80"),
        ("http://[::1]:8080/v2026-04", "http://[::1]:8080"),
    ],
)
def test_https_anywhere_and_http_on_loopback_is_let_pass(address: str, origin: str) -> None:
    passed = values.api_url(address)
    assert passed == address.rstrip("/")
    assert values.origin(passed) == origin


@pytest.mark.parametrize(
    "address",
    [
        "http://example.com",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://2130706433",
        "ftp://example.com",
        "example.com",
        "https://",
        "https://user:pass@example.com",
        "https://example.com/?q=1",
        "https://example.com/#x",
        "https://example.com/v2026-04/events/",
        "https://example.com:port",
        "https://exa mple.com",
        "https://example.com/\n",
        "https://[::1",
        7,
    ],
)
def test_any_other_address_is_refused(address: object) -> None:
    with pytest.raises(ValueError, match=r"^must "):
        values.api_url(address)


@given(host=st.from_regex(r"[a-zA-Z0-9-]{1,9}(\.[a-zA-Z]{2,5})?", fullmatch=True), port=st.integers(1, 65_535))
def test_addresses_that_differ_in_case_path_or_a_port_that_goes_without_saying_have_one_origin(
    host: str, port: int
) -> None:
    address = f"https://{host}:{port}"
    alike = {address, address.upper(), f"{address}/v2", *([f"https://{host}"] * (port == 443))}
    assert {values.origin(values.api_url(written)) for written in alike} == {address.lower()}


@pytest.mark.parametrize("value", ["16", 16, 16.0, "16.0", " 16 ", "1.6e1", Decimal(16)])
def test_a_whole_number_may_come_as_text_and_with_a_fraction_of_nothing(value: object) -> None:
    found = values.whole(16, 16)(value)
    assert (found, type(found)) == (16, int)


@pytest.mark.parametrize(
    "value", ["many", "1e", True, [], 1.5, "NaN", "Infinity", 0, 257, "1e400", "9" * 5000, 10**5000], ids=range(12)
)
def test_what_is_no_whole_number_within_its_bounds_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"^must be a (whole number from 1 to 256|number)\.$"):
        values.whole(1, 256)(value)


@pytest.mark.parametrize("value", [0, -1, "0", "-0.0", "NaN", "1e-400", "1e10", True, None])
def test_what_is_not_above_zero_or_beyond_all_sense_is_no_positive_number(value: object) -> None:
    with pytest.raises(ValueError, match=r"^must be a number"):
        values.positive(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(True, True), ("TRUE", True), ("1", True), (1, True), ("on", True), (False, False), ("No", False), (0, False)],
)
def test_a_truth_value_may_come_as_the_words_of_an_environment(value: object, *, expected: bool) -> None:
    assert values.boolean(value) is expected


@given(number=st.integers(0, 12_000), count=st.integers(0, 12_000))
def test_a_shard_is_one_of_as_many_as_there_are_and_any_other_is_refused(number: int, count: int) -> None:
    if 1 <= number <= count <= 9999:
        assert values.shard(f" {number}/{count} ") == Shard(number, count)
    else:
        with pytest.raises(ValueError, match="must be written as 2/8"):
            values.shard(f"{number}/{count}")


def test_a_home_directory_is_understood_and_what_no_path_can_hold_is_refused() -> None:
    assert values.path("~/events") == Path.home() / "events"
    with pytest.raises(ValueError, match="must be a path"):
        values.path("events\0")


def test_a_ledgers_address_is_refused_by_what_is_wrong_with_it_and_never_shown() -> None:
    assert values.ledger_url("none") == "none"
    with pytest.raises(ValueError, match=r"^is of a kind that can't hold a ledger") as refused:
        values.ledger_url("mysql://me:p4ss@db/ledger")
    assert "p4ss" not in str(refused.value)
