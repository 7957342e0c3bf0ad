"""Functions of the JWT recipe."""

from __future__ import annotations

from typing import Any

from supertokens_py.payloads import validate_object
from supertokens_py.recipe.jwt.interfaces import (
    CreateJwtOkResult,
    CreateJwtResultUnsupportedAlgorithm,
    GetJWKSResult,
)
from supertokens_py.recipe.jwt.recipe import JWTRecipe
from supertokens_py.types.base import context_of


async def create_jwt(
    payload: dict[str, Any] | None = None,
    validity_seconds: int | None = None,
    use_static_signing_key: bool | None = None,
    user_context: dict[str, Any] | None = None,
) -> CreateJwtOkResult | CreateJwtResultUnsupportedAlgorithm:
    """Sign a JWT, which is never accepted as a session.

    Args:
        payload: the claims; `iat` and `exp` are set unless they are given.
        validity_seconds: its lifetime; None: that of `jwt.init`, 100 years by default.
        use_static_signing_key: False signs with the rotating key.
        user_context: passed to your overrides.

    Raises:
        BadInputError: `payload` is no JSON object, or an argument cannot be signed.
    """
    functions = JWTRecipe.get_instance().recipe_implementation
    context = context_of(user_context)
    claims = {} if payload is None else payload
    validate_object("payload", claims)
    return await functions.create_jwt(claims, validity_seconds, use_static_signing_key, context)


async def get_jwks(user_context: dict[str, Any] | None = None) -> GetJWKSResult:
    """Return the public keys."""
    functions = JWTRecipe.get_instance().recipe_implementation
    return await functions.get_jwks(context_of(user_context))
