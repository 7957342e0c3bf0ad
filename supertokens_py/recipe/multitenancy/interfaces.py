"""The multitenancy recipe's functions and API; its results are in `results`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from supertokens_py.engine.call import call_engine
from supertokens_py.exceptions import BadInputError
from supertokens_py.recipe.base import APIOptions as BaseAPIOptions
from supertokens_py.types.base import RecipeUserId, user_id_text
from supertokens_py.types.response import GeneralErrorResponse

from .member_results import (
    AssociateUserToTenantEmailAlreadyExistsError,
    AssociateUserToTenantNotAllowedError,
    AssociateUserToTenantOkResult,
    AssociateUserToTenantPhoneNumberAlreadyExistsError,
    AssociateUserToTenantResult,
    AssociateUserToTenantThirdPartyUserAlreadyExistsError,
    AssociateUserToTenantUnknownUserIdError,
    DisassociateUserFromTenantOkResult,
    association_result,
)
from .results import (
    CreateOrUpdateTenantOkResult,
    CreateOrUpdateThirdPartyConfigOkResult,
    DeleteTenantOkResult,
    DeleteThirdPartyConfigOkResult,
    EmailPasswordConfig,
    GetTenantOkResult,
    ListAllTenantsItem,
    ListAllTenantsOkResult,
    LoginMethodEmailPassword,
    LoginMethodPasswordless,
    LoginMethodsGetOkResult,
    LoginMethodThirdParty,
    PasswordlessConfig,
    TenantConfig,
    TenantConfigCreateOrUpdate,
    TenantConfigResponse,
    ThirdPartyConfig,
    ThirdPartyProvider,
    has_method,
)

if TYPE_CHECKING:
    from supertokens_py.framework.request import BaseRequest
    from supertokens_py.framework.response import BaseResponse
    from supertokens_py.recipe_module import App
    from supertokens_py.types.providers import ProviderConfig

TypeGetAllowedDomainsForTenantId: TypeAlias = Callable[
    [str, dict[str, Any]], Awaitable[list[str] | None] | list[str] | None
]

#: `(tenant, client_type, user_context)` to the providers that are to be offered.
ProvidersOf: TypeAlias = Callable[
    [TenantConfigResponse, str | None, dict[str, Any]], Awaitable[list[ThirdPartyProvider]]
]


async def no_providers(*_: Any) -> list[ThirdPartyProvider]:
    """Return what an app without the recipe of providers offers."""
    return []


class RecipeInterface:
    """The functions, with their default behaviour; overrides assign to an instance."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def get_tenant_id(self, tenant_id_from_frontend: str, user_context: dict[str, Any]) -> str:
        """Return the tenant that a request to one of the SDK's own routes means."""
        return tenant_id_from_frontend

    async def create_or_update_tenant(
        self,
        tenant_id: str,
        config: TenantConfig | TenantConfigCreateOrUpdate | None,
        user_context: dict[str, Any],
    ) -> CreateOrUpdateTenantOkResult:
        """Create a tenant, or change what `config` names."""
        engine = self._app.engine
        known = (
            await call_engine(user_context, engine.tenants.find, tenant_id)
            if isinstance(config, TenantConfig)
            else None
        )
        changes = {} if config is None else config.changes(known)
        return CreateOrUpdateTenantOkResult(
            await call_engine(user_context, engine.tenants.put, tenant_id, changes)
        )

    async def delete_tenant(self, tenant_id: str, user_context: dict[str, Any]) -> DeleteTenantOkResult:
        """Delete a tenant with its sessions and role links."""
        return DeleteTenantOkResult(
            await call_engine(user_context, self._app.engine.tenants.delete, tenant_id)
        )

    async def get_tenant(self, tenant_id: str, user_context: dict[str, Any]) -> GetTenantOkResult | None:
        """Return a tenant's configuration, or None."""
        tenant = await call_engine(user_context, self._app.engine.tenants.find, tenant_id)
        return None if tenant is None else GetTenantOkResult.of(tenant)

    async def list_all_tenants(self, user_context: dict[str, Any]) -> ListAllTenantsOkResult:
        """Return every tenant."""
        tenants = await call_engine(user_context, self._app.engine.tenants.all)
        return ListAllTenantsOkResult([ListAllTenantsItem.of(tenant) for tenant in tenants])

    async def create_or_update_third_party_config(
        self,
        tenant_id: str,
        config: ProviderConfig,
        skip_validation: bool | None,
        user_context: dict[str, Any],
    ) -> CreateOrUpdateThirdPartyConfigOkResult:
        """Store a provider for a tenant, in the place of one with the same id."""
        return CreateOrUpdateThirdPartyConfigOkResult(
            await call_engine(
                user_context,
                self._app.engine.tenants.put_provider,
                tenant_id,
                config.to_json(),
                skip_validation=bool(skip_validation),
            )
        )

    async def delete_third_party_config(
        self, tenant_id: str, third_party_id: str, user_context: dict[str, Any]
    ) -> DeleteThirdPartyConfigOkResult:
        """Remove a provider that is stored for a tenant."""
        return DeleteThirdPartyConfigOkResult(
            await call_engine(
                user_context, self._app.engine.tenants.remove_provider, tenant_id, third_party_id
            )
        )

    async def associate_user_to_tenant(
        self, tenant_id: str, user_id: str | RecipeUserId, user_context: dict[str, Any]
    ) -> AssociateUserToTenantResult:
        """Put a user into a tenant, with everything that the user is known by."""
        users = self._app.engine.users
        return association_result(
            await call_engine(user_context, users.associate, tenant_id, user_id_text(user_id))
        )

    async def dissociate_user_from_tenant(
        self, tenant_id: str, user_id: str | RecipeUserId, user_context: dict[str, Any]
    ) -> DisassociateUserFromTenantOkResult:
        """Take a user out of a tenant, with the sessions, roles and links there."""
        users = self._app.engine.users
        result = await call_engine(user_context, users.dissociate, tenant_id, user_id_text(user_id))
        return DisassociateUserFromTenantOkResult(result is True)


