"""Blocking twins of `thirdparty.asyncio`."""

from typing import Final

from supertokens_py.recipe.thirdparty import asyncio as _asyncio
from supertokens_py.runtime.bridge import blocking

manually_create_or_update_user: Final = blocking(_asyncio.manually_create_or_update_user)
get_provider: Final = blocking(_asyncio.get_provider)
get_user_by_id: Final = blocking(_asyncio.get_user_by_id)
get_users_by_email: Final = blocking(_asyncio.get_users_by_email)
get_user_by_third_party_info: Final = blocking(_asyncio.get_user_by_third_party_info)
