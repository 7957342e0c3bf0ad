"""What a core of CDI 5.0 to 5.4 does at verification: replace tokens (protocol: Verify)."""

from __future__ import annotations

from typing import Any

import pytest

from supertokens_py import Supertokens
from tests.engine.remote.cores import Core, access_token, engine_over, jwk

from .site import Site
from .test_verify import TRY_REFRESH, UNAUTHORISED, assert_refused

VERIFY = "POST /recipe/session/verify"


@pytest.fixture
def core() -> Core:
    """A core that has one key."""
    return Core(
        {"GET /.well-known/jwks.json": {"keys": [jwk()]}}, versions=["5.0", "5.1", "5.2", "5.3", "5.4"]
    )


def over(site: Site, core: Core) -> Site:
    app: Any = Supertokens.get_instance()
    app.open_engine = lambda: engine_over(core)
    return site


def credentials(token: str, mode: str) -> dict[str, Any]:
    return {"bearer": token} if mode == "header" else {"cookies": [("sAccessToken", token)]}


def test_a_parent_hash_is_verified_by_the_core(site: Site, core: Core, mode: str) -> None:
    """FP-46: exactly one core verify; the token that it returns is set, with its front token."""
    old, new = access_token(parentRefreshTokenHash1="p"), access_token(fresh=True)
    core.answers[VERIFY] = {
        "status": "OK",
        "session": {"handle": "handle-1", "userId": "u1", "userDataInJWT": {}, "tenantId": "public"},
        "accessToken": {"token": new.text, "createdTime": new.created_ms, "expiry": new.expires_ms},
    }
    reply = over(site, core).get("/protected", **credentials(old.text, mode))
    assert reply.json == {"user": "u1"}
    assert core.asked.count(VERIFY) == 1
    assert reply.session_parts == ["front-token", "sAccessToken" if mode == "cookie" else "st-access-token"]
    assert reply.access == new.text
    assert reply.front == {"uid": "u1", "ate": new.expires_ms, "up": new.payload}


def test_without_a_parent_hash_the_core_is_not_asked(site: Site, core: Core, mode: str) -> None:
    """FP-47: only `check_database` asks."""
    token = access_token()
    reply = over(site, core).get("/protected", **credentials(token.text, mode))
    assert (reply.status, reply.session_parts) == (200, [])
    assert VERIFY not in core.asked
    core.answers[VERIFY] = {"status": "UNAUTHORISED", "message": "gone"}
    reply = site.get("/database", **credentials(token.text, mode))
    assert (reply.status, reply.json) == (401, UNAUTHORISED)
    reply.assert_cleared("cookie", "header")
    assert core.asked.count(VERIFY) == 1


def test_the_core_may_ask_for_a_refresh(site: Site, core: Core, mode: str) -> None:
    """FP-46: TRY_REFRESH_TOKEN of the core keeps the client's tokens."""
    core.answers[VERIFY] = {"status": "TRY_REFRESH_TOKEN", "message": "x"}
    token = access_token(parentRefreshTokenHash1="p").text
    assert_refused(over(site, core).get("/protected", **credentials(token, mode)), TRY_REFRESH)


def test_an_unreachable_core_logs_nobody_out(site: Site, core: Core, mode: str) -> None:
    """FP-71: a core that fails is 503; the tokens stay (D7 in regressions/README.md)."""
    core.answers[VERIFY] = (500, "broken")
    over(site, core)
    token = access_token(parentRefreshTokenHash1="p").text
    core.answers["POST /recipe/session/refresh"] = (500, "broken")
    for reply in (
        site.get("/protected", **credentials(token, mode)),
        site.post("/auth/session/refresh", bearer="some-refresh-token"),
    ):
        assert (reply.status, reply.session_parts) == (503, [])
    core.answers["GET /.well-known/jwks.json"] = (500, "broken")
    over(site.init(), core)
    reply = site.get("/protected", **credentials(access_token().text, mode))
    assert (reply.status, reply.session_parts) == (503, [])
