"""`supertokens sessions`, `keys`, `clean` and `serve`, on every kind of store."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from supertokens_py.app import Supertokens
from supertokens_py.cli import run_for_application
from supertokens_py.constants import VERSION
from supertokens_py.engine.config import EngineConfig
from supertokens_py.engine.embedded import EmbeddedEngine
from supertokens_py.engine.records import Unauthorised
from supertokens_py.engine.session_records import SessionFeatures, Visit
from supertokens_py.engine.uris import describe
from supertokens_py.exceptions import ConfigError
from supertokens_py.server import environment
from supertokens_py.server.environment import create_from
from tests.cli.conftest import Runner
from tests.engine.conftest import POSTGRES, SQLITE, Opener
from tests.engine.driver import Driver, header
from tests.server.processes import API_KEY, ServerProcess, serving
from tests.support.clock import Clock
from tests.support.databases import Sqlite, TestDatabase


@pytest.fixture(params=[SQLITE, POSTGRES])
def database(request: pytest.FixtureRequest) -> TestDatabase:
    name = "sqlite_database" if request.param == "sqlite-file" else "postgres_database"
    return request.getfixturevalue(name)


@pytest.fixture
def store(database: TestDatabase) -> tuple[str, ...]:
    return ("--connection-uri", database.uri)


@pytest.fixture
def core(database: TestDatabase) -> Iterator[Driver]:
    driver = Driver(database.uri)
    yield driver
    driver.close()


def test_sessions_of_a_user_are_listed(run: Runner, store: tuple[str, ...], core: Driver) -> None:
    """`sessions list` names handles, tenants and times; 1 where a user has none."""
    handles = [core.create("ann").handle for _ in range(2)]
    core.create("bob")
    ran = run("sessions", "list", "ann", *store)
    assert ran.code == 0
    assert all(handle in ran.out for handle in handles)
    assert len(ran.out.splitlines()) == 3
    listed = run("sessions", "list", "ann", "--json", *store).json
    assert sorted(item["handle"] for item in listed) == sorted(handles)
    nobody = run("sessions", "list", "eve", *store)
    assert (nobody.code, nobody.out, nobody.err) == (1, "", "supertokens: eve has no live session\n")
    assert run("sessions", "list", "eve", "--json", *store).json == []
    assert run("sessions", "list", "ann", "--tenant", "public", "--json", *store).json == listed


def test_sessions_are_listed_with_their_devices(run: Runner, store: tuple[str, ...]) -> None:
    """Where an application keeps them: when, from where and by what a session was used last."""
    core = Driver(store[1], features=SessionFeatures(details=True))
    visit = Visit(ip="192.0.2.0", agent="curl/8.14", label="curl")
    handle = core.create("ann", visit=visit).handle
    core.close()
    ran = run("sessions", "list", "ann", *store)
    assert ran.out.splitlines()[0].split() == [
        "HANDLE",
        "TENANT",
        "CREATED",
        "EXPIRES",
        "SEEN",
        "FROM",
        "DEVICE",
    ]
    assert ran.out.splitlines()[1].split()[-2:] == ["192.0.2.0", "curl"]
    (listed,) = run("sessions", "list", "ann", "--json", *store).json
    assert (listed["handle"], listed["label"], listed["agent"]) == (handle, "curl", "curl/8.14")


def test_a_session_is_shown(run: Runner, store: tuple[str, ...], core: Driver) -> None:
    """`sessions show` tells payload and data, and no secret."""
    session = core.create("ann", payload={"p": 1}, data={"d": 2})
    shown = run("sessions", "show", session.handle, "--json", *store)
    assert (shown.json["payload"], shown.json["data"], shown.json["user_id"]) == ({"p": 1}, {"d": 2}, "ann")
    assert "hash" not in shown.out
    assert session.handle in run("sessions", "show", session.handle, *store).out
    missing = run("sessions", "show", "nothing", *store)
    assert (missing.code, missing.err) == (1, "supertokens: there is no live session nothing\n")


def test_sessions_are_revoked(run: Runner, store: tuple[str, ...], core: Driver) -> None:
    """`sessions revoke` by handle or by user; 1 where there was nothing, 2 where it is unclear what."""
    first, second, third = (core.create("ann").handle for _ in range(3))
    place = describe(store[1])
    assert run("sessions", "revoke", first, *store).out.splitlines() == [
        f"revoked {first} in {place}",
        "access tokens that are out verify for up to 3600 seconds more, except where check_database is on",
    ]
    assert run("sessions", "revoke", first, *store).code == 1
    revoked = run("sessions", "revoke", "--user", "ann", "--json", *store).json["revoked"]
    assert sorted(revoked) == sorted([second, third])
    assert run("sessions", "revoke", *store).code == 2
    assert run("sessions", "revoke", first, "--user", "ann", *store).code == 2


def test_keys_are_listed_and_replaced(run: Runner, store: tuple[str, ...], core: Driver) -> None:
    """`keys rotate` signs with a new key; with `--drop-old` the others verify nothing any more."""
    session = core.create()
    before = [key["kid"] for key in run("keys", "list", "--json", *store).json["keys"]]
    assert header(session.access_token.text)["kid"] in before
    assert {"d", "s"} == {kid[0] for kid in before}
    rotated = run("keys", "rotate", "--json", *store).json
    assert rotated["dropped_old"] is False
    after = [key["kid"] for key in run("keys", "list", "--json", *store).json["keys"]]
    assert [rotated["kid"], *before] == after
    told = run("keys", "rotate", "--drop-old", *store).out.splitlines()
    assert told[0] == f"renewed in {describe(store[1])}:"
    assert [line.partition(":")[0] for line in told[1:]] == [
        "dynamic signing key",
        "static signing key",
        "key of refresh tokens",
        "sessions go on",
        "processes that are running go on with the earlier keys for up to a minute, other services that "
        "verify tokens for up to five; restart what cannot wait",
    ]
    assert told[1].endswith("; earlier ones were deleted")
    assert told[2].endswith("; earlier ones were deleted, JWTs signed with them included")
    last = [key["kid"] for key in run("keys", "list", "--json", *store).json["keys"]]
    assert len([kid for kid in last if kid.startswith("d-")]) == 1
    assert "dynamic" in run("keys", "list", *store).out


@pytest.mark.parametrize("signs", ["a session", "a session that has ended", "nothing"])
def test_dropping_keys_renews_every_family(
    run: Runner, store: tuple[str, ...], core: Driver, signs: str
) -> None:
    """A leaked static key can make access tokens, whether or not a session is signed with it right now."""
    session = core.create(dynamic_key=signs == "nothing")
    leaked = header(core.keys.create_jwt({}, issuer="x", validity_s=60, static_key=True))["kid"]
    if signs == "a session that has ended":
        core.sessions.revoke([session.handle])
    kept = run("keys", "rotate", "--drop-old", "--keep-static", *store).out.splitlines()
    assert kept[2] == "static signing key: kept, what it signed is accepted; --static renews it"
    assert leaked in [key["kid"] for key in run("keys", "list", "--json", *store).json["keys"]]
    assert run("keys", "rotate", "--static", "--keep-static", *store).code == 2
    told = run("keys", "rotate", "--drop-old", *store).out
    assert "earlier ones were deleted, JWTs signed with them included" in told
    kids = [key["kid"] for key in run("keys", "list", "--json", *store).json["keys"]]
    assert leaked not in kids
    assert [kid[:2] for kid in kids] == ["d-", "s-"]
    static = run("keys", "rotate", "--static", "--json", *store).json["static_kid"]
    assert static == run("keys", "list", "--json", *store).json["keys"][2]["kid"]


def test_every_key_of_a_clone_is_renewed(run: Runner, store: tuple[str, ...], core: Driver) -> None:
    """`keys renew --all`: nothing that the original made is of use here; and every session ends."""
    session = core.create()
    before = {key["kid"] for key in run("keys", "list", "--json", *store).json["keys"]}
    renewed = run("keys", "renew", "--all", "--json", *store).json
    assert renewed["sessions_ended"] == 1
    after = {key["kid"] for key in run("keys", "list", "--json", *store).json["keys"]}
    assert after == {renewed["kid"], renewed["static_kid"]}
    assert not after & before
    fresh = Driver(store[1])
    assert fresh.refresh(session) == Unauthorised("Invalid refresh token", "refresh_token_invalid")
    fresh.close()
    assert "; 0 sessions ended\n" in run("keys", "renew", "--refresh", *store).out
    for days, code in (("30", 0), ("0", 2), ("soon", 2)):
        ran = run("keys", "renew", "--refresh", "--keep-sessions", days, *store)
        assert ran.code == code
    assert "accepted for 30 days" in run("keys", "renew", "--all", "--keep-sessions", "30", *store).out
    assert run("keys", "renew", *store).code == 2


def test_keys_are_encrypted(
    run: Runner, sqlite_database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a secret that `keys secret` made; without one, `keys encrypt` says what is missing."""
    core = Driver(sqlite_database.uri)
    core.create()
    core.close()
    store = ("--connection-uri", sqlite_database.uri)
    assert "set encryption_key" in run("keys", "encrypt", *store).err
    secret = run("keys", "secret").out.strip()
    assert run("keys", "secret", "--json").json["encryption_key"] != secret
    monkeypatch.setenv("SUPERTOKENS_ENCRYPTION_KEY", secret)
    assert run("doctor", "--json", *store).code == 0
    assert run("keys", "encrypt", "--json", *store).json == {
        "encrypted": 3,
        "store": describe(sqlite_database.uri),
    }
    assert run("keys", "encrypt", *store).out.startswith(
        f"0 keys encrypted in {describe(sqlite_database.uri)}; every"
    )


