"""The `sandbox` subcommand: the endpoint on your desk."""

from target_applied_events.sandbox.options import sandbox

__all__ = ["sandbox"]
