"""`supertokens users import`."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy.exc import IntegrityError

from supertokens_py.cli.user_files import Reading, read
from supertokens_py.engine.embedded.importing.user_rows import ImportRows
from supertokens_py.engine.embedded.importing.users import UserImport, unusable_hash
from supertokens_py.engine.embedded.signin.password_hashes import importable_form
from supertokens_py.engine.user_records import UserQuery
from supertokens_py.types.users import User
from tests.cli.conftest import Runner
from tests.engine.conftest import POSTGRES, SQLITE, Opener
from tests.engine.driver import Driver
from tests.engine.test_broken_rules import refuse
from tests.engine.test_flask_security_hashes import (
    FLASK_DOUBLE_HASHES,
    FLASK_SALT,
    FLASK_SINGLE_BY_DEFAULT,
    FLASK_SINGLE_HASHES,
)
from tests.engine.test_passwords import FOREIGN_HASHES, FOREIGN_PASSWORD
from tests.support.databases import TestDatabase

QUICK = {"argon2_memory_kb": 1024, "argon2_parallelism": 1}
DJANGO = FOREIGN_HASHES["Django"]

Import = Callable[..., Any]


@pytest.fixture(params=[SQLITE, POSTGRES])
def stored(request: pytest.FixtureRequest) -> TestDatabase:
    name = "sqlite_database" if request.param == "sqlite-file" else "fresh_postgres_database"
    return request.getfixturevalue(name)


@pytest.fixture
def core(stored: TestDatabase, start: Opener) -> Driver:
    core = start(stored.uri, keeps_users=True, **QUICK)
    core.database.prepare()
    return core


@pytest.fixture
def sqlite_core(sqlite_database: TestDatabase, start: Opener) -> Driver:
    """Where the database makes no difference."""
    core = start(sqlite_database.uri, keeps_users=True, **QUICK)
    core.database.prepare()
    return core


@pytest.fixture
def users_import(run: Runner, tmp_path: Path) -> Import:
    """Run the command on records or text: `users_import(core, [...], "--dry-run")`."""

    def imported(core: Driver, what: Any, *options: str, name: str = "") -> Any:
        if isinstance(what, list):
            path = tmp_path / (name or "users.jsonl")
            path.write_text("".join(json.dumps(one) + "\n" for one in cast("list[Any]", what)))
        else:
            path = tmp_path / (name or "users.csv")
            path.write_bytes(what if isinstance(what, bytes) else what.encode())
        return run("users", "import", str(path), "--connection-uri", core.uri, *options)

    return imported


def count(core: Driver) -> int:
    return core.users.count(tenant_id=None)


def test_users_keep_passwords_ids_and_what_else_there_is(core: Driver, users_import: Import) -> None:
    """From JSON lines: as in the application before, under the id that it knows."""
    core.tenants.put("t1", {})
    core.roles.add("admin", [])
    core.metadata.merge("42", {"kept": True, "name": "as it is"})
    record = {
        "email": " Ada@Example.com ",
        "password_hash": DJANGO,
        "user_id": 42,
        "email_verified": True,
        "time_joined": "2020-01-31T12:00:00Z",
        "metadata": {"name": "as it was", "more": [1]},
        "roles": ["admin"],
    }
    ran = users_import(
        core, [record, {"email": "bob@example.com", "password_hash": DJANGO}], "--tenant", "t1"
    )
    assert (ran.code, ran.err) == (0, "")
    assert "imported: 2 of 2\n" in ran.out
    assert "imported 2 users into " in ran.out
    ada = core.email_password.verify("t1", "ada@example.com", FOREIGN_PASSWORD)
    assert isinstance(ada, User)
    assert (ada.id, ada.tenant_ids, ada.time_joined) == ("42", ["t1"], 1_580_472_000_000)
    assert ada.login_methods[0].verified
    assert core.metadata.read("42") == {"kept": True, "name": "as it is", "more": [1]}
    assert core.roles.of_user("42", tenant_id="t1") == ["admin"]
    bob = core.email_password.verify("t1", "bob@example.com", FOREIGN_PASSWORD)
    assert isinstance(bob, User)
    assert not bob.login_methods[0].verified
    assert core.email_password.verify("t1", "bob@example.com", "wrong") is None


def test_the_time_of_a_confirmation_is_one(sqlite_core: Driver, users_import: Import) -> None:
    """As Flask-Security writes it; times may be in milliseconds. Where a cell is empty, nothing is said."""
    ran = users_import(
        sqlite_core,
        "id,email,password,active,confirmed_at,created_at\n"
        f"1,ada@example.com,{DJANGO},1,2020-01-31 12:00:00,1580472000000\n"
        "\n"
        f"2,bob@example.com,{DJANGO},,,01580472000000\n",
    )
    assert (ran.code, ran.err) == (0, "")
    ada, bob = sqlite_core.users.find("1"), sqlite_core.users.find("2")
    assert (ada.login_methods[0].verified, bob.login_methods[0].verified) == (True, False)
    assert (ada.time_joined, bob.time_joined) == (1_580_472_000_000, 1_580_472_000_000)


def test_an_export_of_django_is_read_as_it_is(
    core: Driver, users_import: Import, stored: TestDatabase
) -> None:
    """Columns of `auth_user`; whoever may not sign in there may not here. Rows are the official layout's."""
    core.roles.add("editor", [])
    text = (
        "\N{ZERO WIDTH NO-BREAK SPACE}id,password,is_active,email,date_joined,first_name,roles\r\n"
        f'7,{DJANGO},t,ada@example.com,2020-01-31 12:00:00.5+00,"Ada, the ""first""",editor;editor\r\n'
        f"8,{DJANGO},f,bob@example.com,2020-01-31 12:00:00+00,Bob,\r\n"
    )
    ran = users_import(core, text, "--metadata", "first_name")
    assert (ran.code, ran.err) == (0, "")
    assert "imported 1 user into" in ran.out
    assert "left out, for they are not active: 1 user\n" in ran.out
    ada = core.email_password.verify("public", "ada@example.com", FOREIGN_PASSWORD)
    assert (ada.id, ada.time_joined) == ("7", 1_580_472_000_500)
    assert core.metadata.read("7") == {"first_name": 'Ada, the "first"'}
    assert core.roles.of_user("7", tenant_id="public") == ["editor"]
    assert core.email_password.verify("public", "bob@example.com", FOREIGN_PASSWORD) is None
    ((time_joined, primary),) = stored.query(
        "SELECT time_joined, primary_or_recipe_user_id = user_id FROM app_id_to_user_id"
    )
    assert (time_joined, bool(primary)) == (0, True)
    ((hashed,),) = stored.query("SELECT password_hash FROM emailpassword_users")
    assert hashed.startswith("$argon2id$v=19$m=1024,")  # re-hashed at the sign-in


