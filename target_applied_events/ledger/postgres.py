"""A ledger in PostgreSQL, shared by the runs of many machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from target_applied_events.ledger.postgres_session import PostgresSession, UndoneError, lock_of
from target_applied_events.ledger.tables import LOOK_UP, RESERVE, Notes

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import URL, Row, Select

_COUNTED = 100_000

_LOOK_UP = LOOK_UP.format(among="= ANY(%(keys)s::bytea[])")

# One statement is one transaction, and one round trip. Where an intent isn't free, a division by zero undoes it all.
_NOTE = """
WITH put AS (
  INSERT INTO applied_events_delivered (key, met) SELECT unnest(%(delivered)s::bytea[]), %(day)s ON CONFLICT DO NOTHING
), ended AS (
  DELETE FROM applied_events_intents
  WHERE key = ANY(%(delivered)s::bytea[]) OR (key = ANY(%(withdrawn)s::bytea[]) AND run = %(run)s)
), shop AS (
  INSERT INTO applied_events_shops (origin, shop_id) SELECT * FROM unnest(%(origins)s::text[], %(shops)s::text[])
  ON CONFLICT DO NOTHING
), begun AS (
  INSERT INTO applied_events_intents (key, run, since, stream, key_properties)
  SELECT new.key, %(run)s, %(since)s, new.stream, new.key_properties
  FROM unnest(%(keys)s::bytea[], %(streams)s::text[], %(properties)s::text[]) AS new (key, stream, key_properties)
  WHERE NOT EXISTS (SELECT FROM applied_events_delivered AS known WHERE known.key = new.key)
  AND new.key <> ALL(%(delivered)s::bytea[])
  ON CONFLICT (key) DO UPDATE
  SET run = excluded.run, since = excluded.since, stream = excluded.stream, key_properties = excluded.key_properties
  WHERE applied_events_intents.run = excluded.run OR applied_events_intents.run = ANY(%(dead)s::text[])
  RETURNING 1
)
SELECT pg_backend_pid() / (SELECT (count(*) = cardinality(%(keys)s::bytea[]))::int FROM begun)
"""

_MEET = "UPDATE applied_events_delivered SET met = %(day)s WHERE key = ANY(%(keys)s::bytea[])"

_FORGET = """
WITH gone AS (DELETE FROM applied_events_delivered WHERE met < %(day)s RETURNING 1), doubted AS (
  DELETE FROM applied_events_intents WHERE since < %(time)s AND run = ANY(%(dead)s::text[]) RETURNING 1
)
SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM doubted)
"""

_RESERVE = RESERVE.format(
    bucket="%(bucket)s::text",
    now="extract(epoch FROM statement_timestamp())::float8",
    cost="%(cost)s::float8",
    hold="%(hold)s::float8",
    most="greatest",
)

_IS_FREE = "SELECT pg_try_advisory_xact_lock_shared(%(lock)s)"
_ESTIMATE = "SELECT reltuples FROM pg_class WHERE oid = 'applied_events_delivered'::regclass"
_SOME = f"SELECT count(*) FROM (SELECT FROM applied_events_delivered LIMIT {_COUNTED}) AS counted"  # noqa: S608 - a constant


class PostgresStore:
    """What `note` returned from is on the server's disk."""

    def __init__(self, session: PostgresSession) -> None:
        """Keep the session, with the run's lock."""
        self.place = session.place
        self.is_new = session.is_new
        self._session = session

    def __repr__(self) -> str:
        """Tell the session's state."""
        return f"<PostgresStore {self._session!r}>"

    @classmethod
    def open(cls, url: URL, run: str) -> Self:
        """Open the ledger of a database, made if there is none, and take the run's lock.

        Raises:
            LedgerError: It can't be used, or is reached by a pool that can't hold a session's lock.
        """
        return cls(PostgresSession.open(url, run))

    def rows(self, query: Select[Any]) -> Sequence[Row[Any]]:
        """Ask what is asked seldom."""
        return self._session.query(query)

    def look_up(self, keys: Sequence[bytes]) -> Sequence[Any]:
        """Return key and day for what was delivered, key and run for what was intended."""
        return self._session.ask(_LOOK_UP, {"keys": list(keys)})

    def note(self, notes: Notes) -> bool:
        """Note all of it in one transaction; False where an intent wasn't free: then all but the intents is noted."""
        begun = {intent.key for intent in notes.intents}
        values = {
            "run": notes.run,
            "since": int(notes.now),
            "day": notes.day,
            "delivered": list(notes.delivered),
            "withdrawn": [key for key in notes.withdrawn if key not in begun],
            "origins": [origin for origin, _ in notes.shops],
            "shops": [shop for _, shop in notes.shops],
            "keys": [intent.key for intent in notes.intents],
            "streams": [intent.stream for intent in notes.intents],
            "properties": [intent.key_properties for intent in notes.intents],
            "dead": sorted(notes.dead),
        }
        try:
            self._session.check_backend(self._session.ask(_NOTE, values)[0][0])
        except UndoneError:
            rest = {"keys": [], "streams": [], "properties": [], "withdrawn": list(notes.withdrawn)}
            self._session.ask(_NOTE, values | rest)
            return False
        return True

    def meet(self, keys: Sequence[bytes], day: int) -> None:
        """Note that delivered events were met again."""
        self._session.ask(_MEET, {"keys": list(keys), "day": day})

    def is_live(self, run: str) -> bool:
        """Whether another run still holds its lock."""
        return not self._session.ask(_IS_FREE, {"lock": lock_of(run)})[0][0]

    def sync(self) -> None:
        """Return: a commit returns when it's on the server's disk."""

    def delivered_estimate(self) -> int:
        """Tell how many events were delivered: counted to some number, beyond it by the server's statistics."""
        counted = int(self._session.ask(_SOME)[0][0])
        if counted < _COUNTED:
            return counted
        return max(counted, int(self._session.ask(_ESTIMATE)[0][0]))

    def forget(self, *, met_before_day: int, sent_before: int, dead: Collection[str]) -> int:
        """Delete what was last met before a day, and dead runs' intents from before a time; how many."""
        values = {"day": met_before_day, "time": sent_before, "dead": sorted(dead)}
        return int(self._session.ask(_FORGET, values)[0][0])

    def reserve(self, bucket: str, cost_seconds: float, hold_seconds: float) -> tuple[float, float]:
        """Move a bucket's next free moment on; seconds until the one before it, and until its hold ends."""
        values = {"bucket": bucket, "cost": cost_seconds, "hold": hold_seconds}
        wait, held = self._session.ask(_RESERVE, values)[0]
        return float(wait), float(held)

    def close(self) -> None:
        """End the session, and the lock with it."""
        self._session.close()
