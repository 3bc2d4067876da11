"""`make demo`, as a newcomer runs it, but without a terminal."""

from __future__ import annotations

import re
import subprocess

import pytest

from demo.pipeline import PROJECT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_the_demo_ends_by_itself_and_shows_that_only_what_is_new_is_sent_again() -> None:
    done = subprocess.run(
        ["make", "--silent", "demo"],  # noqa: S607 - make is wherever it is
        cwd=PROJECT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    said = " ".join(done.stdout.split())
    assert done.returncode == 0, said + done.stderr
    first, second = map(int, re.findall(r"(?:rows became|new rows became) (\d+) events", said))
    assert 0 < second < first
    assert re.search(r"The tap read 16 rows, 13 of them new.*No event came twice\.", said)
    assert "What next" in said
