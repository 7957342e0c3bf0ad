"""Users of providers, and providers of tenants, over the wire: shapes of each version, statuses, refusals."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.test_tenant_providers import GITHUB, GOOGLE
from tests.server.test_server_users import LINK_ALL
from tests.server.wire import Wire
from tests.support.clock import Clock
from tests.support.databases import TestDatabase

SIGN_IN, CONFIG = "/recipe/signinup", "/recipe/multitenancy/config/thirdparty"
ADDRESS = "ada@example.com"
RID = {"rid": "ThirdParty"}
THERE = {"thirdPartyId": "google", "thirdPartyUserId": "g-1"}


def signed_in(wire: Wire, email: str = ADDRESS, *, verified: bool = True, **there: str) -> dict[str, Any]:
    return wire.post(SIGN_IN, {**THERE, **there, "email": {"id": email, "isVerified": verified}})


def found(wire: Wire, **query: str) -> dict[str, Any]:
    return wire.raw("GET", "/recipe/user", params=query, headers=RID).json()


@pytest.mark.parametrize("version", ["3.0", "3.1", "4.0", "5.0", "5.4", "5.6"])
def test_an_account_at_a_provider_signs_in(users: Wire, clock: Clock, version: str) -> None:
    """Users of an older version are one login method, and its clients do not say what is verified."""
    wire = users.at(version)
    first = signed_in(wire, " Ada@Example.com")
    info = {"id": "google", "userId": "g-1"}
    if version >= "4.0":
        assert first["recipeUserId"] == first["user"]["id"]
        (method,) = first["user"]["loginMethods"]
        assert (method["recipeId"], method["email"], method["verified"]) == ("thirdparty", ADDRESS, True)
        assert (method["thirdParty"], first["user"]["thirdParty"]) == (info, [info])
        listed = {"status": "OK", "users": [first["user"]]}
    else:
        assert first["user"] == {
            "id": first["user"]["id"],
            "timeJoined": clock.now_ms,
            "tenantIds": ["public"],
            "email": ADDRESS,
            "thirdParty": info,
        }
        assert "recipeUserId" not in first
        listed = {"status": "OK", "users": [first["user"]]}
    assert first["createdNewUser"]
    assert signed_in(wire) == {**first, "createdNewUser": False}
    one = {"status": "OK", "user": first["user"]}
    assert found(wire, userId=first["user"]["id"]) == found(wire, **THERE) == one
    assert wire.get("/recipe/users/by-email", {"email": "ADA@example.com"}) == listed


def test_an_address_of_another_primary_user_is_not_taken(users: Wire, sqlite_database: TestDatabase) -> None:
    """An official core makes primary users; two of them must not share an address in a tenant."""
    signed_in(users)
    signed_in(users, "bob@example.com", thirdPartyUserId="g-2")
    for statement in LINK_ALL:
        sqlite_database.query(statement)
    assert signed_in(users, "bob@example.com") == {
        "status": "EMAIL_CHANGE_NOT_ALLOWED_ERROR",
        "reason": "Email already associated with another primary user.",
    }


def test_nobody_of_another_recipe_is_found(users: Wire) -> None:
    made = users.post("/recipe/signup", {"email": ADDRESS, "password": "a password 1"})["user"]
    assert found(users, userId=made["id"]) == {"status": "UNKNOWN_USER_ID_ERROR"}
    assert users.get("/recipe/users/by-email", {"email": ADDRESS}) == {"status": "OK", "users": []}
    assert found(users, **THERE) == {"status": "UNKNOWN_THIRD_PARTY_USER_ERROR"}
    there = signed_in(users)["user"]
    assert there["id"] != made["id"]
    assert users.get("/recipe/users/by-email", {"email": ADDRESS})["users"] == [there]


def test_users_are_searched_by_provider(users: Wire) -> None:
    one = signed_in(users)["user"]
    signed_in(users, thirdPartyId="github")
    assert users.get("/users", {"provider": "goo"})["users"] == [one]
    query = {"thirdPartyId": "google", "thirdPartyUserId": "g-1"}
    assert users.get("/users/by-accountinfo", query)["users"] == [one]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"thirdPartyUserId": "u", "email": {"id": "e", "isVerified": True}}, "thirdPartyId"),
        ({"thirdPartyId": "p", "email": {"id": "e", "isVerified": True}}, "thirdPartyUserId"),
        ({"thirdPartyId": "p", "thirdPartyUserId": "u"}, "email"),
        ({"thirdPartyId": "p", "thirdPartyUserId": "u", "email": "e"}, "email"),
        ({"thirdPartyId": "p", "thirdPartyUserId": "u", "email": {"isVerified": True}}, "id"),
        ({"thirdPartyId": "p", "thirdPartyUserId": "u", "email": {"id": "e"}}, "isVerified"),
    ],
)
def test_what_is_missing_is_named(users: Wire, body: dict[str, Any], field: str) -> None:
    assert users.refusal("POST", SIGN_IN, body) == (400, f"Field name '{field}' is invalid in JSON input")


def test_a_user_is_found_by_one_thing(users: Wire) -> None:
    text = "Please provide exactly one of userId or (thirdPartyId, and thirdPartyUserId)"
    for query in ({}, {"thirdPartyId": "google"}, {"userId": "u", **THERE}):
        assert users.refusal("GET", "/recipe/user", params=query, headers=RID) == (400, text)
    through_tenant = users.refusal("GET", "/t1/recipe/user", params={"userId": "u"}, headers=RID)
    assert through_tenant[0] in (400, 403)


def test_providers_of_a_tenant(users: Wire) -> None:
    users.put("/recipe/multitenancy/tenant/v2", {"tenantId": "t1"})
    assert users.put(f"/t1{CONFIG}", {"config": GOOGLE}) == {"status": "OK", "createdNew": True}
    assert users.put(f"/t1{CONFIG}", {"config": GOOGLE, "skipValidation": True})["createdNew"] is False
    users.put(f"/t1{CONFIG}", {"config": GITHUB})
    for path in ("tenant/v2", "tenant"):
        shown = users.get(f"/t1/recipe/multitenancy/{path}")["thirdParty"]["providers"]
        listed = users.get(f"/recipe/multitenancy/{path.replace('tenant', 'tenant/list', 1)}")["tenants"]
        assert shown == [GITHUB, GOOGLE]
        assert [one["thirdParty"]["providers"] for one in listed] == [[], [GITHUB, GOOGLE]]
    body = {"thirdPartyId": "google"}
    assert users.post(f"/t1{CONFIG}/remove", body) == {"status": "OK", "didConfigExist": True}
    assert users.post(f"/t1{CONFIG}/remove", body) == {"status": "OK", "didConfigExist": False}
    assert users.refusal("PUT", f"/t1{CONFIG}", {"config": {"thirdPartyId": "x" * 29}})[0] == 400
    assert users.refusal("PUT", f"/t1{CONFIG}", {"config": []})[0] == 400
    assert users.refusal("PUT", f"/t2{CONFIG}", {"config": GITHUB})[0] == 400


def test_a_server_of_sessions_alone_keeps_none(wire: Wire) -> None:
    body = {**THERE, "email": {"id": ADDRESS, "isVerified": True}}
    assert wire.refusal("POST", SIGN_IN, body)[0] == 403
    assert wire.refusal("PUT", CONFIG, {"config": GITHUB})[0] == 403
    assert wire.refusal("POST", f"{CONFIG}/remove", {"thirdPartyId": "x"})[0] == 403
    assert found(wire, **THERE) == {"status": "UNKNOWN_THIRD_PARTY_USER_ERROR"}
    assert found(wire, userId="u") == {"status": "UNKNOWN_USER_ID_ERROR"}
    assert wire.get("/recipe/users/by-email", {"email": ADDRESS}) == {"status": "OK", "users": []}
