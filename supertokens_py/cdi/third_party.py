"""Users of providers, and providers of tenants, as JSON objects, to the wire and from it."""

from __future__ import annotations

from collections.abc import Sequence

from supertokens_py.engine.records import Tenant
from supertokens_py.engine.user_records import THIRD_PARTY, SignedInUp
from supertokens_py.exceptions import EngineUnavailableError
from supertokens_py.types.base import JSONObject, RecipeUserId
from supertokens_py.types.providers import ProviderConfig
from supertokens_py.types.users import LoginMethod, ThirdPartyInfo, User

from .records import member, optional_member
from .users import signed_in_to_wire, user_from_wire
from .versions import Version


def third_party_method(
    user: User, *, user_id: str | None = None, info: ThirdPartyInfo | None = None, email: str | None = None
) -> LoginMethod | None:
    """Return the login method of a user that has what is named, else the first of a provider."""
    methods = [method for method in user.login_methods if method.recipe_id == THIRD_PARTY]
    own = [
        method
        for method in methods
        if str(method.recipe_user_id) == user_id
        or (info is not None and method.third_party == info)
        or method.has_same_email_as(email)
    ]
    return next(iter(own or methods), None)


# To the wire


def signed_in_up_to_wire(result: SignedInUp, version: Version) -> JSONObject:
    """Return the answer to a sign-in with an account at a provider."""
    user = result.user
    method = third_party_method(user, user_id=str(result.recipe_user_id)) or user.login_methods[0]
    return {**signed_in_to_wire(user, method, version), "createdNewUser": result.created}


# From the wire


def signed_in_up_from_wire(answer: JSONObject) -> SignedInUp:
    """Read what `signed_in_up_to_wire` writes, in CDI 5.0 or later."""
    return SignedInUp(
        user_from_wire(answer.get("user")),
        RecipeUserId(member(answer, "recipeUserId", str)),
        member(answer, "createdNewUser", bool),
    )


def providers_from_wire(tenant: object) -> Sequence[JSONObject]:
    """Read the providers of a tenant, ordered by id, in the form of `engine.records.Tenant`.

    Raises:
        EngineUnavailableError: one of them is none.
    """
    listed = optional_member(optional_member(tenant, "thirdParty", dict) or {}, "providers", list) or []
    try:
        read = [ProviderConfig.from_json(one).to_json() for one in listed]
    except ValueError as error:
        raise EngineUnavailableError(
            f"the SuperTokens core gave an answer that cannot be understood: {error}"
        ) from None
    return sorted(read, key=lambda one: str(one["thirdPartyId"])) or Tenant(tenant_id="").providers
