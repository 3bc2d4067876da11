"""Nothing that a record or a server says can steer a terminal, and a pipe gets whole lines."""

from __future__ import annotations

import pytest

from target_applied_events.commands.terminal import console, counted, printable, table


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, “ünï” 🐙", "plain, “ünï” 🐙"),
        ("\x1b[31mred", "\\u001b[31mred"),
        ("two\nlines", "two\\u000alines"),
        ("\u202eright to left", "\\u202eright to left"),
        ("\U000e0001tag", "\\U000e0001tag"),
    ],
)
def test_what_does_not_print_is_shown_by_its_number(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_in_a_pipe_a_row_is_a_line_however_long_and_markup_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    long = "x" * 500
    console().print(table(("what", "how many"), [(f"[red]{long}\x07[/red]", "7")]))
    row = capsys.readouterr().out.rstrip().splitlines()[-1]
    assert row.split() == [f"[red]{long}\\u0007[/red]", "7"]


def test_one_is_no_plural() -> None:
    assert [counted(count, "event") for count in (0, 1, 2)] == ["0 events", "1 event", "2 events"]
