"""Keys, JWTs, roles, metadata and tenants over the wire (engine: Signing keys, Roles, Metadata, Tenants)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.server.wire import Wire, access, claims, header
from tests.support.clock import Clock

V2 = "/recipe/multitenancy/tenant/v2"
V1 = "/recipe/multitenancy/tenant"


# Keys and JWTs


def test_jwks_hold_public_members_only(wire: Wire, clock: Clock) -> None:
    """CS-66, CS-68: exactly kty, kid, n, e, alg, use; dynamic keys first, newest first, then static ones."""
    wire.create()
    clock.advance(s=168 * 3600)
    wire.create()
    keys = wire.raw("GET", "/.well-known/jwks.json").json()["keys"]
    assert all(set(key) == {"kty", "kid", "n", "e", "alg", "use"} for key in keys)
    kinds = [key["kid"][:2] for key in keys]
    assert kinds == ["d-", "d-", "s-"]
    assert int(keys[0]["kid"][2:]) > int(keys[1]["kid"][2:])
    assert wire.get("/recipe/jwt/jwks") == {"status": "OK", "keys": keys}


def test_jwks_say_how_long_they_are_fresh(wire: Wire, clock: Clock) -> None:
    """CS-67: until the next key appears, 1 to 300 s, and must-revalidate; the old form says nothing."""
    created_ms = int(header(access(wire.create()))["kid"][2:])
    due_ms = created_ms + 168 * 3_600_000 - 60_000
    for before_s, expected in ((3600, 300), (299, 299), (0, 1)):
        clock.now_ms = due_ms - before_s * 1000
        response = wire.raw("GET", "/.well-known/jwks.json")
        assert response.headers["cache-control"] == f"max-age={expected}, must-revalidate"
    assert "status" not in response.json()
    assert "cache-control" not in wire.raw("GET", "/recipe/jwt/jwks").headers


def jwt_body(**changes: Any) -> dict[str, Any]:
    return {
        "algorithm": "RS256",
        "jwksDomain": "https://issuer",
        "payload": {"x": 1},
        "validity": 10,
        **changes,
    }


def test_a_jwt_is_signed_with_the_static_key(wire: Wire, clock: Clock) -> None:
    """CS-72, CS-75: `s-` key, issuer from jwksDomain unless in the payload, no `version`: never a session."""
    token = wire.post("/recipe/jwt", jwt_body())["jwt"]
    now_s = clock.now_ms // 1000
    assert claims(token) == {"iat": now_s, "exp": now_s + 10, "iss": "https://issuer", "x": 1}
    assert set(header(token)) == {"alg", "typ", "kid"}
    assert header(token)["kid"].startswith("s-")
    assert claims(wire.post("/recipe/jwt", jwt_body(payload={"iss": "me"}))["jwt"])["iss"] == "me"
    assert wire.verify(token)["status"] == "TRY_REFRESH_TOKEN"


def test_the_key_family_and_algorithm_of_a_jwt(wire: Wire) -> None:
    """CS-73: an explicit false selects the dynamic key; `rs256` will do, nothing else."""
    assert header(wire.post("/recipe/jwt", jwt_body(useStaticSigningKey=False))["jwt"])["kid"].startswith(
        "d-"
    )
    assert wire.post("/recipe/jwt", jwt_body(algorithm="rs256"))["status"] == "OK"
    assert wire.post("/recipe/jwt", jwt_body(algorithm="ES256")) == {"status": "UNSUPPORTED_ALGORITHM_ERROR"}


def test_the_validity_of_a_jwt(wire: Wire) -> None:
    """CS-74: 0 → 400; missing → 400; text will do."""
    assert wire.refusal("POST", "/recipe/jwt", jwt_body(validity=0))[0] == 400
    expected = (400, "Field name 'validity' is invalid in JSON input")
    body = jwt_body()
    del body["validity"]
    assert wire.refusal("POST", "/recipe/jwt", body) == expected
    assert wire.post("/recipe/jwt", jwt_body(validity="10"))["status"] == "OK"


# Roles


def test_roles_are_created_once_and_gather_permissions(wire: Wire) -> None:
    """CS-76."""
    assert wire.put("/recipe/role", {"role": "r", "permissions": ["a"]}) == {
        "status": "OK",
        "createdNewRole": True,
    }
    assert wire.put("/recipe/role", {"role": "r", "permissions": ["b", "a"]})["createdNewRole"] is False
    assert wire.put("/recipe/role", {"role": "r"})["createdNewRole"] is False
    assert sorted(wire.get("/recipe/role/permissions", {"role": "r"})["permissions"]) == ["a", "b"]
    assert wire.get("/recipe/permission/roles", {"permission": "b"}) == {"status": "OK", "roles": ["r"]}
    assert wire.get("/recipe/permission/roles", {"permission": "z"})["roles"] == []


def test_names_are_trimmed_and_never_blank(wire: Wire) -> None:
    """CS-77."""
    wire.put("/recipe/role", {"role": " admin ", "permissions": [" p "]})
    assert wire.get("/recipe/roles") == {"status": "OK", "roles": ["admin"]}
    assert wire.get("/recipe/role/permissions", {"role": " admin "})["permissions"] == ["p"]
    expected = (400, "Field name 'role' cannot be an empty String")
    assert wire.refusal("PUT", "/recipe/role", {"role": "  "}) == expected
    expected = (400, "Field name 'permissions' cannot contain an empty string")
    assert wire.refusal("PUT", "/recipe/role", {"role": "r", "permissions": ["a", " "]}) == expected
    assert wire.refusal("PUT", "/recipe/role", {"role": "r" * 256})[0] == 400
    assert wire.refusal("PUT", "/recipe/user/role", {"role": "r", "userId": "u" * 129})[0] == 400


def test_roles_of_users(wire: Wire) -> None:
    """CS-78."""
    unknown = {"status": "UNKNOWN_ROLE_ERROR"}
    link = {"userId": "u", "role": "r"}
    assert wire.put("/recipe/user/role", link) == unknown
    assert wire.post("/recipe/user/role/remove", link) == unknown
    assert wire.get("/recipe/role/users", {"role": "r"}) == unknown
    assert wire.get("/recipe/role/permissions", {"role": "r"}) == unknown
    assert wire.post("/recipe/role/permissions/remove", {"role": "r"}) == unknown
    wire.put("/recipe/role", {"role": "r"})
    assert wire.put("/recipe/user/role", link) == {"status": "OK", "didUserAlreadyHaveRole": False}
    assert wire.put("/recipe/user/role", link)["didUserAlreadyHaveRole"] is True
    assert wire.get("/recipe/user/roles", {"userId": "u"}) == {"status": "OK", "roles": ["r"]}
    assert wire.get("/recipe/user/roles", {"userId": "nobody"})["roles"] == []
    assert wire.get("/recipe/role/users", {"role": "r"}) == {"status": "OK", "users": ["u"]}
    assert wire.post("/recipe/user/role/remove", link) == {"status": "OK", "didUserHaveRole": True}
    assert wire.post("/recipe/user/role/remove", link)["didUserHaveRole"] is False


def test_links_belong_to_tenants_and_roles_to_the_app(wire: Wire) -> None:
    """CS-79, CS-81: removing a role removes its links in every tenant."""
    wire.put(V2, {"tenantId": "t1"})
    wire.put("/recipe/role", {"role": "r"})
    wire.put("/t1/recipe/user/role", {"userId": "u", "role": "r"})
    assert wire.get("/t1/recipe/user/roles", {"userId": "u"})["roles"] == ["r"]
    assert wire.get("/recipe/user/roles", {"userId": "u"})["roles"] == []
    assert wire.post("/recipe/role/remove", {"role": "r"}) == {"status": "OK", "didRoleExist": True}
    assert wire.get("/t1/recipe/user/roles", {"userId": "u"})["roles"] == []
    assert wire.post("/recipe/role/remove", {"role": "r"})["didRoleExist"] is False


def test_permissions_are_removed_singly_or_all(wire: Wire) -> None:
    """CS-80."""
    wire.put("/recipe/role", {"role": "r", "permissions": ["a", "b", "c"]})
    assert wire.post("/recipe/role/permissions/remove", {"role": "r", "permissions": ["a", "z"]}) == {
        "status": "OK"
    }
    assert sorted(wire.get("/recipe/role/permissions", {"role": "r"})["permissions"]) == ["b", "c"]
    wire.post("/recipe/role/permissions/remove", {"role": "r"})
    assert wire.get("/recipe/role/permissions", {"role": "r"})["permissions"] == []


# Metadata


def test_metadata_is_merged_at_the_root(wire: Wire) -> None:
    """CS-82, CS-84."""
    assert wire.get("/recipe/user/metadata", {"userId": "u"}) == {"status": "OK", "metadata": {}}
    body = {"userId": "u", "metadataUpdate": {"a": {"x": 1}, "b": 1, "c": {"n": None}}}
    wire.put("/recipe/user/metadata", body)
    answer = wire.put("/recipe/user/metadata", {"userId": "u", "metadataUpdate": {"a": {"y": 2}, "b": None}})
    assert answer == {"status": "OK", "metadata": {"a": {"y": 2}, "c": {"n": None}}}
    assert wire.post("/recipe/user/metadata/remove", {"userId": "u"}) == {"status": "OK"}
    assert wire.post("/recipe/user/metadata/remove", {"userId": "u"}) == {"status": "OK"}
    assert wire.get("/recipe/user/metadata", {"userId": "u"})["metadata"] == {}
    assert wire.refusal("PUT", "/recipe/user/metadata", {"userId": "u", "metadataUpdate": []})[0] == 400


def test_parallel_metadata_updates_all_survive(wire: Wire) -> None:
    """CS-83."""

    def update(index: int) -> None:
        wire.put("/recipe/user/metadata", {"userId": "u", "metadataUpdate": {str(index): index}})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(update, range(20)))
    assert len(wire.get("/recipe/user/metadata", {"userId": "u"})["metadata"]) == 20


def test_metadata_in_bulk(wire: Wire) -> None:
    """17: at most 500 ids, null for the unknown."""
    wire.put("/recipe/user/metadata", {"userId": "a", "metadataUpdate": {"x": 1}})
    answer = wire.post("/recipe/user/metadata/bulk", {"userIds": ["a", "b"]})
    users = [{"userId": "a", "metadata": {"x": 1}}, {"userId": "b", "metadata": None}]
    assert answer == {"status": "OK", "users": users}
    assert wire.post("/recipe/user/metadata/bulk", {"userIds": []})["users"] == []
    assert wire.refusal("POST", "/recipe/user/metadata/bulk", {"userIds": ["a"] * 501})[0] == 400


# Tenants


def test_tenants_are_created_once(wire: Wire) -> None:
    """CS-85: no login allowed until factors are set."""
    assert wire.put(V2, {"tenantId": "t1"}) == {"status": "OK", "createdNew": True}
    assert wire.put(V2, {"tenantId": "t1"})["createdNew"] is False
    shape = {"tenantId": "t1", "thirdParty": {"providers": []}, "firstFactors": [], "coreConfig": {}}
    assert wire.get(f"/t1{V2}") == {"status": "OK", **shape}
    public = {"tenantId": "public", "thirdParty": {"providers": []}, "coreConfig": {}}
    listed = wire.get("/recipe/multitenancy/tenant/list/v2")["tenants"]
    assert sorted(listed, key=lambda tenant: tenant["tenantId"]) == [public, shape]
    wire.put(V2, {"tenantId": "t1", "firstFactors": None, "requiredSecondaryFactors": ["totp"]})
    tenant = wire.get(f"/t1{V2}")
    assert "firstFactors" not in tenant
    assert tenant["requiredSecondaryFactors"] == ["totp"]
    assert "requiredSecondaryFactors" not in (
        wire.put(V2, {"tenantId": "t1", "requiredSecondaryFactors": []}) and wire.get(f"/t1{V2}")
    )


@pytest.mark.parametrize(
    "tenant_id", ["recipe", "config", "users", "hello", "appid-x", "a_b", "", " ", "ü", "a" * 65]
)
def test_tenant_ids_that_no_path_could_hold(wire: Wire, tenant_id: str) -> None:
    """CS-86."""
    assert wire.refusal("PUT", V2, {"tenantId": tenant_id})[0] == 400


def test_tenant_ids_are_lower_case(wire: Wire) -> None:
    """CS-86: `Abc` becomes `abc`, in bodies and in paths."""
    assert wire.put(V2, {"tenantId": " Abc "})["createdNew"]
    assert wire.get(f"/ABC{V2}")["tenantId"] == "abc"
    assert wire.create(tenant="Abc")["session"]["tenantId"] == "abc"


@pytest.mark.parametrize(
    "body",
    [
        {"firstFactors": ["a", "a"]},
        {"firstFactors": ["a b"]},
        {"firstFactors": "a"},
        {"emailPasswordEnabled": True},
        {"coreConfig": {"access_token_validity": 5}},
        {"coreConfig": None},
    ],
)
def test_tenant_settings_that_cannot_work(wire: Wire, body: dict[str, Any]) -> None:
    """18.1: duplicates, odd names, flags, settings of the app → 400."""
    assert wire.refusal("PUT", V2, {"tenantId": "t1", **body})[0] == 400


def test_the_public_tenant_has_no_settings_of_its_own(wire: Wire) -> None:
    """18.1: any value for it is refused."""
    status, text = wire.refusal("PUT", V2, {"coreConfig": {"ip_allow_regex": "x"}})
    assert status == 400
    assert "Cannot modify base config" in text
    assert wire.put(V2, {"firstFactors": ["emailpassword"]}) == {"status": "OK", "createdNew": False}
    assert wire.get(V2)["firstFactors"] == ["emailpassword"]


def test_a_tenant_may_change_itself_only(wire: Wire) -> None:
    """18.1: caller must be public or the same tenant."""
    wire.put(V2, {"tenantId": "t1"})
    wire.put(V2, {"tenantId": "t2"})
    assert wire.put(f"/t1{V2}", {"tenantId": "t1"})["createdNew"] is False
    assert wire.refusal("PUT", f"/t1{V2}", {"tenantId": "t2"})[0] == 403
    assert wire.refusal("PUT", f"/t9{V2}", {"tenantId": "t9"})[0] == 400


def test_tenants_are_removed_with_their_sessions(wire: Wire) -> None:
    """CS-87, CS-88."""
    wire.put(V2, {"tenantId": "t1"})
    created = wire.create(tenant="t1")
    assert wire.refusal("POST", "/recipe/multitenancy/tenant/remove", {"tenantId": "public"})[0] == 403
    assert wire.post("/recipe/multitenancy/tenant/remove", {"tenantId": "t1"}) == {
        "status": "OK",
        "didExist": True,
    }
    assert wire.post("/recipe/multitenancy/tenant/remove", {"tenantId": "t1"})["didExist"] is False
    assert wire.verify(access(created), checkDatabase=True)["status"] == "UNAUTHORISED"


def test_an_unknown_tenant_is_an_answer_not_an_error(wire: Wire) -> None:
    """CS-89: `TENANT_NOT_FOUND_ERROR` with HTTP 200, in both interfaces."""
    assert wire.get(f"/t9{V2}") == {"status": "TENANT_NOT_FOUND_ERROR"}
    assert wire.get(f"/t9{V1}") == {"status": "TENANT_NOT_FOUND_ERROR"}


def test_the_first_interface_has_flags(wire: Wire) -> None:
    """18.2: a new tenant has all recipes off; empty factor lists are refused."""
    old = wire.at("5.0")
    assert old.put(V1, {"tenantId": "t1", "emailPasswordEnabled": True})["createdNew"]
    assert old.get(f"/t1{V1}") == {
        "status": "OK",
        "tenantId": "t1",
        "emailPassword": {"enabled": True},
        "thirdParty": {"enabled": False, "providers": []},
        "passwordless": {"enabled": False},
        "coreConfig": {},
    }
    assert old.get(V1)["passwordless"] == {"enabled": True}
    assert len(old.get("/recipe/multitenancy/tenant/list")["tenants"]) == 2
    assert old.refusal("PUT", V1, {"tenantId": "t1", "firstFactors": []})[0] == 400


def test_a_server_of_sessions_has_nobody_to_associate(wire: Wire) -> None:
    """No login methods are kept here."""
    for path in ("/recipe/multitenancy/tenant/user", "/recipe/multitenancy/tenant/user/remove"):
        assert wire.post(path, {"recipeUserId": "u"}) == {"status": "UNKNOWN_USER_ID_ERROR"}
        assert wire.refusal("POST", path, {"recipeUserId": " "})[0] == 400
