"""Functions of the e-mail and password recipe."""

from __future__ import annotations

from typing import Any

from supertokens_py.app import Supertokens
from supertokens_py.engine.arguments import require_instance, require_strings, require_strings_or_none
from supertokens_py.framework.request_registry import as_base_request
from supertokens_py.recipe.emailpassword.functions import RecipeInterface, allowed_by, login_method_id
from supertokens_py.recipe.emailpassword.links import get_password_reset_link
from supertokens_py.recipe.emailpassword.recipe import EmailPasswordRecipe
from supertokens_py.recipe.emailpassword.results import (
    ConsumePasswordResetTokenOkResult,
    CreateResetPasswordLinkOkResult,
    CreateResetPasswordOkResult,
    EmailAlreadyExistsError,
    EmailChangeNotAllowedError,
    LinkingToSessionUserFailedError,
    PasswordPolicyViolationError,
    PasswordResetTokenInvalidError,
    SendResetPasswordEmailOkResult,
    SignInOkResult,
    SignUpOkResult,
    UnknownUserIdError,
    UpdateEmailOrPasswordOkResult,
    WrongCredentialsError,
)
from supertokens_py.recipe.emailpassword.types import (
    EmailTemplateVars,
    PasswordResetEmailTemplateVars,
    PasswordResetEmailTemplateVarsUser,
)
from supertokens_py.recipe.session.container import SessionContainer
from supertokens_py.recipe.sign_in.argument_forms import named_user_id, session_and_context
from supertokens_py.runtime.bridge import call_app
from supertokens_py.secret import masked
from supertokens_py.types.base import RecipeUserId, context_of, user_id_text
from supertokens_py.types.users import User

__all__ = [
    "consume_password_reset_token",
    "create_reset_password_link",
    "create_reset_password_token",
    "get_user_by_email",
    "get_user_by_id",
    "request_password_reset",
    "reset_password_using_token",
    "send_email",
    "send_reset_password_email",
    "sign_in",
    "sign_up",
    "update_email_or_password",
    "verify_credentials",
]

_Context = dict[str, Any] | None


def _functions() -> RecipeInterface:
    return EmailPasswordRecipe.get_instance().recipe_implementation


def _email_and_context(
    email: str | dict[str, Any] | None, user_context: _Context
) -> tuple[str | None, dict[str, Any]]:
    """Read (email, user_context), or 0.24's (user_context) alone."""
    if isinstance(email, dict):
        return None, email
    return email, context_of(user_context)


async def sign_up(
    tenant_id: str,
    email: str,
    password: str,
    session: SessionContainer[Any] | dict[str, Any] | None = None,
    user_context: _Context = None,
) -> SignUpOkResult | EmailAlreadyExistsError | LinkingToSessionUserFailedError:
    """Create a user, and no session. Neither the address nor the password is checked.

    Args:
        tenant_id: where the user may sign in.
        email: the address; it is trimmed and put in lower case.
        password: as it was typed.
        session: accepted; accounts are not linked.

    Raises:
        BadInputError: the address or password cannot be stored, or there is no such tenant.
    """
    password = masked(password)
    require_strings(password=password)
    own, context = session_and_context(session, user_context)
    return await _functions().sign_up(
        email=email,
        password=password,
        tenant_id=tenant_id,
        session=own,
        should_try_linking_with_session_user=None,
        user_context=context,
    )


async def sign_in(
    tenant_id: str,
    email: str,
    password: str,
    session: SessionContainer[Any] | dict[str, Any] | None = None,
    user_context: _Context = None,
) -> SignInOkResult | WrongCredentialsError | LinkingToSessionUserFailedError:
    """Check an e-mail address and a password; create the session with `create_new_session`.

    Raises:
        BadInputError: the address or the password is no text.
        TooManyAttemptsError: too many wrong passwords were given for the address.
        TooBusyError: too many password hashes are waiting already.
    """
    password = masked(password)
    require_strings(email=email, password=password)
    own, context = session_and_context(session, user_context)
    return await _functions().sign_in(
        email=email,
        password=password,
        tenant_id=tenant_id,
        session=own,
        should_try_linking_with_session_user=None,
        user_context=context,
    )


async def verify_credentials(
    tenant_id: str, email: str, password: str, user_context: _Context = None
) -> SignInOkResult | WrongCredentialsError:
    """Check an e-mail address and a password outside of a sign-in; raises as `sign_in` does."""
    password = masked(password)
    require_strings(email=email, password=password)
    context = context_of(user_context)
    return await _functions().verify_credentials(
        email=email, password=password, tenant_id=tenant_id, user_context=context
    )


async def create_reset_password_token(
    tenant_id: str,
    user_id: str,
    email: str | dict[str, Any] | None = None,
    user_context: _Context = None,
) -> CreateResetPasswordOkResult | UnknownUserIdError:
    """Return a token that sets a new password once; `email` may be left out."""
    address, context = _email_and_context(email, user_context)
    return await _functions().create_reset_password_token(
        user_id=user_id_text(user_id), email=address, tenant_id=tenant_id, user_context=context
    )


async def consume_password_reset_token(
    tenant_id: str, token: str, user_context: _Context = None
) -> ConsumePasswordResetTokenOkResult | PasswordResetTokenInvalidError:
    """Use up a token, and every other token of its user; the password is yours to set.

    Raises:
        BadInputError: the token is no text.
    """
    token = masked(token)
    require_strings(token=token)
    context = context_of(user_context)
    return await _functions().consume_password_reset_token(
        token=token, tenant_id=tenant_id, user_context=context
    )


