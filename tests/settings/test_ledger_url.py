from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from target_applied_events.settings.ledger_url import ledger_url_problem, place_of, read_ledger_url, said_by_server

SECRET = "s3cr3t"


@pytest.mark.parametrize(
    "url",
    [
        SECRET,
        f"postgresql://user:{SECRET}@host:port/db",
        f"postgresql+psycopg2://user:{SECRET}@host/db",
        f"mysql://user:{SECRET}@host/db",
        f"sqlite:///file?key={SECRET}",
        f"sqlite+pysqlcipher://:{SECRET}@/file",
        f"sqlite:///{SECRET}\0",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite://var/lib/ledger.sqlite",
        f"sqlite://user:{SECRET}@/ledger.sqlite",
        "None",
        "",
    ],
)
def test_what_leads_to_no_ledger_is_told_without_being_shown_and_with_what_is_wanted(url: str) -> None:
    problem = ledger_url_problem(url)
    assert problem is not None
    assert "`sqlite:///PATH`, `postgresql://USER:PASSWORD@HOST/DATABASE` or `none` is wanted" in problem
    assert SECRET not in problem


@given(st.text() | st.from_regex(r"(sqlite|postgresql|none)[+:/@?=a-z0-9]*", fullmatch=True))
def test_any_text_has_a_problem_or_is_none_or_can_be_read_and_shown(text: str) -> None:
    if ledger_url_problem(text) is None and text != "none":
        assert place_of(read_ledger_url(text)).startswith(("sqlite:///", "postgresql://"))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:////var/lib/ledger.sqlite", "sqlite:////var/lib/ledger.sqlite"),
        ("sqlite+pysqlite:///ledger.sqlite", "sqlite:///ledger.sqlite"),
        (f"postgresql://user:{SECRET}@db.example.com:5433/ops", "postgresql://db.example.com:5433/ops"),
        (f"postgresql://user:{SECRET}%40%2F@db/ops?application_name={SECRET}", "postgresql://db/ops"),
        (f"postgres:///ops?host=/run/postgresql&password={SECRET}", "postgresql:///run/postgresql/ops"),
        (f"postgresql:///ops?host=a:1&host=b:2&password={SECRET}", "postgresql://a:1,b:2/ops"),
        ("postgresql://db", "postgresql://db/"),
    ],
)
def test_a_ledger_is_shown_by_its_place_without_user_password_and_options(url: str, shown: str) -> None:
    assert ledger_url_problem(url) is None
    assert place_of(read_ledger_url(url)) == shown


@pytest.mark.parametrize("kind", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_however_it_is_called_means_the_driver_that_comes_with_this_and_keeps_the_password(
    kind: str,
) -> None:
    url = read_ledger_url(f"{kind}://user:p%40ss@db/ops")
    assert (url.drivername, url.username, url.password) == ("postgresql+psycopg", "user", "p@ss")


def test_of_what_a_server_said_one_line_is_taken_and_never_the_password() -> None:
    engine = create_engine(read_ledger_url(f"postgresql://user:{SECRET}@127.0.0.1:1/ops"), poolclass=NullPool)
    with pytest.raises(DBAPIError) as refused:
        engine.connect()
    told = said_by_server(refused.value)
    assert "refused" in told
    assert "psycopg" not in told
    assert "\n" not in told
    assert SECRET not in told
