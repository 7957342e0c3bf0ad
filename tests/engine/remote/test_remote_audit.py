"""The audit log of an application over a core: what its answers tell, as the embedded engine tells it."""

from __future__ import annotations

import logging
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from supertokens_py import InputAppInfo, Supertokens, SupertokensConfig, init
from supertokens_py.audit import LOGGER_NAME
from supertokens_py.framework.fastapi import get_middleware
from supertokens_py.recipe import session
from tests.engine.driver import new_session, refresh_request
from tests.engine.remote.cores import Core, engine_over, wire_session

CREATE = "POST /public/recipe/session"
REFRESH = "POST /recipe/session/refresh"
REMOVE = "POST /recipe/session/remove"
THEFT = {
    "status": "TOKEN_THEFT_DETECTED",
    "session": {"handle": "handle-1", "userId": "primary", "recipeUserId": "u1"},
}


@pytest.fixture(autouse=True)
def listening(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, LOGGER_NAME)


def events(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str, dict[str, Any]]]:
    records: list[Any] = [record for record in caplog.records if record.name == LOGGER_NAME]
    return [(record.levelname, record.event, record.facts) for record in records]


def refreshed(core: Core) -> Any:
    return engine_over(core).sessions.refresh(refresh_request("token"))


def test_created_and_refreshed(caplog: pytest.LogCaptureFixture) -> None:
    """One event each, with the facts that the embedded engine gives."""
    core = Core({CREATE: wire_session(), REFRESH: wire_session()})
    engine_over(core).sessions.create(new_session("u1"))
    refreshed(core)
    assert events(caplog) == [
        ("INFO", "session.created", {"handle": "handle-1", "user_id": "u1", "tenant_id": "public"}),
        ("INFO", "session.refreshed", {"handle": "handle-1"}),
    ]


@pytest.mark.parametrize(("version", "subtype"), [("5.6", "STALE_LINEAGE"), ("5.4", None)])
def test_reuse_is_one_warning(caplog: pytest.LogCaptureFixture, version: str, subtype: str | None) -> None:
    """Also where the session is ended from here, since a core below CDI 5.6 leaves that to its clients."""
    told = {} if subtype is None else {"recentTokenReuseSubtype": subtype}
    core = Core(
        {REFRESH: {**THEFT, **told}, REMOVE: {"status": "OK", "sessionHandlesRevoked": ["handle-1"]}},
        versions=[version],
    )
    refreshed(core)
    facts = {"handle": "handle-1", "user_id": "primary", "subtype": subtype}
    assert events(caplog) == [("WARNING", "session.reuse", facts)]
    assert (REMOVE in core.asked) is (version == "5.4")


def test_reuse_without_a_name(caplog: pytest.LogCaptureFixture) -> None:
    """A core that calls reuse unauthorised says the kind, not the session; a missing session is no event."""
    unauthorised = {"status": "UNAUTHORISED", "message": "gone"}
    refreshed(Core({REFRESH: {**unauthorised, "recentTokenReuseSubtype": "RECENT_PREV"}}))
    refreshed(Core({REFRESH: unauthorised}))
    assert events(caplog) == [("WARNING", "session.reuse", {"subtype": "RECENT_PREV"})]


def test_each_revoked_session_that_existed_is_one_event(caplog: pytest.LogCaptureFixture) -> None:
    """One event for each session that existed, however it was named."""
    answer = {"status": "OK", "sessionHandlesRevoked": ["a", "b"]}
    core = Core({REMOVE: answer, "POST /public/recipe/session/remove": answer})
    engine_over(core).sessions.revoke(["a", "b", "c"])
    engine_over(core).sessions.revoke_user("u1", tenant_id=None)
    facts = {"reason": "application"}
    expected = [("INFO", "session.revoked", {"handle": handle} | facts) for handle in ("a", "b")]
    assert events(caplog) == expected * 2


def test_a_failed_call_is_no_event(caplog: pytest.LogCaptureFixture) -> None:
    """What may not have happened is not told as if it had."""
    with pytest.raises(Exception, match="broken"):
        refreshed(Core({REFRESH: (500, "broken")}))
    assert events(caplog) == []


def test_a_core_that_is_away(caplog: pytest.LogCaptureFixture) -> None:
    """The request is answered 503, and the event says why: that of any engine."""

    def away(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("refused")

    Supertokens.reset()
    init(
        app_info=InputAppInfo(app_name="app", api_domain="http://api.test", website_domain="http://web.test"),
        supertokens_config=SupertokensConfig("http://core.test"),
        recipe_list=[session.init()],
    )
    current: Any = Supertokens.get_instance()
    current.open_engine = lambda: engine_over(away)
    app = FastAPI()
    app.add_middleware(get_middleware())
    answer = TestClient(app).post("/auth/session/refresh", headers={"authorization": "Bearer token"})
    Supertokens.reset()
    assert answer.status_code == 503
    assert events(caplog) == [("WARNING", "engine.unavailable", {})]