def test_expired_rows_are_deleted(run: Runner, store: tuple[str, ...], core: Driver) -> None:
    """`clean` says how much it deleted."""
    core.change_row(core.create().handle, expires_at=1)
    core.create()
    assert run("clean", "--json", *store).json["sessions"] == 1
    assert run("clean", *store).out.splitlines() == [
        f"deleted in {describe(store[1])}:",
        "sessions  0",
        "keys      0",
    ]


def test_a_missing_file_is_not_created(run: Runner, sqlite_files: Sqlite) -> None:
    """A command in the wrong directory must not leave an empty database there."""
    for command in (("sessions", "list", "u"), ("keys", "list"), ("clean",), ("restored",)):
        ran = run(*command)
        assert ran.code == 2
        assert "there is no database supertokens.db" in ran.err
    assert run("doctor").code == 0
    import pathlib

    assert not list(pathlib.Path().iterdir())


def test_errors_have_exit_codes_and_json(run: Runner) -> None:
    """2 for a wrong command, 1 for a store that is away; `--json` also for errors."""
    wrong = run("keys", "list", "--connection-uri", "mysql://x")
    assert (wrong.code, wrong.out) == (2, "")
    away = run("sessions", "list", "u", "--json", "--connection-uri", "postgresql://127.0.0.1:1/x")
    assert away.code == 1
    assert away.err.startswith('{"error": ')
    assert run().code == 0
    assert run("nonsense").code == 2
    assert run("--version").out == f"supertokens_py {VERSION}\n"


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (("restored",), "a core keeps its database itself: name that with --connection-uri"),
        (
            ("schema", "print"),
            "a core makes its tables itself: name a database with --connection-uri",
        ),
    ],
)
def test_what_is_done_to_a_database_is_not_done_to_a_core(
    run: Runner, command: tuple[str, ...], reason: str
) -> None:
    """Nothing is asked of it."""
    ran = run(*command, "--connection-uri", "http://127.0.0.1:1")
    assert (ran.code, ran.err) == (2, f"supertokens: {reason}\n")


