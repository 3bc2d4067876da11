"""From what is handed over to what is settled: when each event may go, what its reply means, what is on record.

`Dispatcher` has the thread, `Delivery` the course of each event. On its way `lanes` and `pace` say when it may go,
`departures` lets it go once it is noted, `retry` judges what came back, `settlement` takes down how it ended, and
`watermark` lets STATE out.
"""

from target_applied_events.delivery.delivery import Delivery
from target_applied_events.delivery.dispatch import Dispatcher
from target_applied_events.delivery.flight import Policy
from target_applied_events.delivery.pace import Pace
from target_applied_events.delivery.shared_pace import SharedPace, bucket_of

__all__ = ["Delivery", "Dispatcher", "Pace", "Policy", "SharedPace", "bucket_of"]
