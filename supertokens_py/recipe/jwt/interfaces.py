"""The JWT recipe's functions, API and results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from supertokens_py.engine.call import call_engine
from supertokens_py.recipe.base import APIOptions
from supertokens_py.types.response import APIResponse, GeneralErrorResponse, Shown

if TYPE_CHECKING:
    from supertokens_py.recipe_module import App

HUNDRED_YEARS_S = 3_153_600_000
JWKS_PATH = "/jwt/jwks.json"


@dataclass
class JsonWebKey:
    """A public key (RFC 7517)."""

    kty: str
    kid: str
    n: str
    e: str
    alg: str
    use: str

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("kty", "kid", "n", "e", "alg", "use")}


@dataclass
class CreateJwtOkResult:
    """The signed JWT."""

    jwt: str


class CreateJwtResultUnsupportedAlgorithm:
    """Never returned by the embedded engine, which signs with RS256."""


@dataclass
class GetJWKSResult:
    """The public keys, and for how many seconds they may be cached."""

    keys: list[JsonWebKey]
    validity_in_secs: int | None


class RecipeInterface:
    """The functions, with their default behaviour; overrides assign to an instance."""

    def __init__(self, app: App, default_validity_seconds: int) -> None:
        self._app = app
        self.default_validity_seconds = default_validity_seconds

    async def create_jwt(
        self,
        payload: dict[str, Any],
        validity_seconds: int | None,
        use_static_signing_key: bool | None,
        user_context: dict[str, Any],
    ) -> CreateJwtOkResult | CreateJwtResultUnsupportedAlgorithm:
        """Sign a JWT with the static key, or with the rotating one if that is asked for."""
        validity = self.default_validity_seconds if validity_seconds is None else validity_seconds
        jwt = await call_engine(
            user_context,
            self._app.engine.keys.create_jwt,
            payload,
            issuer=self._app.app_info.api_domain,
            validity_s=validity,
            static_key=use_static_signing_key is not False,
        )
        return CreateJwtOkResult(jwt)

    async def get_jwks(self, user_context: dict[str, Any]) -> GetJWKSResult:
        """Return every public key that tokens in use are signed with."""
        found = await call_engine(user_context, self._app.engine.keys.jwks)
        keys = [
            JsonWebKey(
                key["kty"], key["kid"], key["n"], key["e"], key.get("alg", "RS256"), key.get("use", "sig")
            )
            for key in found.keys
        ]
        return GetJWKSResult(keys, found.max_age_s)


class JWKSGetResponse(Shown, APIResponse):
    """The body of GET /jwt/jwks.json."""

    def __init__(self, keys: list[JsonWebKey]) -> None:
        self.keys = keys

    def to_json(self) -> dict[str, Any]:
        return {"keys": [key.to_json() for key in self.keys]}


class APIInterface:
    """The API, with its default behaviour."""

    disable_jwks_get = False

    async def jwks_get(
        self, api_options: APIOptions, user_context: dict[str, Any]
    ) -> JWKSGetResponse | GeneralErrorResponse:
        """GET /jwt/jwks.json: for any service that verifies our tokens."""
        result = await api_options.recipe_implementation.get_jwks(user_context)
        if result.validity_in_secs is not None:
            cache = f"max-age={result.validity_in_secs}, must-revalidate"
            api_options.response.set_header("Cache-Control", cache)
        api_options.response.set_header("Access-Control-Allow-Origin", "*")
        return JWKSGetResponse(result.keys)


__all__ = [
    "APIInterface",
    "APIOptions",
    "CreateJwtOkResult",
    "CreateJwtResultUnsupportedAlgorithm",
    "GetJWKSResult",
    "JWKSGetResponse",
    "JsonWebKey",
    "RecipeInterface",
]
