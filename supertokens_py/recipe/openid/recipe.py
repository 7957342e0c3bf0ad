"""`OpenIdRecipe`: who issues the tokens, and where their keys are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from supertokens_py.exceptions import ConfigError
from supertokens_py.recipe.base import Recipe, RecipeSettings
from supertokens_py.recipe.jwt.interfaces import RecipeInterface as JWTFunctions
from supertokens_py.recipe.jwt.recipe import JWTInit, JWTRecipe
from supertokens_py.recipe.overrides import OverrideConfig, check_override
from supertokens_py.recipe_module import App, Route
from supertokens_py.settings import explains_unknown_arguments
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


@explains_unknown_arguments("openid.init")
@dataclass(frozen=True)
class OpenIdInit(RecipeSettings):
    """The arguments of `openid.init`.

    Args:
        jwt_validity_seconds: lifetime of a JWT, in seconds, where a call does not say [100 years].
        issuer: the `iss` of tokens; its path must be the API base path.
        override: your changes.
    """

    jwt_validity_seconds: int | None = None
    issuer: str | None = None
    override: OverrideConfig | None = None

    def __post_init__(self) -> None:
        JWTInit(self.jwt_validity_seconds)
        check_override(self.override)


class OpenIdRecipe(Recipe[OpenIdInit, RecipeInterface, APIInterface], settings=OpenIdInit):
    """OpenID discovery of one app."""

    recipe_id = "openid"
    name = "OpenId"

    def __init__(self, app: App, config: OpenIdInit) -> None:
        super().__init__(app, config)
        self.install_functions(RecipeInterface(self))
        self.install_apis(APIInterface())
        self._issuer: str | None = None
        if config.issuer is not None:
            self._issuer = self._checked_issuer(config.issuer)

    def adopt(self, *, issuer: str | None, override: OverrideConfig | None) -> None:
        """Take over an issuer and an override that were given to the session recipe.

        Raises:
            ConfigError: the issuer's path is not the API base path.
        """
        if issuer is not None:
            self._issuer = self._checked_issuer(issuer)
        if override is not None:
            self.apply_override(override, "openid_feature")
        self._pass_on(override)

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
            self.jwt_recipe.apply_override(override.jwt_feature, "jwt_feature")

    @property
    def jwt_recipe(self) -> JWTRecipe:
        """The JWT recipe of the same app."""
        return self.app.recipe(JWTRecipe)

    @property
    def jwt_functions(self) -> JWTFunctions:
        """The JWT recipe's functions, overrides applied."""
        return self.jwt_recipe.recipe_implementation

    @property
    def issuer(self) -> str:
        """The `iss` of tokens."""
        return self._issuer or self.app.app_info.issuer

    def routes(self) -> Sequence[Route]:
        return (
            self.json_route(
                "GET",
                DISCOVERY_PATH,
                lambda options, _, context: self.api_implementation.open_id_discovery_configuration_get(
                    options, context
                ),
                lambda: not self.api_implementation.disable_open_id_discovery_configuration_get,
                is_published=True,
            ),
        )
