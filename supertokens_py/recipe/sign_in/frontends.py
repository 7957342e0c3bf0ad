"""What frontends send and get, whichever sign-in recipe they talk to (FDI)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, cast

from supertokens_py.constants import FDI_HEADER
from supertokens_py.exceptions import BadInputError
from supertokens_py.framework.bodies import read_body
from supertokens_py.framework.request import BaseRequest
from supertokens_py.recipe.multitenancy.recipe import MultitenancyRecipe
from supertokens_py.recipe.session.asyncio import get_session
from supertokens_py.recipe.session.exceptions import UnauthorisedError
from supertokens_py.secret import SecretDict
from supertokens_py.types.numbers import whole_number
from supertokens_py.types.users import User

_NEWEST = (4, 2)


def fdi_version(request: BaseRequest) -> tuple[int, int]:
    """Return the greatest version that a frontend speaks; the newest where it does not say."""
    versions: list[tuple[int, int]] = []
    for text in (request.get_header(FDI_HEADER) or "").split(","):
        major, _, minor = (whole_number(part, digits=5) for part in text.strip().partition("."))
        if major is not None and minor is not None:
            versions.append((major, minor))
    return max(versions, default=_NEWEST)


def _knows_login_methods(request: BaseRequest) -> bool:
    version = fdi_version(request)
    return version >= (3, 0) or (1, 18) <= version < (2, 0)


def user_for_frontend(user: User, recipe_user_id: str, request: BaseRequest) -> dict[str, Any]:
    """Return a user as a frontend of the request's version knows users."""
    if _knows_login_methods(request):
        return user.to_json()
    methods = sorted(user.login_methods, key=lambda method: method.time_joined)
    method = next((one for one in methods if one.recipe_user_id == recipe_user_id), methods[0])
    known = method.to_json()
    names = ("email", "phoneNumber", "thirdParty", "timeJoined")
    return {"id": user.id, **{name: known[name] for name in names if name in known}}


def signed_in_or_up(
    user: User, recipe_user_id: str, request: BaseRequest, *, created: bool
) -> dict[str, Any]:
    """Return the answer of a route that signs up whoever is new, as a frontend of the request's version."""
    name = "createdNewRecipeUser" if _knows_login_methods(request) else "createdNewUser"
    return {"status": "OK", "user": user_for_frontend(user, recipe_user_id, request), name: created}


async def json_body(request: BaseRequest, refusal: str = "Please provide a JSON body") -> dict[str, Any]:
    """Return the JSON object that a frontend sent. No variable that holds it shows what is in it.

    Raises:
        BadInputError: it sent something else.
    """
    try:
        body: Any = json.loads(await read_body(request), object_pairs_hook=SecretDict)
    except NotImplementedError:  # a request class written for 0.24
        body = json.loads(json.dumps(await request.json()), object_pairs_hook=SecretDict)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise BadInputError(refusal)
    return cast("dict[str, Any]", body)


async def refuse_linking(
    body: dict[str, Any], request: BaseRequest, user_context: dict[str, Any]
) -> bool | None:
    """Return `shouldTryLinkingWithSessionUser` where nothing is to be linked: False, or None (not said).

    Raises:
        UnauthorisedError: it is wanted, and there is no session.
        BadInputError: it is wanted, and accounts cannot be linked here.
    """
    wanted = body.get("shouldTryLinkingWithSessionUser")
    if fdi_version(request) < (3, 1) or wanted is None:
        return None
    if not isinstance(wanted, bool):
        raise BadInputError("shouldTryLinkingWithSessionUser must be a boolean")
    if wanted:
        await get_session(
            request, True, override_global_claim_validators=no_validators, user_context=user_context
        )
        raise BadInputError("Accounts cannot be linked: this app has no account linking")
    return False


def no_validators(*_: Any) -> list[Any]:
    """Evaluate no claims, not even those of every verification."""
    return []


async def require_first_factor(factor: str, tenant_id: str, user_context: dict[str, Any]) -> None:
    """Refuse a way to sign in that the tenant does not have; `first_factors_among` says what it raises."""
    await first_factors_among((factor,), tenant_id, user_context)


async def first_factors_among(
    factors: Iterable[str], tenant_id: str, user_context: dict[str, Any]
) -> list[str]:
    """Return which of these ways to sign in the tenant has: at least one.

    Raises:
        BadInputError: there is no such tenant.
        UnauthorisedError: it has other ways only.
    """
    tenants = MultitenancyRecipe.get_instance()
    tenant = await tenants.recipe_implementation.get_tenant(tenant_id, user_context)
    if tenant is None:
        raise BadInputError("Tenant not found")
    known = tenants.first_factors_of(tenant)
    found = [factor for factor in factors if factor in known]
    if not found:
        raise UnauthorisedError(
            "A valid session is required to authenticate with secondary factors", code="not_a_first_factor"
        )
    return found
