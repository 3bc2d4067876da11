"""What has been delivered before, kept across runs, and what nobody can tell."""

from __future__ import annotations

import json
import time
from datetime import UTC, date, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from target_applied_events.errors import LedgerError
from target_applied_events.event import Event, Standing
from target_applied_events.ledger.no_ledger import NoLedger
from target_applied_events.ledger.postgres import PostgresStore
from target_applied_events.ledger.sqlite import SqliteStore
from target_applied_events.ledger.tables import InDoubt, Intent, Notes, Opening, about, intents, shops
from target_applied_events.settings.ledger_url import NONE, ledger_url_problem, read_ledger_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from target_applied_events.ledger.tables import Store


REFRESH_DAYS = 30
"""When an event was last met is known to within so many days: a write for each skip would cost more than it tells."""

_CHUNK = 512
_MEETING = "this run was about to send: let runs that may meet the same events run one after the other."


class Ledger:
    """A delivery that was committed is known in every later run, and what was sent without an answer is in doubt.

    It is used by one thread at a time.
    """

    def __init__(self, store: Store, *, origin: str, run_id: str, clock: Callable[[], float] = time.time) -> None:
        """Keep the parts; `open_ledger` makes one.

        Args:
            store: The database, with this run's lock.
            origin: Scheme, host and port of the endpoint.
            run_id: The run's name.
            clock: Seconds since the epoch.
        """
        self._store = store
        self._origin = origin
        self._run_id = run_id
        self._clock = clock
        self._dead: set[str] = set()
        self._shops_in_flight: dict[bytes, str] = {}
        self._shops_noted: set[str] = set()

    def __repr__(self) -> str:
        """Tell the place, and how many events this run has intended and not ended."""
        return f"<Ledger {self._store!r} run={self._run_id} intended={len(self._shops_in_flight)}>"

    def opening(self) -> Opening:
        """Say what the ledger holds; costs the same for ten events and for millions."""
        created = self._store.rows(select(about.c.created_at))[0][0]
        return Opening(
            is_new=self._store.is_new,
            delivered=self._store.delivered_estimate(),
            since=datetime.fromtimestamp(created, UTC),
            in_doubt=sum(1 for _ in self.in_doubt()),
            place=self._store.place.removeprefix("The ledger "),
        )

    def standing(self, keys: Sequence[bytes]) -> dict[bytes, Standing]:
        """Tell what is known of each key, absent where nothing is; note that delivered ones were met.

        An event that this run itself has sent and not seen answered is in doubt too.

        Raises:
            LedgerError: Another run that lives is sending one of them.
        """
        known: dict[bytes, Standing] = {}
        stale: list[bytes] = []
        today = int(self._clock() // 86_400)
        for chunk in _chunks(dict.fromkeys(keys)):
            for key, met, run in self._store.look_up(chunk):
                if met is not None:
                    known[key] = Standing.DELIVERED
                    stale += [key] if today - met >= REFRESH_DAYS else []
                elif self._is_free(run):
                    known.setdefault(key, Standing.IN_DOUBT)
        if stale:
            self._store.meet(stale, today)
        return known

    def commit(
        self,
        *,
        intents: Sequence[Event] = (),
        delivered: Sequence[Event | bytes] = (),
        withdrawn: Sequence[bytes] = (),
    ) -> None:
        """Note what is about to be sent, what was taken and what came to nothing, in one transaction.

        The intent of a run that has ended is taken over. Where an intent meets a run that lives, all but the intents
        is noted.

        Raises:
            LedgerError: The ledger can't be written; or another run has sent one of the events, or is sending it.
        """
        taken = [item.key if isinstance(item, Event) else item for item in delivered]
        begun = {event.key: event for event in intents}
        notes = Notes(
            run=self._run_id,
            now=self._clock(),
            intents=[Intent.of(begun[key]) for key in sorted(begun)],
            delivered=taken,
            withdrawn=withdrawn,
            shops=self._new_shops(taken, delivered),
            dead=self._dead,
        )
        if not self._store.note(notes):
            self._take_over(notes.intents)
        for key in (*taken, *withdrawn):
            self._shops_in_flight.pop(key, None)
        self._shops_in_flight |= {event.key: event.shop_id for event in begun.values()}

    def _new_shops(self, taken: Sequence[bytes], delivered: Sequence[Event | bytes]) -> list[tuple[str, str]]:
        met = {self._shops_in_flight[key] for key in taken if key in self._shops_in_flight}
        met |= {item.shop_id for item in delivered if isinstance(item, Event)}
        new = met - self._shops_noted
        self._shops_noted |= new
        return [(self._origin, shop) for shop in sorted(new)]

    def _take_over(self, wanted: Sequence[Intent]) -> None:
        """Find the ended runs that hold intents of these keys, and note the intents in their place."""
        for key, met, run in self._store.look_up([intent.key for intent in wanted]):
            if met is not None:
                raise LedgerError(f"Another run has delivered an event (key {key.hex()}) that {_MEETING}")
            self._is_free(run)
        if not self._store.note(Notes(run=self._run_id, now=self._clock(), intents=wanted, dead=self._dead)):
            raise LedgerError(f"Another run has just taken an event that {_MEETING}")

    def _is_free(self, run: str | None) -> bool:
        """Return True where a run has ended or is this one.

        Raises:
            LedgerError: It lives, and names it.
        """
        if run is not None and run != self._run_id and run not in self._dead:
            if self._store.is_live(run):
                raise LedgerError(f"The run {run}, which shares this ledger, is sending an event that {_MEETING}")
            self._dead.add(run)
        return True

    def sync(self) -> None:
        """Return when all that was committed is on disk; to be called before a STATE leaves."""
        self._store.sync()

    def knows_delivery(self, shop_id: str) -> bool:
        """Whether a delivery to this endpoint's origin and this shop was ever noted."""
        if shop_id in self._shops_noted:
            return True
        row = select(shops.c.shop_id).where(shops.c.origin == self._origin, shops.c.shop_id == shop_id)
        return bool(self._store.rows(row))

    def in_doubt(self) -> Iterator[InDoubt]:
        """Yield the events that ended runs may have sent, oldest first; those of runs that live aren't in doubt."""
        rows = self._store.rows(select(intents).order_by(intents.c.since, intents.c.key))
        live = {
            run for run in {row.run for row in rows} - self._dead if run != self._run_id and self._store.is_live(run)
        }
        for row in rows:
            if row.run not in live and row.run != self._run_id:
                since = datetime.fromtimestamp(row.since, UTC)
                yield InDoubt(row.key, row.stream, json.loads(row.key_properties), since, row.run)

    def forget_before(self, day: date) -> int:
        """Delete all events that were surely last met before a day, delivered or in doubt.

        A delivered one may have been met up to 30 days later than is on record: it is kept so much longer.

        Returns:
            How many were deleted.
        """
        dead = {doubt.run for doubt in self.in_doubt()}
        days = (day - date(1970, 1, 1)).days
        return self._store.forget(met_before_day=days - REFRESH_DAYS + 1, sent_before=days * 86_400, dead=dead)

    def mark_delivered(self, events: Iterable[Event]) -> int:
        """Note events as delivered without sending them; how many weren't yet."""
        count = 0
        for chunk in _chunks(events):
            known = self.standing([event.key for event in chunk])
            new = {event.key: event for event in chunk if known.get(event.key) is not Standing.DELIVERED}
            self.commit(delivered=list(new.values()))
            count += len(new)
        self.sync()
        return count

    def reserve(self, bucket: str, permits: int, per_second: float) -> float:
        """Reserve requests of a rate that all runs on this ledger share.

        Used when they may be, they exceed the rate over any time by no more than the permits of one call.

        Returns:
            Seconds until these permits may be used, all at once.
        """
        wait, held = self._store.reserve(bucket, permits / per_second, 0)
        return max(wait, held, 0.0)

    def hold_all(self, bucket: str, seconds: float) -> None:
        """Let no run use permits of a bucket for so long."""
        self._store.reserve(bucket, 0, seconds)

    def held_for(self, bucket: str) -> float:
        """Seconds for which a bucket is held."""
        return max(self._store.reserve(bucket, 0, 0)[1], 0.0)

    def close(self) -> None:
        """Give the run's lock up: what it has intended and not ended is in doubt from now on."""
        self._store.close()


def open_ledger(url: str, *, origin: str, run_id: str, clock: Callable[[], float] = time.time) -> Ledger | NoLedger:
    """Open the ledger that `ledger_url` names, made if there is none, and take this run's lock.

    Args:
        url: The setting's value.
        origin: Scheme, host and port of the endpoint.
        run_id: The run's name, its own among all runs that ever share the ledger.
        clock: Seconds since the epoch; a rate shared in PostgreSQL goes by the server's own.

    Raises:
        LedgerError: It can't be used; a bad one is left as it is.
    """
    if problem := ledger_url_problem(url):
        raise LedgerError(f"{problem}.")
    if url == NONE:
        return NoLedger()
    read = read_ledger_url(url)
    sqlite = read.get_backend_name() == "sqlite"
    store = SqliteStore.open(read, run_id, clock) if sqlite else PostgresStore.open(read, run_id)
    return Ledger(store, origin=origin, run_id=run_id, clock=clock)


def _chunks(items: Iterable[Any]) -> Iterator[list[Any]]:
    rest = iter(items)
    while chunk := list(islice(rest, _CHUNK)):
        yield chunk
