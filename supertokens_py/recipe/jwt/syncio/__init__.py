"""Blocking twins of `jwt.asyncio`."""

from typing import Final

from supertokens_py.recipe.jwt import asyncio as _asyncio
from supertokens_py.runtime.bridge import blocking

create_jwt: Final = blocking(_asyncio.create_jwt)
get_jwks: Final = blocking(_asyncio.get_jwks)
