"""`JWTRecipe`: JWTs for other services, and the keys to verify them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from supertokens_py.app import Supertokens
from supertokens_py.exceptions import ConfigError
from supertokens_py.framework.request import BaseRequest
from supertokens_py.framework.response import BaseResponse
from supertokens_py.recipe.base import OverrideConfig, check_override, install
from supertokens_py.recipe_module import App, RecipeModule, Route

from .interfaces import HUNDRED_YEARS_S, APIInterface, APIOptions, RecipeInterface

JWKS_PATH = "/jwt/jwks.json"


class JWTRecipe(RecipeModule):
    """JWTs of one app."""

    recipe_id = "jwt"
    name = "JWT"

    def __init__(self, app: App, config: JWTInit) -> None:
        super().__init__(app)
        self.config = config
        override = config.override or OverrideConfig()
        self._default = RecipeInterface(app, HUNDRED_YEARS_S)
        self.use_validity(config.jwt_validity_seconds)
        self.recipe_implementation: RecipeInterface
        self.recipe_implementation, _ = install(
            self._default, override.functions, "jwt.init(override=…functions)"
        )
        self.api_implementation: APIInterface
        self.api_implementation, _ = install(APIInterface(), override.apis, "jwt.init(override=…apis)")

    @classmethod
    def default(cls, app: App) -> JWTRecipe:
        return cls(app, JWTInit())

    @staticmethod
    def get_instance() -> JWTRecipe:
        """Return the JWT recipe of the current app."""
        return Supertokens.get_instance().recipe(JWTRecipe)

    def use_validity(self, seconds: int | None) -> None:
        """Take over a default life of JWTs, if one is given."""
        if seconds is not None:
            self._default.default_validity_seconds = seconds

    def apply_override(self, override: OverrideConfig) -> None:
        """Apply a further override, given to a recipe that builds on this one."""
        self.recipe_implementation, _ = install(self.recipe_implementation, override.functions, "jwt_feature")
        self.api_implementation, _ = install(self.api_implementation, override.apis, "jwt_feature")

    def routes(self) -> Sequence[Route]:
        api = self.api_implementation
        return (Route("GET", JWKS_PATH, self._jwks_get, lambda: not api.disable_jwks_get),)

    async def _jwks_get(
        self, request: BaseRequest, response: BaseResponse, tenant_id: str, user_context: dict[str, Any]
    ) -> BaseResponse:
        options = APIOptions(request, response, self.recipe_id, self.config, self.recipe_implementation)
        result = await self.api_implementation.jwks_get(options, user_context)
        response.set_json_content(result.to_json())
        return response


@dataclass(frozen=True)
class JWTInit:
    """The arguments of `jwt.init`.

    Args:
        jwt_validity_seconds: life of a JWT when a call does not say [100 years].
        override: your changes.
    """

    jwt_validity_seconds: int | None = None
    override: OverrideConfig | None = None

    def __post_init__(self) -> None:
        validity: Any = self.jwt_validity_seconds
        if validity is not None and (isinstance(validity, bool) or not isinstance(validity, int)):
            raise ConfigError("jwt_validity_seconds must be an integer or None")
        check_override(self.override, "OverrideConfig")

    def __call__(self, app: App) -> JWTRecipe:
        return JWTRecipe(app, self)
