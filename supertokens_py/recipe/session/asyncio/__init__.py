"""Functions of the session recipe. `syncio` has the same ones, blocking."""

from __future__ import annotations

from typing import Any, Literal, TypeVar, overload

from supertokens_py.constants import DEFAULT_TENANT_ID
from supertokens_py.framework.native import as_base_request
from supertokens_py.recipe.openid.asyncio import (
    create_jwt,
    get_jwks,
    get_open_id_discovery_configuration,
)
from supertokens_py.recipe.session.claim import SessionClaim
from supertokens_py.recipe.session.claim_checks import (
    OverrideValidators,
    OverrideValidatorsByInfo,
    OverrideValidatorsByUserId,
)
from supertokens_py.recipe.session.compatibility import (
    NOT_GIVEN,
    context_in,
    one_of,
    one_user,
    tenant_and_context,
)
from supertokens_py.recipe.session.container import SessionContainer
from supertokens_py.recipe.session.exceptions import ANSWERED
from supertokens_py.recipe.session.functions import RecipeInterface
from supertokens_py.recipe.session.recipe import SessionRecipe
from supertokens_py.recipe.session.results import (
    ClaimsValidationResult,
    GetClaimValueOkResult,
    SessionDoesNotExistError,
    SessionInformationResult,
)
from supertokens_py.recipe.session.verification import VerifyOptions
from supertokens_py.runtime.deprecation import warn_deprecated
from supertokens_py.secret import hidden
from supertokens_py.types.base import RecipeUserId, context_of

_T = TypeVar("_T")

__all__ = [
    "SessionContainer",
    "create_jwt",
    "create_new_session",
    "create_new_session_without_request_response",
    "fetch_and_set_claim",
    "get_all_session_handles_for_user",
    "get_claim_value",
    "get_jwks",
    "get_open_id_discovery_configuration",
    "get_session",
    "get_session_information",
    "get_session_without_request_response",
    "merge_into_access_token_payload",
    "refresh_session",
    "refresh_session_without_request_response",
    "remove_claim",
    "revoke_all_sessions_for_user",
    "revoke_multiple_sessions",
    "revoke_session",
    "set_claim_value",
    "update_access_token_payload",
    "update_session_data",
    "update_session_data_in_database",
    "validate_claims_for_session_handle",
    "validate_claims_in_jwt_payload",
]


@overload
async def create_new_session(
    request: Any,
    tenant_id: str,
    user_id: str | RecipeUserId,
    access_token_payload: dict[str, Any] | None = None,
    session_data_in_database: dict[str, Any] | None = None,
    user_context: dict[str, Any] | None = None,
    *,
    recipe_user_id: str | RecipeUserId | None = None,
    jwt_payload: dict[str, Any] | None = None,
    session_data: dict[str, Any] | None = None,
) -> SessionContainer: ...


@overload
async def create_new_session(
    request: Any,
    tenant_id: str,
    *,
    recipe_user_id: str | RecipeUserId,
    access_token_payload: dict[str, Any] | None = None,
    session_data_in_database: dict[str, Any] | None = None,
    user_context: dict[str, Any] | None = None,
    jwt_payload: dict[str, Any] | None = None,
    session_data: dict[str, Any] | None = None,
) -> SessionContainer: ...


async def create_new_session(
    request: Any,
    tenant_id: str,
    user_id: str | RecipeUserId | None = NOT_GIVEN,
    access_token_payload: dict[str, Any] | None = None,
    session_data_in_database: dict[str, Any] | None = None,
    user_context: dict[str, Any] | None = None,
    *,
    recipe_user_id: str | RecipeUserId | None = None,
    jwt_payload: dict[str, Any] | None = None,
    session_data: dict[str, Any] | None = None,
) -> SessionContainer:
    """Create a session for a user; the middleware puts its tokens into the response of `request`.

    Args:
        request: your framework's request.
        tenant_id: "public" unless you use tenants.
        user_id: any string that names the user, 128 characters at most.
        access_token_payload: custom claims, readable by the frontend.
        session_data_in_database: data kept on the server, never sent to the frontend.
        user_context: handed through to your overrides.
        recipe_user_id: other name of `user_id`.
        jwt_payload: older name of `access_token_payload`.
        session_data: older name of `session_data_in_database`.

    Raises:
        ProtectedClaimError: the payload names a protected claim.
        PayloadTooLargeError: the access token would not fit a cookie.
        ConfigError: the cookie settings cannot work in a browser.
    """
    base = as_base_request(request)
    return await SessionRecipe.get_instance().flows.create(
        base,
        tenant_id=tenant_id,
        user_id=one_user(user_id, recipe_user_id),
        payload=one_of("access_token_payload", access_token_payload, "jwt_payload", jwt_payload),
        data=one_of("session_data_in_database", session_data_in_database, "session_data", session_data),
        user_context=context_in(user_context, base),
    )