def test_a_command_of_an_application_may_name_another_store(sqlite_database: TestDatabase) -> None:
    """It then needs no `init`."""
    Supertokens.reset()
    said = io.StringIO()
    arguments = ("sessions", "list", "ann", "--connection-uri", sqlite_database.uri)
    assert run_for_application(arguments, program="flask supertokens", stderr=said) == 1
    assert said.getvalue() == "supertokens: ann has no live session\n"


@pytest.fixture
def server(sqlite_database: TestDatabase) -> Iterator[ServerProcess]:
    with serving(sqlite_database.uri) as server:
        yield server


def test_commands_work_on_a_core_too(run: Runner, server: ServerProcess) -> None:
    """What a core can be asked is asked; what only its database can tell is refused."""
    core = ("--connection-uri", server.address, "--core-api-key", API_KEY)
    assert run("sessions", "list", "ann", "--json", *core).json == []
    assert len(run("keys", "list", "--json", *core).json["keys"]) == 2
    assert run("keys", "rotate", *core).code == 2
    assert run("clean", *core).code == 2
    assert run("serve", *core).code == 2
    assert run("import", *core).code == 2
    found = run("doctor", *core)
    assert found.code == 0
    assert "CDI 5.6 is spoken" in found.out
    wrong = run("doctor", *core[:2], "--core-api-key", "wrong")
    assert wrong.code == 1
    assert "Invalid API key" in wrong.out


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--host", "0.0.0.0"), "anyone who reaches 0.0.0.0"),
        (("--host", "core.example.com"), "anyone who reaches core.example.com"),
        (("--api-key", "short"), "at least 20 characters"),
        (("--workers", "2", "--connection-uri", "sqlite://"), "in-memory database of its own"),
        (("--base-path", "/a b"), "base_path"),
        (("--host", "localhost", "--base-path", "/a b"), "base_path"),
        (("--connection-uri", "http://core"), "serve needs a database"),
        (("--port", "0"), "0 is no port"),
        (("--workers", "0"), "0 is no number of processes"),
    ],
)
def test_serve_refuses_what_would_be_unsafe_or_impossible(
    run: Runner, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], reason: str
) -> None:
    """Among others: no public address without an API key, unless told so."""
    monkeypatch.setenv("SUPERTOKENS_CONNECTION_URI", "sqlite:///supertokens.db")  # restored after the command
    for name in ("API_KEYS", "ALLOW_NO_API_KEY", "BASE_PATH"):
        monkeypatch.setenv(f"SUPERTOKENS_{name}", "")
    ran = run("serve", *arguments)
    assert ran.code == 2
    assert reason in ran.err


