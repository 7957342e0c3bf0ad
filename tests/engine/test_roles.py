"""Roles and permissions, on every database."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event

from supertokens_py.engine.interface import UnknownTenantError
from supertokens_py.exceptions import BadInputError
from tests.engine.conftest import Opener
from tests.engine.driver import Driver
from tests.support.databases import TestDatabase


def test_roles_are_created_once_and_gather_permissions(core: Driver):
    """CS-76: created, then not; permissions accumulate without duplicates."""
    assert core.add_role("admin", ["read"]) is True
    assert core.add_role("admin", ["write", "read", " write "]) is False
    assert core.add_role("empty", []) is True
    assert core.role_permissions("admin") == ["read", "write"]
    assert core.role_permissions("empty") == []
    assert core.roles() == ["admin", "empty"]


def test_names_are_trimmed(core: Driver):
    """CS-77: wherever a role or permission is named."""
    core.add_role(" admin ", ["\tread\n"])
    assert core.roles() == ["admin"]
    assert core.role_permissions(" admin") == ["read"]
    assert core.permission_roles(" read ") == ["admin"]
    assert core.add_user_role("u", " admin ", tenant_id="public") is True
    assert core.role_users("admin ", tenant_id="public") == ["u"]


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
        core.add_role(role, permissions)
    assert core.roles() == []


def test_roles_are_linked_to_users(core: Driver):
    """CS-78: an unknown role is told apart; a second link is not new."""
    core.add_role("admin", [])
    assert core.add_user_role("u", "none", tenant_id="public") is None
    assert core.add_user_role("u", "admin", tenant_id="public") is True
    assert core.add_user_role("u", "admin", tenant_id="public") is False
    assert core.user_roles("u", tenant_id="public") == ["admin"]
    assert core.user_roles("nobody", tenant_id="public") == []
    assert core.role_users("admin", tenant_id="public") == ["u"]
    assert core.role_users("none", tenant_id="public") is None
    assert core.remove_user_role("u", "none", tenant_id="public") is None
    assert core.remove_user_role("u", "admin", tenant_id="public") is True
    assert core.remove_user_role("u", "admin", tenant_id="public") is False
    assert core.role_users("admin", tenant_id="public") == []


def test_links_belong_to_a_tenant_and_roles_to_the_app(core: Driver):
    """CS-79."""
    core.put_tenant("t1", {})
    core.add_role("admin", ["read"])
    core.add_user_role("u", "admin", tenant_id="t1")
    assert core.user_roles("u", tenant_id="public") == []
    assert core.role_users("admin", tenant_id="public") == []
    assert core.user_roles("u", tenant_id="t1") == ["admin"]


def test_an_unknown_tenant_is_refused(core: Driver):
    """Interface: whatever the call."""
    core.add_role("admin", [])
    for call in (
        lambda: core.add_user_role("u", "admin", tenant_id="none"),
        lambda: core.remove_user_role("u", "admin", tenant_id="none"),
        lambda: core.user_roles("u", tenant_id="none"),
        lambda: core.role_users("admin", tenant_id="none"),
    ):
        with pytest.raises(UnknownTenantError):
            call()


def test_permissions_are_removed(core: Driver):
    """CS-80: some, unknown ones ignored; without a list all."""
    core.add_role("admin", ["a", "b", "c"])
    assert core.remove_role_permissions("admin", ["a", "none"]) is True
    assert core.role_permissions("admin") == ["b", "c"]
    assert core.remove_role_permissions("admin", []) is True
    assert core.role_permissions("admin") == ["b", "c"]
    assert core.remove_role_permissions("admin", None) is True
    assert core.role_permissions("admin") == []
    assert core.remove_role_permissions("none", None) is None
    assert core.role_permissions("none") is None


def test_a_deleted_role_leaves_nothing(core: Driver):
    """CS-81: its links in every tenant and its permissions go with it."""
    core.put_tenant("t1", {})
    core.add_role("admin", ["read"])
    core.add_role("other", ["read"])
    for tenant_id in ("public", "t1"):
        core.add_user_role("u", "admin", tenant_id=tenant_id)
        core.add_user_role("u", "other", tenant_id=tenant_id)
    assert core.delete_role("admin") is True
    assert core.delete_role("admin") is False
    assert core.permission_roles("read") == ["other"]
    for tenant_id in ("public", "t1"):
        assert core.user_roles("u", tenant_id=tenant_id) == ["other"]
    assert core.permission_roles("none") == []
    core.add_role("admin", [])
    assert core.role_permissions("admin") == []


@pytest.mark.postgres
def test_a_role_that_is_deleted_while_it_is_extended(postgres_database: TestDatabase, start: Opener):
    """It was there for the first statement and is gone for the second: then it is created."""
    core = start(postgres_database.uri)
    core.add_role("admin", ["read"])
    deleted: list[str] = []

    def delete(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("INSERT INTO roles") and not deleted:
            deleted.append(statement)
            postgres_database.query("DELETE FROM roles WHERE role = 'admin'")

    event.listen(core.engine._database._pool, "after_cursor_execute", delete)
    assert core.add_role("admin", ["write"]) is True
    assert len(deleted) == 1
    assert core.role_permissions("admin") == ["write"]


def test_an_orphan_link_counts_as_a_role(core: Driver):
    """16: an official core may leave a link without its role; deleting cleans it up."""
    table = core.engine._database.tables.user_roles
    core.engine._database.write(lambda c: c.execute(table.insert(), {"user_id": "u", "role": "ghost"}))
    assert core.delete_role("ghost") is True
    assert core.delete_role("ghost") is False
