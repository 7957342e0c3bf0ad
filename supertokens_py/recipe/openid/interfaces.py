"""The OpenID recipe's functions, API and results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from supertokens_py.recipe.jwt.interfaces import (
    APIOptions,
    CreateJwtOkResult,
    CreateJwtResultUnsupportedAlgorithm,
    GetJWKSResult,
)
from supertokens_py.recipe.jwt.recipe import JWKS_PATH
from supertokens_py.types.response import APIResponse, GeneralErrorResponse

if TYPE_CHECKING:
    from .recipe import OpenIdRecipe


@dataclass
class GetOpenIdDiscoveryConfigurationResult:
    """Where the keys are, and who issues the tokens."""

    issuer: str
    jwks_uri: str


class OpenIdDiscoveryConfigurationGetResponse(APIResponse):
    """The body of the discovery document (OpenID Connect Discovery 1.0, the members that exist here)."""

    status = "OK"

    def __init__(self, issuer: str, jwks_uri: str) -> None:
        self.issuer = issuer
        self.jwks_uri = jwks_uri

    def to_json(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "jwks_uri": self.jwks_uri,
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }


class RecipeInterface:
    """The functions, with their default behaviour; overrides assign to an instance."""

    def __init__(self, recipe: OpenIdRecipe) -> None:
        self._recipe = recipe

    async def get_open_id_discovery_configuration(
        self, user_context: dict[str, Any]
    ) -> GetOpenIdDiscoveryConfigurationResult:
        """Return issuer and key address."""
        issuer = self._recipe.issuer
        return GetOpenIdDiscoveryConfigurationResult(issuer, f"{issuer}{JWKS_PATH}")

    async def create_jwt(
        self,
        payload: dict[str, Any],
        validity_seconds: int | None,
        use_static_signing_key: bool | None,
        user_context: dict[str, Any],
    ) -> CreateJwtOkResult | CreateJwtResultUnsupportedAlgorithm:
        """Sign a JWT whose `iss` is the issuer, unless the payload has its own."""
        functions = self._recipe.jwt_recipe.recipe_implementation
        complete = {"iss": self._recipe.issuer, **payload}
        return await functions.create_jwt(complete, validity_seconds, use_static_signing_key, user_context)

    async def get_jwks(self, user_context: dict[str, Any]) -> GetJWKSResult:
        """Return the public keys."""
        return await self._recipe.jwt_recipe.recipe_implementation.get_jwks(user_context)


class APIInterface:
    """The API, with its default behaviour."""

    disable_open_id_discovery_configuration_get = False

    async def open_id_discovery_configuration_get(
        self, api_options: APIOptions, user_context: dict[str, Any]
    ) -> OpenIdDiscoveryConfigurationGetResponse | GeneralErrorResponse:
        """GET /.well-known/openid-configuration."""
        functions: Any = api_options.recipe_implementation
        result = await functions.get_open_id_discovery_configuration(user_context)
        api_options.response.set_header("Access-Control-Allow-Origin", "*")
        return OpenIdDiscoveryConfigurationGetResponse(result.issuer, result.jwks_uri)


__all__ = [
    "APIInterface",
    "APIOptions",
    "CreateJwtOkResult",
    "CreateJwtResultUnsupportedAlgorithm",
    "GetJWKSResult",
    "GetOpenIdDiscoveryConfigurationResult",
    "OpenIdDiscoveryConfigurationGetResponse",
    "RecipeInterface",
]
