"""The first signal ends the reading in order, the second the process at once."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from target_applied_events.errors import StopReading
from target_applied_events.interruption import Interruption


def test_nothing_ends_where_no_signal_came() -> None:
    Interruption().look()


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_the_reading_ends_with_the_status_that_shells_give_a_signal(number: int, status: int) -> None:
    interruption = Interruption()
    interruption.note(number)
    for _ in range(2):
        with pytest.raises(StopReading, match=f"^Ended by {signal.Signals(number).name}: ") as asked:
            interruption.look()
        assert asked.value.exit_status == status


def test_a_second_signal_ends_the_process_at_once() -> None:
    twice = (
        "from target_applied_events.interruption import Interruption\n"
        "it = Interruption()\n"
        "it.note(15)\n"
        "print('still here', flush=True)\n"
        "it.note(2)\n"
        "print('too late', flush=True)\n"
    )
    done = subprocess.run([sys.executable, "-c", twice], capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, done.stdout) == (130, "still here\n")