class APIOptions(BaseAPIOptions):
    """The request of an API call and its recipe."""

    def __init__(
        self,
        request: BaseRequest,
        response: BaseResponse,
        recipe_id: str,
        config: Any,
        recipe_implementation: RecipeInterface,
        static_third_party_providers: Sequence[Any],
    ) -> None:
        super().__init__(request, response, recipe_id, config, recipe_implementation)
        self.static_third_party_providers = static_third_party_providers
        #: The ways to sign in that a tenant allows and the app has.
        self.first_factors_of: Callable[[TenantConfigResponse], list[str]] = lambda tenant: []
        #: The providers that a tenant has for a type of client.
        self.providers_of: ProvidersOf = no_providers


class APIInterface:
    """The API, with its default behaviour."""

    def __init__(self) -> None:
        self.disable_login_methods_get = False

    async def login_methods_get(
        self,
        tenant_id: str,
        client_type: str | None,
        api_options: APIOptions,
        user_context: dict[str, Any],
    ) -> LoginMethodsGetOkResult | GeneralErrorResponse:
        """GET /loginmethods: which of the app's ways to sign in a tenant's configuration allows.

        Raises:
            BadInputError: there is no such tenant.
        """
        tenant = await api_options.recipe_implementation.get_tenant(tenant_id, user_context)
        if tenant is None:
            raise BadInputError("Tenant not found")
        factors = api_options.first_factors_of(tenant)
        offers_providers = has_method("third_party_enabled", factors)
        providers: list[ThirdPartyProvider] = []
        if offers_providers:
            providers = await api_options.providers_of(tenant, client_type, user_context)
        return LoginMethodsGetOkResult(
            LoginMethodEmailPassword(has_method("email_password_enabled", factors)),
            LoginMethodPasswordless(has_method("passwordless_enabled", factors)),
            LoginMethodThirdParty(offers_providers, providers),
            factors,
        )


__all__ = [
    "APIInterface",
    "APIOptions",
    "AssociateUserToTenantEmailAlreadyExistsError",
    "AssociateUserToTenantNotAllowedError",
    "AssociateUserToTenantOkResult",
    "AssociateUserToTenantPhoneNumberAlreadyExistsError",
    "AssociateUserToTenantResult",
    "AssociateUserToTenantThirdPartyUserAlreadyExistsError",
    "AssociateUserToTenantUnknownUserIdError",
    "CreateOrUpdateTenantOkResult",
    "CreateOrUpdateThirdPartyConfigOkResult",
    "DeleteTenantOkResult",
    "DeleteThirdPartyConfigOkResult",
    "DisassociateUserFromTenantOkResult",
    "EmailPasswordConfig",
    "GetTenantOkResult",
    "ListAllTenantsItem",
    "ListAllTenantsOkResult",
    "LoginMethodEmailPassword",
    "LoginMethodPasswordless",
    "LoginMethodThirdParty",
    "LoginMethodsGetOkResult",
    "PasswordlessConfig",
    "RecipeInterface",
    "TenantConfig",
    "TenantConfigCreateOrUpdate",
    "TenantConfigResponse",
    "ThirdPartyConfig",
    "ThirdPartyProvider",
    "TypeGetAllowedDomainsForTenantId",
]
