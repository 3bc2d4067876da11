"""From a record to its event: what users write, held against the schema, compiled once."""

from target_applied_events.mapping.compiled import Mapping, Passed, compile_mappings
from target_applied_events.mapping.declaration import Declaration, declare
from target_applied_events.mapping.identity import record_key
from target_applied_events.mapping.matching import choose, clashes, near_miss

__all__ = [
    "Declaration",
    "Mapping",
    "Passed",
    "choose",
    "clashes",
    "compile_mappings",
    "declare",
    "near_miss",
    "record_key",
]