@overload
async def create_new_session_without_request_response(
    tenant_id: str,
    user_id: str | RecipeUserId,
    access_token_payload: dict[str, Any] | None = None,
    session_data_in_database: dict[str, Any] | None = None,
    disable_anti_csrf: bool = False,
    user_context: dict[str, Any] | None = None,
    *,
    recipe_user_id: str | RecipeUserId | None = None,
    jwt_payload: dict[str, Any] | None = None,
    session_data: dict[str, Any] | None = None,
) -> SessionContainer: ...


@overload
async def create_new_session_without_request_response(
    tenant_id: str,
    *,
    recipe_user_id: str | RecipeUserId,
    access_token_payload: dict[str, Any] | None = None,
    session_data_in_database: dict[str, Any] | None = None,
    disable_anti_csrf: bool = False,
    user_context: dict[str, Any] | None = None,
    jwt_payload: dict[str, Any] | None = None,
    session_data: dict[str, Any] | None = None,
) -> SessionContainer: ...


async def create_new_session_without_request_response(
    tenant_id: str,
    user_id: str | RecipeUserId | None = NOT_GIVEN,
    access_token_payload: dict[str, Any] | None = None,
    session_data_in_database: dict[str, Any] | None = None,
    disable_anti_csrf: bool = False,
    user_context: dict[str, Any] | None = None,
    *,
    recipe_user_id: str | RecipeUserId | None = None,
    jwt_payload: dict[str, Any] | None = None,
    session_data: dict[str, Any] | None = None,
) -> SessionContainer:
    """Create a session that you deliver yourself: see `get_all_session_tokens_dangerously()`."""
    recipe = SessionRecipe.get_instance()
    user, context = one_user(user_id, recipe_user_id), context_of(user_context)
    given = one_of("access_token_payload", access_token_payload, "jwt_payload", jwt_payload)
    data = one_of("session_data_in_database", session_data_in_database, "session_data", session_data)
    payload = await recipe.flows.initial_payload(user, tenant_id, given, context)
    return await recipe.recipe_implementation.create_new_session(
        user, payload, data, disable_anti_csrf, tenant_id, user_context=context
    )


@overload
async def get_session(
    request: Any,
    session_required: Literal[True] | None = None,
    anti_csrf_check: bool | None = None,
    check_database: bool | None = None,
    override_global_claim_validators: OverrideValidators | None = None,
    user_context: dict[str, Any] | None = None,
) -> SessionContainer: ...


@overload
async def get_session(
    request: Any,
    session_required: bool | None = None,
    anti_csrf_check: bool | None = None,
    check_database: bool | None = None,
    override_global_claim_validators: OverrideValidators | None = None,
    user_context: dict[str, Any] | None = None,
) -> SessionContainer | None: ...


async def get_session(
    request: Any,
    session_required: bool | None = None,
    anti_csrf_check: bool | None = None,
    check_database: bool | None = None,
    override_global_claim_validators: OverrideValidators | None = None,
    user_context: dict[str, Any] | None = None,
) -> SessionContainer | None:
    """Verify the session of a request, as `verify_session` does; None only if it is not required.

    Raises:
        UnauthorisedError, TryRefreshTokenError, InvalidClaimsError: answered by the middleware.
    """
    base = as_base_request(request)
    options = VerifyOptions(
        anti_csrf_check,
        session_required is not False,
        check_database is True,
        override_global_claim_validators,
    )
    flows = SessionRecipe.get_instance().flows
    base.forbid_caching()
    try:
        return await flows.verify(base, options, context_in(user_context, base), guards=False)
    except ANSWERED as error:
        base.session_error = error
        raise


@overload
async def get_session_without_request_response(
    access_token: str,
    anti_csrf_token: str | None = None,
    anti_csrf_check: bool | None = None,
    session_required: Literal[True] | None = None,
    check_database: bool | None = None,
    override_global_claim_validators: OverrideValidators | None = None,
    user_context: dict[str, Any] | None = None,
) -> SessionContainer: ...


@overload
async def get_session_without_request_response(
    access_token: str,
    anti_csrf_token: str | None = None,
    anti_csrf_check: bool | None = None,
    session_required: bool | None = None,
    check_database: bool | None = None,
    override_global_claim_validators: OverrideValidators | None = None,
    user_context: dict[str, Any] | None = None,
) -> SessionContainer | None: ...


