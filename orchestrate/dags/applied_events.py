"""Deliver a database's rows as events each night: a Meltano run for each shard, all side by side.

For Airflow 3, at `orchestrate/dags` of a Meltano project; docs/scale.md says how to set it up. It reads, when parsed:

    APPLIED_EVENTS_PROJECT        the Meltano project; without it, the folder that this file's `orchestrate` is in
    APPLIED_EVENTS_MELTANO        Meltano's program; without it, `meltano` on the worker's PATH
    APPLIED_EVENTS_SHARDS         how many runs share the work; without it, 4
    APPLIED_EVENTS_SCHEDULE       when, as cron has it; without it, each night at two; empty: when it is triggered
    APPLIED_EVENTS_RETRY_SECONDS  how long before the first retry; without it, 60

Secrets come from the worker's environment or from the connection `applied_events`, when a task runs. Mappings stay in
meltano.yml: Airflow would render them as templates of its own.
"""  # noqa: INP001 - Airflow reads this file by itself

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from airflow.sdk import Connection, dag, task
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowNotFoundException
from airflow.sdk.log import mask_secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CONNECTION = "applied_events"
POOL = "applied_events"
PROJECT = Path(os.environ.get("APPLIED_EVENTS_PROJECT") or Path(__file__).resolve().parents[2])
MELTANO = os.environ.get("APPLIED_EVENTS_MELTANO", "meltano")
SHARDS = int(os.environ.get("APPLIED_EVENTS_SHARDS", "4"))
SCHEDULE = os.environ.get("APPLIED_EVENTS_SCHEDULE", "0 2 * * *") or None
RETRY_DELAY = timedelta(seconds=float(os.environ.get("APPLIED_EVENTS_RETRY_SECONDS", "60")))

# The target gives requests in flight 20 s, and Meltano ends after it.
STOP_SECONDS = 40

# Meltano keeps in these what belongs to one run.
OWN = ("run", "logs", "meltano.db")


@dag(
    schedule=SCHEDULE,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["meltano", "applied-events"],
    doc_md=__doc__,
)
def applied_events() -> None:
    """Deliver all shards, then see whether anything was given up."""
    delivered = deliver.expand(number=list(range(1, SHARDS + 1)))
    left = rejected()
    prepare() >> delivered >> left
    # The last task decides how the DAG's run ends: `rejected` alone would hide a shard that failed.
    [delivered, left] >> ended_well()


@task(retries=2, retry_delay=RETRY_DELAY, execution_timeout=timedelta(minutes=10))
def prepare() -> None:
    """See that the shards share what they must, and make Meltano's tables: first runs side by side clash there."""
    environment = settings()
    if SHARDS > 1:
        check_shared(environment)
    meltano(["upgrade", "database"], environment)


@task(
    pool=POOL,
    max_active_tis_per_dag=SHARDS,
    retries=4,
    retry_delay=RETRY_DELAY,
    retry_exponential_backoff=2,
    max_retry_delay=timedelta(minutes=30),
    execution_timeout=timedelta(hours=8),
    map_index_template="{{ task.op_kwargs['number'] }}",
)
def deliver(number: int) -> None:
    """Run the pipeline for one shard: what one run did not come to, the next one does."""
    environment = settings()
    if SHARDS > 1:
        environment["TARGET_APPLIED_EVENTS_SHARD"] = f"{number}/{SHARDS}"
    # A run that was killed keeps Meltano's lock for five minutes more, hence --force; the ledger stops runs that meet.
    suffix = f"{number}of{SHARDS}"
    meltano(["run", "--force", "--state-id-suffix", suffix, "tap-postgres", "target-applied-events"], environment)


@task(trigger_rule="all_done", retries=0, execution_timeout=timedelta(minutes=10))
def rejected() -> None:
    """Fail where records were given up that nobody has dealt with: a retry that went well would hide them."""
    meltano(["invoke", "target-applied-events:rejected"], settings())


@task(retries=0)
def ended_well() -> None:
    """Be reached by a run alone that delivered all and has nothing left to deal with."""


def settings() -> dict[str, str]:
    """Give the environment that Meltano and its plugins take their settings from.

    It is the worker's, and from the connection `applied_events`, where there is one, the password as the API key and
    each of its extras by its own name. None of them is shown: whatever comes from the connection is masked.
    """
    environment = dict(os.environ)
    with contextlib.suppress(AirflowNotFoundException):
        connection = Connection.get(CONNECTION)
        given = {name: str(value) for name, value in connection.extra_dejson.items()}
        if connection.password:
            given["TARGET_APPLIED_EVENTS_API_KEY"] = connection.password
        for value in given.values():
            mask_secret(value)
        environment |= given
    return environment


def check_shared(environment: Mapping[str, str]) -> None:
    """Refuse to run where shards would know nothing of each other, or a retry nothing of the run before it."""
    ledger = environment.get("TARGET_APPLIED_EVENTS_LEDGER_URL", "")
    if not ledger.startswith("postgresql"):
        raise AirflowFailException(
            f"{SHARDS} shards need one ledger that outlives the workers: set TARGET_APPLIED_EVENTS_LEDGER_URL to a "
            "PostgreSQL, in the workers' environment or the connection's extras."
        )
    database = environment.get("MELTANO_DATABASE_URI", "sqlite")
    if database.startswith("sqlite") and "MELTANO_STATE_BACKEND_URI" not in environment:
        raise AirflowFailException(
            "Meltano's database holds the STATE of each shard and must outlive the workers: set MELTANO_DATABASE_URI "
            "to one that they share, in the workers' environment or the connection's extras."
        )


def meltano(arguments: list[str], environment: Mapping[str, str]) -> None:
    """Run Meltano to its end, with what it says in the task's log; on SIGTERM it ends as the target does."""
    with (
        own_system_folder() as folder,
        subprocess.Popen(  # noqa: S603 - the program is named by whoever runs the workers
            [MELTANO, *arguments],
            cwd=PROJECT,
            env={**environment, "MELTANO_SYS_DIR_ROOT": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            # Two SIGTERM would end the target at once: it must get Meltano's alone, and not the task's too.
            start_new_session=True,
        ) as process,
    ):
        before = signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        try:
            show(process)
        except BaseException:  # as a time-out is
            stop(process)
            raise
        finally:
            signal.signal(signal.SIGTERM, before)
    if process.returncode:
        raise AirflowException(f"meltano {' '.join(arguments)} ended with status {process.returncode}")


def show(process: subprocess.Popen[str]) -> None:
    """Write what a process says to the log, until it ends."""
    for line in process.stdout or ():
        print(line, end="", flush=True)  # noqa: T201 - Airflow makes it the log


def stop(process: subprocess.Popen[str]) -> None:
    """End a process in order, or after a while anyhow."""
    process.terminate()
    try:
        said, _ = process.communicate(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
    else:
        print(said, end="", flush=True)  # noqa: T201 - Airflow makes it the log


@contextlib.contextmanager
def own_system_folder() -> Iterator[Path]:
    """Make one for a run alone, with links to the installed plugins: in one, runs side by side mix up their STATE."""
    installed = Path(os.environ.get("MELTANO_SYS_DIR_ROOT") or PROJECT / ".meltano")
    with tempfile.TemporaryDirectory(prefix="applied-events-") as folder:
        for path in installed.iterdir():
            if path.name not in OWN:
                Path(folder, path.name).symlink_to(path)
        yield Path(folder)


applied_events()
