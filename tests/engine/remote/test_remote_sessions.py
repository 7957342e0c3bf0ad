"""What the remote engine makes of the answers of cores, old and new."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from supertokens_py import payloads
from supertokens_py.engine.records import (
    IssuedToken,
    Regenerated,
    Tenant,
    TokenTheft,
    TryRefresh,
    Unauthorised,
    Verified,
)
from supertokens_py.engine.session_records import Lifetime
from supertokens_py.exceptions import ConfigError, EngineUnavailableError, GeneralError, ProtectedClaimError
from tests.engine.driver import new_session, refresh_request
from tests.engine.remote.cores import (
    Core,
    access_token,
    engine_over,
    jwk,
    stored_session,
    wire_session,
    wire_token,
)

VERIFY = "POST /recipe/session/verify"
REFRESH = "POST /recipe/session/refresh"
REMOVE = "POST /recipe/session/remove"
GET = "GET /recipe/session"
OLD = ["5.0", "5.4"]


def refresh(core: Core, **options: Any) -> Any:
    return engine_over(core).sessions.refresh(refresh_request("refresh-token", **options))


@pytest.mark.parametrize("versions", [OLD, None])
def test_a_token_without_parent_needs_no_core(versions: list[str] | None) -> None:
    """Without a database check nothing is asked, not even for the version."""
    core = Core(versions=versions)
    assert Verified() == engine_over(core).sessions.verify(access_token(), check_database=False)
    assert core.asked == []


def test_an_older_core_hears_of_the_first_use_of_a_refreshed_token() -> None:
    """Below CDI 5.6 a token with a parent is promoted by the core, which may hand out another one."""
    core = Core({VERIFY: wire_session()}, versions=OLD)
    token = access_token(parentRefreshTokenHash1="1" * 64)
    verified = engine_over(core).sessions.verify(token, check_database=False)
    assert Verified(IssuedToken("access", 1_000, 4_000)) == verified
    expected = {
        "accessToken": token.text,
        "enableAntiCsrf": False,
        "doAntiCsrfCheck": False,
        "checkDatabase": False,
    }
    assert expected == core.body()


def test_a_core_that_rotates_need_not_hear_of_it() -> None:
    """From CDI 5.6 a parent means nothing to verification."""
    core = Core()
    token = access_token(parentRefreshTokenHash1="1" * 64)
    assert Verified() == engine_over(core).sessions.verify(token, check_database=False)
    assert core.asked == ["GET /apiversion"]


def test_a_rotated_out_token_is_told_from_a_missing_session() -> None:
    """CDI 5.6 answers UNAUTHORISED to both; a session that stands means that a refresh helps."""
    refused = {"status": "UNAUTHORISED", "message": "rotated"}
    core = Core({VERIFY: refused, GET: stored_session()})
    engine = engine_over(core)
    assert TryRefresh("rotated", "access_token_superseded") == engine.sessions.verify(
        access_token(), check_database=True
    )
    core.answers[GET] = {"status": "UNAUTHORISED", "message": "Session does not exist."}
    assert Unauthorised("rotated", "core_refused") == engine.sessions.verify(
        access_token(), check_database=True
    )


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"status": "UNAUTHORISED", "message": "m"}, Unauthorised("m", "core_refused")),
        ({"status": "TRY_REFRESH_TOKEN", "message": "m"}, TryRefresh("m", "core_refused")),
    ],
)
def test_the_verdict_of_an_older_core_is_taken_as_it_is(answer: dict[str, Any], expected: object) -> None:
    """Verify with database, CDI 5.4."""
    core = Core({VERIFY: answer}, versions=OLD)
    assert expected == engine_over(core).sessions.verify(access_token(), check_database=True)


def test_refresh_sends_what_the_interface_wants() -> None:
    """Tokens come back as records; an absent anti-CSRF token is left out, not null."""
    core = Core({REFRESH: wire_session(antiCsrfToken="csrf")})
    issued = refresh(core)
    assert (
        issued.handle,
        issued.refresh_token.text,
        issued.anti_csrf_token,
    ) == ("handle-1", "refresh", "csrf")
    assert core.body() == {
        "refreshToken": "refresh-token",
        "enableAntiCsrf": False,
        "useDynamicSigningKey": True,
    }


def test_theft_found_by_an_older_core_ends_the_session() -> None:
    """Below CDI 5.6 the core leaves the revocation to its client; the answer means that it is done."""
    theft = {"status": "TOKEN_THEFT_DETECTED", "session": {"handle": "h", "userId": "u", "recipeUserId": "r"}}
    core = Core({REFRESH: theft, REMOVE: {"status": "OK", "sessionHandlesRevoked": ["h"]}}, versions=OLD)
    assert TokenTheft(handle="h", user_id="u", recipe_user_id="r", reuse=None) == refresh(core)
    assert core.body() == {"sessionHandles": ["h"]}


def test_theft_whose_revocation_fails_is_not_reported_as_done() -> None:
    """The client's next refresh finds the theft again."""
    theft = {"status": "TOKEN_THEFT_DETECTED", "session": {"handle": "h", "userId": "u", "recipeUserId": "r"}}
    with pytest.raises(EngineUnavailableError):
        refresh(Core({REFRESH: theft, REMOVE: (500, "no")}, versions=OLD))


