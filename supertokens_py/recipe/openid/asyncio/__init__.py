"""Functions of the OpenID recipe."""

from __future__ import annotations

from typing import Any

from supertokens_py.payloads import validate_object
from supertokens_py.recipe.jwt.interfaces import (
    CreateJwtOkResult,
    CreateJwtResultUnsupportedAlgorithm,
    GetJWKSResult,
)
from supertokens_py.recipe.openid.interfaces import GetOpenIdDiscoveryConfigurationResult
from supertokens_py.recipe.openid.recipe import OpenIdRecipe
from supertokens_py.types.base import context_of


async def create_jwt(
    payload: dict[str, Any] | None = None,
    validity_seconds: int | None = None,
    use_static_signing_key: bool | None = None,
    user_context: dict[str, Any] | None = None,
) -> CreateJwtOkResult | CreateJwtResultUnsupportedAlgorithm:
    """Sign a JWT whose `iss` is the issuer, unless the payload has its own; see `jwt.asyncio.create_jwt`."""
    functions = OpenIdRecipe.get_instance().recipe_implementation
    context = context_of(user_context)
    claims = {} if payload is None else payload
    validate_object("payload", claims)
    return await functions.create_jwt(claims, validity_seconds, use_static_signing_key, context)


async def get_jwks(user_context: dict[str, Any] | None = None) -> GetJWKSResult:
    """Return the public keys."""
    functions = OpenIdRecipe.get_instance().recipe_implementation
    return await functions.get_jwks(context_of(user_context))


async def get_open_id_discovery_configuration(
    user_context: dict[str, Any] | None = None,
) -> GetOpenIdDiscoveryConfigurationResult:
    """Return issuer and key address."""
    functions = OpenIdRecipe.get_instance().recipe_implementation
    return await functions.get_open_id_discovery_configuration(context_of(user_context))
