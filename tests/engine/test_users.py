"""The end of a user."""

from __future__ import annotations

import logging

import pytest

from supertokens_py.audit import LOGGER_NAME
from supertokens_py.engine.records import Unauthorised
from supertokens_py.exceptions import BadInputError
from tests.engine.conftest import Opener
from tests.engine.driver import Driver
from tests.support.databases import TestDatabase


def test_nothing_is_kept_of_a_removed_user(core: Driver) -> None:
    """Sessions, roles, metadata and last activity go, in every tenant; other users keep theirs."""
    core.tenants.put("t1", {})
    core.roles.add("admin", [])
    sessions = {user: [core.create(user), core.create(user, tenant_id="t1")] for user in ("u1", "u2")}
    for user in sessions:
        for tenant in ("public", "t1"):
            core.roles.assign(user, "admin", tenant_id=tenant)
        core.metadata.merge(user, {"a": 1})
    core.users.remove("u1")
    assert [core.verify(session) for session in sessions["u1"]] == [
        Unauthorised("Session does not exist.", "session_gone")
    ] * 2
    assert core.sessions.user_handles("u1", tenant_id=None) == []
    assert [core.roles.users("admin", tenant_id=tenant) for tenant in ("public", "t1")] == [["u2"], ["u2"]]
    assert core.metadata.read("u1") == {}
    assert core.metadata.read("u2") == {"a": 1}
    assert core.sessions.user_handles("u2", tenant_id=None) == [session.handle for session in sessions["u2"]]


@pytest.mark.parametrize("user_id", ["nobody", "", "x" * 999, "a\0"])
def test_removing_nobody_is_no_error(core: Driver, user_id: str) -> None:
    """`/user/remove` always answers OK."""
    assert core.users.remove(user_id) is None


def test_a_removed_user_was_never_active(database: TestDatabase, start: Opener) -> None:
    """Activity that this process has not written yet is forgotten, too."""
    core = start(database.uri)
    core.create("u1")
    core.create("u2")
    core.users.remove("u1")
    assert core.users.count_active(0) == 1


def test_removal_is_in_the_audit_log(
    database: TestDatabase, start: Opener, caplog: pytest.LogCaptureFixture
) -> None:
    """Each session that ended is one event."""
    core = start(database.uri)
    session = core.create("u1")
    with caplog.at_level(logging.INFO, LOGGER_NAME):
        caplog.clear()
        core.users.remove("u1")
    assert [record.getMessage() for record in caplog.records if record.name == LOGGER_NAME] == [
        f"session.revoked handle={session.handle} reason=user_removed user_id=u1 tenant_id=public"
    ]


@pytest.mark.postgres
def test_log_in_data_of_an_official_core_is_not_ours_to_delete(
    fresh_postgres_database: TestDatabase, start: Opener
) -> None:
    """Answering OK while e-mail and password stay would be a lie; users that it does not know may go."""
    for table in (
        "app_id_to_user_id (app_id varchar(64), user_id char(36), primary_or_recipe_user_id char(36))",
        "userid_mapping (app_id varchar(64), supertokens_user_id char(36), external_user_id varchar(128))",
    ):
        fresh_postgres_database.query(f"CREATE TABLE {table}")
    internal = "11111111-1111-1111-1111-111111111111"
    fresh_postgres_database.query(
        f"INSERT INTO app_id_to_user_id VALUES ('public', '{internal}', '{internal}')"
    )
    fresh_postgres_database.query(f"INSERT INTO userid_mapping VALUES ('public', '{internal}', 'external')")
    core = start(fresh_postgres_database.uri)
    session = core.create("external")
    for user_id in (internal, "external"):
        with pytest.raises(BadInputError, match="not this app's to delete"):
            core.users.remove(user_id)
    assert core.row(session.handle) is not None
    core.create("ours")
    core.users.remove("ours")
    assert core.sessions.user_handles("ours", tenant_id=None) == []
