"""Which validators judge a session's claims, and what becomes of their answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from supertokens_py.bridge import call_app
from supertokens_py.exceptions import ConfigError
from supertokens_py.payloads import difference
from supertokens_py.types.base import MaybeAwaitable

from .claim import SessionClaimValidator
from .container import SessionContainer
from .results import ClaimsValidationResult, SessionDoesNotExistError, SessionInformationResult

if TYPE_CHECKING:
    from .recipe import SessionRecipe

#: (global_validators, session, user_context) to the validators of this call.
OverrideValidators: TypeAlias = Callable[
    [list[SessionClaimValidator], SessionContainer, dict[str, Any]],
    MaybeAwaitable[list[SessionClaimValidator]],
]
#: The same where a session is known by what is stored of it.
OverrideValidatorsByInfo: TypeAlias = Callable[
    [list[SessionClaimValidator], SessionInformationResult, dict[str, Any]],
    MaybeAwaitable[list[SessionClaimValidator]],
]
#: The same where only the user's id is known.
OverrideValidatorsByUserId: TypeAlias = Callable[
    [list[SessionClaimValidator], str, dict[str, Any]],
    MaybeAwaitable[list[SessionClaimValidator]],
]


async def validators_for(
    recipe: SessionRecipe,
    tenant_id: str,
    user_id: str,
    override: Any,
    subject: Any,
    user_context: dict[str, Any],
) -> list[SessionClaimValidator]:
    """Return the validators of every verification, as changed by `override`, which gets `subject` second.

    Raises:
        ConfigError: an application's function returned no list of validators.
    """
    validators = list(recipe.claim_validators_added_by_other_recipes)
    if "get_global_claim_validators" in recipe.replaced:
        given = await call_app(
            recipe.recipe_implementation.get_global_claim_validators,
            tenant_id,
            user_id,
            validators,
            user_context,
        )
        validators = _checked(given, "get_global_claim_validators")
    if override is not None:
        given = await call_app(override, validators, subject, user_context)
        validators = _checked(given, "override_global_claim_validators")
    return validators


async def assert_claims_of(
    recipe: SessionRecipe, session: SessionContainer, override: Any, user_context: dict[str, Any]
) -> None:
    """Judge the claims that every verification, or this route, asks for."""
    tenant_id, user_id = session.get_tenant_id(), session.get_user_id()
    validators = await validators_for(recipe, tenant_id, user_id, override, session, user_context)
    if validators:
        await session.assert_claims(validators, user_context)


async def judge_stored_claims(
    recipe: SessionRecipe, session_handle: str, override: Any, user_context: dict[str, Any]
) -> SessionDoesNotExistError | ClaimsValidationResult:
    """Judge a stored payload, refetching claims that are due and storing what was fetched."""
    functions = recipe.recipe_implementation
    information = await functions.get_session_information(session_handle, user_context)
    if information is None:
        return SessionDoesNotExistError()
    user_id, tenant_id = information.user_id, information.tenant_id
    validators = await validators_for(recipe, tenant_id, user_id, override, information, user_context)
    stored = information.custom_claims_in_access_token_payload
    payload = {**stored, "tId": tenant_id, "rsub": information.recipe_user_id}
    result = await functions.validate_claims(user_id, payload, validators, user_context)
    if result.access_token_payload_update is not None:
        update = difference(payload, result.access_token_payload_update)
        if not await functions.merge_into_access_token_payload(session_handle, update, user_context):
            return SessionDoesNotExistError()
    return ClaimsValidationResult(result.invalid_claims)


def _checked(given: Any, source: str) -> list[SessionClaimValidator]:
    # A function that forgets its `return` must not open the route.
    validators = list(cast("Iterable[Any]", given)) if isinstance(given, Iterable) else None
    if validators is None or not all(hasattr(item, "validate") for item in validators):
        raise ConfigError(
            f"{source} must return a list of claim validators, such as "
            f"[*global_validators, UserRoleClaim.validators.includes('admin')]; it returned {given!r}"
        )
    return validators
