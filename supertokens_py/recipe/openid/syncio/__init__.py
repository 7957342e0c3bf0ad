"""Blocking twins of `openid.asyncio`."""

from supertokens_py.bridge import blocking
from supertokens_py.recipe.openid import asyncio as _asyncio

create_jwt = blocking(_asyncio.create_jwt)
get_jwks = blocking(_asyncio.get_jwks)
get_open_id_discovery_configuration = blocking(_asyncio.get_open_id_discovery_configuration)