async def get_session_without_request_response(
    access_token: str,
    anti_csrf_token: str | None = None,
    anti_csrf_check: bool | None = None,
    session_required: bool | None = None,
    check_database: bool | None = None,
    override_global_claim_validators: OverrideValidators | None = None,
    user_context: dict[str, Any] | None = None,
) -> SessionContainer | None:
    """Verify an access token from elsewhere than a request, and its claims.

    There is no request to look at: where the token came in a cookie, the caller has to require the proof that
    the request is not forged. In the mode `VIA_TOKEN` pass `anti_csrf_token`; in `VIA_CUSTOM_HEADER`, also
    where `init` derived it, require the header `rid` before the call (docs: Without decorators).

    Raises:
        UnauthorisedError, TryRefreshTokenError, InvalidClaimsError: the token or a claim is not valid.
        ConfigError: `VIA_CUSTOM_HEADER` is set and `anti_csrf_check` is not False: it cannot be checked here.
    """
    recipe, context = SessionRecipe.get_instance(), context_of(user_context)
    session = await recipe.recipe_implementation.get_session(
        access_token=access_token,
        anti_csrf_token=anti_csrf_token,
        anti_csrf_check=anti_csrf_check,
        session_required=session_required,
        check_database=check_database,
        override_global_claim_validators=override_global_claim_validators,
        user_context=context,
    )
    if session is not None:
        await recipe.claims.assert_session(session, override_global_claim_validators, context)
    return session


async def refresh_session(request: Any, user_context: dict[str, Any] | None = None) -> SessionContainer:
    """Exchange the refresh token of a request for new tokens, delivered by the middleware.

    Raises:
        UnauthorisedError, TokenTheftError, ClearDuplicateSessionCookiesError: answered by the middleware.
    """
    base = as_base_request(request)
    return await SessionRecipe.get_instance().flows.refresh(base, context_in(user_context, base))


async def refresh_session_without_request_response(
    refresh_token: str,
    disable_anti_csrf: bool = False,
    anti_csrf_token: str | None = None,
    user_context: dict[str, Any] | None = None,
) -> SessionContainer:
    """Exchange a refresh token from elsewhere than a request for new tokens.

    As with `get_session_without_request_response`, the proof of a token out of a cookie is the caller's to
    require.

    Raises:
        UnauthorisedError, TokenTheftError: there is no such session any more.
        ConfigError: `VIA_CUSTOM_HEADER` is set and `disable_anti_csrf` is not True.
    """
    refresh_token = hidden(refresh_token)
    return await _functions().refresh_session(
        refresh_token, anti_csrf_token, disable_anti_csrf, context_of(user_context)
    )


async def revoke_session(session_handle: str, user_context: dict[str, Any] | None = None) -> bool:
    """End a session; False if there was none."""
    return await _functions().revoke_session(session_handle, context_of(user_context))


async def revoke_multiple_sessions(
    session_handles: list[str], user_context: dict[str, Any] | None = None
) -> list[str]:
    """End sessions; return the handles of those that existed."""
    return await _functions().revoke_multiple_sessions(session_handles, context_of(user_context))


@overload
async def revoke_all_sessions_for_user(
    user_id: str,
    tenant_id: str | None = None,
    user_context: dict[str, Any] | None = None,
    *,
    revoke_sessions_for_linked_accounts: bool = True,
) -> list[str]: ...


@overload
async def revoke_all_sessions_for_user(
    user_id: str,
    revoke_sessions_for_linked_accounts: bool,
    tenant_id: str | None = None,
    user_context: dict[str, Any] | None = None,
    /,
) -> list[str]: ...


async def revoke_all_sessions_for_user(
    user_id: str,
    tenant_id: str | bool | None = None,
    user_context: dict[str, Any] | str | None = None,
    *more: Any,
    **named: Any,
) -> list[str]:
    """Revoke a user's sessions in one tenant, or in all (None); return their handles.

    Sessions of every login method that an official core linked to the user are revoked, too, unless
    `revoke_sessions_for_linked_accounts` is False.
    """
    flag = "revoke_sessions_for_linked_accounts"
    tenant, context, linked = tenant_and_context(flag, tenant_id, user_context, more, named)
    return await _functions().revoke_all_sessions_for_user(
        user_id, tenant or DEFAULT_TENANT_ID, tenant is None, context, **linked
    )


@overload
async def get_all_session_handles_for_user(
    user_id: str,
    tenant_id: str | None = None,
    user_context: dict[str, Any] | None = None,
    *,
    fetch_sessions_for_linked_accounts: bool = True,
) -> list[str]: ...


@overload
async def get_all_session_handles_for_user(
    user_id: str,
    fetch_sessions_for_linked_accounts: bool,
    tenant_id: str | None = None,
    user_context: dict[str, Any] | None = None,
    /,
) -> list[str]: ...


