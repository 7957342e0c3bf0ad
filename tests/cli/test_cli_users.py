"""`supertokens users`: list, show, delete."""

from __future__ import annotations

import pytest

from supertokens_py.types.users import User
from tests.cli.conftest import Runner
from tests.engine.conftest import POSTGRES, SQLITE, Opener
from tests.engine.driver import Driver
from tests.support.databases import TestDatabase

QUICK = {"argon2_memory_kb": 1024, "argon2_parallelism": 1}


@pytest.fixture(params=[SQLITE, POSTGRES])
def stored(request: pytest.FixtureRequest) -> TestDatabase:
    name = "sqlite_database" if request.param == "sqlite-file" else "fresh_postgres_database"
    return request.getfixturevalue(name)


@pytest.fixture
def core(stored: TestDatabase, start: Opener) -> Driver:
    return start(stored.uri, keeps_users=True, **QUICK)


@pytest.fixture
def store(stored: TestDatabase) -> tuple[str, str]:
    return ("--connection-uri", stored.uri)


def signed_up(core: Driver, email: str) -> User:
    user = core.email_password.sign_up("public", email, "a password 1")
    assert isinstance(user, User)
    return user


def test_users_are_listed_by_page(run: Runner, core: Driver, store: tuple[str, str]) -> None:
    ada, bob = signed_up(core, "ada@example.com"), signed_up(core, "bob@other.example")
    listed = run("users", "list", *store)
    assert listed.code == 0
    assert "ada@example.com" in listed.out
    first = run("users", "list", "--limit", "1", "--json", *store).json
    second = run("users", "list", "--limit", "1", "--after", first["next"], "--json", *store).json
    assert second["next"] is None
    assert {one["id"] for page in (first, second) for one in page["users"]} == {ada.id, bob.id}
    assert f"--after {first['next']}" in run("users", "list", "--limit", "1", *store).out
    found = run("users", "list", "--email", "other.ex", "--json", *store).json
    assert found == {"users": [bob.to_json()], "next": None}
    nobody = run("users", "list", "--tenant", "t1", *store)
    assert (nobody.code, nobody.err) == (1, "supertokens: there is no such user\n")
    assert run("users", "list", "--after", "x", *store).code == 1


def test_a_user_is_shown_and_deleted(run: Runner, core: Driver, store: tuple[str, str]) -> None:
    ada = signed_up(core, "ada@example.com")
    core.create(ada.id)
    assert run("users", "show", ada.id, "--json", *store).json == ada.to_json()
    shown = run("users", "show", ada.id, *store).out
    assert "ada@example.com (not verified), in public" in shown
    deleted = run("users", "delete", ada.id, *store)
    assert deleted.code == 0
    assert deleted.out.startswith(f"deleted {ada.id} in ")
    assert core.sessions.user_handles(ada.id, tenant_id=None) == []
    for action in ("show", "delete"):
        again = run("users", action, ada.id, *store)
        assert (again.code, again.err) == (1, f"supertokens: there is no user {ada.id}\n")


def test_a_database_of_sessions_alone_gets_no_tables(
    run: Runner, stored: TestDatabase, start: Opener, store: tuple[str, str]
) -> None:
    """Looking for users makes none, and the error does not blame the sessions."""
    start(stored.uri).create("ada")
    for action in (("list",), ("show", "ada"), ("delete", "ada")):
        ran = run("users", *action, *store)
        assert ran.code == 2
        assert (
            " keeps no users: the application lists no sign-in recipe, such as emailpassword.init()"
            in ran.err
        )
        assert "sessions" not in ran.err.replace(stored.uri, "")
    with pytest.raises(Exception, match="emailpassword_users"):
        stored.query("SELECT 1 FROM emailpassword_users")
