"""`APIInterface`: the HTTP APIs. Applications replace methods, in 0.24's form or a later one."""

from __future__ import annotations

import logging
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, TypeAlias

from supertokens_py.app import Supertokens
from supertokens_py.engine.validation import is_storable
from supertokens_py.exceptions import BadInputError
from supertokens_py.recipe.base import APIOptions as BaseAPIOptions
from supertokens_py.recipe.sign_in.argument_forms import in_both_forms
from supertokens_py.recipe.sign_in.clients import admit
from supertokens_py.recipe.sign_in.frontends import require_first_factor
from supertokens_py.recipe.sign_in.sessions import BY_PROVIDER, begin_session
from supertokens_py.secret import SecretDict
from supertokens_py.types.emails import is_one_recipient
from supertokens_py.types.providers import MAX_THIRD_PARTY_USER_ID
from supertokens_py.types.response import GeneralErrorResponse

from .apple_callback import target_of
from .exceptions import ProviderError
from .functions import RECIPE_ID, verified_by_provider
from .provider import Provider, RedirectUriInfo, UserInfo, UserInfoEmail
from .providers.frontend_tokens import accepted_tokens, email_of
from .results import (
    AuthorisationUrlGetOkResult,
    LinkingToSessionUserFailedError,
    SignInUpNotAllowed,
    SignInUpOkResult,
    SignInUpPostNoEmailGivenByProviderResponse,
    SignInUpPostOkResult,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from supertokens_py.config import AppInfo
    from supertokens_py.framework.request import BaseRequest
    from supertokens_py.framework.response import BaseResponse
    from supertokens_py.recipe.session.container import SessionContainer

    from .provider import ProviderInput

log: logging.Logger = logging.getLogger(__name__)

_NOT_ALLOWED = (
    "Cannot sign in / up due to security reasons. Please try a different login method or contact support. "
    "(ERR_CODE_004)"
)


SignInUpAnswer: TypeAlias = (
    SignInUpPostOkResult
    | SignInUpPostNoEmailGivenByProviderResponse
    | SignInUpNotAllowed
    | GeneralErrorResponse
)


class APIOptions(BaseAPIOptions):
    """What an API gets to know of its request.

    Args:
        providers: those that `init` was given.
        is_allowed_redirect: whether a sign-in may send the browser to an address.
    """

    def __init__(
        self,
        request: BaseRequest,
        response: BaseResponse,
        recipe_id: str,
        config: Any,
        recipe_implementation: Any,
        providers: list[ProviderInput],
        app_info: AppInfo,
        is_allowed_redirect: Callable[[str], bool],
    ) -> None:
        super().__init__(request, response, recipe_id, config, recipe_implementation)
        self.providers = providers
        self.app_info = app_info
        self.is_allowed_redirect = is_allowed_redirect


class APIInterface:
    """The APIs, with their default behaviour; set a `disable_…` flag to leave a path to the application."""

    def __init__(self) -> None:
        self.disable_sign_in_up_post = False
        self.disable_authorisation_url_get = False
        self.disable_apple_redirect_handler_post = False

    @in_both_forms(
        "provider redirect_uri_on_provider_dashboard api_options user_context",
        "provider redirect_uri_on_provider_dashboard api_options user_context",
    )
    async def authorisation_url_get(
        self,
        provider: Provider,
        redirect_uri_on_provider_dashboard: str,
        api_options: APIOptions,
        user_context: dict[str, Any],
    ) -> AuthorisationUrlGetOkResult | GeneralErrorResponse:
        """GET /authorisationurl: where to send the browser. The redirect URI is an allowed one.

        Raises:
            ProviderError: the provider's configuration document cannot be had.
        """
        redirect = await provider.get_authorisation_redirect_url(
            redirect_uri_on_provider_dashboard, user_context
        )
        return AuthorisationUrlGetOkResult(redirect.url_with_query_params, redirect.pkce_code_verifier)

    @in_both_forms(
        "provider redirect_uri_info oauth_tokens tenant_id api_options user_context",
        "provider redirect_uri_info oauth_tokens session should_try_linking_with_session_user tenant_id "
        "api_options user_context",
    )
    async def sign_in_up_post(
        self,
        provider: Provider,
        redirect_uri_info: RedirectUriInfo | None,
        oauth_tokens: dict[str, Any] | None,
        session: SessionContainer | None,
        should_try_linking_with_session_user: bool | None,
        tenant_id: str,
        api_options: APIOptions,
        user_context: dict[str, Any],
    ) -> SignInUpAnswer:
        """POST /signinup: create a session for whoever the provider says it is, and the user if need be.

        Raises:
            ProviderError: the provider refused, does not answer, or says something that does not fit.
        """
        await require_first_factor(RECIPE_ID, tenant_id, user_context)
        tokens = await _tokens_of(provider, redirect_uri_info, oauth_tokens, user_context)
        user_info = await provider.get_user_info(tokens, user_context)
        email = await _storable_email(user_info, provider, tenant_id, user_context)
        if email is None:
            return SignInUpPostNoEmailGivenByProviderResponse()
        known = provider.id, user_info.third_party_user_id, email.id
        await _count_sign_up(*known[:2], tenant_id, api_options, user_context)
        with verified_by_provider(*known) if email.is_verified else nullcontext():
            result = await api_options.recipe_implementation.sign_in_up(
                third_party_id=provider.id,
                third_party_user_id=user_info.third_party_user_id,
                email=email.id,
                is_verified=email.is_verified,
                oauth_tokens=tokens,
                raw_user_info_from_provider=user_info.raw_user_info_from_provider,
                session=session,
                should_try_linking_with_session_user=should_try_linking_with_session_user,
                tenant_id=tenant_id,
                user_context=user_context,
            )
        return await _with_session(result, tenant_id, api_options, user_context)

    @in_both_forms("form_post_info api_options user_context", "form_post_info api_options user_context")
    async def apple_redirect_handler_post(
        self, form_post_info: dict[str, Any], api_options: APIOptions, user_context: dict[str, Any]
    ) -> None:
        """POST /callback/apple: send the browser on to the website, with every field of Apple's form.

        Raises:
            BadInputError: the form names no address, or one that is not allowed.
        """
        target = target_of(form_post_info, api_options.is_allowed_redirect)
        api_options.response.set_status_code(303)  # a POST becomes a GET
        api_options.response.redirect(target)


async def _count_sign_up(
    third_party_id: str,
    third_party_user_id: str,
    tenant_id: str,
    api_options: APIOptions,
    user_context: dict[str, Any],
) -> None:
    """Count a new user of a client; known ones sign in, however many users the client has made.

    Raises:
        TooManyAttemptsError: the client has made too many.
    """
    app = Supertokens.get_instance()
    if app.clients.network_of(api_options.request) is None:
        return
    user = await api_options.recipe_implementation.get_user_by_thirdparty_info(
        third_party_id=third_party_id,
        third_party_user_id=third_party_user_id,
        tenant_id=tenant_id,
        user_context=user_context,
    )
    if user is None:
        await admit(app, "sign_up", api_options.request, user_context)


async def _with_session(
    result: SignInUpOkResult | SignInUpNotAllowed | LinkingToSessionUserFailedError,
    tenant_id: str,
    api_options: APIOptions,
    user_context: dict[str, Any],
) -> SignInUpPostOkResult | SignInUpNotAllowed:
    if isinstance(result, LinkingToSessionUserFailedError):
        return SignInUpNotAllowed(_NOT_ALLOWED)
    if not isinstance(result, SignInUpOkResult):
        return result
    session = await begin_session(
        api_options.request, tenant_id, result.recipe_user_id, BY_PROVIDER, user_context
    )
    return SignInUpPostOkResult(
        result.user,
        result.created_new_user,
        session,
        result.oauth_tokens,
        result.raw_user_info_from_provider,
    )


async def _tokens_of(
    provider: Provider,
    redirect_uri_info: RedirectUriInfo | None,
    oauth_tokens: dict[str, Any] | None,
    user_context: dict[str, Any],
) -> dict[str, Any]:
    """Return the provider's tokens: for the code of a redirect, or those that a native app got."""
    if redirect_uri_info is not None:
        return SecretDict(await provider.exchange_auth_code_for_oauth_tokens(redirect_uri_info, user_context))
    if oauth_tokens is None:
        raise BadInputError("Please provide one of redirectURIInfo or oAuthTokens in the request body")
    return accepted_tokens(provider, oauth_tokens)


async def _storable_email(
    user_info: UserInfo, provider: Provider, tenant_id: str, user_context: dict[str, Any]
) -> UserInfoEmail | None:
    """Return the address of a user: the provider's, or a made-up one where none is needed.

    Raises:
        ProviderError: what the provider says of the user cannot be stored.
    """
    user_id: Any = user_info.third_party_user_id
    is_short = isinstance(user_id, str) and 0 < len(user_id) <= MAX_THIRD_PARTY_USER_ID
    if not is_short or not is_storable(user_id):
        raise _refused("the provider's id of the user cannot be stored", provider)
    email = await email_of(provider, user_info, tenant_id, user_context)
    if email is not None and not is_one_recipient(email.id.strip()):
        raise _refused("the provider sent an invalid e-mail address for the user", provider)
    return email


def _refused(reason: str, provider: Provider) -> ProviderError:
    log.warning("sign-in with %s (tenant %s) failed: %s", provider.id, provider.tenant_id, reason)
    return ProviderError(reason, provider_name=provider.config.name or provider.id)
