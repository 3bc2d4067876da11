"""Which shard an event falls into."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shard:
    """One of several runs that share the work: of each value, exactly one of them is in charge.

    Attributes:
        number: This run's, counted from 1.
        count: How many there are.
    """

    number: int
    count: int

    def holds(self, value: str) -> bool:
        """Whether this run is in charge of what this value chooses."""
        return shard_of(value, self.count) == self.number


def shard_of(value: str, count: int) -> int:
    """Choose a shard, from 1 to `count`: the same for the same value on every machine and in every release."""
    digest = hashlib.blake2b(value.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest) % count + 1


def shard_identifier(contacts: list[frozenset[str]]) -> str | None:
    """Choose by which identifier contacts fall into shards.

    Args:
        contacts: For each mapping with a contact, the identifiers that it names.

    Returns:
        The first of remote_id, email and phone that all of them name; None where there is none.
    """
    return next((kind for kind in ("remote_id", "email", "phone") if all(kind in named for named in contacts)), None)
