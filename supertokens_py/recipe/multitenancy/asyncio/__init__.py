"""Functions of the multitenancy recipe."""

from __future__ import annotations

from typing import Any

from supertokens_py.engine.arguments import require_instance
from supertokens_py.recipe.multitenancy.interfaces import (
    AssociateUserToTenantResult,
    CreateOrUpdateTenantOkResult,
    CreateOrUpdateThirdPartyConfigOkResult,
    DeleteTenantOkResult,
    DeleteThirdPartyConfigOkResult,
    DisassociateUserFromTenantOkResult,
    GetTenantOkResult,
    ListAllTenantsOkResult,
    TenantConfig,
    TenantConfigCreateOrUpdate,
)
from supertokens_py.recipe.multitenancy.recipe import MultitenancyRecipe
from supertokens_py.types.base import RecipeUserId, context_of
from supertokens_py.types.providers import ProviderConfig


async def create_or_update_tenant(
    tenant_id: str,
    config: TenantConfig | TenantConfigCreateOrUpdate | None,
    user_context: dict[str, Any] | None = None,
) -> CreateOrUpdateTenantOkResult:
    """Create a tenant, or change what `config` names; ids are lower-case letters, digits and "-"."""
    if config is not None:
        require_instance("config", config, TenantConfig, TenantConfigCreateOrUpdate)
    functions = MultitenancyRecipe.get_instance().recipe_implementation
    context = context_of(user_context)
    return await functions.create_or_update_tenant(tenant_id, config, context)


async def delete_tenant(tenant_id: str, user_context: dict[str, Any] | None = None) -> DeleteTenantOkResult:
    """Delete a tenant with its sessions and role links; "public" cannot be deleted."""
    functions = MultitenancyRecipe.get_instance().recipe_implementation
    return await functions.delete_tenant(tenant_id, context_of(user_context))


async def get_tenant(tenant_id: str, user_context: dict[str, Any] | None = None) -> GetTenantOkResult | None:
    """Return a tenant's configuration, or None."""
    functions = MultitenancyRecipe.get_instance().recipe_implementation
    return await functions.get_tenant(tenant_id, context_of(user_context))


async def list_all_tenants(user_context: dict[str, Any] | None = None) -> ListAllTenantsOkResult:
    """Return every tenant, "public" among them."""
    functions = MultitenancyRecipe.get_instance().recipe_implementation
    return await functions.list_all_tenants(context_of(user_context))


async def create_or_update_third_party_config(
    tenant_id: str,
    config: ProviderConfig,
    skip_validation: bool | None = None,
    user_context: dict[str, Any] | None = None,
) -> CreateOrUpdateThirdPartyConfigOkResult:
    """Store a provider for a tenant, in the place of one with the same id.

    Args:
        tenant_id: the tenant.
        config: the provider; its functions, such as `validate_access_token`, cannot be stored.
        skip_validation: whether to store it even if its endpoints are no URLs.
        user_context: passed to your overrides.

    Raises:
        BadInputError: it cannot be stored, or there is no such tenant.
        ConfigError: the app has no sign-in recipe.
    """
    require_instance("config", config, ProviderConfig)
    functions = MultitenancyRecipe.get_instance().recipe_implementation
    context = context_of(user_context)
    return await functions.create_or_update_third_party_config(tenant_id, config, skip_validation, context)


async def delete_third_party_config(
    tenant_id: str, third_party_id: str, user_context: dict[str, Any] | None = None
) -> DeleteThirdPartyConfigOkResult:
    """Remove a provider that is stored for a tenant.

    Raises:
        BadInputError: there is no such tenant.
        ConfigError: the app has no sign-in recipe.
    """
    functions = MultitenancyRecipe.get_instance().recipe_implementation
    return await functions.delete_third_party_config(tenant_id, third_party_id, context_of(user_context))


async def associate_user_to_tenant(
    tenant_id: str, user_id: str | RecipeUserId, user_context: dict[str, Any] | None = None
) -> AssociateUserToTenantResult:
    """Put a user into a further tenant, with the address, number or account that they are known by.

    Args:
        tenant_id: the tenant.
        user_id: of the login method, as the application knows it.
        user_context: passed to your overrides.

    Returns:
        `AssociateUserToTenantOkResult`, or what is in the way, by its class or its `status`. Of linked users
        and of recipes that are not here only a core decides (`AssociateUserToTenantNotAllowedError`).

    Raises:
        BadInputError: there is no such tenant.
        ConfigError: the app has no sign-in recipe.
    """
    functions = MultitenancyRecipe.get_instance().recipe_implementation
    return await functions.associate_user_to_tenant(tenant_id, user_id, context_of(user_context))


async def dissociate_user_from_tenant(
    tenant_id: str, user_id: str | RecipeUserId, user_context: dict[str, Any] | None = None
) -> DisassociateUserFromTenantOkResult:
    """Take a user out of a tenant, with the sessions, roles and verification links that they have there.

    The user stays, even if in no tenant any more; `delete_user` removes one. Verified addresses and metadata
    belong to no tenant.

    Raises:
        BadInputError: the user is linked to others in a database that only a core may change so.
        ConfigError: the app has no sign-in recipe.
    """
    functions = MultitenancyRecipe.get_instance().recipe_implementation
    return await functions.dissociate_user_from_tenant(tenant_id, user_id, context_of(user_context))


#: The name from 0.25 on.
disassociate_user_from_tenant = dissociate_user_from_tenant