@pytest.mark.parametrize("kind", FOREIGN_HASHES)
def test_hashes_of_every_supported_kind_sign_in(sqlite_core: Driver, users_import: Import, kind: str) -> None:
    """SI-25."""
    ran = users_import(sqlite_core, [{"email": "ada@example.com", "password_hash": FOREIGN_HASHES[kind]}])
    assert ran.code == 0
    assert sqlite_core.email_password.verify("public", "ada@example.com", FOREIGN_PASSWORD)


# -- what is refused -----------------------------------------------------------------------------------


def refused(line: int, reason: str) -> str:
    return (
        f"supertokens: line {line}: {reason}\n"
        "supertokens: 1 line refused, so nothing was written: correct them, or import the others with "
        "--skip-refused\n"
    )


_FLASK_SECURITY_TWICE = (
    "Flask-Security hashes a password twice, first with SECURITY_PASSWORD_SALT: give its value to this "
    "command, and to the application, as flask_security_password_salt "
    "(SUPERTOKENS_FLASK_SECURITY_PASSWORD_SALT), or use --single-hash if it had SECURITY_PASSWORD_SINGLE_HASH"
)
_WITHOUT = " (--reset-passwords imports such users without one)"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"email": ""}, "there is no e-mail address: users sign in with one"),
        (
            {"email": "ada\x1b[2J@example.com"},
            "the e-mail address is invalid: correct it, for nobody could sign in with it",
        ),
        ({"password_hash": None}, "there is no password hash" + _WITHOUT),
        ({"password_hash": 7}, "password_hash must be a string" + _WITHOUT),
        (
            {"salt": "x"},
            "hashes of Firebase are not supported: such users have to reset their passwords" + _WITHOUT,
        ),
        (
            {"fs_uniquifier": "x", "password_hash": FOREIGN_HASHES["passlib"]},
            _FLASK_SECURITY_TWICE + _WITHOUT,
        ),
        ({"user_id": "x" * 129}, "user_id must not be longer than 128 characters"),
        ({"user_id": True}, "user_id must be a string"),
        ({"email_verified": "perhaps"}, "email_verified must be true or false"),
        ({"is_active": "perhaps"}, "active must be true or false"),
        (
            {"time_joined": 1_700_000_000},
            "a time in numbers must be milliseconds since 1970, such as 1700000000000",
        ),
        ({"time_joined": "31.1."}, "a time must be written as 2026-01-31T12:00:00Z, or in milliseconds"),
        (
            {"time_joined": "9" * 5000},
            "a time in numbers must be milliseconds since 1970, such as 1700000000000",
        ),
        ({"email_verified": "9" * 5000}, "email_verified must be true or false"),
        ({"active": "9" * 5000}, "active must be true or false"),
        ({"metadata": "{"}, "metadata must be JSON"),
        ({"roles": "[1"}, "roles must be JSON"),
        ({"roles": 7}, "roles must be a list of strings"),
        ({"roles": [7]}, "Field name 'roles' must be a string, not int"),
    ],
)
def test_a_line_is_refused_with_its_number(
    sqlite_core: Driver, users_import: Import, change: dict[str, Any], reason: str
) -> None:
    """And nothing is written of the others either."""
    good = {"email": "bob@example.com", "password_hash": DJANGO}
    ran = users_import(sqlite_core, [good, {"email": "ada@example.com", "password_hash": DJANGO} | change])
    assert (ran.code, ran.err) == (1, refused(2, reason))
    assert count(sqlite_core) == 0
    assert "would be imported (nothing was written): 1 user into " in ran.out


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_metadata_that_is_too_large_with_what_is_there_is_refused(
    core: Driver, users_import: Import, options: tuple[str, ...]
) -> None:
    """With the number of its line, as whatever else the database alone can tell; the others are imported."""
    core.metadata.merge("42", {"kept": "x" * 600_000})
    big = {"email": "ada@example.com", "user_id": "42", "metadata": {"more": "x" * 500_000}}
    good = {"email": "bob@example.com", "password_hash": DJANGO}
    ran = users_import(core, [good, {"password_hash": DJANGO} | big], *options)
    assert ran.code == 1
    reason = (
        "with what is kept under this user id already, metadata takes 1100021 bytes as JSON; at most 1048576"
    )
    assert f"line 2: {reason} are allowed\n" in ran.err
    assert core.users.find("42") is None
    assert core.metadata.read("42") == {"kept": "x" * 600_000}
    assert count(core) == (0 if options else 1)


