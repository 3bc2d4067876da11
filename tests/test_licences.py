from __future__ import annotations

from tests import licences

# What an Apache-2.0 program may be shipped beside without asking; psycopg is an extra of its own, and replaceable.
KNOWN = ("Apache", "BSD", "MIT", "PSF", "MPL-2.0", "LGPL-3.0-only")


def test_what_the_target_asks_for_is_listed_with_its_licence() -> None:
    asked = {
        licences.normal(item.name)
        for extra in ("", *licences.EXTRAS)
        for item in licences.needs(licences.PROGRAM, extra)
    }
    page, rows = licences.PAGE.read_text(), licences.rows()
    assert [rows[name] for name in asked if rows[name] not in page] == [], "python -m tests.licences writes it anew"


def test_all_that_is_installed_is_under_a_licence_that_goes_with_ours() -> None:
    told = {name: row.split(" | ")[1] for name, row in licences.rows().items()}
    assert {name: text for name, text in told.items() if not any(known in text for known in KNOWN)} == {}
    assert {name for name, text in told.items() if "GPL" in text} == {"psycopg", "psycopg-binary"}
