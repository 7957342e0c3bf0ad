"""A session conversation of the unmodified official Python SDK with a core; run by its own interpreter.

Usage: python conversation.py <core address> <api key>. Fails by an exception; ends with one line "done: …".
"""

from __future__ import annotations

import asyncio
import sys
from base64 import urlsafe_b64decode
from itertools import product
from json import loads
from typing import Any

from supertokens_python import InputAppInfo, SupertokensConfig, init
from supertokens_python.recipe import jwt, multitenancy, session, usermetadata, userroles
from supertokens_python.recipe.jwt import asyncio as jwts
from supertokens_python.recipe.multitenancy import asyncio as tenants
from supertokens_python.recipe.session import asyncio as sessions
from supertokens_python.recipe.session.exceptions import (
    TokenTheftError,
    TryRefreshTokenError,
    UnauthorisedError,
)
from supertokens_python.recipe.usermetadata import asyncio as metadata
from supertokens_python.recipe.userroles import asyncio as roles
from supertokens_python.recipe.userroles.interfaces import UnknownRoleError

try:
    from supertokens_python.types import RecipeUserId

    NO_CONFIG = None
except ImportError:  # before 0.25 a user was one login method, and tenants had switches
    from supertokens_python.recipe.multitenancy.interfaces import TenantConfig

    RecipeUserId = str
    NO_CONFIG = TenantConfig(email_password_enabled=True)

DONE: list[str] = []


def step(name: str) -> None:
    DONE.append(name)


def claims(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    return loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))


async def create(user: str, tenant: str = "public", **payload: Any) -> Any:
    return await sessions.create_new_session_without_request_response(
        tenant, RecipeUserId(user), {"plan": "free", **payload}, {"cart": [1, None]}, disable_anti_csrf=False
    )


async def verify(tokens: dict[str, Any], **options: Any) -> Any:
    return await sessions.get_session_without_request_response(
        tokens["accessToken"], tokens["antiCsrfToken"], anti_csrf_check=True, **options
    )


async def refresh(tokens: dict[str, Any]) -> Any:
    return await sessions.refresh_session_without_request_response(
        tokens["refreshToken"], False, tokens["antiCsrfToken"]
    )


async def refused(kind: type[Exception], call: Any) -> Exception:
    try:
        await call
    except kind as error:
        return error
    raise AssertionError(f"{kind.__name__} was not raised")


async def lifecycle() -> None:
    created = await create("user-1")
    tokens = created.get_all_session_tokens_dangerously()
    assert created.get_user_id() == "user-1"
    assert created.get_tenant_id() == "public"
    step("create")

    assert (await verify(tokens)).get_handle() == created.get_handle()
    assert (await verify(tokens, check_database=True)).get_access_token_payload()["plan"] == "free"
    await refused(
        TryRefreshTokenError,
        sessions.get_session_without_request_response(tokens["accessToken"], "wrong", anti_csrf_check=True),
    )
    step("verify with and without database")

    for has_token, checked, database in product((True, False), repeat=3):
        one = await sessions.create_new_session_without_request_response(
            "public", RecipeUserId("user-1b"), {}, {}, disable_anti_csrf=not has_token
        )
        call = sessions.get_session_without_request_response(
            one.get_access_token(),
            one.get_all_session_tokens_dangerously()["antiCsrfToken"],
            anti_csrf_check=checked,
            check_database=database,
        )
        if checked and not has_token:
            await refused(TryRefreshTokenError, call)
        else:
            assert (await call).get_user_id() == "user-1b"
    step("anti-csrf")

    await created.merge_into_access_token_payload({"plan": "paid", "nested": {"a": None}})
    assert (await verify(tokens, check_database=True)).get_access_token_payload()["plan"] == "paid"
    info = await sessions.get_session_information(created.get_handle())
    assert info is not None
    assert info.custom_claims_in_access_token_payload["nested"] == {"a": None}
    assert info.session_data_in_database == {"cart": [1, None]}
    assert await sessions.update_session_data_in_database(created.get_handle(), {"x": "ü"})
    assert (await created.get_session_data_from_database()) == {"x": "ü"}
    step("payload and data")

    refreshed = await refresh(tokens)
    second = refreshed.get_all_session_tokens_dangerously()
    assert refreshed.get_handle() == created.get_handle()
    assert refreshed.get_access_token_payload()["plan"] == "paid"
    assert second["refreshToken"] != tokens["refreshToken"]
    assert claims(second["accessToken"])["parentRefreshTokenHash1"] is None
    again = (await refresh(tokens)).get_all_session_tokens_dangerously()
    assert again["refreshToken"] == second["refreshToken"], "a lost answer can be asked for again"
    await verify(second, check_database=True)
    step("refresh")

    third = second  # within the grace period of its rotation (1 s here) a token is answered with itself
    while third["refreshToken"] == second["refreshToken"]:
        third = (await refresh(second)).get_all_session_tokens_dangerously()
    theft = await refused(TokenTheftError, refresh(tokens))
    assert isinstance(theft, TokenTheftError)
    assert theft.user_id == "user-1"
    assert theft.session_handle == created.get_handle()
    await refused(UnauthorisedError, verify(third, check_database=True))
    await refused(UnauthorisedError, refresh(third))
    step("theft")

    await refused(UnauthorisedError, sessions.refresh_session_without_request_response("a.b.V2"))
    await refused(
        TryRefreshTokenError, sessions.get_session_without_request_response(tokens["accessToken"] + "x")
    )
    step("garbage")

    handles = [(await create("user-2")).get_handle() for _ in range(3)]
    assert sorted(await sessions.get_all_session_handles_for_user("user-2")) == sorted(handles)
    assert await sessions.revoke_session(handles[0])
    assert not await sessions.revoke_session(handles[0])
    assert await sessions.revoke_multiple_sessions([handles[1], "gone"]) == [handles[1]]
    assert await sessions.revoke_all_sessions_for_user("user-2") == [handles[2]]
    assert await sessions.get_session_information(handles[2]) is None
    step("revoke")


