"""Commands and the CDI server on the database of an application with `instant_revocation`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from supertokens_py.engine.session_records import SessionFeatures
from supertokens_py.server.environment import create_from
from supertokens_py.types.users import User
from tests.cli.conftest import Runner
from tests.engine.driver import Driver
from tests.support.databases import Sqlite

TOKENS_GO_ON = (
    "access tokens that are out verify for up to 3600 seconds more, except where check_database is on\n"
)


@pytest.fixture(params=[True, False], ids=["on", "off"])
def application(request: pytest.FixtureRequest, sqlite_files: Sqlite) -> Iterator[Driver]:
    """An application with the feature, and one without."""
    features = SessionFeatures(revocations=request.param)
    driver = Driver(sqlite_files.create().uri, features=features, keeps_users=True)
    driver.create("first use")
    yield driver
    driver.close()


def seen(application: Driver) -> set[str] | None:
    """Return the revoked sessions that the application knows of, once it has read."""
    log = application.engine.revocations
    if log is None:
        names = {name for (name,) in application.database.read(_table_names)}
        assert "supertokens_py_revocations" not in names
        return None
    log.poll()
    return set(log.revoked.handles)


def _table_names(connection: object) -> list[tuple[str]]:
    query = "SELECT name FROM sqlite_master"
    return connection.exec_driver_sql(query).all()  # type: ignore[attr-defined]


def test_commands_tell_the_application(run: Runner, application: Driver) -> None:
    """CP-16: `sessions revoke` and `users delete`; they make no table."""
    store = ("--connection-uri", application.uri)
    user = application.engine.email_password.sign_up("public", "cid@example.com", "a password 1")
    assert isinstance(user, User)
    one, other, third = (application.create(user_id).handle for user_id in ("ann", "bob", user.id))
    said = [
        run("sessions", "revoke", one, *store),
        run("sessions", "revoke", "--user", "bob", *store),
        run("users", "delete", user.id, *store),
    ]
    assert [ran.code for ran in said] == [0, 0, 0]
    still = 0 if application.engine.revocations is not None else 1
    assert [ran.out.count(TOKENS_GO_ON) for ran in said] == [still] * 3
    expected = {one, other, third} if application.engine.revocations is not None else None
    assert seen(application) == expected


def test_renewed_keys_tell_the_application(run: Runner, application: Driver) -> None:
    """CP-16: `keys renew` ends every session, so that every earlier access token is refused."""
    store = ("--connection-uri", application.uri)
    application.create("ann")
    assert run("keys", "renew", "--refresh", "--json", *store).json["sessions_ended"] == 2
    assert seen(application) == (None if application.engine.revocations is None else set())
    log = application.engine.revocations
    assert log is None or log.revoked.cut_off_ms > 0


def test_the_server_tells_the_application(application: Driver) -> None:
    """CP-16: what SDKs of other languages revoke through it."""
    handle = application.create("ann").handle
    environ = {"SUPERTOKENS_CONNECTION_URI": application.uri, "SUPERTOKENS_ALLOW_NO_API_KEY": "1"}
    with TestClient(create_from(environ), base_url="http://core") as client:
        body = {"sessionHandles": [handle]}
        answer = client.post("/recipe/session/remove", json=body, headers={"cdi-version": "5.0"})
    assert answer.json() == {"status": "OK", "sessionHandlesRevoked": [handle]}
    assert seen(application) == ({handle} if application.engine.revocations is not None else None)
