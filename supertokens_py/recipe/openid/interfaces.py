"""The OpenID recipe's functions, API and results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from supertokens_py.recipe.base import APIOptions
from supertokens_py.recipe.jwt.interfaces import (
    JWKS_PATH,
    CreateJwtOkResult,
    CreateJwtResultUnsupportedAlgorithm,
    GetJWKSResult,
)
from supertokens_py.recipe.jwt.interfaces import RecipeInterface as JWTFunctions
from supertokens_py.types.response import APIResponse, GeneralErrorResponse, Shown


class Issuer(Protocol):
    """Who issues tokens, and the functions that sign them; both can change until the app is complete."""

    @property
    def issuer(self) -> str:
        """The `iss` of tokens."""
        ...

    @property
    def jwt_functions(self) -> JWTFunctions:
        """The JWT recipe's functions, overrides applied."""
        ...


@dataclass
class GetOpenIdDiscoveryConfigurationResult:
    """Where the keys are, and who issues the tokens."""

    issuer: str
    jwks_uri: str


class OpenIdDiscoveryConfigurationGetResponse(Shown, APIResponse):
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

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer

    async def get_open_id_discovery_configuration(
        self, user_context: dict[str, Any]
    ) -> GetOpenIdDiscoveryConfigurationResult:
        """Return issuer and key address."""
        issuer = self._issuer.issuer
        return GetOpenIdDiscoveryConfigurationResult(issuer, f"{issuer}{JWKS_PATH}")

    async def create_jwt(
        self,
        payload: dict[str, Any],
        validity_seconds: int | None,
        use_static_signing_key: bool | None,
        user_context: dict[str, Any],
    ) -> CreateJwtOkResult | CreateJwtResultUnsupportedAlgorithm:
        """Sign a JWT whose `iss` is the issuer, unless the payload has its own."""
        complete = {"iss": self._issuer.issuer, **payload}
        return await self._issuer.jwt_functions.create_jwt(
            complete, validity_seconds, use_static_signing_key, user_context
        )

    async def get_jwks(self, user_context: dict[str, Any]) -> GetJWKSResult:
        """Return the public keys."""
        return await self._issuer.jwt_functions.get_jwks(user_context)


class APIInterface:
    """The API, with its default behaviour."""

    disable_open_id_discovery_configuration_get = False

    async def open_id_discovery_configuration_get(
        self, api_options: APIOptions, user_context: dict[str, Any]
    ) -> OpenIdDiscoveryConfigurationGetResponse | GeneralErrorResponse:
        """GET /.well-known/openid-configuration."""
        result = await api_options.recipe_implementation.get_open_id_discovery_configuration(user_context)
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
