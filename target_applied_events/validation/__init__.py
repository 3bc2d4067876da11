"""A stream's schema, compiled: which of its rules a record breaks."""

from target_applied_events.validation.validator import Validator

__all__ = ["Validator"]
