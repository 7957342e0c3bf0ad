"""Blocking twins of `openid.asyncio`."""

from typing import Final

from supertokens_py.recipe.openid import asyncio as _asyncio
from supertokens_py.runtime.bridge import blocking

create_jwt: Final = blocking(_asyncio.create_jwt)
get_jwks: Final = blocking(_asyncio.get_jwks)
get_open_id_discovery_configuration: Final = blocking(_asyncio.get_open_id_discovery_configuration)