def test_theft_found_by_a_core_that_rotates_carries_its_subtype() -> None:
    """CDI 5.6: revoked already, with a reason, in either shape."""
    session = {"handle": "h", "userId": "u", "recipeUserId": "u"}
    core = Core(
        {
            REFRESH: {
                "status": "TOKEN_THEFT_DETECTED",
                "session": session,
                "recentTokenReuseSubtype": "RECENT_PREV",
            }
        }
    )
    assert TokenTheft(handle="h", user_id="u", recipe_user_id="u", reuse="RECENT_PREV") == refresh(core)
    assert [item for item in core.asked if item == REMOVE] == []
    core = Core(
        {REFRESH: {"status": "UNAUTHORISED", "message": "m", "recentTokenReuseSubtype": "ORPHANED_BRANCH"}}
    )
    assert Unauthorised("m", "refresh_token_reused", "ORPHANED_BRANCH") == refresh(core)


def test_a_validity_per_session_needs_a_core_that_reads_it() -> None:
    """Below CDI 5.6 the member would be ignored silently, so it is an error."""
    core = Core({REFRESH: wire_session()}, versions=OLD)
    with pytest.raises(GeneralError, match=r"CDI 5\.6"):
        refresh(core, access_token_validity_ms=1_000)
    core = Core({REFRESH: wire_session()})
    refresh(core, access_token_validity_ms=1_000)
    assert core.body()["accessTokenValidity"] == 1_000


def test_regenerate_checks_the_signature_itself() -> None:
    """An official core does not: a forged token must not change a session."""
    core = Core({"GET /.well-known/jwks.json": {"keys": [jwk("d-1")]}})
    engine = engine_over(core)
    forged = access_token("d-2").text.replace(
        access_token("d-2").text.split(".")[0], access_token("d-1").text.split(".")[0]
    )
    for text in ("garbage", forged, access_token("d-9").text):
        assert isinstance(engine.sessions.regenerate(text, payload={}), Unauthorised)
    assert core.asked == ["GET /.well-known/jwks.json"]


def test_regenerate_with_merge_reads_merges_and_writes() -> None:
    """None removes a key at the root; the other keys stay."""
    regenerated = {"status": "OK", "session": wire_session()["session"], "accessToken": wire_token("new")}
    core = Core(
        {
            "GET /.well-known/jwks.json": {"keys": [jwk("d-1")]},
            GET: stored_session(),
            "POST /recipe/session/regenerate": regenerated,
        }
    )
    engine = engine_over(core)
    outcome = engine.sessions.regenerate(access_token().text, merge={"b": None, "c": {"x": None}})
    assert isinstance(outcome, Regenerated)
    assert IssuedToken("new", 1_000, 4_000) == outcome.access_token
    assert core.body()["userDataInJWT"] == {"a": 1, "c": {"x": None}}
    core.answers[GET] = {"status": "UNAUTHORISED", "message": "m"}
    assert isinstance(engine.sessions.regenerate(access_token().text, merge={"c": 1}), Unauthorised)


