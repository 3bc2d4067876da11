"""The guard against going slower: what it counts, and that it fails."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from bench import counts
from target_applied_events.mapping import Mapping

if TYPE_CHECKING:
    from pathlib import Path

    from target_applied_events.event import Event, Record, Rejection
    from target_applied_events.mapping import Passed


@pytest.fixture(scope="module")
def found() -> dict[str, float]:
    return counts.count()


@pytest.fixture
def figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "figures.json"
    monkeypatch.setattr(counts, "FIGURES", path)
    monkeypatch.setattr(sys, "argv", ["counts"])
    return path


def keep(path: Path, found: dict[str, float]) -> None:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    path.write_text(json.dumps({version: found}))


def test_what_is_counted_is_the_same_each_time(found: dict[str, float]) -> None:
    again = counts.count()
    assert again.keys() == found.keys()
    for name, value in found.items():
        assert again[name] == pytest.approx(value, rel=0.05)


def test_a_stage_that_does_its_work_twice_fails_the_check(
    found: dict[str, float], figures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(figures, found)
    counts.main()
    once = Mapping.event

    def twice(self: Mapping, record: Record, *, deleted: bool) -> Event | Passed | Rejection:
        once(self, record, deleted=deleted)
        return once(self, record, deleted=deleted)

    monkeypatch.setattr(Mapping, "event", twice)
    with pytest.raises(SystemExit, match="calls to map") as failed:
        counts.main()
    assert "calls to read" not in str(failed.value)


def test_a_tenth_more_is_let_through_and_more_than_that_is_not() -> None:
    kept = {"calls to read": 100.0}
    assert counts.exceeded({"calls to read": 110.0}, kept) == []
    assert counts.exceeded({"calls to read": 110.1}, kept) == ["calls to read: 110.1 an event, 100 were kept"]


def test_a_stage_without_a_figure_fails_the_check() -> None:
    assert counts.exceeded({"calls to read": 1.0}, {}) == ["calls to read: no figure is kept"]


def test_a_python_without_figures_passes_and_says_so(figures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figures.write_text("{}")
    counts.main()
    assert "nothing to compare with" in capsys.readouterr().out
