"""Settings are checked all at once, before anything is read, and no secret is ever shown."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_applied_events.errors import SettingsError
from target_applied_events.settings import PROPERTIES, Settings
from target_applied_events.shard import Shard

SHOP = "66e4c0de-0000-4000-8000-000000000001"
MAPPING = {"stream": "orders", "name": "Order placed", "contact": {"email": "{{ email }}"}}


def config(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - any value may stand in a config
    return {"api_key": "AL-key", "shop_id": SHOP, "mappings": [MAPPING], **changes}


def problems(**changes: Any) -> list[str]:  # noqa: ANN401 - as above
    with pytest.raises(SettingsError) as caught:
        Settings.read(config(**changes))
    return list(caught.value.problems)


def test_the_defaults_are_those_that_the_table_shows() -> None:
    settings = Settings.read(config())
    schema = PROPERTIES.to_dict()["properties"]
    for name in ("api_url", "max_concurrency", "request_timeout", "retry_timeout", "batch_size_rows", "max_rejected"):
        assert getattr(settings, name) == schema[name]["default"]
    assert (settings.unmapped_streams, settings.in_doubt) == ("error", "resend")
    assert settings.ledger_url == f"sqlite:///{settings.data_dir}/ledger.sqlite"
    assert (settings.shard, settings.requests_per_second) == (None, None)


def test_every_setting_has_a_title_and_a_description() -> None:
    for schema in PROPERTIES.to_dict()["properties"].values():
        assert schema["title"]
        assert schema["description"].endswith((".", "`"))


def test_all_wrong_settings_are_told_at_once_each_with_what_it_should_be() -> None:
    told = problems(
        api_key="white space",
        shop_id="no-uuid",
        api_url="http://example.com",
        mappings=[],
        unmapped_streams="perhaps",
        max_concurrency=257,
        request_timeout=0,
        shard="9/8",
        max_rejected=-1,
    )
    assert [problem.split(" ", 1)[0] for problem in sorted(told)] == [
        "api_key",
        "api_url",
        "mappings",
        "max_concurrency",
        "max_rejected",
        "request_timeout",
        "shard",
        "shop_id",
        "unmapped_streams",
    ]
    assert all(problem.endswith(".") for problem in told)


def test_missing_settings_are_told_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.read({})
    told = "\n".join(caught.value.problems)
    assert "api_key is missing; it is required." in told
    assert "mappings is missing" in told


@pytest.mark.parametrize(("given", "seen"), [(dict(MAPPING), "an object"), ("- stream: rows", "text")])
def test_mappings_that_are_no_list_are_told_as_what_they_are(given: object, seen: str) -> None:
    assert problems(mappings=given) == [
        f"mappings is {seen}; it must be a list of at least one mapping, in YAML each begins with `- stream:`."
    ]


def test_a_shop_is_needed_unless_every_mapping_has_its_own() -> None:
    own = {**MAPPING, "shop_id": "{{ shop_uuid }}"}
    assert Settings.read(config(shop_id=None, mappings=[own])).shop_id is None
    assert problems(shop_id=None, mappings=[own, MAPPING]) == [
        "shop_id is missing; it is required unless every mapping has its own (mappings[1] has none)."
    ]


def test_offline_neither_key_nor_shop_is_needed() -> None:
    assert Settings.read({"mappings": [MAPPING]}, offline=True).api_key == ""


@pytest.mark.parametrize("key", ["two words", "line\nbreak", "tab\t", "umläut", "nul\x00", "del\x7f", 7, ["AL"]])
def test_a_key_that_is_no_header_is_refused_and_never_shown(key: object) -> None:
    (problem,) = problems(api_key=key)
    assert problem.startswith("api_key must be")
    assert str(key) not in problem


def test_neither_key_nor_ledger_address_is_in_the_repr() -> None:
    settings = Settings.read(config(api_key="AL-s3cret", ledger_url="postgresql://me:p4ss@db/ledger"))
    assert "s3cret" not in repr(settings)
    assert "p4ss" not in repr(settings)


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
    settings = Settings.read(config(api_url=address))
    assert settings.origin == origin
    assert not settings.api_url.endswith("/")


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
    (problem,) = problems(api_url=address)
    assert problem.startswith("api_url must")


@pytest.mark.parametrize(
    ("value", "number"), [("16", 16), (16, 16), (16.0, 16), ("16.0", 16), (" 16 ", 16), (Decimal(16), 16)]
)
def test_numbers_may_come_as_text(value: object, number: int) -> None:
    assert Settings.read(config(max_concurrency=value)).max_concurrency == number


@pytest.mark.parametrize("value", ["", None])
def test_an_empty_setting_means_its_default(value: object) -> None:
    settings = Settings.read(config(max_concurrency=value, ledger_url=value, shard=value))
    assert (settings.max_concurrency, settings.shard) == (32, None)


@pytest.mark.parametrize("value", ["many", "1e", True, [], 1.5, "NaN", "Infinity", 0, 257, "1e400", "9" * 5000])
def test_what_is_no_fitting_number_is_refused(value: object) -> None:
    (problem,) = problems(max_concurrency=value)
    assert problem.startswith("max_concurrency must be")


def test_a_home_directory_is_understood() -> None:
    assert Settings.read(config(data_dir="~/events")).data_dir == Path.home() / "events"


def test_the_shard_is_read() -> None:
    settings = Settings.read(config(shard="2/8"))
    assert (settings.shard, settings.shard_identifier) == (Shard(2, 8), "email")


def test_a_shard_asks_for_what_chooses_it_where_no_identifier_is_in_every_mapping() -> None:
    by_phone = {**MAPPING, "contact": {"phone": "{{ phone }}"}}
    (problem,) = problems(shard="2/8", mappings=[MAPPING, by_phone])
    assert problem.startswith("shard needs one identifier")
    assert "shard_by" in problem
    own = {**by_phone, "shard_by": "{{ account }}"}
    assert Settings.read(config(shard="2/8", mappings=[MAPPING, own])).shard_identifier == "email"
    both = {**MAPPING, "contact": {"email": "{{ email }}", "remote_id": "{{ id }}"}}
    assert Settings.read(config(shard="2/8", mappings=[both, both | {"name": "Other"}])).shard_identifier == "remote_id"


@given(
    st.dictionaries(
        st.sampled_from(sorted(PROPERTIES.to_dict()["properties"])),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        ),
    )
)
def test_whatever_a_config_holds_it_is_read_or_refused(anything: dict[str, Any]) -> None:
    try:
        told = [repr(Settings.read(anything))]
    except SettingsError as error:
        told = list(error.problems)
    assert told
