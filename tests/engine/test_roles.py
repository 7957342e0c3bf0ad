"""Roles and permissions, on every database."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event

from supertokens_py.engine.embedded.roles import USER_ROLES
from supertokens_py.engine.records import UnknownTenantError
from supertokens_py.exceptions import BadInputError
from tests.engine.conftest import Opener
from tests.engine.driver import Driver
from tests.support.databases import TestDatabase


def test_roles_are_created_once_and_gather_permissions(core: Driver):
    """CS-76: created, then not; permissions accumulate without duplicates."""
    assert core.roles.add("admin", ["read"]) is True
    assert core.roles.add("admin", ["write", "read", " write "]) is False
    assert core.roles.add("empty", []) is True
    assert core.roles.permissions("admin") == ["read", "write"]
    assert core.roles.permissions("empty") == []
    assert core.roles.all() == ["admin", "empty"]


def test_names_are_trimmed(core: Driver):
    """CS-77: wherever a role or permission is named."""
    core.roles.add(" admin ", ["\tread\n"])
    assert core.roles.all() == ["admin"]
    assert core.roles.permissions(" admin") == ["read"]
    assert core.roles.with_permission(" read ") == ["admin"]
    assert core.roles.assign("u", " admin ", tenant_id="public") is True
    assert core.roles.users("admin ", tenant_id="public") == ["u"]


@pytest.mark.parametrize(
    ("role", "permissions", "message"),
    [
        ("", [], "Field name 'role' cannot be an empty String"),
        (" \t", [], "Field name 'role' cannot be an empty String"),
        ("admin", ["read", " "], "Field name 'permissions' cannot contain an empty string"),
        ("x" * 256, [], "255"),
        ("admin", ["x" * 256], "255"),
        ("a\0", [], "NUL"),
        (5, [], "must be a string"),
        ("admin", "read", "must be a list"),
    ],
)
def test_blank_and_long_names_are_refused(core: Driver, role: Any, permissions: Any, message: str):
    """CS-77: nothing is created."""
    with pytest.raises(BadInputError, match=message):
        core.roles.add(role, permissions)
    assert core.roles.all() == []


def test_roles_are_linked_to_users(core: Driver):
    """CS-78: an unknown role is told apart; a second link is not new."""
    core.roles.add("admin", [])
    assert core.roles.assign("u", "none", tenant_id="public") is None
    assert core.roles.assign("u", "admin", tenant_id="public") is True
    assert core.roles.assign("u", "admin", tenant_id="public") is False
    assert core.roles.of_user("u", tenant_id="public") == ["admin"]
    assert core.roles.of_user("nobody", tenant_id="public") == []
    assert core.roles.users("admin", tenant_id="public") == ["u"]
    assert core.roles.users("none", tenant_id="public") is None
    assert core.roles.unassign("u", "none", tenant_id="public") is None
    assert core.roles.unassign("u", "admin", tenant_id="public") is True
    assert core.roles.unassign("u", "admin", tenant_id="public") is False
    assert core.roles.users("admin", tenant_id="public") == []


def test_links_belong_to_a_tenant_and_roles_to_the_app(core: Driver):
    """CS-79."""
    core.tenants.put("t1", {})
    core.roles.add("admin", ["read"])
    core.roles.assign("u", "admin", tenant_id="t1")
    assert core.roles.of_user("u", tenant_id="public") == []
    assert core.roles.users("admin", tenant_id="public") == []
    assert core.roles.of_user("u", tenant_id="t1") == ["admin"]


def test_an_unknown_tenant_is_refused(core: Driver):
    """Interface: whatever the call."""
    core.roles.add("admin", [])
    for call in (
        lambda: core.roles.assign("u", "admin", tenant_id="none"),
        lambda: core.roles.unassign("u", "admin", tenant_id="none"),
        lambda: core.roles.of_user("u", tenant_id="none"),
        lambda: core.roles.users("admin", tenant_id="none"),
    ):
        with pytest.raises(UnknownTenantError):
            call()


def test_permissions_are_removed(core: Driver):
    """CS-80: some, unknown ones ignored; without a list all."""
    core.roles.add("admin", ["a", "b", "c"])
    assert core.roles.remove_permissions("admin", ["a", "none"]) is True
    assert core.roles.permissions("admin") == ["b", "c"]
    assert core.roles.remove_permissions("admin", []) is True
    assert core.roles.permissions("admin") == ["b", "c"]
    assert core.roles.remove_permissions("admin", None) is True
    assert core.roles.permissions("admin") == []
    assert core.roles.remove_permissions("none", None) is None
    assert core.roles.permissions("none") is None


def test_a_deleted_role_leaves_nothing(core: Driver):
    """CS-81: its links in every tenant and its permissions go with it."""
    core.tenants.put("t1", {})
    core.roles.add("admin", ["read"])
    core.roles.add("other", ["read"])
    for tenant_id in ("public", "t1"):
        core.roles.assign("u", "admin", tenant_id=tenant_id)
        core.roles.assign("u", "other", tenant_id=tenant_id)
    assert core.roles.delete("admin") is True
    assert core.roles.delete("admin") is False
    assert core.roles.with_permission("read") == ["other"]
    for tenant_id in ("public", "t1"):
        assert core.roles.of_user("u", tenant_id=tenant_id) == ["other"]
    assert core.roles.with_permission("none") == []
    core.roles.add("admin", [])
    assert core.roles.permissions("admin") == []


@pytest.mark.postgres
def test_a_role_that_is_deleted_while_it_is_extended(postgres_database: TestDatabase, start: Opener):
    """It was there for the first statement and is gone for the second: then it is created."""
    core = start(postgres_database.uri)
    core.roles.add("admin", ["read"])
    deleted: list[str] = []

    def delete(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("INSERT INTO roles") and not deleted:
            deleted.append(statement)
            postgres_database.query("DELETE FROM roles WHERE role = 'admin'")

    event.listen(core.database.pool, "after_cursor_execute", delete)
    assert core.roles.add("admin", ["write"]) is True
    assert len(deleted) == 1
    assert core.roles.permissions("admin") == ["write"]


def test_an_orphan_link_counts_as_a_role(core: Driver):
    """16: an official core may leave a link without its role; deleting cleans it up."""
    table = core.database.tables[USER_ROLES]
    core.database.write(lambda c: c.execute(table.insert(), {"user_id": "u", "role": "ghost"}))
    assert core.roles.delete("ghost") is True
    assert core.roles.delete("ghost") is False
