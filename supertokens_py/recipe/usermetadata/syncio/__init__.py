"""Blocking twins of `usermetadata.asyncio`."""

from supertokens_py.bridge import blocking
from supertokens_py.recipe.usermetadata import asyncio as _asyncio

get_user_metadata = blocking(_asyncio.get_user_metadata)
update_user_metadata = blocking(_asyncio.update_user_metadata)
clear_user_metadata = blocking(_asyncio.clear_user_metadata)
