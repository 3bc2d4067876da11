"""Every text of the program is in the catalogue, and says what was seen, what governs it and what to do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests import messages

if TYPE_CHECKING:
    from tests.messages import Entry, Message

CATALOGUE = messages.catalogue()
ANEW = (
    "`.venv/bin/python -m tests.messages` lists them anew in tests/messages.md: read the difference as a stranger would"
)

ENDS = [(message, entry) for message, entry in CATALOGUE.items() if message.kind == "ends"]
TYPES_THAT_MAY_BE_NAMED = {
    "delivery/dispatch.py: _run": "of a mistake of the program",
    "mapping/template/syntax.py: generic_visit": "of statements that are written as they are called",
    "client/opening.py: _try_to_open": "of a mistake of the program",
}


def of_kind(kind: str) -> list[str]:
    return [message.text for message in CATALOGUE if message.kind == kind]


def test_the_catalogue_lists_every_text() -> None:
    assert messages.CATALOGUE.read_text() == messages.rewritten(), ANEW
    assert len(ENDS) > 80


@pytest.mark.parametrize(("message", "entry"), ENDS, ids=[message.text[:50] for message, _ in ENDS])
def test_what_ends_a_run_names_what_governs_it_and_says_what_to_do(message: Message, entry: Entry) -> None:
    assert entry.governed_by, "it names no setting, option, command or file: name one, or say why in parentheses"
    assert "**" in entry.marked or entry.governed_by.startswith("("), "what is there to do? Mark it in bold"
    assert re.match(r"[A-Z{`-]|[a-z_]+[ :]", message.text), "it begins with a capital or a setting's name"


def test_a_sentence_ends_with_a_stop() -> None:
    whole = [*of_kind("ends"), *of_kind("check"), *of_kind("log")]
    assert [text for text in whole if not re.search(r"([.?)}']|%s|⏎)$", text)] == []


def test_why_a_record_was_rejected_goes_on_from_the_path_before_it() -> None:
    assert [text for text in of_kind("record") if re.match(r"[A-Z]", text) or text.endswith(".")] == []


def test_no_text_speaks_of_python() -> None:
    texts = [message.text for message in CATALOGUE if message.kind != "bug"]
    assert [text for text in texts if messages.PYTHONS_OWN.search(text)] == []


def test_no_text_is_filled_with_the_name_of_a_python_type() -> None:
    assert set(messages.names_of_types_shown()) == set(TYPES_THAT_MAY_BE_NAMED)


def test_a_setting_goes_by_the_name_that_it_has() -> None:
    known = {*messages.settings(), "batch_config", "ledger_url", "data_dir"}
    named = {name for _, entry in ENDS for name in re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", entry.governed_by)}
    assert named <= known | {"once_per", "shard_by", "unmapped_streams"}
