"""From a record to its event: what users write, held against the schema, compiled once.

`declaration` reads a mapping, the package `template` each of its templates; `checking` holds them against the stream's
columns. `contract` says what the endpoint wants in each field, `fields` makes each of a record, and `compiled` puts the
event together and gives it its `identity`.
"""

from target_applied_events.mapping.compiled import Mapping, Passed, compile_mappings
from target_applied_events.mapping.declaration import KEYS, Declaration, declare
from target_applied_events.mapping.identity import record_key
from target_applied_events.mapping.matching import choose, clashes, near_miss

__all__ = [
    "KEYS",
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
