"""Blocking twins of `supertokens_py.asyncio`."""

from __future__ import annotations

from typing import Final

from supertokens_py import asyncio as _asyncio
from supertokens_py.runtime.bridge import blocking

__all__ = [
    "create_user_id_mapping",
    "delete_user",
    "delete_user_id_mapping",
    "get_readiness",
    "get_user",
    "get_user_count",
    "get_user_id_mapping",
    "get_users_newest_first",
    "get_users_oldest_first",
    "list_users_by_account_info",
    "update_or_delete_user_id_mapping_info",
]

delete_user: Final = blocking(_asyncio.delete_user)
get_readiness: Final = blocking(_asyncio.get_readiness)
get_user: Final = blocking(_asyncio.get_user)
list_users_by_account_info: Final = blocking(_asyncio.list_users_by_account_info)
get_users_oldest_first: Final = blocking(_asyncio.get_users_oldest_first)
get_users_newest_first: Final = blocking(_asyncio.get_users_newest_first)
get_user_count: Final = blocking(_asyncio.get_user_count)
create_user_id_mapping: Final = blocking(_asyncio.create_user_id_mapping)
get_user_id_mapping: Final = blocking(_asyncio.get_user_id_mapping)
delete_user_id_mapping: Final = blocking(_asyncio.delete_user_id_mapping)
update_or_delete_user_id_mapping_info: Final = blocking(_asyncio.update_or_delete_user_id_mapping_info)
