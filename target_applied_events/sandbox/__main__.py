"""Starts the sandbox: `python -m target_applied_events.sandbox`."""

from target_applied_events.sandbox.options import sandbox

sandbox(prog_name="sandbox")