def test_metadata_that_is_no_object_is_refused(sqlite_core: Driver, users_import: Import) -> None:
    ran = users_import(sqlite_core, [{"email": "a@example.com", "password_hash": DJANGO, "metadata": [1]}])
    assert ran.code == 1
    assert "line 1: metadata" in ran.err


@pytest.mark.parametrize(
    ("text", "name", "line", "reason"),
    [
        (b"email,password\na@example.com\n", "u.csv", 2, "there are 1 values for 2 columns"),
        (b"email,password\n\xff@example.com,x\n", "u.csv", 2, "there are bytes that are not UTF-8"),
        (b'\n{"email": 1\n', "u.jsonl", 2, "this is no JSON: each line has to be one object"),
        (b"[" * 100_000, "u.jsonl", 1, "this is no JSON: each line has to be one object"),
        (b"[]\n", "u.ndjson", 1, "each line has to be one JSON object"),
        (b'{"email": "\xff"}', "u.jsonl", 1, "there are bytes that are not UTF-8: save the file as UTF-8"),
        (b'{"email": "' + b"x" * 3_000_000, "u.jsonl", 1, "the line is too long"),
    ],
    ids=["short", "bytes", "json", "deep", "list", "json bytes", "long"],
)
def test_a_broken_file_is_refused_at_the_line(
    sqlite_core: Driver, users_import: Import, text: bytes, name: str, line: int, reason: str
) -> None:
    ran = users_import(sqlite_core, text, name=name)
    assert ran.code == 1
    assert f"supertokens: line {line}: {reason}" in ran.err
    assert count(sqlite_core) == 0


