"""`MultitenancyRecipe`: the tenants of one app, and the claim that names a tenant's domains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from supertokens_py.app import Supertokens
from supertokens_py.exceptions import ConfigError
from supertokens_py.framework.request import BaseRequest
from supertokens_py.framework.response import BaseResponse
from supertokens_py.recipe.base import Recipe, RecipeSettings
from supertokens_py.recipe.overrides import OverrideConfig, check_override
from supertokens_py.recipe.session.claim_base_classes.primitive_array_claim import SdkArrayClaim
from supertokens_py.recipe.session.recipe import SessionRecipe
from supertokens_py.recipe_module import App, Route, TenantChoice
from supertokens_py.runtime.bridge import call_app
from supertokens_py.settings import explains_unknown_arguments
from supertokens_py.types.response import APIResponse

from .constants import LOGIN_METHODS
from .interfaces import (
    APIInterface,
    APIOptions,
    ProvidersOf,
    RecipeInterface,
    TenantConfigResponse,
    TypeGetAllowedDomainsForTenantId,
    no_providers,
)
from .results import FACTORS, is_enabled


@explains_unknown_arguments("multitenancy.init")
@dataclass(frozen=True)
class MultitenancyInit(RecipeSettings):
    """The arguments of `multitenancy.init`.

    Args:
        get_allowed_domains_for_tenant_id: `(tenant_id, user_context)` to the domains of a tenant, sync or
            async; they become `AllowedDomainsClaim` in every new session.
        override: your changes.
    """

    get_allowed_domains_for_tenant_id: TypeGetAllowedDomainsForTenantId | None = None
    override: OverrideConfig | None = None

    def __post_init__(self) -> None:
        domains: Any = self.get_allowed_domains_for_tenant_id
        if domains is not None and not callable(domains):
            raise ConfigError("get_allowed_domains_for_tenant_id must be a function or None")
        check_override(self.override)


class MultitenancyRecipe(Recipe[MultitenancyInit, RecipeInterface, APIInterface], settings=MultitenancyInit):
    """Tenants of one app."""

    recipe_id = "multitenancy"
    name = "Multitenancy"

    def __init__(self, app: App, config: MultitenancyInit, *, listed: bool = True) -> None:
        super().__init__(app, config)
        functions, replaced = self.install_functions(RecipeInterface(app))
        self.install_apis(APIInterface())
        self.choose_tenant: TenantChoice | None = (
            functions.get_tenant_id if "get_tenant_id" in replaced else None
        )
        self._listed = listed
        self._providers: Sequence[Any] = ()
        self._providers_of: ProvidersOf = no_providers

    @classmethod
    def default(cls, app: App) -> MultitenancyRecipe:
        return cls(app, MultitenancyInit(), listed=False)

    @staticmethod
    def get_instance_optional() -> MultitenancyRecipe | None:
        """Return the multitenancy recipe of the current app, or None before `init`."""
        app = Supertokens.current()
        return None if app is None else app.recipe(MultitenancyRecipe)

    def connect(self) -> None:
        if self.config.get_allowed_domains_for_tenant_id and self.app.has_recipe(SessionRecipe.recipe_id):
            self.app.recipe(SessionRecipe).add_claim_from_other_recipe(AllowedDomainsClaim)

    def offers_providers(self, static: Sequence[Any], providers_of: ProvidersOf) -> None:
        """Have GET /loginmethods list providers.

        Args:
            static: those of the application, as overrides get to see them.
            providers_of: `(tenant, client_type, user_context)` to the ids and names of a tenant's; must not
                use the network.
        """
        self._providers, self._providers_of = static, providers_of

    def first_factors_of(self, tenant: TenantConfigResponse) -> list[str]:
        """Return the ways to sign in that a tenant allows and that this app has, or that are its own."""
        own = self.app.first_factors
        if tenant.first_factors is not None:
            return [one for one in tenant.first_factors if one in own or one not in FACTORS]
        return [one for one in own if is_enabled(one, tenant)]

    def routes(self) -> Sequence[Route]:
        # An app that neither asked for tenants nor signs users in does not publish how they are configured.
        if not self._listed and not self.app.first_factors:
            return ()
        return (
            self.json_route(
                "GET",
                LOGIN_METHODS,
                self._login_methods_get,
                lambda: not self.api_implementation.disable_login_methods_get,
                is_published=True,
            ),
        )

    def api_options(self, request: BaseRequest, response: BaseResponse) -> APIOptions:
        options = APIOptions(
            request, response, self.recipe_id, self.config, self.recipe_implementation, self._providers
        )
        options.first_factors_of = self.first_factors_of
        options.providers_of = self._providers_of
        return options

    async def _login_methods_get(
        self, options: APIOptions, tenant_id: str, user_context: dict[str, Any]
    ) -> APIResponse:
        client_type = options.request.get_query_param("clientType")
        return await self.api_implementation.login_methods_get(tenant_id, client_type, options, user_context)


async def _domains_of_tenant(user_id: str, tenant_id: str, user_context: dict[str, Any]) -> list[str] | None:
    ask = MultitenancyRecipe.get_instance().config.get_allowed_domains_for_tenant_id
    return None if ask is None else await call_app(ask, tenant_id, user_context)


class AllowedDomainsClaimClass(SdkArrayClaim):
    """The domains of the session's tenant, under `st-t-dmns`; they age only where a validator says so."""

    def __init__(self) -> None:
        super().__init__("st-t-dmns", _domains_of_tenant)


AllowedDomainsClaim: AllowedDomainsClaimClass = AllowedDomainsClaimClass()
