"""Blocking twins of `multitenancy.asyncio`."""

from typing import Final

from supertokens_py.recipe.multitenancy import asyncio as _asyncio
from supertokens_py.runtime.bridge import blocking

associate_user_to_tenant: Final = blocking(_asyncio.associate_user_to_tenant)
create_or_update_tenant: Final = blocking(_asyncio.create_or_update_tenant)
create_or_update_third_party_config: Final = blocking(_asyncio.create_or_update_third_party_config)
delete_tenant: Final = blocking(_asyncio.delete_tenant)
delete_third_party_config: Final = blocking(_asyncio.delete_third_party_config)
disassociate_user_from_tenant: Final = blocking(_asyncio.dissociate_user_from_tenant)
dissociate_user_from_tenant: Final = blocking(_asyncio.dissociate_user_from_tenant)
get_tenant: Final = blocking(_asyncio.get_tenant)
list_all_tenants: Final = blocking(_asyncio.list_all_tenants)
