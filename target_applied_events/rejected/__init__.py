"""Rejected records: what was given up, kept so that it can be sent again.

`{data_dir}/rejected` holds the files of which something is left to do. One that is done with is moved to `done` in
it; beside those stand the hashes of the records that people said they'll never send.
"""

from target_applied_events.rejected.done import DONE, KeptFile, record_hash
from target_applied_events.rejected.fed_back import FedBack, MappedStream
from target_applied_events.rejected.table import RejectedTable
from target_applied_events.rejected.writing import RejectedRecords

__all__ = ["DONE", "FedBack", "KeptFile", "MappedStream", "RejectedRecords", "RejectedTable", "record_hash"]
