"""One run: its parts, built from the settings, and the batch that is being filled."""

from __future__ import annotations

import logging
import random
import secrets
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from target_applied_events.client import Client
from target_applied_events.delivery import Delivery, Dispatcher, Pace, Policy, SharedPace, bucket_of
from target_applied_events.errors import InternalError, RejectedRecordsError, StopReading
from target_applied_events.handover import HeldState, Item
from target_applied_events.ledger import TimedLedger, open_ledger
from target_applied_events.progress import Snapshot, start_progress
from target_applied_events.rejected import KeptFile, RejectedRecords, RejectedTable
from target_applied_events.report import write_report
from target_applied_events.state import write_state
from target_applied_events.summary import Summary

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from target_applied_events.ledger import Ledger, NoLedger
    from target_applied_events.settings import Settings

BATCH_SECONDS = 0.1

logger = logging.getLogger("target-applied-events")


class Run:
    """Items are handed over in the order read; a batch closes at `batch_size_rows`, after 100 ms or at the end.

    Attributes:
        run_id: The run's name in the ledger, in files and in the log.
        settings: What governs it.
        summary: Its accounts.
        met: The mappings that a stream was found for, by label.
    """

    def __init__(self, settings: Settings, *, version: str, check_interrupted: Callable[[], None]) -> None:
        """Build the parts, open the ledger and set the dispatcher going.

        Args:
            settings: What governs the run.
            version: This program's version, told to the endpoint.
            check_interrupted: Raises StopReading where the run is asked to end.

        Raises:
            LedgerError: The ledger can't be opened.
            SettingsError: The proxy or the certificates of the environment can't be used.
        """
        self.settings = settings
        self.run_id = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
        self.summary = Summary()
        self.met: set[str] = set()
        self._check_interrupted = check_interrupted
        self._batch: list[Item] = []
        self._batch_since = self._started = time.monotonic()
        self._rejected_table = RejectedTable.beside(settings.ledger_url)
        self._rejected = RejectedRecords(settings.data_dir / "rejected", self.run_id, self._rejected_table)
        self._client = Client(
            api_url=settings.api_url,
            api_key=settings.api_key,
            timeout_seconds=settings.request_timeout,
            user_agent=f"target-applied-events/{version}",
        )
        self._ledger = self._open_ledger()
        self._timed_ledger = TimedLedger(self._ledger)
        self._delivery = self._build_delivery()
        self._dispatcher = Dispatcher(self._delivery, self._client)
        self._dispatcher.start()
        self._progress = start_progress()

    def __repr__(self) -> str:
        """Tell its name and where it stands."""
        return f"<Run {self.run_id} batch={len(self._batch)} {self._dispatcher!r}>"

    def _build_delivery(self) -> Delivery:
        settings = self.settings
        return Delivery(
            ledger=self._timed_ledger,
            keep=self._rejected.keep,
            write_state=write_state,
            pace=self._build_pace(),
            policy=Policy(
                retry_timeout_seconds=settings.retry_timeout,
                in_doubt=settings.in_doubt,
                max_rejected=settings.max_rejected,
            ),
            summary=self.summary,
            rng=random.Random(),  # noqa: S311 - jitter, no secret
            wall_clock=time.time,
        )

    def _build_pace(self) -> SharedPace:
        settings = self.settings
        own = Pace(max_concurrency=settings.max_concurrency, requests_per_second=None, now=time.monotonic())
        bucket = bucket_of(settings.origin, settings.api_key)
        return SharedPace(own, self._ledger, bucket, settings.requests_per_second)

    def _open_ledger(self) -> Ledger | NoLedger:
        """Open it and say first which it is: a new one where an old one was expected means that events go twice."""
        with ExitStack() as where_it_fails:
            where_it_fails.callback(self._client.close)
            ledger = open_ledger(self.settings.ledger_url, origin=self.settings.origin, run_id=self.run_id)
            where_it_fails.callback(ledger.close)
            opening = ledger.opening()
            where_it_fails.pop_all()
        level = logging.WARNING if opening.is_new else logging.INFO
        logger.log(level, "The ledger: %s.", opening.text())
        return ledger

    def hand_over(self, items: Sequence[Item]) -> None:
        """Take all that one message came to, which comes next in the order read.

        Raises:
            TargetError: What ended the delivery; the items are in the accounts none the less.
        """
        if not self._batch:
            self._batch_since = time.monotonic()
        self._batch.extend(items)
        if len(self._batch) >= self.settings.batch_size_rows:
            self._close_batch()

    def tick(self) -> None:
        """Do what time asks for: close a batch that has waited, end when asked to.

        Raises:
            StopReading: The run is asked to end.
            TargetError: What ended the delivery.
        """
        self._wait()
        if self._batch and time.monotonic() - self._batch_since >= BATCH_SECONDS:
            self._close_batch()
        self._dispatcher.raise_failure()

    def _close_batch(self) -> None:
        self._dispatcher.hand_over(self._batch, self._wait)
        self._batch = []  # only now: what interrupts the wait leaves the batch in the accounts

    def finish(self) -> None:
        """Deliver what is left; returns when the last STATE has left.

        Raises:
            TargetError: What ended the delivery.
        """
        if self._batch:
            self._close_batch()
        self._dispatcher.finish(self._wait)

    def _wait(self) -> None:
        """What is done whenever the run waits: show where it stands, and end when it's asked to."""
        self._progress.show(self.snapshot())
        self._check_interrupted()

    def snapshot(self) -> Snapshot:
        """Where the run stands; figures of other threads may be a moment old."""
        pace = self._delivery.pace
        return Snapshot(
            read=self.summary.read,
            delivered=self.summary.delivered,
            rejected=self.summary.rejected.total(),
            unsettled=self._dispatcher.unsettled,
            in_flight=pace.in_flight,
            limit=pace.limit,
            oldest_seconds=self._delivery.oldest_seconds(time.monotonic()),
            ledger_seconds=self._timed_ledger.seconds,
            seconds=time.monotonic() - self._started,
        )

    def abort(self, reason: StopReading) -> None:
        """Send nothing more; what is in flight gets 20 s."""
        self._dispatcher.abort(reason)

    def close(self, error: BaseException | None) -> None:
        """Give the files and connections back and close the accounts.

        Args:
            error: What ended the run; None after a success.

        Raises:
            InternalError: The accounts don't add up, and no error is there that would be hidden by that.
        """
        self._progress.close()
        if not self._dispatcher.ended:  # an error that nobody foresaw came between
            self._dispatcher.abort(InternalError("The run was closed before its end."))
        if self._dispatcher.ended:  # else its thread still uses them, and the process gives them back
            self._client.close()
            self._ledger.close()
            self._rejected.close()
        seconds, most_in_flight = time.monotonic() - self._started, self._delivery.pace.most_in_flight
        logger.info("%s", self.summary.text(seconds=seconds, most_in_flight=most_in_flight))
        write_report(self.settings.data_dir / "runs", self.run_id, self.summary, seconds, error)
        self._audit(error)

    def _audit(self, error: BaseException | None) -> None:
        """Check that what was read is in one place each."""
        unsettled = len([item for item in self._batch if not isinstance(item, HeldState)]) + self._dispatcher.unsettled
        if self._dispatcher.ended and self.summary.read != self.summary.settled + unsettled:
            wrong = InternalError(
                f"The accounts don't add up: read {self.summary.read}, settled {self.summary.settled}, "
                f"unsettled {unsettled}."
            )
            if error is None:
                raise wrong
            logger.error("%s", wrong)

    def end_input(self, kept: KeptFile) -> None:
        """Mark the file of rejected records done that was this run's input.

        Raises:
            RejectedRecordsError: It can't be marked.
        """
        kept.end(passed_over=self.summary.passed_over, table=self._rejected_table)

    def tell_sharded_by_key(self) -> None:
        """Warn of events that chance put into a shard, as far as their contact goes."""
        if count := self.summary.sharded_by_key:
            logger.warning(
                "%d events had nothing to choose their shard by and fell into that of their record's key: they keep no "
                "order with others of their contact. `shard_by` in their mapping chooses for them.",
                count,
            )

    def judge_rejected(self) -> None:
        """Hold the number of rejected records against `max_rejected`.

        Raises:
            RejectedRecordsError: There are more.
        """
        count, most = self._rejected.kept, self.settings.max_rejected
        if repeats := self.summary.rejected_records - count:
            logger.info(
                "Rejected, and not kept again since `rejected --done` gave them up before: %d of these records.",
                repeats,
            )
        if count > most:
            raise RejectedRecordsError(
                f"More records were rejected ({count}) than max_rejected allows ({most}); all else was delivered. They "
                f"are kept with their reasons in {self._rejected.path}: mend the mapping, then run "
                f"`target-applied-events --config … --input {self._rejected.path}`."
            )