def test_a_quotation_mark_that_ends_a_file_is_refused(sqlite_core: Driver, users_import: Import) -> None:
    """What follows it is not known to be records: it is not left out, with --skip-refused either."""
    text = f'email,password_hash\na@example.com,{DJANGO}\n"a"b,c\nd@example.com,{DJANGO}\n'
    for options in ((), ("--skip-refused",)):
        ran = users_import(sqlite_core, text.encode(), *options, name="u.csv")
        assert (ran.code, ran.err) == (
            2,
            "supertokens: line 3: this is no CSV (',' expected after '\"'): look for a quotation mark that "
            "is not doubled. Nothing from that line on can be read, so nothing was imported\n",
        )
        assert count(sqlite_core) == 0


def test_a_hash_is_never_repeated(sqlite_core: Driver, users_import: Import) -> None:
    """It may be a password in plain text."""
    ran = users_import(sqlite_core, "email,password\nada@example.com,correct horse 1\n")
    assert ran.code == 1
    assert "line 2: the password hash has none of the supported forms" in ran.err
    assert "correct" not in ran.out + ran.err.replace("correct them", "")


def test_escapes_of_a_file_reach_no_terminal(sqlite_core: Driver, users_import: Import) -> None:
    r"""Names of columns, ids and roles come from outside."""
    escape = "\x1b[2J\nline 9: all is well"
    record = {"email": "a@example.com", "password_hash": DJANGO, escape: "x", "id": escape.strip()}
    for ran in (
        users_import(sqlite_core, [record]),
        users_import(sqlite_core, [record | {"email": "b@example.com"}]),  # the id is taken
        users_import(sqlite_core, [record | {"email": "c@example.com", "id": 3, "roles": [escape]}]),
        users_import(sqlite_core, "email,\x1b]0;x\x07\na@example.com,x,\x1b\n"),
    ):
        assert "\x1b" not in ran.out + ran.err
        assert "\nline 9" not in ran.out + ran.err


@pytest.mark.parametrize(
    ("what", "options", "reason"),
    [
        ("id,name\n1,x\n", (), "users.csv has no column email: its first line has to name the columns"),
        ("email\na@example.com\n", ("--metadata", "x"), "users.csv has no column x for --metadata"),
        ("email\na@example.com\n", ("--tenant", "t9"), "tenant 't9' does not exist"),
        ("email,password,roles\na@example.com,!,x\n", ("--reset-passwords",), "there are no such roles: x"),
    ],
)
def test_a_command_that_cannot_work_is_refused(
    sqlite_core: Driver, users_import: Import, what: str, options: tuple[str, ...], reason: str
) -> None:
    ran = users_import(sqlite_core, what, *options)
    assert ran.code in (1, 2)
    assert reason in ran.err
    assert count(sqlite_core) == 0


