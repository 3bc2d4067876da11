"""Attempts over HTTP: the request's bytes, the way to the endpoint, the connections, the answers.

`Client` is what others use. `route` finds the way and `opening` opens it, `request` writes what goes over the `wire`,
`answer` reads what comes back, and `attempts` has many of these under way at once.
"""

from target_applied_events.client.attempts import Client

__all__ = ["Client"]
