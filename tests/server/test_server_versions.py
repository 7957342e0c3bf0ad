"""Each version of the interface has its own shapes: what SDKs of CDI 3.0 to 4.0 ask for and get."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from supertokens_py.server import create_app
from tests.engine.remote.test_remote_sessions import Core, engine_over
from tests.server.wire import Wire, access, claims, header, refresh_token

BEFORE_4 = ("3.0", "3.1")
BEFORE_5 = (*BEFORE_4, "4.0")
EVERY = (*BEFORE_5, "5.0", "5.1", "5.2", "5.3", "5.4", "5.5", "5.6")
PROTECTED_TEXT = (400, "The user payload contains protected field")
TENANT = "/recipe/multitenancy/tenant"


@pytest.mark.parametrize("version", EVERY)
def test_the_version_decides_the_token_and_the_names_of_users(wire: Wire, version: str) -> None:
    """Below 4.0: token version 4, no `rsub`, no `recipeUserId` in any answer about a session."""
    old, at = version in BEFORE_4, wire.at(version)
    created = at.create()
    refreshed = at.refresh(refresh_token(created))
    handle = created["session"]["handle"]
    verified = at.verify(access(refreshed), checkDatabase=True)
    regenerated = at.post("/recipe/session/regenerate", {"accessToken": access(refreshed)})
    stored = at.get("/recipe/session", {"sessionHandle": handle})
    for token in (access(created), access(refreshed), access(regenerated)):
        assert header(token)["version"] == ("4" if old else "5")
        assert ("rsub" in claims(token), claims(token)["tId"]) == (not old, "public")
    for shown in (*(answer["session"] for answer in (created, refreshed, verified, regenerated)), stored):
        assert (shown["userId"], shown["tenantId"]) == ("u1", "public")
        assert ("recipeUserId" in shown) is not old
    assert verified["status"] == "OK"


@pytest.mark.parametrize("version", BEFORE_4)
def test_theft_names_no_recipe_user(wire: Wire, version: str, clock: Any) -> None:
    """Nor a subtype."""
    at = wire.at(version)
    created = at.create()
    at.refresh(refresh_token(created))
    clock.advance(s=31)
    theft = at.refresh(refresh_token(created))
    session = {"handle": created["session"]["handle"], "userId": "u1"}
    assert theft == {"status": "TOKEN_THEFT_DETECTED", "session": session}


@pytest.mark.parametrize("version", EVERY)
def test_what_is_protected_follows_the_token(wire: Wire, version: str) -> None:
    """Below 4.0 `rsub` is the application's; `tId` is protected in every version."""
    old, at = version in BEFORE_4, wire.at(version)
    created = at.create()
    handle, payload = created["session"]["handle"], {"rsub": "mine"}
    put = {"sessionHandle": handle, "userDataInJWT": payload}
    again = {"accessToken": access(created), "userDataInJWT": payload}
    for method, path, body in (
        (
            "POST",
            "/recipe/session",
            {"userId": "u1", "userDataInDatabase": {}, "enableAntiCsrf": False, **put},
        ),
        ("PUT", "/recipe/jwt/data", put),
        ("POST", "/recipe/session/regenerate", again),
    ):
        if not old:
            assert at.refusal(method, path, body) == PROTECTED_TEXT
        else:
            assert at.raw(method, path, json=body).json()["status"] == "OK"
        refused = {**body, "userDataInJWT": {"tId": "t1"}}
        assert at.refusal(method, path, refused) == PROTECTED_TEXT


def test_a_claim_of_an_older_client_does_not_become_a_user(wire: Wire) -> None:
    """`rsub` of a version 4 token is custom; a client that knows login methods gets no token with it."""
    old = wire.at("3.1")
    created = old.create(userDataInJWT={"rsub": "admin"})
    assert created["session"]["userDataInJWT"] == {"rsub": "admin"}
    verified = wire.verify(access(created))["session"]
    assert (verified["userId"], verified["recipeUserId"]) == ("u1", "u1")
    assert verified["userDataInJWT"] == {"rsub": "admin"}
    clash = wire.refresh(refresh_token(created))
    assert clash == {"status": "UNAUTHORISED", "message": "The user payload contains protected field"}
    refreshed = old.refresh(refresh_token(created))
    assert claims(access(refreshed))["rsub"] == "admin"


def test_a_refresh_moves_a_session_to_the_version_of_the_client(wire: Wire) -> None:
    """An application that changes its SDK keeps its sessions, in both directions."""
    created = wire.at("3.0").create()
    newer = wire.refresh(refresh_token(created))
    assert (header(access(newer))["version"], claims(access(newer))["rsub"]) == ("5", "u1")
    older = wire.at("3.1").refresh(refresh_token(newer))
    assert header(access(older))["version"] == "4"


@pytest.mark.parametrize("static", [True, False])
def test_a_refresh_keeps_the_key_family_unless_told_otherwise(wire: Wire, static: bool) -> None:
    """`useDynamicSigningKey` is optional below 5.0, required from there."""
    for version in EVERY:
        at = wire.at(version)
        created = at.create(useDynamicSigningKey=not static)
        body = {"refreshToken": refresh_token(created), "enableAntiCsrf": False}
        if version in BEFORE_5:
            refreshed = at.post("/recipe/session/refresh", body)
            assert header(access(refreshed))["kid"].startswith("s-" if static else "d-")
            other = at.refresh(refresh_token(refreshed), useDynamicSigningKey=static)
            assert header(access(other))["kid"].startswith("d-" if static else "s-")
        else:
            expected = (400, "Field name 'useDynamicSigningKey' is invalid in JSON input")
            assert at.refusal("POST", "/recipe/session/refresh", body) == expected