def test_serving_needs_a_server(run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what to install."""
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    ran = run("serve")
    assert (ran.code, ran.err) == (
        2,
        "supertokens: serving needs the extra 'server' (docs/installation.md)\n",
    )


def test_a_server_from_the_environment_is_checked() -> None:
    """The factory for process managers names the variable that cannot work."""
    from supertokens_py.exceptions import ConfigError

    keyless = {"SUPERTOKENS_CONNECTION_URI": "sqlite://", "SUPERTOKENS_ALLOW_NO_API_KEY": "1"}
    assert create_from({**keyless, "SUPERTOKENS_BASE_PATH": "/x"}).routes
    for name, value in (("MAX_BODY_BYTES", "lots"), ("MAX_CDI_VERSION", "7.0"), ("POOL_SIZE", "-1")):
        with pytest.raises(ConfigError, match=f"(?i){name}"):
            create_from({**keyless, f"SUPERTOKENS_{name}": value})


def test_a_server_of_sessions_alone_needs_and_makes_nothing_for_users(
    monkeypatch: pytest.MonkeyPatch, sqlite_database: TestDatabase
) -> None:
    """No tables, and no package that reads passwords of a core."""
    monkeypatch.setattr(environment, "find_spec", lambda _: None)
    keyless = {"SUPERTOKENS_CONNECTION_URI": sqlite_database.uri, "SUPERTOKENS_ALLOW_NO_API_KEY": "1"}
    with pytest.raises(ConfigError, match=r"the extra 'server'.*SUPERTOKENS_SESSIONS_ONLY=1"):
        create_from(keyless)
    alone = create_from({**keyless, "SUPERTOKENS_SESSIONS_ONLY": "1"})
    tables = "SELECT count(*) FROM sqlite_master WHERE name = 'emailpassword_users'"
    with TestClient(alone, base_url="http://core") as client:
        assert client.get("/users").json() == {"status": "OK", "users": []}
    assert sqlite_database.query(tables) == [(0,)]
    monkeypatch.undo()
    with TestClient(create_from(keyless), base_url="http://core") as client:
        assert client.get("/users").json() == {"status": "OK", "users": []}
    assert sqlite_database.query(tables) == [(1,)]


def test_serving_users_of_an_unknown_layout_says_how_to_serve_the_sessions(
    run: Runner, start: Opener, sqlite_database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything listens."""
    start(sqlite_database.uri, keeps_users=True).users.count(tenant_id=None)
    insert = "INSERT INTO tenant_configs (app_id, tenant_id, core_config) VALUES ('public', 'public', %s)"
    sqlite_database.query(insert, '{"migration_mode": "MIGRATED"}')
    for name in ("CONNECTION_URI", "API_KEYS", "ALLOW_NO_API_KEY", "SESSIONS_ONLY"):
        monkeypatch.setenv(f"SUPERTOKENS_{name}", "0" if name == "SESSIONS_ONLY" else "")
    served: list[str] = []
    monkeypatch.setattr("uvicorn.run", lambda *_, **__: served.append("yes"))
    serve = ("serve", "--connection-uri", sqlite_database.uri)
    ran = run(*serve)
    assert (ran.code, served) == (2, [])
    assert "no tables of users of SuperTokens core 12" in ran.err
    assert "--sessions-only serves a database without its users" in ran.err
    assert run(*serve, "--sessions-only").code == 0
    assert served == ["yes"]
    sqlite_database.query("ALTER TABLE session_info DROP COLUMN session_data")
    ran = run(*serve, "--sessions-only")
    assert ran.code == 2
    assert "table 'session_info' in this database has no column 'session_data'" in ran.err
    assert "--sessions-only" not in ran.err


def test_reading_commands_change_nothing(run: Runner, fresh_shared: TestDatabase, start: Opener) -> None:
    """A core's database keeps its columns and keys, and a wrong one gets no tables."""
    start(fresh_shared.uri).create()
    fresh_shared.query("ALTER TABLE session_info DROP COLUMN refresh_token_rotated_at")
    fresh_shared.query("DELETE FROM jwt_signing_keys")
    store = ("--connection-uri", fresh_shared.uri)
    for command in (
        ("sessions", "list", "u"),
        ("sessions", "revoke", "--user", "u"),
        ("keys", "list"),
        ("clean",),
    ):
        ran = run(*command, *store)
        assert (ran.code, "lacks tables or columns" in ran.err) == (2, True)
    assert "refresh_token_rotated_at" not in fresh_shared.columns("session_info")
    assert run("schema", "create", *store).code == 0
    assert "refresh_token_rotated_at" in fresh_shared.columns("session_info")
    assert run("keys", "list", *store).code == 0
    assert fresh_shared.query("SELECT count(*) FROM jwt_signing_keys") == [(0,)]


def test_a_printed_schema_begins_with_the_one_of_the_tables(
    run: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUPERTOKENS_TABLE_SCHEMA", "auth")
    printed = run("schema", "print", "--connection-uri", "postgresql://db.internal/shop").out
    assert printed.startswith("CREATE SCHEMA IF NOT EXISTS auth;\nCREATE TABLE auth.")


def test_the_tables_of_features_are_made_in_advance(run: Runner, empty_database: TestDatabase) -> None:
    """`--feature` names an argument of `session.init`; an application that may make none finds all."""
    store = ("--connection-uri", empty_database.uri)
    features = ("--feature", "devices", "--feature", "lifetime", "--feature", "events")
    asked = (*features, "--feature", "webhooks", "--feature", "instant_revocation")
    asked = (*asked, "--feature", "device_binding")
    assert "supertokens_py" not in run("schema", "print", *store).out
    printed = run("schema", "print", *asked, *store).out
    made = run("schema", "create", "--json", *asked, *store).json["tables"]
    for name in ("sessions", "events", "deliveries", "revocations", "device_keys"):
        assert printed.count(f"CREATE TABLE supertokens_py_{name} ") == 1
        assert f"supertokens_py_{name}" in made
    wanted = SessionFeatures(details=True, events=True, revocations=True, deliveries=True, device_keys=True)
    application = EmbeddedEngine(
        empty_database.uri, EngineConfig().resolve({}), may_create=False, features=wanted
    )
    application.keys.jwks()
    application.close()
    assert run("schema", "print", "--feature", "everything", *store).code == 2


def test_the_printed_schema_is_complete(
    run: Runner, empty_database: TestDatabase, sqlite_database: TestDatabase, start: Opener
) -> None:
    """Whoever may create tables runs it; the application then adds nothing."""
    printed = run("schema", "print", "--connection-uri", empty_database.uri)
    for statement in printed.out.split(";\n"):
        if statement.strip():
            empty_database.query(statement)
    assert run("sessions", "list", "u", "--connection-uri", empty_database.uri).code == 1  # nobody yet
    start(empty_database.uri).create()


def test_the_tables_of_users_are_made_on_request(
    run: Runner, empty_database: TestDatabase, start: Opener
) -> None:
    """For an application with a sign-in recipe that may not create tables."""
    store = ("--connection-uri", empty_database.uri)
    printed = run("schema", "print", "--users", *store).out
    assert "emailpassword_users" in printed
    assert "emailpassword_users" not in run("schema", "print", *store).out
    for statement in printed.split(";\n"):
        if statement.strip():
            empty_database.query(statement)
    engine = EmbeddedEngine(
        empty_database.uri, EngineConfig(clean_up_interval=0).resolve({}), may_create=False, keeps_users=True
    )
    assert engine.users.count(tenant_id=None) == 0
    engine.close()
    assert run("schema", "create", "--users", *store).code == 0


@pytest.mark.parametrize("words", [(), ("sessions",), ("keys",)])
def test_a_command_without_its_action_is_explained(run: Runner, words: tuple[str, ...]) -> None:
    """The bare command prints its help; a wrong word is an error."""
    ran = run(*words)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(f"usage: {' '.join(('supertokens', *words))} [-h]")
    assert run(*words, "dance").code == 2


_URI = "postgresql://me:hush@db/shop"


@pytest.mark.parametrize(
    ("words", "usage", "complaint"),
    [
        (
            ("clean", "--conection-uri", _URI),
            "clean",
            "no option --conection-uri: did you mean --connection-uri?",
        ),
        (
            ("clean", f"--conection-uri={_URI}"),
            "clean",
            "no option --conection-uri: did you mean --connection-uri?",
        ),
        (("keys", "list", "--core-api-kye", "hush"), "keys list", "did you mean --core-api-key?"),
        (("keys", "list", _URI), "keys list", "more words than this command takes"),
        (("keys", _URI), "keys", "invalid choice: ... (choose from "),
        ((_URI,), "", "invalid choice: ... (choose from "),
        (("clean", f"--json={_URI}"), "clean", "ignored explicit argument ..."),
        (("clean", f"--co={_URI}"), "clean", "ambiguous option: --co=... could match --connection-uri"),
        (("clean", "--co=host=db password=hush"), "clean", "ambiguous option: --co=... could match"),
        (("serve", "--port", _URI), "serve", "argument --port: invalid _port value: ..."),
        (("serve", "--log-level", _URI), "serve", "invalid choice: ... (choose from "),
        (("keys", "dance"), "keys", "invalid choice: 'dance' (choose from "),
    ],
)
def test_a_mistyped_command_line_repeats_no_secret(
    run: Runner, words: tuple[str, ...], usage: str, complaint: str
) -> None:
    """What was typed may hold a password or a key; the usage is that of the command that was meant."""
    ran = run(*words)
    assert (ran.code, ran.out) == (2, "")
    assert complaint in ran.err
    assert ran.err.startswith(f"usage: {' '.join(('supertokens', *usage.split()))} [-h]")
    assert "hush" not in ran.err


@pytest.mark.parametrize("uri", ["", "  "])
def test_an_empty_uri_is_no_default(run: Runner, uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that a deployment left empty must not lead to another database."""
    given = run("clean", "--connection-uri", uri)
    assert (given.code, given.err) == (
        2,
        "supertokens: connection_uri is empty: set it, or leave it out for the SQLite file supertokens.db\n",
    )
    monkeypatch.setenv("SUPERTOKENS_CONNECTION_URI", uri)
    for command in (("clean",), ("keys", "list"), ("schema", "create"), ("import",), ("serve",)):
        ran = run(*command)
        assert (ran.code, ran.out) == (2, "")
        assert "connection_uri is empty" in ran.err
    assert "connection_uri is empty" in run("doctor").out
    with pytest.raises(ConfigError, match="connection_uri is empty"):
        create_from({"SUPERTOKENS_CONNECTION_URI": uri, "SUPERTOKENS_ALLOW_NO_API_KEY": "1"})


@pytest.mark.parametrize("name", ["SUPERTOKENS_CONECTION_URI", "SUPERTOKENS_CONNECTIONURI"])
def test_a_misspelt_uri_is_no_default(run: Runner, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command would change another database than the one that was meant."""
    monkeypatch.setenv(name, "postgresql://db/shop")
    ran = run("schema", "create")
    assert (ran.code, ran.out) == (2, "")
    assert f"{name} is read by nothing; did you mean SUPERTOKENS_CONNECTION_URI?" in ran.err
    assert run("schema", "print", "--connection-uri", "sqlite://").code == 0


def test_a_misspelt_setting_is_named(
    run: Runner, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As at the start of an application."""
    monkeypatch.setenv("SUPERTOKENS_TABLE_SCHEM", "auth")
    assert run("schema", "print", "--connection-uri", "sqlite://").code == 0
    assert caplog.messages[0] == (
        "the environment variable SUPERTOKENS_TABLE_SCHEM is read by nothing; "
        "did you mean SUPERTOKENS_TABLE_SCHEMA?"
    )


def test_why_a_session_ended(run: Runner, fresh_shared: TestDatabase) -> None:
    """CP-26: `sessions why` says so in a sentence; `sessions revoke` is an event with its author."""
    store = ("--connection-uri", fresh_shared.uri)
    driver = Driver(fresh_shared.uri, features=SessionFeatures(events=True))
    live, ended = driver.create("ann").handle, driver.create("ann").handle
    assert run("sessions", "revoke", ended, "--by", "support", *store).code == 0
    why = run("sessions", "why", ended, *store)
    assert why.code == 0
    assert why.out.startswith(f"{ended}: ended ")
    assert why.out.endswith("Z: an administrator ended it (by support)\n")
    told = run("sessions", "why", ended, "--json", *store).json
    assert (told["state"], told["reason"], told["actor_id"], told["user_id"]) == (
        "ended",
        "admin",
        "support",
        "ann",
    )
    both = run("sessions", "why", "--user", "ann", "--json", *store).json
    assert [(one["handle"], one["state"]) for one in both] == [(live, "live"), (ended, "ended")]
    nobody = run("sessions", "why", "--user", "eve", *store)
    assert (nobody.code, nobody.err) == (1, "supertokens: nothing is known of sessions of eve\n")
    unknown = run("sessions", "why", "nothing", *store)
    assert (unknown.code, unknown.out.partition(":")[0]) == (1, "nothing")
    assert run("sessions", "why", *store).code == 2
    assert run("sessions", "why", live, "--user", "ann", *store).code == 2
    driver.close()


def test_a_clean_up_by_command_leaves_events(run: Runner, fresh_shared: TestDatabase) -> None:
    """For how long they are kept is known to the application alone."""
    clock = Clock()
    driver = Driver(fresh_shared.uri, features=SessionFeatures(events=True), now_ms=clock)
    clock.advance(days=-400)
    session = driver.create("ann")
    assert run("clean", "--connection-uri", fresh_shared.uri).code == 0
    types = [event.type for event in driver.events.of_session(session.handle)]
    assert types == ["session.created", "session.expired"]
    driver.close()
