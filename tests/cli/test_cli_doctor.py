"""`supertokens doctor`: what it sees in stores, and what it foretells about browsers."""

from __future__ import annotations

import os
import pathlib
import sys
from typing import Any

import pytest

from supertokens_py.cli.web_checks import WebSettings, check_web
from tests.cli.conftest import Runner
from tests.engine.driver import Driver
from tests.support.databases import TestDatabase


def texts(ran: Any, level: str) -> list[str]:
    return [found["text"] for found in ran.json["findings"] if found["level"] == level]


def test_an_adopted_database_is_described_without_a_change(
    run: Runner, fresh_postgres_database: TestDatabase
) -> None:
    """A database of an older core: what is there, what would be added, what will not be touched."""
    database = fresh_postgres_database
    driver = Driver(database.uri)
    driver.create()
    driver.close()
    database.query("ALTER TABLE session_info DROP COLUMN prev_refresh_token_hash_2")
    database.query("ALTER TABLE session_info DROP COLUMN refresh_token_rotated_at")
    database.query("DROP TABLE user_last_active")
    database.query("CREATE TABLE emailpassword_users (user_id char(36))")
    before = database.columns("session_info")
    ran = run("doctor", "--json", "--connection-uri", database.uri)
    assert ran.code == 0
    notes = " | ".join(texts(ran, "note"))
    assert "prev_refresh_token_hash_2, refresh_token_rotated_at" in notes
    assert "missing tables, which will be added: user_last_active" in notes
    assert "1 other table, not to be touched: emailpassword_users" in notes
    assert "1 live session, 0 expired ones, 1 tenant" in texts(ran, "ok")
    assert any(text.startswith("PostgreSQL ") for text in texts(ran, "ok"))
    assert database.columns("session_info") == before


def test_an_empty_database_and_a_foreign_one(run: Runner, empty_postgres_database: TestDatabase) -> None:
    """Nothing yet is a note; a table of ours by name only is an error."""
    database = empty_postgres_database
    assert run("doctor", "--connection-uri", database.uri).code == 0
    database.query("CREATE TABLE roles (id integer)")
    ran = run("doctor", "--json", "--connection-uri", database.uri)
    assert ran.code == 1
    assert "roles lacks app_id, role" in texts(ran, "error")[0]


