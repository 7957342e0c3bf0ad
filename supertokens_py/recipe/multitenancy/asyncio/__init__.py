"""Functions of the multitenancy recipe."""

from __future__ import annotations

from typing import Any

from supertokens_py.recipe.multitenancy.interfaces import (
    CreateOrUpdateTenantOkResult,
    DeleteTenantOkResult,
    GetTenantOkResult,
    ListAllTenantsOkResult,
    TenantConfig,
    TenantConfigCreateOrUpdate,
)
from supertokens_py.recipe.multitenancy.recipe import MultitenancyRecipe
from supertokens_py.types.base import context_of


async def create_or_update_tenant(
    tenant_id: str,
    config: TenantConfig | TenantConfigCreateOrUpdate | None,
    user_context: dict[str, Any] | None = None,
) -> CreateOrUpdateTenantOkResult:
    """Create a tenant, or change what `config` names; ids are lower-case letters, digits and "-"."""
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
