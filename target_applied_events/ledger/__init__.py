"""The ledger: an answer to whether an event was sent before, in whatever database it is kept."""

from target_applied_events.ledger.ledger import REFRESH_DAYS, Ledger, open_ledger
from target_applied_events.ledger.no_ledger import NoLedger
from target_applied_events.ledger.timed import TimedLedger

__all__ = ["REFRESH_DAYS", "Ledger", "NoLedger", "TimedLedger", "open_ledger"]