def test_a_missing_driver_is_an_error(run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """The finding says what to install."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    ran = run("doctor", "--json", "--connection-uri", "postgresql://me@localhost/db")
    assert ran.code == 1
    needed = "PostgreSQL needs a driver: pip install 'supertokens-py[postgres]'"
    assert texts(ran, "error") == [needed]
    ran = run("import", "--from", "postgresql://me@localhost/db")
    assert ran.code == 2
    assert needed in ran.err


def test_a_lost_refresh_key_is_an_error(run: Runner, sqlite_database: TestDatabase) -> None:
    """Sessions without the key that sealed their tokens would all end."""
    driver = Driver(sqlite_database.uri)
    driver.create()
    driver.close()
    assert run("doctor", "--connection-uri", sqlite_database.uri).code == 0
    sqlite_database.query("DELETE FROM key_value WHERE name = 'refresh_token_key'")
    ran = run("doctor", "--json", "--connection-uri", sqlite_database.uri)
    assert ran.code == 1
    assert "refresh_token_key" in texts(ran, "error")[0]


def test_encrypted_keys_need_their_secret(
    run: Runner, sqlite_files: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`doctor` says so before the application does."""
    database = sqlite_files.create(template=False)
    driver = Driver(database.uri, encryption_key="a secret of sixteen")
    driver.create()
    driver.close()
    ran = run("doctor", "--json", "--connection-uri", database.uri)
    assert texts(ran, "error") == ["the keys are encrypted and no secret is set"]
    monkeypatch.setenv("SUPERTOKENS_ENCRYPTION_KEY", "a secret of sixteen")
    assert run("doctor", "--connection-uri", database.uri).code == 0


def test_stores_that_cannot_be_used(run: Runner, sqlite_database: TestDatabase) -> None:
    """Unreachable server, impossible directory, readable file, memory, bad setting."""
    away = run("doctor", "--json", "--connection-uri", "postgresql://u:secret@127.0.0.1:1/x")
    assert away.code == 1
    assert "secret" not in away.out
    assert run("doctor", "--connection-uri", "sqlite:////no/such/place/x.db").code == 1
    sqlite_database.path.chmod(0o644)
    readable = run("doctor", "--json", "--connection-uri", sqlite_database.uri)
    assert readable.code == 0
    assert "other users may read it" in texts(readable, "warning")[0]
    assert "kept in memory" in run("doctor", "--connection-uri", "sqlite://").out
    garbage = pathlib.Path("garbage.db")
    garbage.write_text("this is no database" * 100)
    assert run("doctor", "--connection-uri", "sqlite:///garbage.db").code == 1
    assert run("doctor", "--connection-uri", "http://127.0.0.1:1").code == 1


def test_a_bad_setting_is_a_finding(run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the variable."""
    monkeypatch.setenv("SUPERTOKENS_ACCESS_TOKEN_VALIDITY", "never")
    ran = run("doctor", "--json")
    assert ran.code == 1
    assert "SUPERTOKENS_ACCESS_TOKEN_VALIDITY" in texts(ran, "error")[0]


def problems(**settings: Any) -> list[tuple[str, str]]:
    found = check_web(WebSettings(**settings))
    return [(item.level, item.text) for item in found if item.level in ("error", "warning")]


GOOD = {"api_domain": "https://api.example.com", "website_domain": "https://www.example.com"}
APART = {"api_domain": "https://api.example.com", "website_domain": "https://www.other.org"}
LOCAL = {"api_domain": "http://localhost:8000", "website_domain": "http://localhost:3000"}


@pytest.mark.parametrize(
    "settings",
    [
        GOOD,
        LOCAL,
        {**GOOD, "cors_origins": ["https://www.example.com"]},
        {**GOOD, "cookie_domain": ".example.com"},
        {**APART, "transfer": "header"},
        {"api_domain": "https://example.com", "website_domain": "https://example.com", "cors_origins": []},
        {"api_domain": "http://127.0.0.1:8000", "website_domain": "http://127.0.0.1:3000"},
    ],
)
def test_sound_settings_have_no_problem(settings: dict[str, Any]) -> None:
    """No false alarm."""
    assert problems(**settings) == []


@pytest.mark.parametrize(
    ("settings", "level", "part"),
    [
        (APART, "warning", "third-party cookies"),
        ({**APART, "same_site": "lax"}, "error", "SameSite=Lax cookies are not sent"),
        ({**APART, "same_site": "strict"}, "error", "SameSite=Strict cookies are not sent"),
        ({**APART, "secure": False}, "error", "refuses SameSite=None without Secure"),
        ({**APART, "anti_csrf": "NONE"}, "error", "any website can act"),
        ({**GOOD, "secure": False}, "warning", "without Secure"),
        ({**LOCAL, "website_domain": "http://127.0.0.1:3000"}, "error", "are both this machine"),
        ({**GOOD, "api_domain": "http://api.example.com"}, "error", "mixed content"),
        ({**GOOD, "api_domain": "http://api.example.com", "secure": True}, "error", "drops Secure cookies"),
        (
            {"api_domain": "http://api.example.com", "website_domain": "http://www.example.com"},
            "warning",
            "plain http",
        ),
        ({**GOOD, "cookie_domain": "example.org"}, "error", "may not set cookies for example.org"),
        ({**GOOD, "cookie_domain": "com"}, "error", "public suffix"),
        ({**GOOD, "cookie_domain": "a b"}, "error", "cookie domain"),
        ({**GOOD, "website_domain": "https://co.uk"}, "error", "public suffix"),
        ({**GOOD, "cors_origins": ["*"]}, "error", "allowed origin is '*'"),
        ({**GOOD, "cors_origins": ["http://www.example.com"]}, "error", "differs in scheme, port or path"),
        ({**GOOD, "cors_origins": ["https://www.example.com/"]}, "error", "ends with '/'"),
        ({**GOOD, "cors_origins": []}, "error", "not among the allowed origins"),
    ],
)
def test_what_would_go_wrong_in_a_browser(settings: dict[str, Any], level: str, part: str) -> None:
    """Each trap is named, with the reason."""
    assert [(found, text) for found, text in problems(**settings) if found == level and part in text]


def test_the_command_takes_the_arguments_of_init(run: Runner) -> None:
    """`--no-store` looks at the browser side only."""
    good = ("--api-domain", GOOD["api_domain"], "--website-domain", GOOD["website_domain"])
    ran = run("doctor", "--no-store", *good, "--cors-origin", "*", "--json")
    assert (ran.code, ran.json["verdict"]) == (1, "error")
    ran = run("doctor", "--no-store", *good, "--cookie-secure", "true", "--cookie-same-site", "lax")
    assert ran.code == 0
    assert "ok    cookies: session cookies are SameSite=Lax; Secure" in ran.out
    assert run("doctor", "--no-store").code == 2
    assert run("doctor", "--api-domain", "https://a.com").code == 2


def test_a_running_api_is_probed_like_a_browser_would(run: Runner) -> None:
    """The preflight before a refresh: origin, credentials, headers."""
    from tests.cli.preflights import api_with_cors

    good = ("--website-domain", "http://localhost:3000", "--probe", "--no-store")
    with api_with_cors(origins=["http://localhost:3000"], headers=["*"], credentials=True) as address:
        ran = run("doctor", "--api-domain", address, *good)
        assert ran.code == 0, ran.out
        assert f"{address}/auth/session/refresh allows http://localhost:3000" in ran.out
    with api_with_cors(origins=["*"], headers=["content-type"], credentials=False) as address:
        ran = run("doctor", "--json", "--api-domain", address, *good)
        assert "allows *, not http://localhost:3000" in " ".join(texts(ran, "error"))
    with api_with_cors(origins=["http://localhost:3000"], headers=["rid"], credentials=False) as address:
        ran = run("doctor", "--json", "--api-domain", address, *good)
        assert "does not allow credentials" in " ".join(texts(ran, "error"))
    assert run("doctor", "--api-domain", "http://localhost:1", *good).code == 1


@pytest.mark.parametrize(
    ("cors", "hidden"),
    [
        ({}, None),
        ({"expose_headers": ["x-page"]}, "front-token, st-access-token, st-refresh-token"),
        ({"expose_headers": ["x-page", "Front-Token", "Anti-Csrf"]}, "st-access-token, st-refresh-token"),
        ({"expose_headers": ["front-token", "anti-csrf", "st-access-token", "st-refresh-token"]}, None),
    ],
)
def test_headers_that_a_cors_layer_hides_are_found(
    run: Runner, cors: dict[str, Any], hidden: str | None
) -> None:
    """A list of its own replaces the SDK's: frontends would not see that they have a session."""
    from tests.cli.preflights import api_with_sessions

    website = "http://localhost:3000"
    with api_with_sessions(website, **cors) as address:
        ran = run(
            "doctor", "--json", "--no-store", "--probe", "--api-domain", address, "--website-domain", website
        )
    expected = f"its answers hide the headers {hidden} from scripts"
    assert texts(ran, "error") == ([] if hidden is None else [expected])
    assert ran.code == (0 if hidden is None else 1)


@pytest.mark.parametrize(
    ("lacking", "told", "advice"),
    [
        (os.R_OK, "cannot be read by this user", "right to read and write it"),
        (os.W_OK, "cannot be written by this user", "right to read and write it"),
    ],
)
def test_a_sqlite_file_that_is_not_ours(
    run: Runner,
    sqlite_database: TestDatabase,
    monkeypatch: pytest.MonkeyPatch,
    lacking: int,
    told: str,
    advice: str,
) -> None:
    """Which file, what it means, what to do."""
    path, access = sqlite_database.path, os.access
    monkeypatch.setattr(
        os, "access", lambda place, mode: (place != path or mode != lacking) and access(place, mode)
    )
    ran = run("doctor", "--json", "--connection-uri", sqlite_database.uri)
    found = next(item for item in ran.json["findings"] if item["level"] == "error")
    assert (ran.code, found["topic"]) == (1, "database")
    assert found["text"] == f"{path} {told}: every log-in and refresh would be answered 503"
    assert advice in found["advice"]


def test_a_sqlite_directory_that_is_not_ours(
    run: Runner, sqlite_database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file alone is not enough: SQLite makes others beside it."""
    folder, access = sqlite_database.path.parent, os.access
    monkeypatch.setattr(
        os, "access", lambda place, mode: (place != folder or mode != os.W_OK) and access(place, mode)
    )
    ran = run("doctor", "--json", "--connection-uri", sqlite_database.uri)
    name = sqlite_database.path.name
    assert texts(ran, "error") == [
        f"{folder} cannot be written by this user, and SQLite needs {name}-wal and {name}-shm there"
    ]


def test_one_is_one(run: Runner, sqlite_database: TestDatabase) -> None:
    """Numbers and nouns agree."""
    driver = Driver(sqlite_database.uri)
    driver.create()
    driver.close()
    one = run("doctor", "--connection-uri", sqlite_database.uri).out
    assert "1 live session, 0 expired ones, 1 tenant\n" in one
    assert "1 dynamic key, the newest of " in one
    driver = Driver(sqlite_database.uri)
    driver.create()
    driver.put_tenant("t1", {})
    driver.rotate_signing_key()
    driver.close()
    more = run("doctor", "--connection-uri", sqlite_database.uri).out
    assert "2 live sessions, 0 expired ones, 2 tenants\n" in more
    assert "2 dynamic keys, the newest of " in more


def advice(**settings: Any) -> list[str | None]:
    return [
        item.advice for item in check_web(WebSettings(**settings)) if item.topic == "cookies" and item.advice
    ]


def test_advice_about_same_site_fits_the_place() -> None:
    """The default is advised where it does; one site where only that helps; https where schemes differ."""
    assert advice(**LOCAL, same_site="none") == [
        "leave cookie_same_site at its default: website and API are one site, Lax cookies are sent"
    ]
    assert advice(**GOOD, same_site="none") == [
        "leave cookie_same_site at its default: website and API are one site, Lax cookies are sent"
    ]
    assert advice(**{**GOOD, "website_domain": "http://www.example.com"}, same_site="lax") == [
        "serve website and API both over https: to a browser the scheme is a part of the site"
    ]
    assert advice(**APART, same_site="lax") == [
        "leave cookie_same_site at its default, or have website and API on one site"
    ]
