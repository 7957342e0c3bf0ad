"""What is done in a tenant that another process deletes, or changes, at that moment."""

from __future__ import annotations

from typing import Any

import pytest

from supertokens_py.engine.records import Tenant
from tests.engine.conftest import Opener
from tests.engine.driver import Driver
from tests.support.databases import TestDatabase
from tests.support.interleaving import meanwhile

pytestmark = pytest.mark.postgres

QUICK: dict[str, Any] = {"argon2_memory_kb": 1024, "argon2_parallelism": 1, "keeps_users": True}
OPEN = {"first_factors": ["emailpassword"], "core_config": {"ip_deny_regex": "10.*"}}


@pytest.fixture
def stored(users_postgres_database: TestDatabase) -> TestDatabase:
    return users_postgres_database


@pytest.fixture
def core(stored: TestDatabase, start: Opener) -> Driver:
    return start(stored.uri, **QUICK)


@pytest.fixture
def other(stored: TestDatabase, start: Opener) -> Driver:
    return start(stored.uri, **QUICK)


def configs_without_tenant(stored: TestDatabase) -> list[Any]:
    return stored.query(
        "SELECT tenant_id FROM tenant_configs WHERE tenant_id NOT IN (SELECT tenant_id FROM tenants)"
    )


def test_a_tenant_that_is_deleted_while_it_is_changed_is_a_new_one(
    stored: TestDatabase, core: Driver, other: Driver
) -> None:
    """18.1: it has no first factors, and nothing of what it was."""
    core.tenants.put("t1", OPEN)
    with meanwhile(core.database, "INSERT INTO tenants", lambda: other.tenants.delete("t1"), stored=stored):
        assert core.tenants.put("t1", {"email_password_enabled": False}) is True
    assert configs_without_tenant(stored) == []
    assert core.tenants.find("t1") == Tenant(tenant_id="t1", first_factors=[], email_password_enabled=False)


def test_a_tenant_that_is_made_anew_while_it_is_changed(
    stored: TestDatabase, core: Driver, other: Driver
) -> None:
    """What changes it sees the new one, whose settings it has not read yet."""
    core.tenants.put("t1", OPEN)

    def replace() -> None:
        other.tenants.delete("t1")
        other.tenants.put("t1", {})

    with meanwhile(core.database, "INSERT INTO tenants", replace, stored=stored):
        assert core.tenants.put("t1", {"email_password_enabled": False}) is False
    assert core.tenants.find("t1") == Tenant(tenant_id="t1", first_factors=[], email_password_enabled=False)


def test_settings_that_a_core_s_tenant_gets_while_it_is_deleted_go_with_it(
    stored: TestDatabase, core: Driver, other: Driver
) -> None:
    """A tenant without settings of its own gets them in a row that no foreign key deletes."""
    stored.query("INSERT INTO tenants (app_id, tenant_id, created_at_time) VALUES ('public', 't1', 1)")
    deleted = meanwhile(
        core.database, "INSERT INTO tenant_configs", lambda: other.tenants.delete("t1"), stored=stored
    )
    with deleted as gone:
        assert core.tenants.put("t1", OPEN) is False
    assert gone.result() is True
    assert core.tenants.find("t1") is None
    assert configs_without_tenant(stored) == []
