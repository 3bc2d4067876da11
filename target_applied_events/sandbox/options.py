"""The sandbox's command line."""

from __future__ import annotations

import click

from target_applied_events.sandbox.contract import Rules


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--port", default=8080, show_default=True, help="The port to listen at; 0 takes a free one.")
@click.option("--data", default=":memory:", help="A file to keep events in; without it they end with the process.")
@click.option("--api-key", default=None, help="The one key that is good; else any that begins with AL.")
def sandbox(host: str, port: int, data: str, api_key: str | None) -> None:
    """Start the endpoint on your desk."""
    try:
        from target_applied_events.sandbox.server import serve  # noqa: PLC0415 - its libraries are an extra
    except ModuleNotFoundError as error:
        missing = f"{error.name} is missing; pip install 'target-applied-events[sandbox]'"
        raise click.ClickException(f"The sandbox needs its extra: {missing}") from None
    serve(host, port, data, Rules(api_key=api_key))