def test_merging_a_protected_claim_is_refused() -> None:
    """Writing nothing is the promise; so nothing is asked either."""
    core = Core()
    sessions = engine_over(core).sessions
    calls: list[Callable[[], Any]] = [
        lambda: sessions.merge_payload("h", {"exp": 1}),
        lambda: sessions.regenerate("t", merge={"exp": 1}),
        lambda: sessions.replace_payload("h", {"exp": 1}),
    ]
    for call in calls:
        with pytest.raises(ProtectedClaimError):
            call()
    assert core.asked == []


def test_nothing_is_merged_into_a_payload_that_would_end_as_a_claim_of_ours() -> None:
    """Another SDK, or an older release, has stored it; no access token could be made of it."""
    stored = stored_session(userDataInJWT={"sub": "someone"})
    core = Core({"GET /.well-known/jwks.json": {"keys": [jwk("d-1")]}, GET: stored})
    outcome = engine_over(core).sessions.regenerate(access_token().text, merge={"c": 1})
    assert outcome == Unauthorised(payloads.PROTECTED_PAYLOAD, "payload_protected")
    assert core.asked[-1] == GET


def test_what_only_tables_of_ours_keep_is_refused() -> None:
    """Before the core is asked, with what to do."""
    core = Core()
    sessions, lifetime = engine_over(core).sessions, Lifetime(idle_ms=1000)
    with pytest.raises(ConfigError, match="a lifetime"):
        sessions.create(new_session(lifetime=lifetime))
    with pytest.raises(ConfigError, match="one lifetime for all sessions, its own"):
        sessions.shorten("h", lifetime)
    assert core.asked == []


def test_data_is_replaced_and_a_missing_session_is_said_so() -> None:
    """True where the session stood, False where not."""
    core = Core(
        {
            "PUT /recipe/session/data": {"status": "OK"},
            GET: stored_session(),
            "PUT /recipe/jwt/data": {"status": "OK"},
        }
    )
    engine = engine_over(core)
    assert engine.sessions.replace_data("h", {"x": 1})
    assert engine.sessions.merge_payload("h", {"a": None, "c": 3})
    assert core.body()["userDataInJWT"] == {"b": 2, "c": 3}
    core.answers["PUT /recipe/session/data"] = {"status": "UNAUTHORISED", "message": "m"}
    assert not engine.sessions.replace_data("h", {"x": 1})
    core.answers[GET] = {"status": "UNAUTHORISED", "message": "m"}
    assert not engine.sessions.merge_payload("h", {"a": None})


def test_one_handle_of_an_unknown_tenant_does_not_spoil_a_revocation() -> None:
    """The core refuses the whole call; the known handles are revoked all the same."""

    def remove(request: Any) -> Any:
        import json

        handles = json.loads(request.content)["sessionHandles"]
        if "x_gone" in handles:
            return 400, "AppId or tenantId not found => …"
        return {"status": "OK", "sessionHandlesRevoked": handles}

    engine = engine_over(Core({REMOVE: remove}))
    assert engine.sessions.revoke(["h1", "x_gone", "h2"]) == ["h1", "h2"]
    assert engine.sessions.revoke([]) == []


@pytest.mark.parametrize(("tenant_id", "path", "everywhere"), [(None, "public", True), ("t1", "t1", False)])
def test_sessions_of_a_user_in_one_tenant_or_in_all(
    tenant_id: str | None, path: str, everywhere: bool
) -> None:
    """All tenants are asked for through the public one."""
    core = Core(
        {
            f"POST /{path}/recipe/session/remove": {"status": "OK", "sessionHandlesRevoked": ["h"]},
            f"GET /{path}/recipe/session/user": {"status": "OK", "sessionHandles": ["h"]},
        }
    )
    engine = engine_over(core)
    assert engine.sessions.revoke_user("u1", tenant_id=tenant_id) == ["h"]
    assert {"userId": "u1", "revokeAcrossAllTenants": everywhere} == core.body()
    assert engine.sessions.user_handles("u1", tenant_id=tenant_id) == ["h"]
    assert str(everywhere).lower() == core.requests[-1].url.params["fetchAcrossAllTenants"]
    engine.sessions.revoke_user("u1", tenant_id=tenant_id, linked_accounts=False)
    assert core.body()["revokeSessionsForLinkedAccounts"] is False
    engine.sessions.user_handles("u1", tenant_id=tenant_id, linked_accounts=False)
    assert core.requests[-1].url.params["fetchSessionsForAllLinkedAccounts"] == "false"


