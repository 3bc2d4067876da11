"""Every setting declared once, and `Settings`: what the rest of the program sees of the config."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import platformdirs
from singer_sdk import typing as th

from target_applied_events.errors import SettingsError
from target_applied_events.settings import values
from target_applied_events.settings.reader import SettingReader
from target_applied_events.settings.values import DEFAULT_API_URL

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from target_applied_events.mapping import Declaration
    from target_applied_events.shard import Shard

PROGRAM = "target-applied-events"

# By environment every number comes as a string; the SDK's own IntegerType ends in a traceback where it is none.
_NUMBER = th.CustomType({"type": ["number", "string"]})

PROPERTIES = th.PropertiesList(
    th.Property(
        "api_key",
        th.StringType,
        required=True,
        secret=True,
        title="API key",
        description="The key of the Applied Labs API, sent as a bearer token.",
    ),
    th.Property(
        "shop_id",
        th.StringType,
        title="Shop ID",
        description="The shop that the events belong to, a uuid, sent as X-Shop-Id. "
        "Required unless every mapping has its own.",
    ),
    th.Property(
        "api_url",
        th.StringType,
        default=DEFAULT_API_URL,
        title="API URL",
        description="Where the API is. https only; plain http is allowed for loopback addresses alone.",
    ),
    th.Property(
        "mappings",
        th.ArrayType(th.ObjectType(additional_properties=True)),
        required=True,
        title="Mappings",
        description="How a record becomes an event: at least one, each for a stream or a pattern of streams.",
    ),
    th.Property(
        "unmapped_streams",
        th.StringType,
        default="error",
        allowed_values=["error", "ignore"],
        title="Unmapped streams",
        description="What a stream gets that no mapping matches: `error` stops the run at its SCHEMA, "
        "`ignore` passes over its records.",
    ),
    th.Property(
        "max_concurrency",
        _NUMBER,
        default=32,
        title="Max concurrency",
        description="The most requests in flight, 1 to 256. The target finds the right number below it by itself.",
    ),
    th.Property(
        "requests_per_second",
        _NUMBER,
        title="Requests per second",
        description="A cap of your own on requests a second, for all runs that share a ledger together.",
    ),
    th.Property(
        "request_timeout",
        _NUMBER,
        default=30,
        title="Request timeout",
        description="Seconds for one whole attempt; connecting gets at most 5 of them.",
    ),
    th.Property(
        "retry_timeout",
        _NUMBER,
        default=300,
        title="Retry timeout",
        description="Seconds an event is retried, from its first attempt, before the run stops or gives it up.",
    ),
    th.Property(
        "batch_size_rows",
        _NUMBER,
        default=1000,
        title="Batch size rows",
        description="Records handed over as one batch.",
    ),
    th.Property(
        "data_dir",
        th.StringType,
        title="Data directory",
        description="Where the ledger and rejected records are kept. "
        "Default: the platform's state directory for this program.",
    ),
    th.Property(
        "ledger_url",
        th.StringType,
        secret=True,
        title="Ledger URL",
        description="SQLAlchemy URL of the ledger. Default: SQLite in `data_dir`. PostgreSQL when several workers "
        "share it or `data_dir` doesn't outlive the worker. `none`: nothing is known across runs.",
    ),
    th.Property(
        "in_doubt",
        th.StringType,
        default="resend",
        allowed_values=["resend", "reject"],
        title="In doubt",
        description="What an event gets whose request may have been taken though no answer told: `resend` or `reject`.",
    ),
    th.Property(
        "shard",
        th.StringType,
        title="Shard",
        description="`2/8`: this run takes the contacts of shard 2 of 8 and passes over the others.",
    ),
    th.Property(
        "max_rejected",
        _NUMBER,
        default=0,
        title="Max rejected",
        description="More rejected records than this and the run, once all else is delivered, ends with status 1.",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of a run, checked; each is described in `PROPERTIES`.

    Attributes:
        declarations: The mappings as the user wrote them, parsed.
        origin: Scheme, host and port of `api_url`, as the ledger compares them.
        shard_identifier: What chooses the shard where a mapping has no `shard_by`.
    """

    api_key: str = field(repr=False)
    shop_id: str | None
    api_url: str
    origin: str
    declarations: tuple[Declaration, ...]
    unmapped_streams: Literal["error", "ignore"]
    max_concurrency: int
    requests_per_second: float | None
    request_timeout: float
    retry_timeout: float
    batch_size_rows: int
    data_dir: Path
    ledger_url: str = field(repr=False)
    in_doubt: Literal["resend", "reject"]
    shard: Shard | None
    shard_identifier: str | None
    max_rejected: int
    validate_records: bool

    @classmethod
    def read(cls, config: Mapping[str, object], *, offline: bool = False) -> Settings:
        """Check a config and build the settings from it.

        Args:
            config: The SDK's dict, defaults filled in or not.
            offline: Nothing will be sent: neither key nor shop is needed.

        Raises:
            SettingsError: With every problem at once; none shows a secret's value.
        """
        reader = SettingReader(config)
        api_url = reader.take("api_url", values.api_url, DEFAULT_API_URL)
        declarations = reader.mappings()
        data_dir = reader.take("data_dir", values.path, platformdirs.user_state_path(PROGRAM, appauthor=False))
        settings = cls(
            api_key=reader.take("api_key", values.api_key, "" if offline else None),
            shop_id=reader.shop_id(declarations, needed=not offline),
            api_url=api_url,
            origin=values.origin(api_url),
            declarations=declarations,
            unmapped_streams=reader.take("unmapped_streams", values.one_of("error", "ignore"), "error"),
            max_concurrency=reader.take("max_concurrency", values.whole(1, 256), 32),
            requests_per_second=reader.optional("requests_per_second", values.positive),
            request_timeout=reader.take("request_timeout", values.positive, 30.0),
            retry_timeout=reader.take("retry_timeout", values.positive, 300.0),
            batch_size_rows=reader.take("batch_size_rows", values.whole(1, 10_000), 1000),
            data_dir=data_dir,
            ledger_url=reader.take("ledger_url", values.ledger_url, f"sqlite:///{data_dir}/ledger.sqlite"),
            in_doubt=reader.take("in_doubt", values.one_of("resend", "reject"), "resend"),
            shard=reader.optional("shard", values.shard),
            shard_identifier=reader.shard_identifier(declarations),
            max_rejected=reader.take("max_rejected", values.whole(0, None), 0),
            validate_records=reader.take("validate_records", values.boolean, default=True),
        )
        if reader.problems:
            raise SettingsError(reader.problems)
        return settings
