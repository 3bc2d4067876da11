"""The accounts of a run: each record and mapping in exactly one place at the end."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from target_applied_events.event import Reason


@dataclass(slots=True)
class Summary:
    """What became of what was read, counted by record and mapping.

    A record without a mapping's event (invalid, deleted, unmapped, of another shard) counts once.

    Attributes:
        read: Records times the mappings that apply to each.
        delivered: Events that the endpoint took.
        rejected: By reason.
        skipped_by_mapping: `when` was false or null.
        skipped_by_ledger: Delivered before.
        passed_over: Deleted and unmapped records, and those of another shard.
        retried: Attempts after an event's first.
        resent_in_doubt: Events sent although an earlier request may have been taken.
        rejected_records: Records of which at least one event was rejected.
        sharded_by_key: Events whose shard was chosen by their record's key, nothing else being there to choose by.
    """

    read: int = 0
    delivered: int = 0
    rejected: Counter[Reason] = field(default_factory=Counter)
    skipped_by_mapping: int = 0
    skipped_by_ledger: int = 0
    passed_over: int = 0
    retried: int = 0
    resent_in_doubt: int = 0
    rejected_records: int = 0
    sharded_by_key: int = 0

    @property
    def settled(self) -> int:
        """How many of those read have found their place."""
        skipped = self.skipped_by_mapping + self.skipped_by_ledger
        return self.delivered + skipped + self.passed_over + self.rejected.total()

    def figures(self) -> dict[str, Any]:
        """All of it, for a file."""
        counts = {item.name: getattr(self, item.name) for item in fields(self)}
        return {**counts, "rejected": dict(self.rejected), "unsettled": self.read - self.settled}

    def text(self, *, seconds: float, most_in_flight: int) -> str:
        """The line that sums up a run in its log.

        Args:
            seconds: How long the run took.
            most_in_flight: The most requests at once.
        """
        reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(self.rejected.items()))
        rejected = f"{self.rejected.total()} ({reasons})" if reasons else "0"
        return (
            f"Read {self.read}: delivered {self.delivered}, rejected {rejected}, "
            f"skipped {self.skipped_by_mapping} by mapping and {self.skipped_by_ledger} by the ledger, "
            f"passed over {self.passed_over}, unsettled {self.read - self.settled}. "
            f"Retried {self.retried}, resent in doubt {self.resent_in_doubt}, {seconds:.1f} s, "
            f"{self.delivered / seconds if seconds else 0:.1f} events a second, most in flight {most_in_flight}."
        )
