"""`OpenIdRecipe`: who issues the tokens, and where their keys are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from supertokens_py.app import Supertokens
from supertokens_py.exceptions import ConfigError
from supertokens_py.framework.request import BaseRequest
from supertokens_py.framework.response import BaseResponse
from supertokens_py.recipe.base import OverrideConfig, check_override, install
from supertokens_py.recipe.jwt.interfaces import APIOptions
from supertokens_py.recipe.jwt.recipe import JWTInit, JWTRecipe
from supertokens_py.recipe_module import App, RecipeModule, Route
from supertokens_py.urls import api_origin, base_path

from .interfaces import APIInterface, RecipeInterface

DISCOVERY_PATH = "/.well-known/openid-configuration"


class InputOverrideConfig(OverrideConfig):
    """Your changes to the OpenID recipe; `jwt_feature` changes the JWT part."""

    def __init__(
        self, functions: Any = None, apis: Any = None, jwt_feature: OverrideConfig | None = None
    ) -> None:
        super().__init__(functions, apis)
        self.jwt_feature = jwt_feature


class OpenIdRecipe(RecipeModule):
    """OpenID discovery of one app."""

    recipe_id = "openid"
    name = "OpenId"

    def __init__(self, app: App, config: OpenIdInit) -> None:
        super().__init__(app)
        self.config = config
        self._issuer: str | None = None
        self.recipe_implementation: RecipeInterface = RecipeInterface(self)
        self.api_implementation: APIInterface = APIInterface()
        self._use(config.issuer, config.override)

    @classmethod
    def default(cls, app: App) -> OpenIdRecipe:
        return cls(app, OpenIdInit())

    @staticmethod
    def get_instance() -> OpenIdRecipe:
        """Return the OpenID recipe of the current app."""
        return Supertokens.get_instance().recipe(OpenIdRecipe)

    def adopt(self, *, issuer: str | None, override: OverrideConfig | None) -> None:
        """Take over an issuer and an override that were given to the session recipe.

        Raises:
            ConfigError: the issuer's path is not the API base path.
        """
        self._use(issuer, override)
        self._pass_on(override)

    def _use(self, issuer: str | None, override: OverrideConfig | None) -> None:
        if issuer is not None:
            self._issuer = self._checked_issuer(issuer)
        if override is None:
            return
        self.recipe_implementation, _ = install(
            self.recipe_implementation, override.functions, "openid functions"
        )
        self.api_implementation, _ = install(self.api_implementation, override.apis, "openid apis")

    def _checked_issuer(self, issuer: str) -> str:
        path = base_path(issuer)
        if path != self.app.app_info.api_base_path:
            raise ConfigError(
                "The path of the issuer URL must be equal to the apiBasePath. The default value is /auth"
            )
        return f"{api_origin(issuer)}{path}"

    def connect(self) -> None:
        self.jwt_recipe.use_validity(self.config.jwt_validity_seconds)
        self._pass_on(self.config.override)

    def _pass_on(self, override: OverrideConfig | None) -> None:
        """Give the JWT recipe its part of an override."""
        if isinstance(override, InputOverrideConfig) and override.jwt_feature is not None:
            self.jwt_recipe.apply_override(override.jwt_feature)

    @property
    def jwt_recipe(self) -> JWTRecipe:
        """The JWT recipe of the same app."""
        return self.app.recipe(JWTRecipe)

    @property
    def issuer(self) -> str:
        """The `iss` of tokens."""
        return self._issuer or self.app.app_info.issuer

    def routes(self) -> Sequence[Route]:
        api = self.api_implementation
        enabled = lambda: not api.disable_open_id_discovery_configuration_get  # noqa: E731
        return (Route("GET", DISCOVERY_PATH, self._discovery_get, enabled),)

    async def _discovery_get(
        self, request: BaseRequest, response: BaseResponse, tenant_id: str, user_context: dict[str, Any]
    ) -> BaseResponse:
        functions: Any = self.recipe_implementation
        options = APIOptions(request, response, self.recipe_id, self.config, functions)
        result = await self.api_implementation.open_id_discovery_configuration_get(options, user_context)
        response.set_json_content(result.to_json())
        return response


@dataclass(frozen=True)
class OpenIdInit:
    """The arguments of `openid.init`.

    Args:
        jwt_validity_seconds: life of a JWT when a call does not say [100 years].
        issuer: the `iss` of tokens; its path must be the API base path.
        override: your changes.
    """

    jwt_validity_seconds: int | None = None
    issuer: str | None = None
    override: InputOverrideConfig | None = None

    def __post_init__(self) -> None:
        JWTInit(self.jwt_validity_seconds)
        check_override(self.override)

    def __call__(self, app: App) -> OpenIdRecipe:
        return OpenIdRecipe(app, self)
