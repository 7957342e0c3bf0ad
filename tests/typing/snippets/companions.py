# ruff: noqa: B018, E501
"""Results of the other recipes are told apart with `isinstance`."""

from typing import Any, assert_type

from supertokens_py.recipe import jwt, multitenancy, usermetadata, userroles
from supertokens_py.recipe.jwt import syncio as jwt_blocking
from supertokens_py.recipe.jwt.asyncio import create_jwt, get_jwks
from supertokens_py.recipe.jwt.interfaces import CreateJwtOkResult, JsonWebKey
from supertokens_py.recipe.multitenancy.asyncio import create_or_update_tenant, get_tenant, list_all_tenants
from supertokens_py.recipe.multitenancy.interfaces import (
    GetTenantOkResult,
    ListAllTenantsItem,
    TenantConfig,
    TenantConfigCreateOrUpdate,
)
from supertokens_py.recipe.usermetadata.asyncio import update_user_metadata
from supertokens_py.recipe.userroles import asyncio as roles
from supertokens_py.recipe.userroles import syncio as roles_blocking
from supertokens_py.recipe.userroles.interfaces import (
    AddRoleToUserOkResult,
    GetPermissionsForRoleOkResult,
    UnknownRoleError,
)


async def use() -> None:
    added = await roles.add_role_to_user("public", "ada", "admin")
    assert_type(added, AddRoleToUserOkResult | UnknownRoleError)
    added.did_user_already_have_role  # error: reportAttributeAccessIssue, reportUnknownMemberType; mypy: union-attr
    if isinstance(added, AddRoleToUserOkResult):
        assert_type(added.did_user_already_have_role, bool)
    assert_type((await roles.get_roles_for_user("public", "ada")).roles, list[str])
    found = roles_blocking.get_permissions_for_role("admin")
    assert_type(found, GetPermissionsForRoleOkResult | UnknownRoleError)
    roles_blocking.get_roles_for_user("public")  # error: reportCallIssue; mypy: call-arg

    assert_type((await update_user_metadata("ada", {"a": 1})).metadata, dict[str, Any])

    await create_or_update_tenant("c1", TenantConfig(email_password_enabled=True))
    await create_or_update_tenant("c1", TenantConfigCreateOrUpdate(first_factors=None))
    await create_or_update_tenant("c1", {})  # error: reportArgumentType; mypy: arg-type
    assert_type(await get_tenant("c1"), GetTenantOkResult | None)
    assert_type((await list_all_tenants()).tenants, list[ListAllTenantsItem])

    made = await create_jwt({"sub": "service"}, 60, use_static_signing_key=False)
    if isinstance(made, CreateJwtOkResult):
        assert_type(made.jwt, str)
    assert_type((await get_jwks()).keys, list[JsonWebKey])
    assert_type(jwt_blocking.get_jwks().validity_in_secs, int | None)


recipes = [jwt.init(), multitenancy.init(), usermetadata.init(), userroles.init()]
