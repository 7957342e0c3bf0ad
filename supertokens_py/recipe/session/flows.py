"""Create, verify and refresh inside a request (protocol: Create, Verify, Refresh)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from supertokens_py.exceptions import ConfigError
from supertokens_py.urls import request_path

from . import csrf
from .claim_checks import OverrideValidators, assert_claims_of
from .constants import (
    ACCESS_TOKEN_COOKIE_KEY,
    ANTI_CSRF_HEADER_KEY,
    SESSION_REFRESH,
)
from .container import SessionContainer
from .exceptions import UnauthorisedError
from .functions import NO_SESSION
from .policy import Allowed
from .token_transport import (
    carries,
    choose_access_token,
    choose_refresh_token,
    expire_duplicates,
    other,
)

if TYPE_CHECKING:
    from supertokens_py.framework.request import BaseRequest

    from .recipe import SessionRecipe


@dataclass(frozen=True, slots=True)
class VerifyOptions:
    """The arguments of `verify_session`."""

    anti_csrf_check: bool | None = None
    session_required: bool = True
    check_database: bool = False
    override_global_claim_validators: OverrideValidators | None = None
    vary: bool = (
        True  #: whether a response with a valid session, or none, depends on the request's credentials
    )

    def __post_init__(self) -> None:
        if callable(self.anti_csrf_check):
            raise ConfigError("verify_session has to be called: write @verify_session(), with parentheses")
        override = self.override_global_claim_validators
        if override is not None and not callable(override):
            raise ConfigError(
                "override_global_claim_validators must be a function "
                f"(global_validators, session, user_context), not {type(override).__name__}"
            )


async def create_in_request(
    recipe: SessionRecipe,
    request: BaseRequest,
    *,
    tenant_id: str,
    user_id: str,
    payload: dict[str, Any] | None,
    data: dict[str, Any] | None,
    user_context: dict[str, Any],
) -> SessionContainer:
    """Create a session and owe its tokens to the response; nothing is owed if creation fails."""
    request.require_delivery()
    recipe.app.tell_of_mount(request)
    config = recipe.config
    method = config.transfer_of_new_session(request, user_context)
    if method == "cookie":
        _check_cookies(recipe, request, user_context)
    clears_other = carries(request, other(method)) and not csrf.is_unasked(request, config)
    if clears_other and method == "header":
        recipe.writer(request, user_context).prepare()
    recipe.hints.sign_in(request, method)
    complete = await recipe.initial_payload(user_id, tenant_id, payload, user_context)
    if method == "cookie":
        recipe.check_payload_fits_cookie(complete)
    session = await recipe.recipe_implementation.create_new_session(
        user_id, complete, data, method == "header", tenant_id, user_context=user_context
    )
    request.note_creation(session.session_handle)
    if clears_other:
        recipe.writer(request, user_context).clear(other(method))
    await session.attach_to_request_response(request, method, user_context)
    return session


def _check_cookies(recipe: SessionRecipe, request: BaseRequest, user_context: dict[str, Any]) -> None:
    config = recipe.config
    try:
        csrf.refuse_login_of_another_page(request, config)
    except UnauthorisedError as error:
        recipe.hints.refused_login(str(error))
        raise
    config.require_working_cookies(request, user_context)


async def session_of_request(
    recipe: SessionRecipe,
    request: BaseRequest,
    options: VerifyOptions,
    user_context: dict[str, Any],
    *,
    refreshes: bool = False,
) -> SessionContainer | None:
    """Verify the session of a request and attach it (protocol: Verify).

    Args:
        refreshes: refresh it instead, where the request is a POST to the refresh path.

    Raises:
        UnauthorisedError, TryRefreshTokenError, InvalidClaimsError: as the protocol says.
    """
    request.session_sought = True  # before anything fails: the error depends on the credentials as well
    http_method = request.method()
    if refreshes and http_method == "POST" and _is_refresh_path(recipe, request):
        return await refresh_in_request(recipe, request, user_context)
    if http_method in ("OPTIONS", "TRACE"):
        if options.session_required:
            raise UnauthorisedError("verify_session cannot be used with options method", clear_tokens=False)
        return None
    allowed: Allowed = "any"
    if not recipe.accepts_any_transfer:
        allowed = recipe.config.allowed_transfer(request, False, user_context)
    chosen = choose_access_token(request, allowed, recipe.read_token)
    if chosen is None:
        return allow_none(options)
    token, transfer = chosen
    via_token, sent = False, None
    if transfer == "cookie":  # all that a page of another site can make a browser send
        config = recipe.config
        if request.is_websocket():
            csrf.require_trusted_origin(request, config, user_context)
        if csrf.check_is_due(options.anti_csrf_check, http_method):
            csrf.require_custom_header(request, config)
            if config.anti_csrf_mode == "VIA_TOKEN":
                via_token, sent = True, request.get_header(ANTI_CSRF_HEADER_KEY)
    if "get_session" in recipe.replaced:
        session = await recipe.recipe_implementation.get_session(
            access_token=token.text,
            anti_csrf_token=sent,
            anti_csrf_check=via_token,
            session_required=options.session_required,
            check_database=options.check_database,
            override_global_claim_validators=options.override_global_claim_validators,
            user_context=user_context,
        )
        if session is None:
            return allow_none(options)
    else:
        session = await recipe.verified_session(
            token, sent, user_context, check_csrf=via_token, check_database=options.check_database
        )
    # Claims come first: a session that fails them is not attached, so its 403 carries no tokens.
    if (
        options.override_global_claim_validators is not None
        or recipe.claim_validators_added_by_other_recipes
        or "get_global_claim_validators" in recipe.replaced
    ):
        await assert_claims_of(recipe, session, options.override_global_claim_validators, user_context)
    await session.attach_to_request_response(request, transfer, user_context)
    return session


def allow_none(options: VerifyOptions) -> None:
    """Let a request go on without a session, if its route allows that; an override cannot allow it.

    Raises:
        UnauthorisedError: it does not.
    """
    if options.session_required:
        raise UnauthorisedError(NO_SESSION, clear_tokens=False)


def _is_refresh_path(recipe: SessionRecipe, request: BaseRequest) -> bool:
    below = recipe.app.below_base(request.get_path())
    return below is not None and request_path(below) == SESSION_REFRESH


async def refresh_in_request(
    recipe: SessionRecipe, request: BaseRequest, user_context: dict[str, Any]
) -> SessionContainer:
    """Exchange the request's refresh token for new tokens (protocol: Refresh).

    Raises:
        UnauthorisedError, TokenTheftError, ClearDuplicateSessionCookiesError: as the protocol says.
        ConfigError: session cookies came twice and `older_cookie_domain` is not set.
    """
    request.session_sought = True
    request.require_delivery()
    csrf.refuse_foreign_form(request)
    config = recipe.config
    allowed = config.allowed_transfer(request, False, user_context)
    writer = recipe.writer(request, user_context)
    chosen = choose_refresh_token(request, allowed, recipe.is_jwt)
    if allowed != "header" and (chosen is None or chosen[1] == "cookie"):
        expire_duplicates(request, config, writer)
    if chosen is None:
        raise UnauthorisedError(
            "Refresh token not found but access token is present. Clearing all tokens."
            if request.cookie_values(ACCESS_TOKEN_COOKIE_KEY)
            else "Refresh token not found. Are you sending the refresh token in the request?",
            clear_tokens=not csrf.is_unasked(request, config),
        )
    refresh_token, method = chosen
    if method == "cookie":
        csrf.require_proof_of_refresh(request, config)
    clears_other = carries(request, other(method))
    if method == "cookie" or clears_other:
        writer.prepare()
    via_token = method == "cookie" and config.anti_csrf_mode == "VIA_TOKEN"
    session = await recipe.recipe_implementation.refresh_session(
        refresh_token, request.get_header(ANTI_CSRF_HEADER_KEY), not via_token, user_context
    )
    if clears_other:
        writer.clear(other(method))
    await session.attach_to_request_response(request, method, user_context)
    writer.clear_legacy(request)
    return session