@pytest.mark.parametrize("version", EVERY)
def test_calls_of_the_app_through_a_tenant(wire: Wire, version: str) -> None:
    """Tolerated below 5.0, if the tenant exists; refused from there."""
    wire.put(f"{TENANT}/v2", {"tenantId": "t1"})
    at = wire.at(version)
    handle = at.create(tenant="t1")["session"]["handle"]
    listing = ("GET", "/t1/recipe/session/user", {"userId": "u1"})
    if version in BEFORE_5:
        assert at.put("/t1/recipe/role", {"role": "admin"}) == {"status": "OK", "createdNewRole": True}
        assert at.get("/recipe/roles")["roles"] == ["admin"]
        assert at.get(listing[1], listing[2])["sessionHandles"] == [handle]
        assert at.post("/t1/recipe/session/remove", {"userId": "u1"})["sessionHandlesRevoked"] == [handle]
        unknown = at.refusal("PUT", "/none/recipe/role", {"role": "admin"})
        assert unknown[0] == 400
        assert unknown[1].startswith("AppId or tenantId not found")
    else:
        expected = (403, "Only public tenantId can call this app specific API")
        assert at.refusal("PUT", "/t1/recipe/role", {"role": "admin"}) == expected
        assert at.refusal(listing[0], listing[1], params=listing[2]) == expected
        assert at.refusal("POST", "/t1/recipe/session/remove", {"userId": "u1"}) == expected
    public_only = (403, "Only public tenantId can call this app specific API")
    assert at.refusal("GET", f"/t1{TENANT}/list") == public_only
    assert at.refusal("POST", f"/t1{TENANT}/remove", {"tenantId": "t1"}) == public_only


@pytest.mark.parametrize("version", EVERY)
def test_tenants_as_older_clients_see_them(wire: Wire, version: str) -> None:
    """Switches; factors from 5.0 only. A new tenant has everything off, one made without switches too."""
    old, at = version in BEFORE_5, wire.at(version)
    wire.put(f"{TENANT}/v2", {"tenantId": "modern"})
    assert at.put(TENANT, {"tenantId": "t1"}) == {"status": "OK", "createdNew": True}
    for tenant in ("t1", "modern"):
        shown = at.get(f"/{tenant}{TENANT}")
        off = (shown["emailPassword"], shown["thirdParty"], shown["passwordless"])
        assert off == ({"enabled": False}, {"enabled": False, "providers": []}, {"enabled": False})
        assert ("firstFactors" in shown) is (not old and tenant == "modern")
    assert at.get(TENANT)["emailPassword"] == {"enabled": True}
    listed = {tenant["tenantId"]: tenant for tenant in at.get(f"{TENANT}/list")["tenants"]}
    assert {name: tenant["emailPassword"]["enabled"] for name, tenant in listed.items()} == {
        "public": True, "t1": False, "modern": False,
    }  # fmt: skip

    on = {"tenantId": "t1", "emailPasswordEnabled": True, "passwordlessEnabled": True}
    assert at.put(TENANT, on) == {"status": "OK", "createdNew": False}
    shown = at.get(f"/t1{TENANT}")
    assert (shown["emailPassword"]["enabled"], shown["passwordless"]["enabled"]) == (True, True)
    at.put(TENANT, {"tenantId": "t1", "passwordlessEnabled": False})
    assert at.get(f"/t1{TENANT}")["passwordless"]["enabled"] is False
    factors = wire.get(f"/t1{TENANT}/v2").get("firstFactors")
    assert factors == (["emailpassword"] if old else None)
    at.put(TENANT, {"tenantId": "t1", "emailPasswordEnabled": True})  # as it was
    assert wire.get(f"/t1{TENANT}/v2").get("firstFactors") == factors
    wire.put(f"{TENANT}/v2", {"tenantId": "modern", "firstFactors": None})
    at.put(TENANT, {"tenantId": "modern", "passwordlessEnabled": False})  # one that lists no factors
    assert "firstFactors" not in wire.get(f"/modern{TENANT}/v2")


@pytest.mark.parametrize(("version", "name"), [("3.1", "userId"), ("4.0", "recipeUserId")])
def test_the_user_of_a_tenant_is_named_as_the_version_does(wire: Wire, version: str, name: str) -> None:
    """No login method is kept here, so every one is unknown."""
    at = wire.at(version)
    unknown = {"status": "UNKNOWN_USER_ID_ERROR"}
    for path in (f"{TENANT}/user", f"{TENANT}/user/remove"):
        assert at.post(path, {name: "u1"}) == unknown
        assert at.refusal("POST", path, {"other": "u1"})[0] == 400


def test_the_range_can_be_narrowed(start: Callable[..., Wire]) -> None:
    """`min_cdi_version` keeps out clients that know no login methods."""
    wire = start(min_cdi_version="4.0", max_cdi_version="5.4")
    assert wire.at(None).raw("GET", "/apiversion").json()["versions"][0] == "4.0"
    refused = (400, "cdi-version 3.1 is lower than the minimum allowed version 4.0")
    assert wire.at("3.1").refusal("GET", "/recipe/roles") == refused


def test_a_core_behind_the_server_makes_no_older_tokens() -> None:
    """Over the remote engine a client below 4.0 is refused, with the reason."""
    engine = engine_over(Core({}))
    with TestClient(create_app(engine, allow_no_api_key=True), base_url="http://core") as client:
        body = {"userId": "u1", "userDataInJWT": {}, "userDataInDatabase": {}, "enableAntiCsrf": False}
        status, text = Wire(client, "3.1").refusal("POST", "/recipe/session", body)
    assert (status, "speak CDI 4.0 or newer" in text) == (400, True)
