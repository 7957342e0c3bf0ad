"""`APIInterface`: the HTTP APIs. Applications replace methods."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from supertokens_py.app import Supertokens
from supertokens_py.engine.call import call_engine
from supertokens_py.events import EmailDropped, emit
from supertokens_py.recipe.session.exceptions import UnauthorisedError
from supertokens_py.recipe.sign_in.argument_forms import in_both_forms
from supertokens_py.recipe.sign_in.mailing import APIOptions
from supertokens_py.runtime.bridge import call_app
from supertokens_py.types.response import GeneralErrorResponse

from .addresses import GetEmailForUserIdOkResult, UnknownUserIdError
from .claim import UNKNOWN_USER, EmailVerificationClaim
from .current import current_recipe
from .links import get_email_verify_link
from .results import (
    CreateEmailVerificationTokenOkResult,
    EmailVerifyPostInvalidTokenError,
    EmailVerifyPostOkResult,
    GenerateEmailVerifyTokenPostEmailAlreadyVerifiedError,
    GenerateEmailVerifyTokenPostOkResult,
    IsEmailVerifiedGetOkResult,
    VerifyEmailUsingTokenOkResult,
)
from .types import VerificationEmailTemplateVars, VerificationEmailTemplateVarsUser

if TYPE_CHECKING:
    from supertokens_py.recipe.session.container import SessionContainer

log: logging.Logger = logging.getLogger(__name__)


class APIInterface:
    """The APIs, with their default behaviour; set a `disable_…` flag to leave a path to the application."""

    def __init__(self) -> None:
        self.disable_generate_email_verify_token_post = False
        self.disable_email_verify_post = False
        self.disable_is_email_verified_get = False

    @in_both_forms("session api_options user_context", "session api_options user_context")
    async def generate_email_verify_token_post(
        self, session: SessionContainer, api_options: APIOptions, user_context: dict[str, Any]
    ) -> (
        GenerateEmailVerifyTokenPostOkResult
        | GenerateEmailVerifyTokenPostEmailAlreadyVerifiedError
        | GeneralErrorResponse
    ):
        """POST /user/email/verify/token: send the session's user a link.

        Where one was sent only just, or too many were, none is, and the answer is the same. A failure of the
        mail server is logged; the user may ask again.
        """
        own = session.get_recipe_user_id()
        found = await current_recipe().get_email_for_recipe_user_id(own, user_context)
        if isinstance(found, UnknownUserIdError):
            raise UnauthorisedError(UNKNOWN_USER, code="user_unknown")
        if not isinstance(found, GetEmailForUserIdOkResult):
            return await _already_verified(session, user_context)
        email, functions = found.email, api_options.recipe_implementation
        if await functions.is_email_verified(recipe_user_id=own, email=email, user_context=user_context):
            return await _already_verified(session, user_context)
        await _correct_claim(session, False, user_context)
        tenant_id = session.get_tenant_id()
        app = Supertokens.get_instance()
        service, client = app.engine.email_verification, app.clients.network_of(api_options.request)
        if not await call_engine(user_context, service.may_send, tenant_id, email, client):
            emit(EmailDropped(recipe_id=api_options.recipe_id, tenant_id=tenant_id, reason="address"))
            return GenerateEmailVerifyTokenPostOkResult()
        is_sent = False
        try:
            letter = await _letter(session, email, api_options, user_context)
            if letter is None:
                return await _already_verified(session, user_context)
            is_sent = await _is_sent(letter, api_options, user_context)
        finally:
            # Whatever failed, or whoever went away: the next request has one sent at once.
            if not is_sent:
                await call_engine(user_context, service.not_sent, tenant_id, email)
        return GenerateEmailVerifyTokenPostOkResult()

    @in_both_forms(
        "token session tenant_id api_options user_context", "token session tenant_id api_options user_context"
    )
    async def email_verify_post(
        self,
        token: str,
        session: SessionContainer | None,
        tenant_id: str,
        api_options: APIOptions,
        user_context: dict[str, Any],
    ) -> EmailVerifyPostOkResult | EmailVerifyPostInvalidTokenError | GeneralErrorResponse:
        """POST /user/email/verify: use a link. It verifies its own user's address, whoever opens it."""
        result = await api_options.recipe_implementation.verify_email_using_token(
            token=token, tenant_id=tenant_id, attempt_account_linking=True, user_context=user_context
        )
        if not isinstance(result, VerifyEmailUsingTokenOkResult):
            return EmailVerifyPostInvalidTokenError()
        if session is not None and session.get_recipe_user_id() == result.user.recipe_user_id:
            await session.fetch_and_set_claim(EmailVerificationClaim, user_context)
        return EmailVerifyPostOkResult(result.user)

    @in_both_forms("session api_options user_context", "session api_options user_context")
    async def is_email_verified_get(
        self, session: SessionContainer, api_options: APIOptions, user_context: dict[str, Any]
    ) -> IsEmailVerifiedGetOkResult | GeneralErrorResponse:
        """GET /user/email/verify: whether the session's user is verified; the session knows it, too."""
        await session.fetch_and_set_claim(EmailVerificationClaim, user_context)
        return IsEmailVerifiedGetOkResult(
            await session.get_claim_value(EmailVerificationClaim, user_context) is True
        )


async def _already_verified(
    session: SessionContainer, user_context: dict[str, Any]
) -> GenerateEmailVerifyTokenPostEmailAlreadyVerifiedError:
    await _correct_claim(session, True, user_context)
    return GenerateEmailVerifyTokenPostEmailAlreadyVerifiedError()


async def _correct_claim(session: SessionContainer, wanted: bool, user_context: dict[str, Any]) -> None:
    if await session.get_claim_value(EmailVerificationClaim, user_context) is not wanted:
        await session.fetch_and_set_claim(EmailVerificationClaim, user_context)


async def _letter(
    session: SessionContainer, email: str, api_options: APIOptions, user_context: dict[str, Any]
) -> VerificationEmailTemplateVars | None:
    """Return the e-mail with a new link; None where the address is verified by now."""
    own, tenant_id = session.get_recipe_user_id(), session.get_tenant_id()
    made = await api_options.recipe_implementation.create_email_verification_token(
        recipe_user_id=own, email=email, tenant_id=tenant_id, user_context=user_context
    )
    if not isinstance(made, CreateEmailVerificationTokenOkResult):
        return None
    link = get_email_verify_link(
        api_options.app_info, made.token, tenant_id, api_options.request, user_context
    )
    about = VerificationEmailTemplateVarsUser(session.get_user_id(), own, email)
    return VerificationEmailTemplateVars(about, link, tenant_id)


async def _is_sent(
    template_vars: VerificationEmailTemplateVars, api_options: APIOptions, user_context: dict[str, Any]
) -> bool:
    service = api_options.email_delivery.ingredient_interface_impl
    try:
        await call_app(service.send_email, template_vars, user_context)
    except Exception:  # another link can be asked for
        log.exception("no link to verify an e-mail address was sent")
        return False
    return True