def test_a_handle_of_an_unknown_tenant_names_no_session() -> None:
    """The core answers 400; for the application there is no such session."""
    unknown = (400, "AppId or tenantId not found => …")
    core = Core({GET: unknown, "PUT /recipe/session/data": unknown, "PUT /recipe/jwt/data": unknown})
    engine = engine_over(core)
    assert engine.sessions.information("h_gone") is None
    assert engine.sessions.replace_data("h_gone", {}) is False
    assert engine.sessions.replace_payload("h_gone", {}) is False
    assert engine.sessions.merge_payload("h_gone", {"a": 1}) is False


def test_an_answer_with_another_status_decides_nothing() -> None:
    """A status that no version has is neither a session nor its end."""
    strange = {"status": "NEW_STATUS"}
    core = Core({VERIFY: strange, GET: strange, "GET /recipe/roles": strange})
    engine = engine_over(core)
    calls: list[Callable[[], Any]] = [
        lambda: engine.sessions.verify(access_token(), check_database=True),
        lambda: engine.sessions.information("h"),
        engine.roles.all,
    ]
    for call in calls:
        with pytest.raises(EngineUnavailableError, match="answered with an unknown status: 'NEW_STATUS'"):
            call()


def test_unknown_roles_are_none() -> None:
    """The four role calls that can meet one."""
    unknown = {"status": "UNKNOWN_ROLE_ERROR"}
    core = Core(
        {
            "GET /recipe/role/permissions": unknown,
            "POST /recipe/role/permissions/remove": unknown,
            "PUT /public/recipe/user/role": unknown,
            "POST /public/recipe/user/role/remove": unknown,
            "GET /public/recipe/role/users": unknown,
        }
    )
    engine = engine_over(core)
    assert engine.roles.permissions("r") is None
    assert engine.roles.remove_permissions("r", None) is None
    assert engine.roles.assign("u", "r", tenant_id="public") is None
    assert engine.roles.unassign("u", "r", tenant_id="public") is None
    assert engine.roles.users("r", tenant_id="public") is None


def test_tenants_in_either_shape() -> None:
    """CDI 5.0 has only the first interface; flags of recipes exist only there."""
    base = "/recipe/multitenancy/tenant"
    v1 = {"status": "OK", "tenantId": "t1", "emailPassword": {"enabled": False}, "coreConfig": {}}
    core = Core({f"GET /t1{base}": v1, f"PUT {base}": {"status": "OK", "createdNew": True}}, versions=["5.0"])
    engine = engine_over(core)
    assert Tenant(tenant_id="t1", email_password_enabled=False) == engine.tenants.find("t1")
    assert engine.tenants.put("t1", {"first_factors": ("a",)})
    assert core.body() == {"tenantId": "t1", "firstFactors": ["a"]}

    v2 = {
        "status": "OK",
        "tenantId": "t1",
        "thirdParty": {"providers": []},
        "firstFactors": [],
        "coreConfig": {"x": 1},
    }
    core = Core(
        {
            f"GET /t1{base}/v2": v2,
            f"PUT {base}/v2": {"status": "OK", "createdNew": False},
            f"PUT {base}": {"status": "OK", "createdNew": False},
            f"GET {base}/list/v2": {"status": "OK", "tenants": [v2]},
            f"GET /t2{base}/v2": {"status": "TENANT_NOT_FOUND_ERROR"},
            f"GET /t3{base}/v2": (400, "AppId or tenantId not found => …"),
        }
    )
    engine = engine_over(core)
    tenant = Tenant(tenant_id="t1", first_factors=[], core_config={"x": 1})
    assert tenant == engine.tenants.find("t1")
    assert [tenant] == engine.tenants.all()
    assert engine.tenants.find("t2") is None
    assert engine.tenants.find("t3") is None
    assert not engine.tenants.put("t1", {"core_config": {"x": None}})
    assert f"PUT {base}/v2" == core.asked[-1]
    assert not engine.tenants.put("t1", {"passwordless_enabled": False})
    assert f"PUT {base}" == core.asked[-1]
