"""`supertokens roles`: the first admin, without a script."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Runner
from tests.engine.conftest import POSTGRES, SQLITE, Opener
from tests.engine.driver import Driver
from tests.support.databases import TestDatabase

HINT = "ada@example.com looks like an e-mail address: `supertokens users list --email ada@example.com`"


@pytest.fixture(params=[SQLITE, POSTGRES])
def core(request: pytest.FixtureRequest, start: Opener) -> Driver:
    name = "sqlite_database" if request.param == "sqlite-file" else "fresh_postgres_database"
    return start(request.getfixturevalue(name).uri, keeps_users=True)


def test_roles_are_given_listed_and_taken_away(run: Runner, core: Driver) -> None:
    store = ("--connection-uri", core.uri)
    assert run("roles", "list", *store).err == "supertokens: there is no role\n"
    unknown = run("roles", "add", "ada", "admin", *store)
    assert (unknown.code, unknown.err) == (1, "supertokens: there is no role admin: --create makes it\n")
    added = run("roles", "add", "ada", "admin", "--create", *store)
    assert (added.code, added.out.splitlines()[0]) == (0, "ada has the role admin in the tenant public")
    assert "supertokens: " not in added.err
    assert core.engine.roles.of_user("ada", tenant_id="public") == ["admin"]
    assert run("roles", "add", "ada", "admin", "--json", *store).json == {"role": "admin", "had_it": True}
    core.engine.roles.add("admin", ["read", "write"])
    assert run("roles", "list", "--json", *store).json == [
        {"role": "admin", "permissions": ["read", "write"]}
    ]
    assert run("roles", "list", *store).out == "ROLE   PERMISSIONS\nadmin  read, write\n"
    assert run("roles", "of", "ada", *store).out == "admin\n"
    assert run("roles", "of", "ada", "--json", *store).json == ["admin"]
    removed = run("roles", "remove", "ada", "admin", *store)
    assert removed.out.splitlines()[0] == "ada has no role admin in the tenant public any more"
    none = run("roles", "of", "ada", *store)
    assert (none.code, none.err) == (1, "supertokens: ada has no role in the tenant public\n")
    again = run("roles", "remove", "ada", "admin", *store)
    assert (again.code, again.err) == (1, "supertokens: ada had no role admin in the tenant public\n")
    assert run("roles", "remove", "ada", "boss", *store).err == "supertokens: there is no role boss\n"


@pytest.mark.parametrize(
    "command",
    [
        ("sessions", "list", "ada@example.com"),
        ("sessions", "revoke", "--user", "ada@example.com"),
        ("users", "show", "ada@example.com"),
        ("users", "delete", "ada@example.com"),
        ("roles", "of", "ada@example.com"),
        ("roles", "remove", "ada@example.com", "admin"),
    ],
    ids=" ".join,
)
def test_an_address_in_the_place_of_a_user_id_is_told_of(
    run: Runner, sqlite_database: TestDatabase, start: Opener, command: tuple[str, ...]
) -> None:
    """Commands take user ids: whoever has an address only is told how to find the id."""
    core = start(sqlite_database.uri, keeps_users=True)
    core.engine.roles.add("admin", [])
    ran = run(*command, "--connection-uri", core.uri)
    assert (ran.code, HINT in ran.err) == (1, True)
    without = run(*(word.replace("@example.com", "") for word in command), "--connection-uri", core.uri)
    assert (without.code, "e-mail" in without.err) == (1, False)
