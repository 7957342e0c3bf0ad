"""`APIInterface`: the HTTP APIs. Applications replace methods, in 0.24's form or a later one."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from supertokens_py.app import Supertokens
from supertokens_py.engine.call import call_engine
from supertokens_py.events import EmailDropped, emit
from supertokens_py.recipe.emailverification.recipe import EmailVerificationRecipe
from supertokens_py.recipe.sign_in.argument_forms import in_both_forms
from supertokens_py.recipe.sign_in.frontends import require_first_factor
from supertokens_py.recipe.sign_in.mailing import APIOptions
from supertokens_py.recipe.sign_in.sessions import BY_PASSWORD, begin_session
from supertokens_py.runtime.bridge import call_app
from supertokens_py.runtime.deferred_work import DeferredWork
from supertokens_py.types.emails import is_made_up
from supertokens_py.types.response import GeneralErrorResponse
from supertokens_py.types.users import normalised_email

from .forms import value_of
from .functions import RECIPE_ID, login_method_id
from .links import get_password_reset_link
from .results import (
    CreateResetPasswordOkResult,
    EmailAlreadyExistsError,
    EmailExistsGetOkResult,
    GeneratePasswordResetTokenPostNotAllowedResponse,
    GeneratePasswordResetTokenPostOkResult,
    PasswordPolicyViolationError,
    PasswordResetPostOkResult,
    PasswordResetTokenInvalidError,
    SignInOkResult,
    SignInPostNotAllowedResponse,
    SignInPostOkResult,
    SignUpOkResult,
    SignUpPostNotAllowedResponse,
    SignUpPostOkResult,
    UpdateEmailOrPasswordOkResult,
    WrongCredentialsError,
)
from .types import (
    FormField,
    PasswordResetEmailTemplateVars,
    PasswordResetEmailTemplateVarsUser,
)

if TYPE_CHECKING:
    from supertokens_py.framework.request import BaseRequest
    from supertokens_py.recipe.session.container import SessionContainer


log: logging.Logger = logging.getLogger(__name__)

#: Sends reset links after the response, so that its timing does not reveal which addresses are known.
DEFERRED_WORK: DeferredWork = DeferredWork("mail", 4)


class APIInterface:
    """The APIs, with their default behaviour; set a `disable_…` flag to leave a path to the application."""

    def __init__(self) -> None:
        self.disable_sign_up_post = False
        self.disable_sign_in_post = False
        self.disable_email_exists_get = False
        self.disable_generate_password_reset_token_post = False
        self.disable_password_reset_post = False

    @in_both_forms(
        "form_fields tenant_id api_options user_context",
        "form_fields tenant_id session should_try_linking_with_session_user api_options user_context",
    )
    async def sign_up_post(
        self,
        form_fields: list[FormField],
        tenant_id: str,
        session: SessionContainer | None,
        should_try_linking_with_session_user: bool | None,
        api_options: APIOptions,
        user_context: dict[str, Any],
    ) -> SignUpPostOkResult | EmailAlreadyExistsError | SignUpPostNotAllowedResponse | GeneralErrorResponse:
        """POST /signup: create a user and a session. The fields have been checked."""
        await require_first_factor(RECIPE_ID, tenant_id, user_context)
        email = value_of("email", form_fields)
        if is_made_up(email):
            return EmailAlreadyExistsError()
        result = await api_options.recipe_implementation.sign_up(
            email=email,
            password=value_of("password", form_fields),
            tenant_id=tenant_id,
            session=session,
            should_try_linking_with_session_user=should_try_linking_with_session_user,
            user_context=user_context,
        )
        if not isinstance(result, SignUpOkResult):
            return EmailAlreadyExistsError()
        return SignUpPostOkResult(
            result.user, await _new_session(api_options, tenant_id, result.recipe_user_id, user_context)
        )

    @in_both_forms(
        "form_fields tenant_id api_options user_context",
        "form_fields tenant_id session should_try_linking_with_session_user api_options user_context",
    )
    async def sign_in_post(
        self,
        form_fields: list[FormField],
        tenant_id: str,
        session: SessionContainer | None,
        should_try_linking_with_session_user: bool | None,
        api_options: APIOptions,
        user_context: dict[str, Any],
    ) -> SignInPostOkResult | WrongCredentialsError | SignInPostNotAllowedResponse | GeneralErrorResponse:
        """POST /signin: create a session for whoever knows the password."""
        await require_first_factor(RECIPE_ID, tenant_id, user_context)
        email = value_of("email", form_fields)
        if is_made_up(email):
            return WrongCredentialsError()
        result = await api_options.recipe_implementation.sign_in(
            email=email,
            password=value_of("password", form_fields),
            tenant_id=tenant_id,
            session=session,
            should_try_linking_with_session_user=should_try_linking_with_session_user,
            user_context=user_context,
        )
        if not isinstance(result, SignInOkResult):
            return WrongCredentialsError()
        return SignInPostOkResult(
            result.user, await _new_session(api_options, tenant_id, result.recipe_user_id, user_context)
        )

    @in_both_forms("email tenant_id api_options user_context", "email tenant_id api_options user_context")
    async def email_exists_get(
        self, email: str, tenant_id: str, api_options: APIOptions, user_context: dict[str, Any]
    ) -> EmailExistsGetOkResult | GeneralErrorResponse:
        """GET /emailpassword/email/exists: whether a user of this recipe has the address in this tenant."""
        functions = api_options.recipe_implementation
        user = await functions.get_user_by_email(
            email=normalised_email(email), tenant_id=tenant_id, user_context=user_context
        )
        return EmailExistsGetOkResult(user is not None)

    @in_both_forms(
        "form_fields tenant_id api_options user_context", "form_fields tenant_id api_options user_context"
    )
    async def generate_password_reset_token_post(
        self,
        form_fields: list[FormField],
        tenant_id: str,
        api_options: APIOptions,
        user_context: dict[str, Any],
    ) -> (
        GeneratePasswordResetTokenPostOkResult
        | GeneratePasswordResetTokenPostNotAllowedResponse
        | GeneralErrorResponse
    ):
        """POST /user/password/reset/token: send a link, if there is such a user.

        The answer is the same for every address, and comes before anything depends on whether it is known.
        """
        email = value_of("email", form_fields)
        size = api_options.form_size
        if size is None:
            size = await _size_of(api_options.request)
        _send_link_later(email, tenant_id, api_options, user_context, size=size)
        return GeneratePasswordResetTokenPostOkResult()

    @in_both_forms(
        "form_fields token tenant_id api_options user_context",
        "form_fields token tenant_id api_options user_context",
    )
    async def password_reset_post(
        self,
        form_fields: list[FormField],
        token: str,
        tenant_id: str,
        api_options: APIOptions,
        user_context: dict[str, Any],
    ) -> (
        PasswordResetPostOkResult
        | PasswordResetTokenInvalidError
        | PasswordPolicyViolationError
        | GeneralErrorResponse
    ):
        """POST /user/password/reset: set a new password by a token. No session is created.

        The address that the link was sent to is verified by it, where `emailverification` is in use.
        """
        result = await api_options.recipe_implementation.reset_password_using_token(
            token=token,
            new_password=value_of("password", form_fields),
            tenant_id=tenant_id,
            user_context=user_context,
        )
        if isinstance(result, UpdateEmailOrPasswordOkResult):
            await _mark_verified(result, tenant_id, user_context)
            return PasswordResetPostOkResult(result.user_id, email=result.email)
        if isinstance(result, PasswordPolicyViolationError):
            return result
        return PasswordResetTokenInvalidError()


async def _new_session(
    api_options: APIOptions, tenant_id: str, recipe_user_id: Any, user_context: dict[str, Any]
) -> SessionContainer:
    return await begin_session(api_options.request, tenant_id, recipe_user_id, BY_PASSWORD, user_context)


async def _size_of(request: BaseRequest) -> int:
    """Return how many bytes a request that waits keeps in memory, as far as its sender decides."""
    try:
        return len(await request.body())
    except NotImplementedError:  # a request class written for 0.24
        return 0


async def _mark_verified(
    reset: UpdateEmailOrPasswordOkResult, tenant_id: str, user_context: dict[str, Any]
) -> None:
    recipe = EmailVerificationRecipe.get_instance_optional()
    if recipe is None or reset.user_id is None or reset.email is None:
        return
    try:
        await recipe.mark_verified(reset.user_id, reset.email, tenant_id, user_context)
    except Exception:  # the password is changed in any case
        log.exception("the address of a password reset was not verified")


def _send_link_later(
    email: str, tenant_id: str, api_options: APIOptions, user_context: dict[str, Any], *, size: int
) -> None:
    """Send a link to reset a password, once the answer is out, if there is such a user.

    Args:
        size: how many bytes wait with it in memory.
    """
    address = normalised_email(email)
    client = Supertokens.get_instance().clients.network_of(api_options.request)

    async def work() -> None:
        try:
            await _send_link(address, tenant_id, client, api_options, user_context)
        except Exception:  # the answer is out
            log.exception("no link to reset a password was sent")

    if not DEFERRED_WORK.start(work, size=size):
        emit(EmailDropped(recipe_id=RECIPE_ID, tenant_id=tenant_id, reason="queue"))


async def _send_link(
    email: str, tenant_id: str, client: str | None, api_options: APIOptions, user_context: dict[str, Any]
) -> None:
    users = Supertokens.get_instance().engine.email_password
    if not await call_engine(user_context, users.may_send_reset, tenant_id, email, client):
        emit(EmailDropped(recipe_id=RECIPE_ID, tenant_id=tenant_id, reason="address"))
        return
    try:
        await _send_counted_link(email, tenant_id, api_options, user_context)
    except Exception:
        await call_engine(user_context, users.reset_not_sent, tenant_id, email)
        raise


async def _send_counted_link(
    email: str, tenant_id: str, api_options: APIOptions, user_context: dict[str, Any]
) -> None:
    functions = api_options.recipe_implementation
    user = await functions.get_user_by_email(email=email, tenant_id=tenant_id, user_context=user_context)
    if user is None:
        log.debug("a link to reset a password was asked for by nobody's address")
        return
    own = login_method_id(user, email)
    made = await functions.create_reset_password_token(
        user_id=user.id, email=email, tenant_id=tenant_id, user_context=user_context
    )
    if not isinstance(made, CreateResetPasswordOkResult):
        return
    link = get_password_reset_link(
        api_options.app_info, made.token, tenant_id, api_options.request, user_context
    )
    template_vars = PasswordResetEmailTemplateVars(
        PasswordResetEmailTemplateVarsUser(user.id, email, own), link, tenant_id
    )
    service = api_options.email_delivery.ingredient_interface_impl
    await call_app(service.send_email, template_vars, user_context)