def test_a_pipe_that_breaks_meanwhile_is_no_failure_of_the_file(tmp_path: Path) -> None:
    """As where the progress goes to a program that has seen enough."""
    path = tmp_path / "users.csv"
    path.write_text("email\nada@example.com\n")

    def print_progress(records: object) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError), read(Reading(path=path, form="csv")) as records:
        print_progress(next(records))


def test_a_file_or_database_that_is_none_is_refused(run: Runner, tmp_path: Path, sqlite_core: Driver) -> None:
    store = ("--connection-uri", sqlite_core.uri)
    assert "there is no file /nowhere.csv" in run("users", "import", "/nowhere.csv", *store).err
    ran = run("users", "import", "/nowhere.csv", "--format", "csv", *store)
    assert (ran.code, ran.err) == (2, "supertokens: cannot read /nowhere.csv: No such file or directory\n")
    (tmp_path / "users.txt").write_text("email\n")
    ran = run("users", "import", "users.txt", *store)
    assert (ran.code, ran.err) == (
        2,
        "supertokens: say which form users.txt has: --format csv or --format jsonl\n",
    )
    assert run("users", "import", "users.txt", "--format", "csv", *store).code == 0
    ran = run("users", "import", "users.txt", "--format", "csv", "--connection-uri", "https://core.example")
    assert (ran.code, "not a core" in ran.err) == (2, True)
    ran = run("users", "import", "users.txt", "--format", "csv", "--connection-uri", "sqlite:///none.db")
    assert (ran.code, "there is no database" in ran.err) == (2, True)
    assert run("users", "import", "users.txt", "--batch", "0", *store).code == 2


# -- again, and what is there --------------------------------------------------------------------------


def many(count: int, **more: Any) -> list[dict[str, Any]]:
    return [
        {"email": f"u{n}@example.com", "password_hash": DJANGO, "user_id": f"id {n}", **more}
        for n in range(count)
    ]