async def reset_password_using_token(
    tenant_id: str, token: str, new_password: str, user_context: _Context = None
) -> UpdateEmailOrPasswordOkResult | PasswordResetTokenInvalidError | PasswordPolicyViolationError:
    """Set a new password by a token. A password that the policy refuses uses up no token.

    Raises:
        BadInputError: the token or the password is no text.
    """
    token, new_password = masked(token), masked(new_password)
    require_strings(token=token, new_password=new_password)
    context = context_of(user_context)
    return await _functions().reset_password_using_token(
        token=token, new_password=new_password, tenant_id=tenant_id, user_context=context
    )


async def update_email_or_password(
    recipe_user_id: str | RecipeUserId | None = None,
    email: str | None = None,
    password: str | None = None,
    apply_password_policy: bool | None = None,
    tenant_id_for_password_policy: str | None = None,
    user_context: _Context = None,
    *,
    user_id: str | None = None,
    verified: SignInOkResult | None = None,
) -> (
    UpdateEmailOrPasswordOkResult
    | UnknownUserIdError
    | EmailAlreadyExistsError
    | EmailChangeNotAllowedError
    | PasswordPolicyViolationError
    | WrongCredentialsError
):
    """Change what is given of a user, named by either keyword. Sessions go on: revoke those that should not.

    Args:
        recipe_user_id: the user.
        email: another address.
        password: another password.
        apply_password_policy: whether the password has to be one that may be chosen [yes].
        tenant_id_for_password_policy: whose rule that is [that of "public"].
        user_context: passed to your overrides.
        user_id: the user, as 0.24 names it.
        verified: what `verify_credentials` answered to whoever asks for the change: where the password was
            changed or reset since, nothing is changed, and the answer is `WrongCredentialsError`. A core does
            not tell.

    Raises:
        TypeError: no user is named.
        BadInputError: there is nothing to change, or it cannot be stored.
    """
    password = masked(password)
    require_strings_or_none(email=email, password=password)
    if verified is not None:
        require_instance("verified", verified, SignInOkResult)
    with allowed_by(None if verified is None else verified.proof):
        return await _functions().update_email_or_password(
            recipe_user_id=named_user_id(recipe_user_id, user_id),
            email=email,
            password=password,
            apply_password_policy=apply_password_policy,
            tenant_id_for_password_policy=tenant_id_for_password_policy,
            user_context=context_of(user_context),
        )


async def get_user_by_id(user_id: str, user_context: _Context = None) -> User | None:
    """Return a user of this recipe."""
    context = context_of(user_context)
    return await _functions().get_user_by_id(user_id=user_id_text(user_id), user_context=context)


async def get_user_by_email(tenant_id: str, email: str, user_context: _Context = None) -> User | None:
    """Return the user of this recipe who has an address in a tenant."""
    require_strings(email=email)
    context = context_of(user_context)
    return await _functions().get_user_by_email(email=email, tenant_id=tenant_id, user_context=context)


async def create_reset_password_link(
    tenant_id: str,
    user_id: str,
    email: str | dict[str, Any] | None = None,
    user_context: _Context = None,
) -> CreateResetPasswordLinkOkResult | UnknownUserIdError:
    """Return a link to the website's page for a new password."""
    address, context = _email_and_context(email, user_context)
    made = await create_reset_password_token(tenant_id, user_id, address, context)
    if not isinstance(made, CreateResetPasswordOkResult):
        return made
    app = Supertokens.get_instance()
    request = app.get_request_from_user_context(context)
    return CreateResetPasswordLinkOkResult(
        get_password_reset_link(app.app_info, made.token, tenant_id, request, context)
    )


async def send_reset_password_email(
    tenant_id: str,
    user_id: str,
    email: str | dict[str, Any] | None = None,
    user_context: _Context = None,
) -> SendResetPasswordEmailOkResult | UnknownUserIdError:
    """Send a user the link to reset the password, to the address of the login method.

    Raises:
        OSError: what the delivery service raises, such as a mail server that cannot be reached.
    """
    address, context = _email_and_context(email, user_context)
    user = await get_user_by_id(user_id, context)
    if user is None:
        return UnknownUserIdError()
    own = login_method_id(user, address)
    to = address or next(m.email for m in user.login_methods if m.recipe_user_id == own) or ""
    link = await create_reset_password_link(tenant_id, user_id, to, context)
    if not isinstance(link, CreateResetPasswordLinkOkResult):
        return link
    about = PasswordResetEmailTemplateVarsUser(user.id, to, own)
    await send_email(PasswordResetEmailTemplateVars(about, link.link, tenant_id), context)
    return SendResetPasswordEmailOkResult()


async def request_password_reset(
    request: Any, tenant_id: str, email: str, user_context: _Context = None
) -> None:
    """Send a link to reset a password, as the route does, for a form of your own.

    It returns before anything depends on whether the address is known; the e-mail is sent afterwards, and
    counted against the limits of the address and of the client. An override of
    `generate_password_reset_token_post` is asked.

    Args:
        request: your framework's request.
        tenant_id: where the user signs in, "public" unless you use tenants.
        email: the address, as it was typed.
        user_context: passed to your overrides.

    Raises:
        BadInputError: that is no address, or your override refused, in words of its own.
        TooManyAttemptsError: the client has asked too often; only with `init(client_ip=...)`.
    """
    recipe = EmailPasswordRecipe.get_instance()
    await recipe.request_reset(as_base_request(request), email, tenant_id, context_of(user_context))


async def send_email(input_: EmailTemplateVars, user_context: _Context = None) -> None:
    """Have the delivery service send an e-mail.

    Raises:
        OSError: what the delivery service raises.
    """
    service = EmailPasswordRecipe.get_instance().email_delivery.ingredient_interface_impl
    await call_app(service.send_email, input_, context_of(user_context))
