from __future__ import annotations

import pytest

from target_applied_events.mapping.template.notation import Unmappable
from target_applied_events.mapping.template.time_forms import check_form

SOUND = [
    "s",
    "ms",
    "%Y",
    "%Y-%m",
    "%Y%m%d",
    "%d.%m.%y",
    "%Y-%j",
    "%G-W%V-%u",
    "%Y-%W-%w",
    "%x %X",
    "%c",
    "%A, %d %B %Y",
    "%d-%b-%y %I.%M.%S.%f %p",
    "%m/%d/%Y %I %p",
    "%Y-%m-%d %H",
    "%Y%m%d%H%M%S%f",
    "%Y-%m-%dT%H:%M:%S.%fZ",
    "%a, %d %b %Y %H:%M:%S %z",
    "%Y-%m-%d %H:%M:%S %z %Z",
    "%Y-%m-%d %U",
    "%%Z%%p %Y-%m-%d %H",
]
"""Those in which databases, spreadsheets, mails and logs write times."""

UNSOUND = [
    ("%H:%M", "reads no year"),
    ("millis", "reads no year"),
    ("%Q", "no format of times"),
    ("%", "no format of times"),
    ("%Y %Y", "no format of times"),
    ("%Y-%V", "no format of times"),
    ("%m/%d/%Y %I:%M", "reads as 2011-06-15 02:37:00: a part is missing"),
    ("%Y-%M-%d", "reads as 2011-01-15 00:37:00: a part is missing"),
    ("%Y %H:%M", "reads as 2011-01-01 14:37:00: a part is missing"),
    ("%Y-%m-%d %M", "a part is missing"),
    ("%Y-%m-%d %H:%M:%f", "a part is missing"),
    ("%Y-%W", "holds a part that isn't read"),
    ("%Y-%U", "holds a part that isn't read"),
    ("%Y-%m %W", "holds a part that isn't read"),
    ("%Y-%m %a", "holds a part that isn't read"),
    ("%Y-%m-%d %p", "holds a part that isn't read"),
    ("%m/%d/%Y %H:%M %p", "%p has no effect beside %H; hours with AM and PM are %I"),
    ("%Y-%m-%d %H:%M %Z", "%Z reads no zone; it's named by zone='Europe/Berlin'"),
]


@pytest.mark.parametrize("form", SOUND)
def test_a_form_that_reads_what_it_writes_down_to_some_unit_is_sound(form: str) -> None:
    check_form(form)


@pytest.mark.parametrize(("form", "said"), UNSOUND)
def test_a_form_by_which_a_wrong_time_would_be_read_is_a_mistake(form: str, said: str) -> None:
    with pytest.raises(Unmappable) as refused:
        check_form(form)
    assert said in str(refused.value)
