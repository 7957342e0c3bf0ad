"""Whether a user is known to one recipe by what was asked for."""

from __future__ import annotations

from supertokens_py.engine.validation import normalise_tenant_id
from supertokens_py.types.users import AccountInfo, LoginMethod, User, normalised_email


def is_known(user: User, recipe_id: str, tenant_id: str, asked: AccountInfo) -> bool:
    """Return whether a login method of a recipe in a tenant has what was asked for itself.

    The tables of an official core link login methods: that a user has an address at a provider says nothing
    of their password, which is for another address.
    """
    tenant = normalise_tenant_id(tenant_id)
    own = (one for one in user.login_methods if one.recipe_id == recipe_id and tenant in one.tenant_ids)
    return any(_has(method, asked) for method in own)


def _has(method: LoginMethod, asked: AccountInfo) -> bool:
    if asked.email is not None:
        return normalised_email(method.email or "") == normalised_email(asked.email)
    if asked.phone_number is not None:
        return method.phone_number == asked.phone_number
    return method.third_party == asked.third_party
