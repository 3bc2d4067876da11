"""Settings are checked all at once, before anything is read, and no secret is ever shown."""

from __future__ import annotations

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
    assert settings.origin == "https://core.appliedlabs.ai:443"


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


def test_offline_neither_key_nor_shop_is_needed() -> None:
    assert Settings.read({"mappings": [MAPPING]}, offline=True).api_key == ""


def test_neither_key_nor_ledger_address_is_in_the_repr() -> None:
    settings = Settings.read(config(api_key="AL-s3cret", ledger_url="postgresql://me:p4ss@db/ledger"))
    assert "s3cret" not in repr(settings)
    assert "p4ss" not in repr(settings)


@pytest.mark.parametrize("value", ["", None])
def test_an_empty_setting_means_its_default(value: object) -> None:
    settings = Settings.read(config(max_concurrency=value, ledger_url=value, shard=value))
    assert (settings.max_concurrency, settings.shard) == (32, None)


def test_the_shard_is_read() -> None:
    settings = Settings.read(config(shard="2/8"))
    assert (settings.shard, settings.shard_identifier) == (Shard(2, 8), "email")


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
