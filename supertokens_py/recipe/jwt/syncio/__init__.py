"""Blocking twins of `jwt.asyncio`."""

from supertokens_py.bridge import blocking
from supertokens_py.recipe.jwt import asyncio as _asyncio

create_jwt = blocking(_asyncio.create_jwt)
get_jwks = blocking(_asyncio.get_jwks)