def test_a_run_that_was_interrupted_is_repeated(
    core: Driver, users_import: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Batches that were written stay, the one that was not left nothing behind; the next run goes on."""
    write, left = UserImport.write, [2]

    def interrupted(self: UserImport, users: Any) -> Any:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        return write(self, users)

    monkeypatch.setattr(UserImport, "write", interrupted)
    ran = users_import(core, many(10), "--batch", "3")
    assert (ran.code, ran.err) == (130, "supertokens: interrupted\n")
    assert count(core) == 6
    monkeypatch.undo()
    ran = users_import(core, many(10), "--batch", "3")
    assert ran.code == 0
    assert "imported 4 users into " in ran.out
    assert "already there, left as they are: 6 users\n" in ran.out
    again = users_import(core, many(10), "--json").json
    assert (again["imported"], again["present"], again["refused"]) == (0, 10, 0)
    assert count(core) == 10


def test_users_who_are_there_are_left_as_they_are(core: Driver, users_import: Import) -> None:
    """Also their passwords. Whose address or id is somebody else's is refused, and the others arrive."""
    ada = core.email_password.sign_up("public", "ada@example.com", "a password 1")
    core.id_mappings.create(
        core.email_password.sign_up("public", "x@example.com", "p 1").id, "9", None, force=False
    )
    hashed = {"password_hash": DJANGO}
    ran = users_import(
        core,
        [
            {"email": "ADA@example.com", **hashed},
            {"email": "ada@example.com", "user_id": "7", **hashed},
            {"email": "bob@example.com", "user_id": "9", **hashed},
            {"email": "carl@example.com", "user_id": ada.id, **hashed},
            {"email": "dora@example.com", "user_id": "1", **hashed},
            {"email": "dora@example.com", "user_id": "1", **hashed},
            {"email": "dora@example.com", "user_id": "2", **hashed},
            {"email": "emil@example.com", "user_id": "1", **hashed},
        ],
    )
    assert ran.code == 1
    taken = "another user has this e-mail address: give one of them another address, or leave one out"
    same = "another user has this user id: correct the id, or leave the line out"
    assert ran.err == (
        f"supertokens: line 2: {taken}\nsupertokens: line 3: {same}\nsupertokens: line 4: {same}\n"
        f"supertokens: line 7: {taken}\nsupertokens: line 8: {same}\n"
        "supertokens: 5 lines refused: correct them and run the command again, it imports what is missing\n"
    )
    assert "imported 1 user into " in ran.out
    assert "already there, left as they are: 2 users\n" in ran.out
    assert core.email_password.verify("public", "ada@example.com", "a password 1") == ada
    assert count(core) == 3


def test_a_sign_up_in_the_same_moment_is_no_failure(
    core: Driver, users_import: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The batch is looked at again, and leaves that user alone."""
    insert, calls = ImportRows.insert, [0]

    def overtaken(self: ImportRows, connection: Any, users: Any) -> None:
        calls[0] += 1
        if calls[0] == 1:
            raise IntegrityError("INSERT", {}, Exception("UNIQUE constraint failed"))
        insert(self, connection, users)

    monkeypatch.setattr(ImportRows, "insert", overtaken)
    assert users_import(core, many(2)).code == 0
    assert (calls[0], count(core)) == (2, 2)


def test_a_tenant_that_is_deleted_meanwhile_is_named(
    core: Driver, users_import: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    core.tenants.put("t1", {})
    write = UserImport.write

    def overtaken(self: UserImport, users: Any) -> Any:
        core.tenants.delete("t1")
        return write(self, users)

    monkeypatch.setattr(UserImport, "write", overtaken)
    ran = users_import(core, many(1), "--tenant", "t1")
    told = "AppId or tenantId not found => tenant 't1' does not exist"
    assert (ran.code, ran.err) == (1, f"supertokens: {told}\n")
    assert count(core) == 0


def test_a_rule_of_an_operator_is_told(core: Driver, stored: TestDatabase, users_import: Import) -> None:
    """Without the row that broke it: a password's hash is in that."""
    refuse(stored, "emailpassword_users")
    ran = users_import(core, many(1))
    name = core.database.location.name
    told = (
        "refused"
        if stored.kind != "postgresql"
        else 'new row for relation "emailpassword_users" violates check constraint "refused"'
    )
    assert (ran.code, ran.err) == (1, f"supertokens: {name} refuses a user: {told}\n")


def test_a_role_that_is_deleted_meanwhile_is_named(
    sqlite_core: Driver, users_import: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    sqlite_core.roles.add("admin", [])
    write = UserImport.write

    def overtaken(self: UserImport, users: Any) -> Any:
        sqlite_core.roles.delete("admin")
        return write(self, users)

    monkeypatch.setattr(UserImport, "write", overtaken)
    ran = users_import(sqlite_core, [*many(1, roles="admin"), {"email": "x@example.com", "password": DJANGO}])
    assert ran.code == 1
    assert "line 1: there is no role 'admin': create it first, or use --create-roles\n" in ran.err
    assert count(sqlite_core) == 1


def test_the_others_are_imported_where_that_is_wanted(sqlite_core: Driver, users_import: Import) -> None:
    broken = [{"email": f"none {n}", "password_hash": DJANGO} for n in range(25)]
    ran = users_import(sqlite_core, [*broken, *many(2)], "--skip-refused", "--json")
    assert ran.code == 1
    assert (ran.json["imported"], ran.json["refused"], len(ran.json["reasons"])) == (2, 25, 20)
    assert ran.json["reasons"][0]["line"] == 1
    assert json.loads(ran.err.splitlines()[-1])["error"].startswith("25 lines refused (5 more): correct them")
    assert count(sqlite_core) == 2


def test_a_dry_run_writes_nothing(core: Driver, users_import: Import) -> None:
    users_import(core, many(2))
    ran = users_import(core, many(5, roles=["admin"]), "--dry-run", "--create-roles")
    assert ran.code == 0
    assert "would be imported (nothing was written): 3 users into " in ran.out
    assert "already there, left as they are: 2 users\n" in ran.out
    assert (count(core), core.roles.all()) == (2, [])
    assert users_import(core, many(5, roles=["admin"]), "--create-roles").code == 0
    assert core.roles.users("admin", tenant_id="public") == ["id 2", "id 3", "id 4"]


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_what_users_are_given_besides_is_said(
    core: Driver, users_import: Import, options: tuple[str, ...]
) -> None:
    """Roles, and whatever the application has under their ids already, which becomes theirs."""
    for role in ("admin", "editor"):
        core.roles.add(role, ["all"])
    core.create("id 0")
    core.metadata.merge("id 1", {"plan": "pro"})
    core.roles.assign("id 2", "editor", tenant_id="public")
    core.create("id 2")
    core.create("id 9")
    records = many(5, roles=["admin"])
    records[4]["roles"] = ["editor", "admin"]
    ran = users_import(core, records, *options, "--json")
    assert ran.json["roles"] == {"admin": 5, "editor": 1}
    assert ran.json["ids_in_use"] == 3
    again = users_import(core, many(6, roles=["admin"]), *options)
    assert again.code == 0
    if options:
        assert "with roles: admin (6 users)\n" in again.out
        assert (
            "3 users get a user id that has sessions, roles or metadata already, which become theirs\n"
            in again.out
        )
    else:
        assert "with roles: admin (1 user)\n" in again.out
        assert "become theirs" not in again.out


def test_users_without_a_usable_hash_reset_their_passwords(
    core: Driver, users_import: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Firebase, Flask-Security, Django's accounts without a password: a link lets them in."""
    monkeypatch.setenv("SUPERTOKENS_ARGON2_MEMORY_KB", "1024")  # of the hashes that no password has
    monkeypatch.setenv("SUPERTOKENS_ARGON2_PARALLELISM", "1")
    records = [
        {"email": "a@example.com", "passwordHash": "x", "salt": "y"},
        {"email": "b@example.com", "password": FOREIGN_HASHES["passlib, bcrypt"], "fs_uniquifier": "x"},
        {"email": "c@example.com", "password": "!unusable"},
        {"email": "d@example.com", "password": DJANGO},
    ]
    ran = users_import(core, records, "--reset-passwords")
    assert (ran.code, ran.err) == (0, "")
    assert "without a password, until they reset it: 3 users\n" in ran.out
    verify = core.email_password.verify
    assert verify("public", "d@example.com", FOREIGN_PASSWORD)
    for email in ("a@example.com", "b@example.com", "c@example.com"):
        for guess in (FOREIGN_PASSWORD, "", "x", "!unusable"):
            assert verify("public", email, guess) is None
    (user,) = core.users.page("public", UserQuery(email="a@example.com")).users
    assert core.email_password.create_reset_token("public", user.id, None)


def test_an_unusable_hash_has_the_form_of_the_others(sqlite_core: Driver) -> None:
    """An official core reads it, too."""
    one, other = (unusable_hash(sqlite_core.settings) for _ in range(2))
    assert one != other
    assert importable_form(one) == one
    assert one.startswith("$argon2id$v=19$m=1024,t=1,p=1$")


_FLASK_COLUMNS = ("id", "email", "password", "active", "fs_uniquifier", "confirmed_at")


def flask_users(*hashes: str) -> str:
    """Return a table of users as Flask-Security has it, in CSV."""
    file = io.StringIO()
    rows = [(n, f"u{n}@example.com", one, 1, f"f{n}", "") for n, one in enumerate(hashes)]
    csv.writer(file).writerows([_FLASK_COLUMNS, *rows])
    return file.getvalue()


def test_users_of_flask_security_keep_their_passwords(
    stored: TestDatabase, start: Opener, users_import: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SI-25. The salt is a setting of the command and of the application; the database does not have it."""
    monkeypatch.setenv("SUPERTOKENS_FLASK_SECURITY_PASSWORD_SALT", FLASK_SALT)
    core = start(stored.uri, keeps_users=True, **QUICK, flask_security_password_salt=FLASK_SALT)
    core.database.prepare()
    hashes = [*FLASK_DOUBLE_HASHES.values(), *FLASK_SINGLE_BY_DEFAULT.values()]
    ran = users_import(core, flask_users(*hashes))
    assert (ran.code, ran.err) == (0, "")
    rows = stored.query("SELECT * FROM emailpassword_users")
    assert len(rows) == len(hashes)
    assert FLASK_SALT not in str(rows) + ran.out
    for number in range(len(hashes)):
        address = f"u{number}@example.com"
        assert core.email_password.verify("public", address, FOREIGN_PASSWORD + "x") is None
        assert core.email_password.verify("public", address, FOREIGN_PASSWORD).id == str(number)
    now = stored.query("SELECT password_hash FROM emailpassword_users")
    assert all(hashed.startswith("$argon2id$v=19$m=1024,t=1,p=1$") for (hashed,) in now)
    monkeypatch.delenv("SUPERTOKENS_FLASK_SECURITY_PASSWORD_SALT")
    plain = start(stored.uri, keeps_users=True, **QUICK)  # nobody needs the salt any more
    assert plain.email_password.verify("public", "u0@example.com", FOREIGN_PASSWORD).id == "0"


def test_an_export_without_the_column_of_flask_security_is_named(
    sqlite_core: Driver, users_import: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--flask-security`: the hashes themselves look like those of anybody."""
    record = {"email": "a@example.com", "password_hash": FLASK_DOUBLE_HASHES["argon2"]}
    ran = users_import(sqlite_core, [record], "--flask-security")
    assert (ran.code, ran.err) == (1, refused(1, _FLASK_SECURITY_TWICE + _WITHOUT))
    monkeypatch.setenv("SUPERTOKENS_FLASK_SECURITY_PASSWORD_SALT", FLASK_SALT)
    assert users_import(sqlite_core, [record], "--flask-security").code == 0


def test_single_hashes_of_flask_security_are_taken(sqlite_core: Driver, users_import: Import) -> None:
    """Without a salt; Django's forms are such without being asked for."""
    assert users_import(sqlite_core, flask_users(*FLASK_SINGLE_HASHES.values()), "--single-hash").code == 0
    for number in range(len(FLASK_SINGLE_HASHES)):
        assert sqlite_core.email_password.verify("public", f"u{number}@example.com", FOREIGN_PASSWORD)


def test_django_hashes_in_flask_security_need_no_salt(sqlite_core: Driver, users_import: Import) -> None:
    assert users_import(sqlite_core, flask_users(*FLASK_SINGLE_BY_DEFAULT.values())).code == 0
    assert sqlite_core.email_password.verify("public", "u0@example.com", FOREIGN_PASSWORD)


def test_a_hash_of_flask_security_that_could_not_be_stored_is_refused(
    sqlite_core: Driver, users_import: Import
) -> None:
    long = f"$pbkdf2-sha512$10000000${'A' * 128}${'A' * 86}"
    ran = users_import(sqlite_core, flask_users(long), "--single-hash")
    assert (ran.code, ran.err) == (1, refused(2, "the password hash is too long" + _WITHOUT))


def test_a_large_file_is_read_piece_by_piece(
    core: Driver, run: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No more than a batch of users is in memory at once."""
    path, most, write = tmp_path / "users.csv", 0, UserImport.write

    def watched(self: UserImport, users: Any) -> Any:
        nonlocal most
        most = max(most, len(users))
        return write(self, users)

    monkeypatch.setattr(UserImport, "write", watched)
    with path.open("w") as file:
        file.write("email,password_hash,user_id\n")
        file.writelines(f"u{n}@example.com,{DJANGO},id{n}\n" for n in range(1_100))
    ran = run("users", "import", str(path), "--connection-uri", core.uri)
    assert ran.code == 0
    assert "imported: 1100 of 1100\n" in ran.out
    assert (most, count(core)) == (500, 1_100)