async def get_all_session_handles_for_user(
    user_id: str,
    tenant_id: str | bool | None = None,
    user_context: dict[str, Any] | str | None = None,
    *more: Any,
    **named: Any,
) -> list[str]:
    """Return the handles of a user's sessions in one tenant, or in all (None).

    Sessions of every login method that an official core linked to the user are included unless
    `fetch_sessions_for_linked_accounts` is False.
    """
    flag = "fetch_sessions_for_linked_accounts"
    tenant, context, linked = tenant_and_context(flag, tenant_id, user_context, more, named)
    return await _functions().get_all_session_handles_for_user(
        user_id, tenant or DEFAULT_TENANT_ID, tenant is None, context, **linked
    )


async def get_session_information(
    session_handle: str, user_context: dict[str, Any] | None = None
) -> SessionInformationResult | None:
    """Return a session as stored; None if there is none."""
    return await _functions().get_session_information(session_handle, context_of(user_context))


async def update_session_data_in_database(
    session_handle: str, new_session_data: dict[str, Any], user_context: dict[str, Any] | None = None
) -> bool:
    """Replace the data kept on the server; False if there is no such session."""
    return await _functions().update_session_data_in_database(
        session_handle, new_session_data, context_of(user_context)
    )


update_session_data = update_session_data_in_database


async def merge_into_access_token_payload(
    session_handle: str, new_access_token_payload: dict[str, Any], user_context: dict[str, Any] | None = None
) -> bool:
    """Merge into the stored payload; None removes a key. Clients see it after their next refresh.

    Raises:
        ProtectedClaimError: the update names a protected claim; nothing was written.
    """
    return await _functions().merge_into_access_token_payload(
        session_handle, new_access_token_payload, context_of(user_context)
    )


async def update_access_token_payload(
    session_handle: str, new_access_token_payload: dict[str, Any], user_context: dict[str, Any] | None = None
) -> bool:
    """Replace the stored payload; deprecated, use `merge_into_access_token_payload`."""
    warn_deprecated("update_access_token_payload is deprecated. Use merge_into_access_token_payload instead")
    return await _functions().update_access_token_payload(
        session_handle, new_access_token_payload, context_of(user_context)
    )


async def fetch_and_set_claim(
    session_handle: str, claim: SessionClaim[Any], user_context: dict[str, Any] | None = None
) -> bool:
    """Fetch a claim's value and store it; False if there is no such session."""
    return await _functions().fetch_and_set_claim(session_handle, claim, context_of(user_context))


async def set_claim_value(
    session_handle: str, claim: SessionClaim[_T], value: _T, user_context: dict[str, Any] | None = None
) -> bool:
    """Store a claim's value; False if there is no such session."""
    return await _functions().set_claim_value(session_handle, claim, value, context_of(user_context))


async def get_claim_value(
    session_handle: str, claim: SessionClaim[_T], user_context: dict[str, Any] | None = None
) -> SessionDoesNotExistError | GetClaimValueOkResult[_T]:
    """Return a claim's stored value."""
    return await _functions().get_claim_value(session_handle, claim, context_of(user_context))


async def remove_claim(
    session_handle: str, claim: SessionClaim[Any], user_context: dict[str, Any] | None = None
) -> bool:
    """Remove a claim from the stored payload; False if there is no such session."""
    return await _functions().remove_claim(session_handle, claim, context_of(user_context))


async def validate_claims_for_session_handle(
    session_handle: str,
    override_global_claim_validators: OverrideValidatorsByInfo | None = None,
    user_context: dict[str, Any] | None = None,
) -> SessionDoesNotExistError | ClaimsValidationResult:
    """Evaluate a stored payload, refetching claims that are due and storing what was fetched.

    The override gets (global_validators, session information, user_context). Failures are returned.
    """
    claims = SessionRecipe.get_instance().claims
    return await claims.validate_stored(
        session_handle, override_global_claim_validators, context_of(user_context)
    )


async def validate_claims_in_jwt_payload(
    tenant_id: str,
    user_id: str,
    jwt_payload: dict[str, Any],
    override_global_claim_validators: OverrideValidatorsByUserId | None = None,
    user_context: dict[str, Any] | None = None,
) -> ClaimsValidationResult:
    """Evaluate a payload without fetching anything; the override gets the user id second."""
    recipe, context = SessionRecipe.get_instance(), context_of(user_context)
    validators = await recipe.claims.validators_for(
        tenant_id, user_id, override_global_claim_validators, user_id, context
    )
    functions = recipe.recipe_implementation
    return await functions.validate_claims_in_jwt_payload(user_id, jwt_payload, validators, context)


def _functions() -> RecipeInterface:
    return SessionRecipe.get_instance().recipe_implementation
