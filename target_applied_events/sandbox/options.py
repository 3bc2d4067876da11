"""The sandbox's command line."""

from __future__ import annotations

import json
import random
import shlex
import sqlite3
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import click

from target_applied_events.sandbox.contract import Rules
from target_applied_events.sandbox.declared import read_faults
from target_applied_events.sandbox.faults import KINDS, Fault, Faults

if TYPE_CHECKING:
    from target_applied_events.sandbox.endpoint import Endpoint

_EXAMPLE = {"api_key": "AL-sandbox", "shop_id": "66e4a5f0-0000-4000-8000-000000000001"}


def _read_fault_options(_context: click.Context, _option: click.Parameter, texts: tuple[str, ...]) -> list[Fault]:
    try:
        return read_faults([_fault_option(text) for text in texts])
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _fault_option(text: str) -> dict[str, Any]:
    kind, *settings = shlex.split(text) or [""]
    pairs = [setting.partition("=") for setting in settings]
    return {"kind": kind, **{name: _json_or_text(value) for name, _, value in pairs}}


def _json_or_text(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


@click.command(short_help="Start the endpoint on your desk.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="The port to listen at; 0 takes a free one.",
)
@click.option("--data", default=":memory:", help="A file to keep all in; without it all ends with the process.")
@click.option("--api-key", default=None, help="The one key that is good; without it, any that begins with AL.")
@click.option(
    "--fault",
    "faults",
    multiple=True,
    callback=_read_fault_options,
    help="A fault to begin with, such as 'status status=503 share=0.1' or 'latency seconds=0.2 jitter_seconds=0.1'; "
    f"may be given again. Kinds: {', '.join(KINDS)}.",
)
@click.option("--seed", type=int, default=None, help="Makes faults meet the same requests again.")
@click.option("--max-body", default=1 << 20, show_default=True, help="The largest body taken, in bytes.")
@click.option("--allow-unknown-fields", is_flag=True, help="Take fields that aren't documented.")
@click.option("--allow-nulls", is_flag=True, help="Take null for a missing field.")
@click.option("--allow-anonymous", is_flag=True, help="Take contacts without email, phone and remote_id.")
def sandbox(  # noqa: PLR0913 - an argument for each option
    *,
    host: str,
    port: int,
    data: str,
    api_key: str | None,
    faults: list[Fault],
    seed: int | None,
    max_body: int,
    allow_unknown_fields: bool,
    allow_nulls: bool,
    allow_anonymous: bool,
) -> None:
    """Start the endpoint on your desk.

    It takes events as the Applied Labs endpoint is documented to, shows what arrived on a page, and fails on request.
    It sends nothing anywhere.
    """
    _need_the_extra()
    rules = Rules(api_key, max_body, allow_unknown_fields, allow_nulls, allow_anonymous)
    dice = random.Random(seed)  # noqa: S311 - dice for faults, no secret
    _serve(host, port, _endpoint(data, rules, Faults(faults, dice)))


def _need_the_extra() -> None:
    missing = next((name for name in ("starlette", "uvicorn") if find_spec(name) is None), None)
    if missing:
        raise click.ClickException(f"The sandbox needs {missing}: pip install 'target-applied-events[sandbox]'")


def _endpoint(data: str, rules: Rules, faults: Faults) -> Endpoint:
    from target_applied_events.sandbox.endpoint import Endpoint  # noqa: PLC0415 - its libraries are an extra
    from target_applied_events.sandbox.store import Store  # noqa: PLC0415 - as above

    try:
        return Endpoint(Store(data), rules, faults)
    except sqlite3.Error as error:
        raise click.ClickException(f"--data {data} can't be used: {error}. Give another file.") from None


def _serve(host: str, port: int, endpoint: Endpoint) -> None:
    from target_applied_events.sandbox.server import is_loopback, listen, serve  # noqa: PLC0415 - as above

    try:
        listener = listen(host, port)
    except OSError as error:
        endpoint.store.close()
        why = str(error.strerror or error).partition(" (while")[0]
        message = f"Can't listen at {host}, port {port}: {why}. See --host and --port; --port 0 takes a free one."
        raise click.ClickException(message) from None
    if not is_loopback(host):
        click.secho(f"Whoever can reach {host} can read and clear what arrives here.", fg="yellow", err=True)
    port = listener.getsockname()[1]
    serve(endpoint, listener, lambda: click.echo(_greeting(host, port)))


def _greeting(host: str, port: int) -> str:
    base = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    config = json.dumps({"api_url": f"{base}/v2026-04", **_EXAMPLE}, indent=2)
    return (
        f"The sandbox is at {base} and shows what arrives. Ctrl-C ends it.\n\n"
        f"To send to it, put this into the target's config:\n\n{config}"
    )
