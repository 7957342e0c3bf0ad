"""`JWTRecipe`: JWTs for other services, and the keys to verify them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from supertokens_py.exceptions import ConfigError
from supertokens_py.recipe.base import Recipe, RecipeSettings
from supertokens_py.recipe.overrides import OverrideConfig, check_override
from supertokens_py.recipe_module import App, Route
from supertokens_py.settings import explains_unknown_arguments

from .interfaces import HUNDRED_YEARS_S, JWKS_PATH, APIInterface, RecipeInterface


@explains_unknown_arguments("jwt.init")
@dataclass(frozen=True)
class JWTInit(RecipeSettings):
    """The arguments of `jwt.init`.

    Args:
        jwt_validity_seconds: lifetime of a JWT, in seconds, where a call does not say [100 years].
        override: your changes.
    """

    jwt_validity_seconds: int | None = None
    override: OverrideConfig | None = None

    def __post_init__(self) -> None:
        validity: Any = self.jwt_validity_seconds
        if validity is not None and (isinstance(validity, bool) or not isinstance(validity, int)):
            raise ConfigError("jwt_validity_seconds must be an integer or None")
        check_override(self.override, "OverrideConfig")


class JWTRecipe(Recipe[JWTInit, RecipeInterface, APIInterface], settings=JWTInit):
    """JWTs of one app."""

    recipe_id = "jwt"
    name = "JWT"

    def __init__(self, app: App, config: JWTInit) -> None:
        if config.jwt_validity_seconds is None:
            config = replace(config, jwt_validity_seconds=HUNDRED_YEARS_S)
        self._default = RecipeInterface(app, config.jwt_validity_seconds or 0)
        super().__init__(app, config)
        self.install_functions(self._default)
        self.install_apis(APIInterface())

    def use_validity(self, seconds: int | None) -> None:
        """Adopt a default lifetime of JWTs, if one is given."""
        if seconds is not None:
            self.config: JWTInit = replace(self.config, jwt_validity_seconds=seconds)
            self._default.default_validity_seconds = seconds

    def routes(self) -> Sequence[Route]:
        return (
            self.json_route(
                "GET",
                JWKS_PATH,
                lambda options, _, context: self.api_implementation.jwks_get(options, context),
                lambda: not self.api_implementation.disable_jwks_get,
                is_published=True,
            ),
        )
