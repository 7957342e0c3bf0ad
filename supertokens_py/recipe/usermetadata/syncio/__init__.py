"""Blocking twins of `usermetadata.asyncio`."""

from typing import Final

from supertokens_py.recipe.usermetadata import asyncio as _asyncio
from supertokens_py.runtime.bridge import blocking

get_user_metadata: Final = blocking(_asyncio.get_user_metadata)
update_user_metadata: Final = blocking(_asyncio.update_user_metadata)
clear_user_metadata: Final = blocking(_asyncio.clear_user_metadata)
