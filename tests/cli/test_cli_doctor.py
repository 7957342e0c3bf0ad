"""`supertokens doctor`: what it sees in stores, and what it foretells about browsers."""

from __future__ import annotations

import os
import pathlib
import re
import socket
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import closing
from email.utils import formatdate
from typing import Any

import pytest
from starlette.responses import Response

from supertokens_py.doctor import refreshes
from supertokens_py.doctor.database import check_database
from supertokens_py.doctor.web import WebSettings, check_web
from supertokens_py.engine.config import EngineConfig
from supertokens_py.exceptions import ConfigError
from supertokens_py.runtime.clock import now_ms
from supertokens_py.secret import new_secret
from supertokens_py.server import create_app
from tests.cli.conftest import Runner
from tests.cli.preflights import api_with_cors
from tests.engine.conftest import Opener
from tests.engine.driver import Driver
from tests.server.processes import API_KEY
from tests.support import core12
from tests.support.databases import Postgres, TestDatabase
from tests.support.pooler_relay import pooler_relay


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


def test_the_tables_of_users_are_no_others(run: Runner) -> None:
    """They are ours wherever users are kept; what another program keeps beside them stays a note."""
    uri = "sqlite:///users.db"
    run("schema", "create", "--users", "--connection-uri", uri)
    users = "users are kept here; their primary and external ids are honoured"
    keyless = "no signing keys yet; they are made at the first start"
    assert texts(run("doctor", "--json", "--connection-uri", uri), "note") == [users, keyless]
    with closing(sqlite3.connect("users.db")) as connection:
        connection.execute("CREATE TABLE orders (id int)")
    other = "1 other table, not to be touched: orders"
    assert texts(run("doctor", "--json", "--connection-uri", uri), "note") == [other, users, keyless]


def test_a_code_is_explained(run: Runner) -> None:
    """Without a database; the name of a code that is none is met with those that are spelt alike."""
    ran = run("doctor", "--explain", "access_token_not_yet_valid")
    said = "access_token_not_yet_valid: The token was issued in the future."
    assert (ran.code, ran.out) == (0, f"{said}\n      → Set the clocks of the hosts.\n")
    ran = run("doctor", "--json", "--explain", "application")
    assert (ran.code, ran.json) == (
        0,
        {"code": "application", "meaning": "Your own code raised the error.", "advice": ""},
    )
    ran = run("doctor", "--explain", "sesion_gone")
    assert ran.code != 0
    assert "no error has the code 'sesion_gone'; did you mean session_gone" in ran.err


def test_rows_that_an_official_core_keeps_are_honoured(run: Runner, sqlite_database: TestDatabase) -> None:
    """Its users and other apps of one database."""
    sqlite_database.query("CREATE TABLE app_id_to_user_id (user_id text)")
    sqlite_database.query("INSERT INTO apps (app_id, created_at_time) VALUES ('shop', 1)")
    sqlite_database.query(
        "INSERT INTO tenants (app_id, tenant_id, created_at_time) VALUES ('shop', 'public', 1)"
    )
    ran = run("doctor", "--json", "--connection-uri", sqlite_database.uri)
    assert ran.code == 0
    assert texts(ran, "note")[-2:] == [
        "users are kept here; their primary and external ids are honoured",
        "1 tenant of other apps, not to be touched",
    ]


def test_a_configuration_that_is_no_json_is_told(run: Runner, sqlite_database: TestDatabase) -> None:
    """Where users are kept, whose layout it might name."""
    run("schema", "create", "--users", "--connection-uri", sqlite_database.uri)
    core12.state_mode(sqlite_database, "LEGACY")
    sqlite_database.query("UPDATE tenant_configs SET core_config = '{'")
    ran = run("doctor", "--json", "--connection-uri", sqlite_database.uri)
    assert texts(ran, "warning") == [
        "sign-in recipes, such as emailpassword.init(), refuse it: the configuration of tenant 'public', "
        "core_config in table tenant_configs, is no JSON object: correct it, or set it to null"
    ]