async def with_roles() -> None:
    created = await roles.create_new_role_or_add_permissions("admin", ["read", "write"])
    assert created.created_new_role
    assert not (await roles.create_new_role_or_add_permissions("admin", ["delete"])).created_new_role
    assert not (await roles.add_role_to_user("public", "user-3", "admin")).did_user_already_have_role
    assert (await roles.add_role_to_user("public", "user-3", "admin")).did_user_already_have_role
    assert isinstance(await roles.add_role_to_user("public", "user-3", "nobody"), UnknownRoleError)
    assert (await roles.get_roles_for_user("public", "user-3")).roles == ["admin"]
    assert (await roles.get_users_that_have_role("public", "admin")).users == ["user-3"]
    assert sorted((await roles.get_permissions_for_role("admin")).permissions) == ["delete", "read", "write"]
    await roles.remove_permissions_from_role("admin", ["delete", "unknown"])
    assert (await roles.get_roles_that_have_permission("write")).roles == ["admin"]
    claimed = (await create("user-3")).get_access_token_payload()
    assert claimed["st-role"]["v"] == ["admin"]
    assert sorted(claimed["st-perm"]["v"]) == ["read", "write"]
    assert (await roles.remove_user_role("public", "user-3", "admin")).did_user_have_role
    assert (await roles.get_all_roles()).roles == ["admin"]
    assert (await roles.delete_role("admin")).did_role_exist
    step("roles")


async def with_metadata() -> None:
    assert (await metadata.get_user_metadata("user-4")).metadata == {}
    await metadata.update_user_metadata("user-4", {"a": 1, "b": {"c": None}})
    merged = await metadata.update_user_metadata("user-4", {"a": None, "d": "ü"})
    assert merged.metadata == {"b": {"c": None}, "d": "ü"}
    await metadata.clear_user_metadata("user-4")
    assert (await metadata.get_user_metadata("user-4")).metadata == {}
    step("metadata")


async def with_tenants() -> None:
    made = await tenants.create_or_update_tenant("t1", NO_CONFIG)
    assert made.created_new
    assert not (await tenants.create_or_update_tenant("t1", NO_CONFIG)).created_new
    found = await tenants.get_tenant("t1")
    assert found is not None
    if NO_CONFIG is None:
        assert found.first_factors == []
    else:
        switches = (found.emailpassword.enabled, found.passwordless.enabled, found.third_party.enabled)
        assert switches == (True, False, False)
    assert await tenants.get_tenant("t2") is None
    listed = await tenants.list_all_tenants()
    assert sorted(tenant.tenant_id for tenant in listed.tenants) == ["public", "t1"]

    created = await create("user-5", "t1")
    tokens = created.get_all_session_tokens_dangerously()
    assert created.get_handle().endswith("_t1")
    assert (await verify(tokens, check_database=True)).get_tenant_id() == "t1"
    assert (await refresh(tokens)).get_tenant_id() == "t1"
    assert await sessions.get_all_session_handles_for_user("user-5", tenant_id="public") == []
    assert await sessions.revoke_all_sessions_for_user("user-5", tenant_id="t1") == [created.get_handle()]
    assert (await tenants.delete_tenant("t1")).did_exist
    assert not (await tenants.delete_tenant("t1")).did_exist
    step("tenants")


async def with_jwts() -> None:
    made = await jwts.create_jwt({"scope": "x"}, 10)
    body = claims(made.jwt)
    assert body["scope"] == "x"
    assert body["exp"] - body["iat"] == 10
    assert body["iss"] == "http://localhost:3000"
    keys = (await jwts.get_jwks()).keys
    assert any(key.kid.startswith("s-") for key in keys)
    assert any(key.kid.startswith("d-") for key in keys)
    step("jwt")


async def main() -> None:
    await lifecycle()
    await with_roles()
    await with_metadata()
    await with_tenants()
    await with_jwts()


init(
    app_info=InputAppInfo(
        app_name="conversation", api_domain="http://localhost:3000", website_domain="http://localhost:3001"
    ),
    supertokens_config=SupertokensConfig(sys.argv[1], sys.argv[2]),
    framework="fastapi",
    recipe_list=[
        session.init(anti_csrf="VIA_TOKEN"),
        userroles.init(),
        usermetadata.init(),
        multitenancy.init(),
        jwt.init(),
    ],
    telemetry=False,
)
asyncio.run(main())
sys.stdout.write(f"done: {', '.join(DONE)}\n")
