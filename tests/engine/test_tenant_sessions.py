"""Going through the sessions of a tenant, on both databases."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event

from supertokens_py.engine.session_browsing import BrowsesSessions, TenantPage
from supertokens_py.engine.session_records import SessionFeatures
from supertokens_py.exceptions import BadInputError
from tests.engine.conftest import Opener
from tests.engine.driver import Driver
from tests.support.databases import TestDatabase


@pytest.fixture(params=[False, True], ids=["plain", "with devices"])
def core(fresh_shared: TestDatabase, start: Opener, request: pytest.FixtureRequest) -> Driver:
    core = start(fresh_shared.uri, features=SessionFeatures(details=request.param))
    core.tenants.put("t1", {})
    return core


def pages(core: Driver, tenant_id: str, limit: int) -> list[TenantPage]:
    """Return every page."""
    assert isinstance(core.sessions, BrowsesSessions)
    found: list[TenantPage] = []
    after: str | None = ""
    while after is not None:
        found.append(core.sessions.of_tenant(tenant_id, after=after, limit=limit))
        after = found[-1].after
    return found


def test_pages_have_each_live_session_of_the_tenant_once(core: Driver) -> None:
    """A page looks at so many rows, expired ones included: it may have fewer sessions, or none."""
    made = {core.create(f"u{number}").handle: f"u{number}" for number in range(6)}
    for handle in sorted(made)[:3]:
        core.change_row(handle, expires_at=1)
    core.create("elsewhere", tenant_id="t1")
    found = pages(core, "public", 2)
    handles = sorted(made)
    assert [[one.handle for one in page.sessions] for page in found] == [
        [],
        [handles[3]],
        [handles[4], handles[5]],
        [],
    ]
    assert [page.after for page in found] == [handles[1], handles[3], handles[5], None]
    first = found[1].sessions[0]
    assert (first.user_id, first.tenant_id) == (made[handles[3]], "public")
    (other,) = pages(core, "t1", 2)
    assert [(one.user_id, one.tenant_id) for one in other.sessions] == [("elsewhere", "t1")]


def test_tenants_without_sessions(core: Driver) -> None:
    assert pages(core, "t1", 2) == [TenantPage(sessions=[], after=None)]
    with pytest.raises(BadInputError, match="nowhere"):
        pages(core, "nowhere", 2)


def test_the_primary_key_has_the_order(sqlite_database: TestDatabase, start: Opener) -> None:
    """However many sessions there are: nothing is sorted, and no table is read as a whole."""
    core = start(sqlite_database.uri, features=SessionFeatures(details=True))
    core.create("u1")
    seen: list[tuple[str, Any]] = []
    engine = core.database.read(lambda connection: connection.engine)
    event.listen(
        engine, "before_cursor_execute", lambda c, cursor, sql, values, *_: seen.append((sql, values))
    )
    core.sessions.of_tenant("public", limit=2)
    selects = [(sql, values) for sql, values in seen if sql.startswith("SELECT") and "session_info" in sql]
    assert len(selects) == 2
    for sql, values in selects:
        plan = core.database.read(
            lambda connection, sql=sql, values=values: connection.exec_driver_sql(
                f"EXPLAIN QUERY PLAN {sql}", values
            ).all()
        )
        assert not [row for row in plan if "TEMP B-TREE" in row[-1] or row[-1].startswith("SCAN")]
