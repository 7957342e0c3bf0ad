"""Functions of the session recipe. `syncio` has the same ones, blocking."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Any, Literal, TypeVar, overload

from supertokens_py.constants import DEFAULT_TENANT_ID
from supertokens_py.engine.arguments import require_instance, require_strings, require_strings_or_none
from supertokens_py.engine.explanations import SessionExplanation
from supertokens_py.exceptions import ConfigError
from supertokens_py.framework.request_registry import as_base_request
from supertokens_py.recipe.openid.asyncio import (
    create_jwt,
    get_jwks,
    get_open_id_discovery_configuration,
)
from supertokens_py.recipe.session.claim_base_classes.claim import SessionClaim
from supertokens_py.recipe.session.claim_validation.authentication import Authentication
from supertokens_py.recipe.session.claim_validation.refusals import GuestNotAllowedError
from supertokens_py.recipe.session.compatibility import (
    NOT_GIVEN,
    context_in,
    one_of,
    one_user,
    tenant_and_context,
)
from supertokens_py.recipe.session.container import SessionContainer
from supertokens_py.recipe.session.exceptions import ANSWERED
from supertokens_py.recipe.session.features.guests import guests_may_pass, new_guest_id
from supertokens_py.recipe.session.features.lifetimes import SessionLifetime
from supertokens_py.recipe.session.functions import RecipeInterface
from supertokens_py.recipe.session.recipe import SessionRecipe
from supertokens_py.recipe.session.results import (
    ClaimsValidationResult,
    GetClaimValueOkResult,
    SessionDoesNotExistError,
    SessionInformationResult,
)
from supertokens_py.recipe.session.verification.claim_checks import (
    OverrideValidators,
    OverrideValidatorsByInfo,
    OverrideValidatorsByUserId,
)
from supertokens_py.recipe.session.verification.verification import VerifyOptions
from supertokens_py.runtime.deprecation import warn_deprecated
from supertokens_py.secret import masked
from supertokens_py.types.base import RecipeUserId, context_of

_T = TypeVar("_T")

__all__ = [
    "SessionContainer",
    "SessionExplanation",
    "create_guest_session",
    "create_impersonation_session",
    "create_jwt",
    "create_new_session",
    "create_new_session_without_request_response",
    "end_impersonation",
    "explain_session",
    "fetch_and_set_claim",
    "get_all_session_handles_for_user",
    "get_claim_value",
    "get_jwks",
    "get_open_id_discovery_configuration",
    "get_session",
    "get_session_information",
    "get_session_without_request_response",
    "list_sessions",
    "merge_into_access_token_payload",
    "reauthenticate",
    "refresh_session",
    "refresh_session_without_request_response",
    "remove_claim",
    "revoke_all_sessions_for_user",
    "revoke_multiple_sessions",
    "revoke_other_sessions",
    "revoke_session",
    "set_claim_value",
    "set_session_lifetime",
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
    lifetime: SessionLifetime | None = None,
    replaces: SessionContainer | str | None = None,
    authenticated: bool | None = None,
    methods: Sequence[str] | None = None,
    acr: str | None = None,
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
    lifetime: SessionLifetime | None = None,
    replaces: SessionContainer | str | None = None,
    authenticated: bool | None = None,
    methods: Sequence[str] | None = None,
    acr: str | None = None,
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
    lifetime: SessionLifetime | None = None,
    replaces: SessionContainer | str | None = None,
    authenticated: bool | None = None,
    methods: Sequence[str] | None = None,
    acr: str | None = None,
) -> SessionContainer:
    """Create a session for a user; the middleware puts its tokens into the response of `request`.

    Args:
        request: your framework's request.
        tenant_id: "public" unless you use tenants.
        user_id: any string that names the user, 128 characters at most; or `recipe_user_id`.
        access_token_payload: custom claims, readable by the frontend; or `jwt_payload`.
        session_data_in_database: data that stays on the server; or `session_data`.
        user_context: passed to your overrides.
        lifetime: how long this session lives, in place of what `session.init(lifetime=...)` says.
        replaces: a session, or its handle, that ends in the same transaction; of a guest, all sessions do.
        authenticated: whether the user has just proven who they are; None: unless there is `replaces`.
        methods: what was proven ("pwd", "otp", ...: RFC 8176), and `acr`, its class, both with `step_up`.

    Raises:
        ProtectedClaimError: the payload names a protected claim.
        PayloadTooLargeError: the access token would not fit a cookie.
        SessionLimitError: the user has as many sessions as they may have; answered by the middleware.
        InvalidClaimsError: somebody else acts as the user of the session that it is to replace.
        ConfigError: the cookie settings cannot work in a browser, or `session.init` lacks a setting.
    """
    base, recipe = as_base_request(request), SessionRecipe.get_instance()
    how = recipe.replacements.saying(authenticated=authenticated, methods=methods, acr=acr)
    with recipe.creation_settings.creating_with_lifetime(lifetime), how:
        return await recipe.flows.create(
            base,
            tenant_id=tenant_id,
            user_id=one_user(user_id, recipe_user_id),
            payload=one_of("access_token_payload", access_token_payload, "jwt_payload", jwt_payload),
            data=one_of("session_data_in_database", session_data_in_database, "session_data", session_data),
            user_context=context_in(user_context, base),
            replaces=replaces,
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
    lifetime: SessionLifetime | None = None,
    replaces: SessionContainer | str | None = None,
    authenticated: bool | None = None,
    methods: Sequence[str] | None = None,
    acr: str | None = None,
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
    lifetime: SessionLifetime | None = None,
    replaces: SessionContainer | str | None = None,
    authenticated: bool | None = None,
    methods: Sequence[str] | None = None,
    acr: str | None = None,
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
    lifetime: SessionLifetime | None = None,
    replaces: SessionContainer | str | None = None,
    authenticated: bool | None = None,
    methods: Sequence[str] | None = None,
    acr: str | None = None,
) -> SessionContainer:
    """Create a session whose tokens you deliver yourself (`get_all_session_tokens_dangerously()`).

    Where its `SessionLifetime` is not persistent, write its cookies without `Expires` and `Max-Age`.

    Args:
        disable_anti_csrf: issue no anti-CSRF token, as for tokens in headers. The other arguments, and the
            errors, are those of `create_new_session`.
    """
    recipe = SessionRecipe.get_instance()
    user, context = one_user(user_id, recipe_user_id), context_of(user_context)
    given = one_of("access_token_payload", access_token_payload, "jwt_payload", jwt_payload)
    data = one_of("session_data_in_database", session_data_in_database, "session_data", session_data)
    payload = await recipe.flows.initial_payload(user, tenant_id, given, context)
    how = recipe.replacements.saying(authenticated=authenticated, methods=methods, acr=acr)

    def create() -> Awaitable[SessionContainer]:
        return recipe.recipe_implementation.create_new_session(
            user, payload, data, disable_anti_csrf, tenant_id, user_context=context
        )

    with recipe.creation_settings.creating_with_lifetime(lifetime), how:
        replacement = await recipe.replacements.of(replaces, user, context)
        return await recipe.replacements.create(replacement, create, context)


async def create_guest_session(
    request: Any,
    tenant_id: str = DEFAULT_TENANT_ID,
    access_token_payload: dict[str, Any] | None = None,
    session_data_in_database: dict[str, Any] | None = None,
    user_context: dict[str, Any] | None = None,
) -> SessionContainer:
    """Create a session for a visitor who has not signed in; its user id is `guest_` and a UUID.

    Routes refuse it unless they say `verify_session(allow_guests=True)`. It counts in no limit, and not as an
    active user. `create_new_session(replaces=...)` puts that of a user in its place. Call it on demand, as
    for the first article in a cart: each is a row in the database, also that of a crawler.

    A user who is signed in is no visitor: a live session that the request comes with is returned as it is.

    Raises:
        TryRefreshTokenError: the access token of the request has expired, and its session may live on;
            answered by the middleware, so that no guest takes the place of a user, nor of an earlier guest.
        UnauthorisedError: the request comes with the session of a user, without the proof of its device.
        ProtectedClaimError: the payload names a protected claim.
        PayloadTooLargeError: the access token would not fit a cookie.
        ConfigError: a replaced `create_new_session` does not call the original.
    """
    base, recipe = as_base_request(request), SessionRecipe.get_instance()
    context = context_in(user_context, base)
    signed_in = await recipe.flows.user_session_of(base, context)
    if signed_in is not None:
        return signed_in
    with recipe.replacements.creating_for_guest():
        session = await recipe.flows.create(
            base,
            tenant_id=tenant_id,
            user_id=new_guest_id(),
            payload=access_token_payload,
            data=session_data_in_database,
            user_context=context,
        )
    if not session.is_guest:
        await session.revoke_session(context)
        raise ConfigError(
            "a guest needs the original create_new_session, which the application's own one did not call"
        )
    return session


async def create_impersonation_session(
    request: Any,
    user_id: str | RecipeUserId,
    *,
    actor: SessionContainer[Any],
    reason: str,
    max_age: int | None = None,
    tenant_id: str = DEFAULT_TENANT_ID,
    user_context: dict[str, Any] | None = None,
) -> SessionContainer:
    """Let the user of a session act as another user: the client gets the tokens of a session of that one.

    The actor's own session waits in the database, with no token anywhere; `end_impersonation` goes back to
    it, for whoever has the cookie that comes with these tokens. In header mode that is `return_token` of the
    new session: give it to your client, which keeps it as it keeps its refresh token. The payload names the
    actor, `act: {"sub": ...}`, and so do events and lists of sessions.

    Args:
        request: your framework's request, in which `actor` was verified.
        user_id: whom to act as.
        actor: the session of whoever asks, whose authentication is fresh.
        reason: why, for the audit log; at most 500 characters.
        max_age: seconds after which it ends, whatever is refreshed; at most that of `Impersonation`.
        tenant_id: "public" unless you use tenants.
        user_context: passed to `may` and to your overrides.

    Raises:
        InvalidClaimsError: the actor may not, acts as somebody already, is a guest, or has to authenticate
            again: 403, answered by the middleware.
        UnauthorisedError: the actor's session has ended.
        BadInputError: an argument is invalid; the message names it.
        ConfigError: `session.init` was not given an `Impersonation`.
    """
    require_instance("actor", actor, SessionContainer)
    base = as_base_request(request)
    return await SessionRecipe.get_instance().impersonations.begin(
        base,
        one_user(user_id, None),
        actor=actor,
        reason=reason,
        max_age=max_age,
        tenant_id=tenant_id,
        user_context=context_in(user_context, base),
    )


async def end_impersonation(
    request: Any, user_context: dict[str, Any] | None = None, *, return_token: str | None = None
) -> SessionContainer | None:
    """Stop acting as another user; return the actor's session, or None: they are signed out.

    The impersonation ends and a new session takes the place of the actor's in one transaction, with its
    payload, data, end, and time of authentication. Not so where the actor's session has ended, nor where the
    request comes with nothing but the tokens of the impersonation: those do not buy the actor's own.

    Args:
        request: your framework's request; in cookie mode it is for `Impersonation(end_path=...)`, the only
            path that the cookie is sent to.
        user_context: passed to your overrides.
        return_token: in header mode, what `create_impersonation_session` returned as `return_token`.

    Raises:
        UnauthorisedError, TryRefreshTokenError: there is no usable session; answered by the middleware.
        BadInputError: the session is no impersonation.
        ConfigError: `session.init` was not given an `Impersonation`.
    """
    base, return_token = as_base_request(request), masked(return_token)
    return await SessionRecipe.get_instance().impersonations.end(
        base, context_in(user_context, base), return_token=return_token
    )


async def reauthenticate(
    session: SessionContainer[Any],
    methods: Sequence[str] = (),
    acr: str | None = None,
    user_context: dict[str, Any] | None = None,
) -> SessionContainer:
    """Put a new session in the place of one whose user has just authenticated again.

    It has a new handle, new tokens, the same payload and session data, and `AuthenticationClaim` says that
    the user authenticated now; its lifetime begins anew. The former session has ended: other tabs get the new
    tokens with the cookies that they share. The tokens go into the response of the request that `session` is
    attached to; without one, deliver them yourself.

    Args:
        session: the session, verified.
        methods: what was proven: "pwd", "otp", ... (RFC 8176).
        acr: the authentication context class, such as "aal2".
        user_context: passed to your overrides.

    Raises:
        UnauthorisedError: the session has ended.
        InvalidClaimsError: it is the session of a guest, or somebody acts as its user.
        BadInputError: an argument is invalid; the message names it.
    """
    require_instance("session", session, SessionContainer)
    how = Authentication(methods=methods, acr=acr)
    return await SessionRecipe.get_instance().replacements.reauthenticate(
        session, how, context_of(user_context)
    )


@overload
async def get_session(
    request: Any,
    session_required: Literal[True] | None = None,
    anti_csrf_check: bool | None = None,
    check_database: bool | None = None,
    override_global_claim_validators: OverrideValidators | None = None,
    user_context: dict[str, Any] | None = None,
    *,
    allow_guests: bool | None = None,
    require_bound: bool = False,
) -> SessionContainer: ...


@overload
async def get_session(
    request: Any,
    session_required: bool | None = None,
    anti_csrf_check: bool | None = None,
    check_database: bool | None = None,
    override_global_claim_validators: OverrideValidators | None = None,
    user_context: dict[str, Any] | None = None,
    *,
    allow_guests: bool | None = None,
    require_bound: bool = False,
) -> SessionContainer | None: ...


async def get_session(
    request: Any,
    session_required: bool | None = None,
    anti_csrf_check: bool | None = None,
    check_database: bool | None = None,
    override_global_claim_validators: OverrideValidators | None = None,
    user_context: dict[str, Any] | None = None,
    *,
    allow_guests: bool | None = None,
    require_bound: bool = False,
) -> SessionContainer | None:
    """Verify the session of a request, as `verify_session` does; None only if it is not required.

    A guest has a session only with `allow_guests=True`, or where `session.init(guests=)` says so. With
    `require_bound` only a session that is bound to a device passes (`device_binding`).

    Raises:
        UnauthorisedError, TryRefreshTokenError, InvalidClaimsError: answered by the middleware.
    """
    base = as_base_request(request)
    options = VerifyOptions(
        anti_csrf_check,
        session_required is not False,
        check_database is True,
        override_global_claim_validators,
        allow_guests=allow_guests,
        require_bound=require_bound,
    )
    flows = SessionRecipe.get_instance().flows
    base.forbid_caching()
    try:
        return await flows.verify(base, options, context_in(user_context, base), guards=False)
    except ANSWERED as error:
        base.note_error(error)
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
    *,
    allow_guests: bool | None = None,
    device_cookie: str | None = None,
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
    *,
    allow_guests: bool | None = None,
    device_cookie: str | None = None,
) -> SessionContainer | None: ...


async def get_session_without_request_response(
    access_token: str,
    anti_csrf_token: str | None = None,
    anti_csrf_check: bool | None = None,
    session_required: bool | None = None,
    check_database: bool | None = None,
    override_global_claim_validators: OverrideValidators | None = None,
    user_context: dict[str, Any] | None = None,
    *,
    allow_guests: bool | None = None,
    device_cookie: str | None = None,
) -> SessionContainer | None:
    """Verify an access token from elsewhere than a request, and its claims.

    There is no request to look at: where the token came in a cookie, the caller has to require the proof that
    the request is not forged. In the mode `VIA_TOKEN` pass `anti_csrf_token`; in `VIA_CUSTOM_HEADER`, also
    where `init` derived it, require the header `rid` before the call (docs: Without decorators).
    A session that is bound to a device needs `device_cookie`, the value of the cookie `__Host-sDevice`.

    Raises:
        UnauthorisedError, TryRefreshTokenError, InvalidClaimsError: the token or a claim is not valid.
        ConfigError: `VIA_CUSTOM_HEADER` is set and `anti_csrf_check` is not False: it cannot be checked here.
    """
    recipe, context = SessionRecipe.get_instance(), context_of(user_context)
    require_strings_or_none(access_token=access_token)
    try:
        with guests_may_pass(allow_guests):
            session = await recipe.recipe_implementation.get_session(
                access_token=access_token,
                anti_csrf_token=anti_csrf_token,
                anti_csrf_check=anti_csrf_check,
                session_required=session_required,
                check_database=check_database,
                override_global_claim_validators=override_global_claim_validators,
                user_context=context,
            )
    except GuestNotAllowedError:
        if session_required is not False:
            raise
        return None
    if session is not None:
        if recipe.bindings is not None:
            await recipe.bindings.require(session, [device_cookie] if device_cookie else [], context)
        await recipe.claims.assert_session(session, override_global_claim_validators, context)
    return session


async def refresh_session(request: Any, user_context: dict[str, Any] | None = None) -> SessionContainer:
    """Exchange the refresh token of a request for new tokens, delivered by the middleware.

    Raises:
        UnauthorisedError, TokenTheftError, ClearDuplicateSessionCookiesError: answered by the middleware.
    """
    base = as_base_request(request)
    try:
        return await SessionRecipe.get_instance().flows.refresh(base, context_in(user_context, base))
    except ANSWERED as error:
        base.note_error(error)
        raise


async def refresh_session_without_request_response(
    refresh_token: str,
    disable_anti_csrf: bool = False,
    anti_csrf_token: str | None = None,
    user_context: dict[str, Any] | None = None,
    *,
    device_cookie: str | None = None,
) -> SessionContainer:
    """Exchange a refresh token from elsewhere than a request for new tokens.

    As with `get_session_without_request_response`, the proof of a token out of a cookie is the caller's to
    require, and a session that is bound to a device needs its `device_cookie`.

    Raises:
        UnauthorisedError, TokenTheftError: there is no such session any more, or the proof of its device is
            missing; then the session goes on.
        ConfigError: `VIA_CUSTOM_HEADER` is set and `disable_anti_csrf` is not True.
    """
    refresh_token, context = masked(refresh_token), context_of(user_context)
    require_strings(refresh_token=refresh_token)
    recipe = SessionRecipe.get_instance()
    if recipe.bindings is not None:
        await recipe.bindings.admit_token(refresh_token, [device_cookie] if device_cookie else [], context)
    return await _functions().refresh_session(refresh_token, anti_csrf_token, disable_anti_csrf, context)


async def set_session_lifetime(
    session_handle: str, lifetime: SessionLifetime, user_context: dict[str, Any] | None = None
) -> bool:
    """Give a session a shorter lifetime, at once; False if there is no such session.

    `absolute` counts from its creation, and a limit that is None stays as it is. Cookies that are to end with
    the browser do so from the next refresh on. A longer life needs a new session.

    Raises:
        ConfigError: `session.init` was not given a `lifetime`.
        BadInputError: it would be a longer one.
    """
    return await _functions().set_session_lifetime(session_handle, lifetime, context_of(user_context))


async def revoke_session(session_handle: str, user_context: dict[str, Any] | None = None) -> bool:
    """End a session; False if there was none."""
    return await _functions().revoke_session(session_handle, context_of(user_context))


async def revoke_multiple_sessions(
    session_handles: list[str], user_context: dict[str, Any] | None = None
) -> list[str]:
    """End sessions; return the handles of those that existed."""
    return await _functions().revoke_multiple_sessions(session_handles, context_of(user_context))


async def revoke_other_sessions(
    session_or_handle: SessionContainer | str,
    across_all_tenants: bool = True,
    user_context: dict[str, Any] | None = None,
) -> list[str]:
    """End every session of a session's user but that one; return the handles of those that existed.

    A session that has ended itself ends no others. `across_all_tenants=False` leaves those of other tenants
    alone.
    """
    given = session_or_handle
    handle = given.session_handle if isinstance(given, SessionContainer) else given
    return await _functions().revoke_other_sessions(handle, across_all_tenants, context_of(user_context))


async def list_sessions(
    user_id: str,
    tenant_id: str | None = None,
    across_all_tenants: bool = True,
    user_context: dict[str, Any] | None = None,
) -> list[SessionInformationResult]:
    """Return the live sessions of a user with their `device`, the most recently seen first.

    Sessions of every login method that an official core linked to the user are included; the session data is
    left out (`{}`). Where an official core keeps the sessions it is asked for each of the last hundred.

    Args:
        user_id: the user.
        tenant_id: only the sessions of this tenant.
        across_all_tenants: without a tenant, those of all tenants; if False, those of "public".
        user_context: passed to your overrides.
    """
    everywhere = tenant_id is None and across_all_tenants
    return await _functions().list_sessions(
        user_id, tenant_id or DEFAULT_TENANT_ID, everywhere, context_of(user_context)
    )


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
    """Replace the session data in the database; False if there is no such session."""
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
        PayloadTooLargeError: the access token would not fit into a cookie; nothing was written.
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


async def explain_session(
    session_handle: str, user_context: dict[str, Any] | None = None
) -> SessionExplanation:
    """Return whether a session is live, or why it ended ("why was I logged out?").

    Returns:
        `state` is "live", "ended" or "unknown", `text` an English sentence, `reason` why it ended (such as
        "signout" or "reuse"), `at_ms` when, in Unix milliseconds, `actor_id` who ended it if not the user.
        Without `session.init(events=EventSettings())` nothing is known of sessions that have ended.
    """
    return await _functions().explain_session(session_handle, context_of(user_context))


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
