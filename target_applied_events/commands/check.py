"""The `check` subcommand: whether a run would start, and what its mappings would do that may not be meant."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

import click
from singer_sdk.exceptions import SingerSDKError

from target_applied_events.client import Client
from target_applied_events.commands.catalog import as_messages
from target_applied_events.commands.dry_run import DryRun
from target_applied_events.commands.findings import Finding, Sign, of_mappings, of_reply, of_streams
from target_applied_events.commands.options import build_target, with_config
from target_applied_events.commands.places import of_data_dir, of_ledger
from target_applied_events.commands.terminal import counted, printable
from target_applied_events.errors import MappingError, SchemaError, SettingsError, TargetError
from target_applied_events.settings import values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk.plugin_base import _ConfigInput

    from target_applied_events.settings import Settings

_NO_SHOP = "00000000-0000-0000-0000-000000000000"


class SchemaRun(DryRun):
    """Holds the mappings against each SCHEMA of an input and collects what is wrong; records are passed over."""

    offline = False

    def __init__(self, **keywords: Any) -> None:  # noqa: ANN401 - the SDK's own
        """Start with nothing wrong."""
        super().__init__(**keywords)
        self.problems: list[str] = []
        self.streams: set[str] = set()
        self.columns: set[str] = set()

    @property
    def keyless(self) -> list[str]:
        """The streams that came without a primary key, by their names after stream maps."""
        return sorted(name for name, sink in self._sinks_active.items() if not sink.key_properties)

    def _process_schema_message(self, message_dict: dict[str, Any]) -> None:
        try:
            super()._process_schema_message(message_dict)
        except SchemaError as error:
            self.problems.append(str(error))
            return
        except MappingError as error:
            self.problems += error.problems
        self.streams.add(message_dict["stream"])
        self.columns.update(message_dict["schema"]["properties"])

    def _process_record_message(self, message_dict: dict[str, Any]) -> None:
        """Pass over it."""

    def _process_batch_message(self, message_dict: dict[str, Any]) -> None:
        """Pass over it."""


@click.command
@with_config
@click.option("--input", "file_input", type=click.File("r"), help="Messages whose schemas the mappings are held to.")
@click.option("--catalog", type=click.File("r", encoding="utf-8"), help="A tap's catalog, in place of --input.")
def check(config: _ConfigInput, *, file_input: IO[str] | None, catalog: IO[str] | None) -> None:
    """Check settings, mappings, ledger, key and shop, writing nothing; ends with status 1 where something is wrong."""
    if file_input is not None and catalog is not None:
        raise click.UsageError("--input and --catalog are two ways to give the schemas: give one of them.")
    wrong = 0
    for finding in _findings(config, file_input, catalog):
        mark, colour = finding.sign.value
        click.echo(f"{click.style(mark, fg=colour)} {printable(finding.text)}")
        wrong += finding.sign is Sign.WRONG
    if wrong:
        raise TargetError(f"{counted(wrong, 'check')} failed: see above.")


def _findings(config: _ConfigInput, file_input: IO[str] | None, catalog: IO[str] | None) -> Iterator[Finding]:
    try:
        target = build_target(config, SchemaRun)
    except SettingsError as error:
        yield from (Finding(Sign.WRONG, problem) for problem in error.problems)
        yield Finding(Sign.NOT_TRIED, "Ledger, key and shop: not looked at before the settings are right.")
        return
    except SingerSDKError as error:
        yield Finding(Sign.WRONG, f"stream_maps: {error}")
        return
    settings = target.settings
    mappings = counted(len(settings.declarations), "mapping")
    yield Finding(Sign.GOOD, f"The settings are as they should be, with {mappings}.")
    yield from _of_schemas(target, file_input, catalog)
    yield from of_mappings(settings.declarations, target.columns, adds=_adds_metadata(target))
    yield from of_streams(settings.declarations, target.keyless)
    yield of_data_dir(settings.data_dir)
    yield of_ledger(settings.ledger_url)
    yield from _of_endpoint(settings, target.plugin_version)


def _adds_metadata(target: SchemaRun) -> bool:
    given = target.config.get("add_record_metadata")
    return not values.is_absent(given) and values.boolean(given)


def _of_schemas(target: SchemaRun, file_input: IO[str] | None, catalog: IO[str] | None) -> Iterator[Finding]:
    if file_input is None and catalog is None:
        yield Finding(Sign.NOT_TRIED, "mappings: not held against a schema; --input or --catalog gives the tap's.")
        return
    try:
        target.look(as_messages(catalog) if catalog is not None else file_input, lambda _: None)
    except (TargetError, SingerSDKError) as error:
        yield Finding(Sign.WRONG, f"{'--catalog' if catalog is not None else '--input'}: {error}")
        return
    yield from (Finding(Sign.WRONG, problem) for problem in target.problems)
    if not target.problems:
        names = ", ".join(sorted(target.streams)) or "none"
        yield Finding(Sign.GOOD, f"mappings: they suit the schemas of the streams: {names}.")
    for declaration in target.settings.declarations:
        if declaration.label not in target.receiver.met:
            yield Finding(Sign.WARNING, f"{declaration.label}: met no stream, {declaration.stream} isn't among them.")


def _of_endpoint(settings: Settings, version: str) -> Iterator[Finding]:
    try:
        client = Client(
            api_url=settings.api_url,
            api_key=settings.api_key,
            timeout_seconds=settings.request_timeout,
            user_agent=f"target-applied-events/{version}",
        )
    except SettingsError as error:
        yield from (Finding(Sign.WRONG, problem) for problem in error.problems)
        return
    asked: list[str | None] = [*_shops(settings)] or [None]
    for shop_id in asked:
        yield from of_reply(client.contacts(shop_id or _NO_SHOP), origin=settings.origin, shop_id=shop_id)
    client.close()


def _shops(settings: Settings) -> list[str]:
    """The shops that are known before a record is: the setting's, and those that mappings name outright."""
    own = [declaration.fields.get("shop_id") for declaration in settings.declarations]
    named = [str(template.source).strip().lower() for template in own if template is not None and template.is_constant]
    return list(dict.fromkeys([*([settings.shop_id] if settings.shop_id else []), *named]))