@pytest.mark.postgres
def test_users_in_the_tables_of_core_12_are_named(
    run: Runner, fresh_postgres_database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sessions go on; sign-in recipes refuse the database as long as nobody says which tables to read."""
    database = fresh_postgres_database
    run("schema", "create", "--users", "--connection-uri", database.uri)
    core12.add_tables(database)
    user_id = "10000000-0000-4000-8000-000000000000"
    core12.write_user(database, "MIGRATED", user_id, {"email": "ada@example.com"}, joined_ms=1)
    ran = run("doctor", "--json", "--connection-uri", database.uri)
    assert ran.code == 0
    assert [text for text in texts(ran, "warning") if "core 12" in text] == [
        "sign-in recipes, such as emailpassword.init(), refuse it: SuperTokens core 12 keeps users of this "
        "database in its own tables, and no configuration of a tenant says in which migration_mode: set "
        "migration_mode (SUPERTOKENS_MIGRATION_MODE) to what the core has"
    ]
    with pytest.raises(ConfigError, match="in which migration_mode"):
        Driver(database.uri, keeps_users=True).users.count(tenant_id=None)
    monkeypatch.setenv("SUPERTOKENS_MIGRATION_MODE", "MIGRATED")
    ran = run("doctor", "--json", "--connection-uri", database.uri)
    assert (
        "users are kept in the tables of core 12 (migration_mode is MIGRATED), which sign-in recipes read "
        "and write"
    ) in texts(ran, "note")
    listed = run("users", "list", "--json", "--connection-uri", database.uri)
    assert [user["id"] for user in listed.json["users"]] == [user_id]


def test_a_database_without_keys_is_no_loss_without_sessions(
    run: Runner, sqlite_database: TestDatabase
) -> None:
    """Nothing is lost while there is no session."""
    sqlite_database.query("DELETE FROM session_access_token_signing_keys")
    sqlite_database.query("DELETE FROM key_value")
    ran = run("doctor", "--json", "--connection-uri", sqlite_database.uri)
    assert ran.code == 0
    assert texts(ran, "note") == ["no signing keys yet; they are made at the first start"]


def test_a_key_of_the_future_is_a_wrong_clock(run: Runner, sqlite_database: TestDatabase) -> None:
    """Some machine's clock is wrong."""
    sqlite_database.query("UPDATE session_access_token_signing_keys SET created_at_time = 4102444800000")
    ran = run("doctor", "--json", "--connection-uri", sqlite_database.uri)
    assert ran.code == 0
    assert texts(ran, "warning") == ["the newest signing key was made in the future (2100-01-01 00:00:00Z)"]


def test_a_schema_that_is_not_there_yet(
    run: Runner, empty_postgres_database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is made at the first start."""
    monkeypatch.setenv("SUPERTOKENS_TABLE_SCHEMA", "auth")
    ran = run("doctor", "--json", "--connection-uri", empty_postgres_database.uri)
    assert ran.code == 0
    assert texts(ran, "note")[0] == "the schema 'auth' does not exist yet; it will be made"


def test_a_standby_is_an_error(run: Runner, empty_postgres_database: TestDatabase) -> None:
    """Sessions need a server that writes. What this one says of itself, a function of the same name says."""
    database = empty_postgres_database
    name = database.uri.rpartition("/")[2]
    database.query("CREATE FUNCTION pg_is_in_recovery() RETURNS boolean LANGUAGE sql AS 'SELECT true'")
    database.query(f"ALTER DATABASE {name} SET search_path = public, pg_catalog")
    ran = run("doctor", "--json", "--connection-uri", database.uri)
    assert (ran.code, texts(ran, "error")) == (1, ["this server is a read-only standby"])


def test_a_user_whose_transactions_are_read_only(run: Runner, empty_postgres_database: TestDatabase) -> None:
    """Looking at a database makes nobody read-only: the finding is about the server's own setting."""
    database = empty_postgres_database
    assert texts(run("doctor", "--json", "--connection-uri", database.uri), "error") == []
    name = database.uri.rpartition("/")[2]
    database.query(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    ran = run("doctor", "--json", "--connection-uri", database.uri)
    assert (ran.code, texts(ran, "error")) == (1, ["the server or this user is read-only"])


@pytest.mark.parametrize(
    ("encoding", "level", "told"),
    [
        ("SQL_ASCII", "note", "its encoding is SQL_ASCII: it keeps the text that it is given, and "),
        ("LATIN1", "warning", "its encoding is LATIN1: text with other characters is refused (400)"),
        ("UTF8", "warning", ""),
    ],
)
def test_an_encoding_other_than_utf8_is_told(
    run: Runner, postgres_server: Postgres, encoding: str, level: str, told: str
) -> None:
    """Anything but UTF8 is told."""
    name = f"doctor_{encoding.lower()}"
    postgres_server.execute(f"CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0")
    try:
        ran = run("doctor", "--json", "--connection-uri", postgres_server.server.database_uri(name))
    finally:
        postgres_server.execute(f"DROP DATABASE {name} WITH (FORCE)")
    assert ran.code == 0
    found = [text for text in texts(ran, level) if "encoding" in text]
    assert [text.startswith(told) for text in found] == ([True] if told else [])


@pytest.mark.parametrize(("tracks", "told"), [(False, "does not track"), (True, "tracks")])
def test_a_pooler_is_told(run: Runner, postgres_database: TestDatabase, tracks: bool, told: str) -> None:
    """And whether it keeps account of prepared statements; nothing is prepared for either."""
    with pooler_relay(postgres_database.uri, tracks=tracks) as uri:
        ran = run("doctor", "--json", "--connection-uri", uri)
    (text,) = (found["text"] for found in ran.json["findings"] if found["topic"] == "pooler")
    mode = "session mode, or with much to do"
    assert text == f"there is one in between ({mode}); it {told} prepared statements, and gets none"


def test_an_error_that_is_none_of_the_database(
    run: Runner, empty_postgres_database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a driver raises is a finding, not a traceback."""

    def fail(*_: object) -> None:
        raise TypeError("cannot use a string pattern on a bytes-like object")

    monkeypatch.setattr("supertokens_py.engine.embedded.pooler_facts.is_servers_own", fail)
    ran = run("doctor", "--json", "--connection-uri", empty_postgres_database.uri)
    (told,) = texts(ran, "error")
    assert ran.code == 1
    assert told.endswith(": TypeError: cannot use a string pattern on a bytes-like object")


def test_advice_fits_the_failure(run: Runner, empty_postgres_database: TestDatabase) -> None:
    """As in the log of the application."""
    ran = run("doctor", "--json", "--connection-uri", empty_postgres_database.uri + "_none")
    (found,) = (found for found in ran.json["findings"] if found["level"] == "error")
    assert found["advice"] == "create the database, or correct its name in connection_uri"


def test_a_user_that_may_not_create_tables(
    run: Runner, empty_postgres_database: TestDatabase, postgres_server: Postgres
) -> None:
    """A warning: the right is needed after upgrades; an error where there are no tables yet."""
    database = empty_postgres_database
    database.query("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    postgres_server.execute("CREATE ROLE visitor LOGIN")
    try:
        ran = run("doctor", "--json", "--connection-uri", database.uri.replace("postgres@", "visitor@"))
    finally:
        postgres_server.execute("DROP ROLE visitor")
    assert ran.code == 1
    assert texts(ran, "warning") == ["this user may not create tables in the schema"]
    assert texts(ran, "error") == [
        "this user may not create tables in the schema of the connection: every log-in would fail"
    ]


def test_sessions_under_another_prefix_are_found(
    run: Runner, sqlite_database: TestDatabase, start: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An application with the wrong prefix would log everybody out, if anybody is logged in."""
    shop = start(sqlite_database.uri, table_prefix="shop")
    shop.tenants.find("public")
    assert texts(run("doctor", "--json", "--connection-uri", sqlite_database.uri), "error") == []
    shop.create()
    ran = run("doctor", "--json", "--connection-uri", sqlite_database.uri)
    assert ran.code == 1
    assert texts(ran, "error") == ["shop_session_info holds 1 live sessions, and session_info none"]
    monkeypatch.setenv("SUPERTOKENS_TABLE_PREFIX", "shop")
    assert run("doctor", "--json", "--connection-uri", sqlite_database.uri).code == 0


@pytest.mark.postgres
def test_a_schema_that_cannot_be_made(
    run: Runner,
    empty_postgres_database: TestDatabase,
    postgres_server: Postgres,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An error while it is missing; none once it was given to the application's user."""
    postgres_server.execute("CREATE ROLE visitor LOGIN")
    monkeypatch.setenv("SUPERTOKENS_TABLE_SCHEMA", "auth")
    uri = empty_postgres_database.uri.replace("postgres@", "visitor@")
    try:
        refused = run("doctor", "--json", "--connection-uri", uri)
        empty_postgres_database.query("CREATE SCHEMA auth AUTHORIZATION visitor")
        allowed = run("doctor", "--json", "--connection-uri", uri)
        made = run("schema", "create", "--connection-uri", uri)
        empty_postgres_database.query("DROP OWNED BY visitor")
    finally:
        postgres_server.execute("DROP ROLE visitor")
    assert texts(refused, "error") == ["this user may not create the schema 'auth': every log-in would fail"]
    assert (refused.code, allowed.code, made.code) == (1, 0, 0)


@pytest.mark.parametrize(
    ("pool_size", "level", "enough"),
    [
        ("30", "note", "enough for 6 processes"),
        ("101", "warning", "enough for 1 process"),
        ("201", "warning", "one busy process alone would be refused connections"),
        ("10", "note", None),
    ],
)
def test_a_pool_that_leaves_room_for_few_processes(
    run: Runner,
    empty_postgres_database: TestDatabase,
    monkeypatch: pytest.MonkeyPatch,
    pool_size: str,
    level: str,
    enough: str | None,
) -> None:
    """What a server accepts is shared by all processes."""
    monkeypatch.setenv("SUPERTOKENS_POOL_SIZE", pool_size)
    ran = run("doctor", "--json", "--connection-uri", empty_postgres_database.uri)
    told = [text for text in texts(ran, level) if text.startswith("max_connections")]
    size = f"max_connections is 200 and each process may use pool_size {pool_size}"
    assert told == ([] if enough is None else [f"{size}: {enough}"])


ACCEPTED = (
    "refresh tokens that a core gave out and nobody has used are accepted, and whoever copies the database "
    "can make one of those from an access token"
)


@pytest.mark.parametrize(
    ("setting", "makes_tables", "why"),
    [
        (None, False, None),
        (None, True, "an official core made dashboard_users here, and shared_with_core is AUTO"),
        ("NO", True, None),
        ("YES", True, "an official core made dashboard_users here, and shared_with_core is YES"),
        ("YES", False, "an official core made no table here, and shared_with_core is YES"),
    ],
)
def test_a_database_that_a_core_shares(
    run: Runner,
    empty_postgres_database: TestDatabase,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    setting: str | None,
    makes_tables: bool,
    why: str | None,
) -> None:
    """What that means and how it ends; the engine logs it once where it found it out by itself."""
    database = empty_postgres_database
    if makes_tables:
        database.query("CREATE TABLE dashboard_users (app_id text)")
    if setting:
        monkeypatch.setenv("SUPERTOKENS_SHARED_WITH_CORE", setting)
    ran = run("doctor", "--json", "--connection-uri", database.uri)
    told = [found for found in ran.json["findings"] if found["topic"] == "sharing"]
    assert [found["text"] for found in told] == ([] if why is None else [f"{why}: {ACCEPTED}"])
    assert {found["level"] for found in told} <= {"note"}
    assert all("SUPERTOKENS_SHARED_WITH_CORE=NO" in found["advice"] for found in told)
    with caplog.at_level("INFO", "supertokens_py"):
        driver = Driver(database.uri, shared_with_core=setting)
        driver.create()
        driver.create()
        driver.close()
    said = [text for text in caplog.messages if "tables of an official core" in text]
    assert len(said) == (1 if makes_tables and setting is None else 0)


def test_a_secret_that_a_core_could_not_use(
    run: Runner, empty_postgres_database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`init` refuses it, so it is an error before."""
    database = empty_postgres_database
    database.query("CREATE TABLE dashboard_users (app_id text)")
    monkeypatch.setenv("SUPERTOKENS_ENCRYPTION_KEY", "a secret of sixteen")
    ran = run("doctor", "--json", "--connection-uri", database.uri)
    assert (ran.code, texts(ran, "error")) == (
        1,
        ["encryption_key is set, and a core could not read encrypted keys: the engine will refuse it"],
    )
    monkeypatch.setenv("SUPERTOKENS_SHARED_WITH_CORE", "NO")
    assert run("doctor", "--connection-uri", database.uri).code == 0


@pytest.mark.parametrize("away_ms", [-60_000, 60_000])
def test_a_database_whose_clock_is_wrong(empty_postgres_database: TestDatabase, away_ms: int) -> None:
    """A warning with the distance, whichever is ahead."""
    settings = EngineConfig(now_ms=lambda: now_ms() + away_ms).resolve({})
    found = check_database(empty_postgres_database.uri, settings)
    (told,) = (item for item in found if item.topic == "clock")
    assert told.level == "warning"
    assert re.fullmatch(r"the clocks of database and this machine are (5|6)\d s apart", told.text)


def test_an_empty_database_is_a_note_and_a_foreign_table_an_error(
    run: Runner, empty_postgres_database: TestDatabase
) -> None:
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
    needed = "PostgreSQL needs a driver: the extra 'postgres' (docs/installation.md)"
    assert texts(ran, "error") == [needed]
    ran = run("import", "--from", "postgresql://me@localhost/db")
    assert ran.code == 2
    assert needed in ran.err


def test_a_missing_client_of_cores_is_an_error(run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """A finding of `doctor`; other commands end with the same message."""
    monkeypatch.setitem(sys.modules, "supertokens_py.engine.remote", None)
    needed = "a SuperTokens core needs the extra 'remote' (docs/installation.md)"
    core = ("--connection-uri", "http://localhost:3567")
    ran = run("doctor", "--json", *core)
    assert (ran.code, texts(ran, "error")) == (1, [needed])
    ran = run("sessions", "list", "ann", *core)
    assert (ran.code, ran.err) == (2, f"supertokens: {needed}\n")


def test_an_older_core_costs_a_call_more(run: Runner, sqlite_database: TestDatabase) -> None:
    """Below CDI 5.6; it is a note."""
    from tests.cli.preflights import served

    driver = Driver(sqlite_database.uri)
    with served(create_app(driver.engine, allow_no_api_key=True, max_cdi_version="5.4")) as address:
        ran = run("doctor", "--json", "--connection-uri", address)
    assert ran.code == 0
    assert texts(ran, "ok")[0] == f"{address} answers, CDI 5.4 is spoken"
    assert texts(ran, "note") == [
        "with CDI 5.4 the first use of each refreshed token costs a call to the core"
    ]


@pytest.mark.parametrize(
    ("uri", "open_host"),
    [
        ("{address}", None),
        ("http://core.example.com:{port}", "http://core.example.com:{port}"),
        ("http://127.0.0.1:{port}; HTTP://core.example.com:{port};", "http://core.example.com:{port}"),
        ("http://me:secret@core.example.com:{port}", "http://core.example.com:{port}"),
        ("http://localhost.example.com:{port}", "http://localhost.example.com:{port}"),
    ],
)
def test_a_core_far_away_needs_https(
    run: Runner,
    sqlite_database: TestDatabase,
    monkeypatch: pytest.MonkeyPatch,
    uri: str,
    open_host: str | None,
) -> None:
    """Every host of the URI is looked at; those of this machine may speak plain http."""
    from tests.cli.preflights import served

    monkeypatch.setattr(socket, "getaddrinfo", _all_names_are_here)
    driver = Driver(sqlite_database.uri)
    with served(create_app(driver.engine, api_keys=[API_KEY])) as address:
        places = {"address": address, "port": address.rpartition(":")[2]}
        ran = run("doctor", "--json", "--connection-uri", uri.format(**places), "--core-api-key", API_KEY)
    assert ran.code == 0
    told = (
        []
        if open_host is None
        else [f"{open_host.format(**places)} is plain http: keys and tokens travel openly"]
    )
    assert texts(ran, "warning") == told
    assert "secret" not in ran.out


def _all_names_are_here(
    host: str, *more: Any, find: Callable[..., Any] = socket.getaddrinfo, **options: Any
) -> Any:
    return find("127.0.0.1", *more, **options)


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
    ran = run("doctor", "--json", "--connection-uri", database.uri)
    passphrase = "encryption_key is a passphrase: who copies the database can guess at it"
    assert (ran.code, texts(ran, "note")) == (0, [passphrase])
    monkeypatch.setenv("SUPERTOKENS_ENCRYPTION_KEY", new_secret())
    assert passphrase not in texts(run("doctor", "--json", "--connection-uri", database.uri), "note")
    database.query("INSERT INTO session_access_token_signing_keys VALUES ('public', 1, 'not encrypted')")
    ran = run("doctor", "--json", "--connection-uri", database.uri)
    (found,) = [one for one in ran.json["findings"] if one["level"] == "warning"]
    assert (found["text"], found["advice"]) == (
        "1 key not encrypted, and a secret is set",
        "find out who wrote them and delete them, unless an earlier release left them: start a process with "
        "the secret, or run `supertokens keys encrypt`",
    )


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


@pytest.mark.parametrize(
    ("place", "code", "level", "told", "advised"),
    [
        (
            "file",
            0,
            "warning",
            "there is no database {here}/file: nobody has a session yet",
            "start the application, which makes it; or correct the path: a relative one is looked for where "
            "a process was started",
        ),
        (
            "missing/file",
            1,
            "error",
            "there is no database {here}/missing/file, and it cannot be made",
            "make the directory {here}/missing and let the user of the application write there; or correct "
            "the path: a relative one is looked for where a process was started",
        ),
    ],
)
def test_a_sqlite_file_that_is_not_there(
    run: Runner, tmp_path: pathlib.Path, place: str, code: int, level: str, told: str, advised: str
) -> None:
    """It is named whole, with what to do; and it is not made."""
    ran = run("doctor", "--json", "--connection-uri", f"sqlite:///{place}")
    (found,) = ran.json["findings"]
    assert ran.code == code
    assert found == {
        "level": level,
        "topic": "database",
        "text": told.format(here=tmp_path),
        "advice": advised.format(here=tmp_path),
    }
    assert list(tmp_path.iterdir()) == []


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
BOUND = {**GOOD, "device_binding": True, "initiators": ["admin.example.com"]}
LOCAL = {"api_domain": "http://localhost:8000", "website_domain": "http://localhost:3000"}
ADDRESSES = {"api_domain": "https://192.168.1.5", "website_domain": "https://192.168.1.6"}


@pytest.mark.parametrize(
    "settings",
    [
        GOOD,
        LOCAL,
        {**GOOD, "cors_origins": ["https://www.example.com"]},
        {**GOOD, "cookie_domain": ".example.com"},
        {**GOOD, "cookie_domain": "api.example.com"},
        {**GOOD, "api_domain": "https://api.example.com/v1", "api_base_path": "/v1/auth"},
        {**APART, "transfer": "header"},
        {"api_domain": "https://example.com", "website_domain": "https://example.com", "cors_origins": []},
        {"api_domain": "http://127.0.0.1:8000", "website_domain": "http://127.0.0.1:3000"},
        {**ADDRESSES, "transfer": "header"},
        {**GOOD, "device_binding": True, "cors_origins": ["https://www.example.com"]},
        {**BOUND, "cors_origins": ["https://www.example.com", "https://admin.example.com"]},
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
        ({**GOOD, "api_domain": "https://api.example.com/v1"}, "warning", "api_domain has a path, /v1,"),
        ({**GOOD, "website_domain": "www.example.com/a"}, "warning", "website_domain has a path, /a,"),
        ({**LOCAL, "website_domain": "http://127.0.0.1:3000"}, "error", "are both this machine"),
        ({**LOCAL, "website_domain": "http://192.168.1.5:3000"}, "error", "are two sites to a browser"),
        (ADDRESSES, "error", "192.168.1.6 and 192.168.1.5 are two sites to a browser"),
        ({**ADDRESSES, "same_site": "none"}, "warning", "third-party cookies"),
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
        ({**LOCAL, "device_binding": True}, "error", "no browser binds sessions of http://localhost:8000"),
        ({**GOOD, "secure": False, "device_binding": True}, "error", "no browser binds sessions"),
        ({**BOUND, "cookie_domain": ".example.com"}, "error", "all hosts of .example.com"),
        ({**BOUND, "transfer": "header"}, "error", "sessions in headers cannot be bound"),
        (
            {**BOUND, "cors_origins": ["https://www.example.com", "https://shop.example.com"]},
            "warning",
            "pages of https://shop.example.com may call the API, and cannot have",
        ),
    ],
)
def test_what_would_go_wrong_in_a_browser(settings: dict[str, Any], level: str, part: str) -> None:
    """Each trap is named, with the reason."""
    assert [(found, text) for found, text in problems(**settings) if found == level and part in text]


@pytest.mark.parametrize(
    ("settings", "relation"),
    [
        (GOOD, "the same site as"),
        (LOCAL, "the same site as"),
        (APART, "another site than"),
        (ADDRESSES, "another site than"),
        ({**LOCAL, "website_domain": "http://127.0.0.1:3000"}, "another site than"),
        ({**LOCAL, "website_domain": "https://localhost:3000"}, "another site than"),
    ],
)
def test_the_sites_are_compared_as_a_browser_compares_them(settings: dict[str, Any], relation: str) -> None:
    """Each IP address is a site, and http another one than https."""
    api, website = settings["api_domain"], settings["website_domain"]
    first = check_web(WebSettings(**settings))[0]
    assert (first.level, first.text) == ("ok", f"the website {website} is {relation} the API {api}")


def test_the_command_takes_the_arguments_of_init(run: Runner) -> None:
    """`--no-store` looks at the browser side only."""
    good = ("--api-domain", GOOD["api_domain"], "--website-domain", GOOD["website_domain"])
    ran = run("doctor", "--no-store", *good, "--cors-origin", "*", "--json")
    assert (ran.code, ran.json["verdict"]) == (1, "error")
    ran = run("doctor", "--no-store", *good, "--cookie-secure", "true", "--cookie-same-site", "lax")
    assert ran.code == 0
    ran = run("doctor", "--no-store", *good, "--device-binding", "--initiator", "admin.example.com")
    makes_prove = "and pages of admin.example.com, www.example.com make it prove that"
    assert (ran.code, makes_prove in ran.out) == (0, True)
    assert "ok    cookies: session cookies are SameSite=Lax; Secure" in ran.out
    assert run("doctor", "--no-store").code == 2
    assert run("doctor", "--api-domain", "https://a.com").code == 2


def test_a_running_api_is_probed_like_a_browser_would(run: Runner) -> None:
    """The preflight before a refresh: origin, credentials, headers."""
    good = ("--website-domain", "http://localhost:3000", "--probe", "--no-store")
    with api_with_cors(origins=["http://localhost:3000"], headers=["*"], credentials=True) as address:
        ran = run("doctor", "--api-domain", f"{address}/v1", *good)  # a path is dropped, as by init
        assert ran.code == 0, ran.out
        assert f"{address}/auth/session/refresh allows http://localhost:3000" in ran.out
    with api_with_cors(origins=["*"], headers=["content-type"], credentials=False) as address:
        ran = run("doctor", "--json", "--api-domain", address, *good)
        assert "allows *, not http://localhost:3000" in " ".join(texts(ran, "error"))
    with api_with_cors(origins=["http://localhost:3000"], headers=["rid"], credentials=False) as address:
        ran = run("doctor", "--json", "--api-domain", address, *good)
        assert "does not allow credentials" in " ".join(texts(ran, "error"))
    assert run("doctor", "--api-domain", "http://localhost:1", *good).code == 1
    with api_with_cors(origins=["http://elsewhere"], headers=["*"], credentials=True) as address:
        ran = run("doctor", "--json", "--api-domain", address, *good)
        assert texts(ran, "error") == [f"{address}/auth/session/refresh allows no origin"]


def test_a_probe_of_one_origin_needs_no_cors(run: Runner) -> None:
    """A website that is served by its API sends no preflight."""
    with api_with_cors(origins=["http://elsewhere"], headers=["*"], credentials=True) as address:
        places = ("--api-domain", address, "--website-domain", f"{address}/", "--probe", "--no-store")
        ran = run("doctor", "--json", *places)
    assert (ran.code, texts(ran, "error")) == (0, [])
    url = f"{address}/auth/session/refresh"
    assert f"{url} answers; website and API are one origin, which needs no CORS" in texts(ran, "ok")


def test_a_probe_beside_the_refresh_route(run: Runner) -> None:
    """The base path is wrong, or the SDK is not there: nothing to do with CORS."""
    with api_with_cors(origins=["http://localhost:3000"], headers=["*"], credentials=True) as address:
        places = ("--api-domain", address, "--website-domain", "http://localhost:3000")
        ran = run("doctor", "--json", *places, "--api-base-path", "/api/auth", "--probe", "--no-store")
    assert texts(ran, "error") == [
        f"there is no refresh route at {address}/api/auth/session/refresh: it answers 404"
    ]


def test_a_probe_without_domains_asks_for_nothing(run: Runner) -> None:
    """Without domains nothing would be asked."""
    ran = run("doctor", "--probe")
    assert (ran.code, ran.out) == (2, "")
    assert "--probe needs to know what to ask: --api-domain and --website-domain" in ran.err


@pytest.mark.parametrize(
    ("ahead_s", "told"),
    [(None, None), (0, None), (3600, r"the API's clock is 3[56]\d\d s off this machine's")],
)
def test_the_clock_of_a_running_api_is_compared(run: Runner, ahead_s: int | None, told: str | None) -> None:
    """Its `Date` header is compared, where there is one."""
    from tests.cli.preflights import served

    class Api(Response):
        def __init__(self) -> None:
            super().__init__(headers=allowed)
            if ahead_s is not None:
                self.headers["date"] = formatdate(time.time() + ahead_s, usegmt=True)

    website = "http://localhost:3000"
    allowed = {
        "access-control-allow-origin": website,
        "access-control-allow-credentials": "true",
        "access-control-allow-headers": "anti-csrf, authorization, fdi-version, rid, st-auth-mode",
    }
    with served(Api(), date_header=False) as address:
        domains = ("--api-domain", address, "--website-domain", website)
        ran = run("doctor", "--json", "--no-store", "--probe", *domains)
    assert ran.code == 0
    warnings = texts(ran, "warning")
    assert (len(warnings) == 1 and re.fullmatch(told, warnings[0])) if told else warnings == []


def test_a_probe_needs_an_http_client(run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what to install."""
    monkeypatch.setitem(sys.modules, "httpx2", None)
    ran = run(
        "doctor", "--no-store", "--probe", "--api-domain", "http://a.com", "--website-domain", "http://a.com"
    )
    assert (ran.code, ran.err) == (
        2,
        "supertokens: --probe needs the extra 'remote' (docs/installation.md)\n",
    )


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


@pytest.mark.parametrize("cors_inside", [False, True])
def test_cors_that_the_answers_of_the_sdk_do_not_pass_is_found(run: Runner, cors_inside: bool) -> None:
    """The preflight reaches it in either order; the 401 of a refresh only where it is the outer one."""
    from tests.cli.preflights import api_with_sessions

    website = "http://localhost:3000"
    with api_with_sessions(website, cors_inside=cors_inside) as address:
        ran = run(
            "doctor", "--json", "--no-store", "--probe", "--api-domain", address, "--website-domain", website
        )
    assert f"{address}/auth/session/refresh allows {website}" in texts(ran, "ok")
    found = [item for item in ran.json["findings"] if item["level"] == "error"]
    if not cors_inside:
        assert (ran.code, found) == (0, [])
        return
    assert (ran.code, len(found)) == (1, 1)
    assert found[0]["text"] == f"the answer to the POST itself (401) does not allow {website}: {UNREAD}"
    assert found[0]["advice"] == (
        "have the CORS middleware around that of the SDK: add it after get_middleware(), "
        "or in Django's MIDDLEWARE before the SDK's"
    )


UNREAD = "pages cannot read it"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({}, []),
        (
            {"access-control-allow-origin": "http://elsewhere"},
            [f"the answer to the POST itself (200) does not allow http://localhost:3000: {UNREAD}"],
        ),
        (
            {"access-control-allow-credentials": ""},
            [f"the answer to the POST itself (200) does not allow credentials: {UNREAD}"],
        ),
    ],
)
def test_the_answer_itself_is_looked_at(run: Runner, changed: dict[str, str], told: list[str]) -> None:
    """A preflight that allows more than the answer helps nobody."""
    from tests.cli.preflights import served

    website = "http://localhost:3000"
    allowed = {
        "access-control-allow-origin": website,
        "access-control-allow-credentials": "true",
        "access-control-allow-headers": "anti-csrf, authorization, fdi-version, rid, st-auth-mode",
    }

    async def api(scope: Any, receive: Any, send: Any) -> None:
        headers = allowed if scope["method"] == "OPTIONS" else {**allowed, **changed}
        await Response(headers=headers)(scope, receive, send)

    with served(api, lifespan="off") as address:
        domains = ("--api-domain", address, "--website-domain", website)
        ran = run("doctor", "--json", "--no-store", "--probe", *domains)
    assert texts(ran, "error") == told


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
    driver.tenants.put("t1", {})
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


@pytest.mark.postgres
def test_an_index_of_expiry_that_costs_refreshes(
    run: Runner, fresh_postgres_database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Named where there are many sessions and no official core, which would use it; never elsewhere."""
    database = fresh_postgres_database
    driver = Driver(database.uri)
    driver.create()
    driver.close()

    def advice() -> list[str]:
        ran = run("doctor", "--json", "--connection-uri", database.uri)
        return [found["advice"] for found in ran.json["findings"] if "every index of" in found["text"]]

    monkeypatch.setattr(refreshes, "MANY", 1)
    assert advice() == []
    database.query("CREATE INDEX session_expiry_index ON session_info (expires_at)")
    assert advice() == [
        "DROP INDEX CONCURRENTLY session_expiry_index; ALTER TABLE session_info SET (fillfactor = 90)"
    ]
    monkeypatch.setattr(refreshes, "MANY", 2)
    assert advice() == []
    monkeypatch.setattr(refreshes, "MANY", 1)
    monkeypatch.setenv("SUPERTOKENS_SHARED_WITH_CORE", "YES")
    assert advice() == []
