"""Blocking twins of `userroles.asyncio`."""

from typing import Final

from supertokens_py.recipe.userroles import asyncio as _asyncio
from supertokens_py.runtime.bridge import blocking

add_role_to_user: Final = blocking(_asyncio.add_role_to_user)
remove_user_role: Final = blocking(_asyncio.remove_user_role)
get_roles_for_user: Final = blocking(_asyncio.get_roles_for_user)
get_users_that_have_role: Final = blocking(_asyncio.get_users_that_have_role)
create_new_role_or_add_permissions: Final = blocking(_asyncio.create_new_role_or_add_permissions)
get_permissions_for_role: Final = blocking(_asyncio.get_permissions_for_role)
remove_permissions_from_role: Final = blocking(_asyncio.remove_permissions_from_role)
get_roles_that_have_permission: Final = blocking(_asyncio.get_roles_that_have_permission)
delete_role: Final = blocking(_asyncio.delete_role)
get_all_roles: Final = blocking(_asyncio.get_all_roles)
