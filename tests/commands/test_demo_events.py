from __future__ import annotations

import io
from decimal import Decimal
from typing import TYPE_CHECKING

from rich.console import Console

from target_applied_events.commands.demo_events import count_twice, samples, table

if TYPE_CHECKING:
    from target_applied_events.commands.demo_events import Body


def drawn(*bodies: Body) -> list[list[str]]:
    """What each line of a table's rows shows, column by column."""
    out = io.StringIO()
    Console(file=out, width=120, highlight=False).print(table(bodies))
    return [[cell.strip() for cell in line.split("│")[1:-1]] for line in out.getvalue().splitlines() if "│" in line]


def test_the_first_of_each_name_are_taken_in_the_order_they_came() -> None:
    bodies = [{"name": name, "n": number} for number, name in enumerate("ababacb")]
    assert [body["n"] for body in samples(bodies, of_each=1)] == [0, 1, 5]
    assert [body["n"] for body in samples(bodies, of_each=2)] == [0, 1, 2, 3, 5]


def test_a_row_shows_when_what_who_and_how_much() -> None:
    event = {
        "name": "Order paid",
        "description": "Order 1",
        "event_time": "2026-04-07T14:30:00Z",
        "contact": {"email": "ada@example.com", "remote_id": "7"},
        "metric": {"metric_name": "order_value", "value": Decimal("10.50")},
    }
    assert drawn(event) == [
        ["2026-04-07 14:30", "Order paid", "ada@example.com", "order_value"],
        ["", "Order 1", "", "10.50"],
    ]


def test_what_an_event_may_lack_is_left_blank() -> None:
    assert drawn({"name": "a", "contact": {"remote_id": "7"}}) == [["", "a", "7", ""]]
    assert drawn({"name": "b", "metric": {"metric_name": "m"}}) == [["", "b", "", "m"], ["", "", "", "1"]]


def test_whatever_a_text_holds_it_is_shown_as_it_is_on_one_line() -> None:
    odd = "[red]x[/] \x1b[31m\n\ty [/bold]"
    shown = drawn({"name": odd, "contact": {"email": odd}})
    assert [cell for cell in shown[0] if cell] == [r"[red]x[/] \u001b[31m y [/bold]"] * 2


def test_events_are_equal_whatever_the_order_of_their_fields() -> None:
    one, same = (
        {"name": "a", "contact": {"email": "e", "name": "n"}},
        {"contact": {"name": "n", "email": "e"}, "name": "a"},
    )
    assert count_twice([one, {"name": "b"}, same, one]) == 2
    assert count_twice([]) == 0
