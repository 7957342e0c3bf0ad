"""Functions of the e-mail verification recipe.

A user is named by `recipe_user_id`, or by the keyword of 0.24, `user_id`. Where no address is given, it
is the user's own.
"""

from __future__ import annotations

from typing import Any

from supertokens_py.app import Supertokens
from supertokens_py.engine.arguments import require_strings, require_strings_or_none
from supertokens_py.exceptions import BadInputError
from supertokens_py.recipe.emailverification.addresses import GetEmailForUserIdOkResult, UnknownUserIdError
from supertokens_py.recipe.emailverification.claim import UNKNOWN_USER
from supertokens_py.recipe.emailverification.functions import RecipeInterface
from supertokens_py.recipe.emailverification.links import get_email_verify_link
from supertokens_py.recipe.emailverification.recipe import EmailVerificationRecipe
from supertokens_py.recipe.emailverification.results import (
    CreateEmailVerificationLinkOkResult,
    CreateEmailVerificationTokenEmailAlreadyVerifiedError,
    CreateEmailVerificationTokenOkResult,
    RevokeEmailVerificationTokensOkResult,
    SendEmailVerificationEmailOkResult,
    UnverifyEmailOkResult,
    VerifyEmailUsingTokenInvalidTokenError,
    VerifyEmailUsingTokenOkResult,
)
from supertokens_py.recipe.emailverification.types import (
    EmailTemplateVars,
    VerificationEmailTemplateVars,
    VerificationEmailTemplateVarsUser,
)
from supertokens_py.recipe.sign_in.argument_forms import named_user_id
from supertokens_py.runtime.bridge import call_app
from supertokens_py.secret import masked
from supertokens_py.types.base import RecipeUserId, context_of

__all__ = [
    "create_email_verification_link",
    "create_email_verification_token",
    "is_email_verified",
    "revoke_email_verification_tokens",
    "send_email",
    "send_email_verification_email",
    "unverify_email",
    "verify_email_using_token",
]

_Context = dict[str, Any] | None


def _functions() -> RecipeInterface:
    return EmailVerificationRecipe.get_instance().recipe_implementation


def _named(recipe_user_id: str | None, user_id: str | None) -> RecipeUserId:
    return RecipeUserId(named_user_id(recipe_user_id, user_id))


async def _own_email(own: RecipeUserId, email: str | None, user_context: dict[str, Any]) -> str | None:
    """Return the address that is given, else the user's; None: the user has none.

    Raises:
        BadInputError: there is no such user, or the address is no string.
    """
    require_strings_or_none(email=email)
    if email is not None:
        return email
    recipe = EmailVerificationRecipe.get_instance()
    found = await recipe.get_email_for_recipe_user_id(own, user_context)
    if isinstance(found, UnknownUserIdError):
        raise BadInputError(f"{UNKNOWN_USER} without email")
    return found.email if isinstance(found, GetEmailForUserIdOkResult) else None


async def create_email_verification_token(
    tenant_id: str,
    recipe_user_id: str | RecipeUserId | None = None,
    email: str | None = None,
    user_context: _Context = None,
    *,
    user_id: str | None = None,
) -> CreateEmailVerificationTokenOkResult | CreateEmailVerificationTokenEmailAlreadyVerifiedError:
    """Return a token that verifies an address once, in this tenant; it may be one that the user is to get.

    Raises:
        BadInputError: the user or the tenant is unknown, or the address cannot be stored.
    """
    own, context = _named(recipe_user_id, user_id), context_of(user_context)
    address = await _own_email(own, email, context)
    if address is None:
        return CreateEmailVerificationTokenEmailAlreadyVerifiedError()
    return await _functions().create_email_verification_token(
        recipe_user_id=own, email=address, tenant_id=tenant_id, user_context=context
    )


async def verify_email_using_token(
    tenant_id: str,
    token: str,
    attempt_account_linking: bool | dict[str, Any] = True,
    user_context: _Context = None,
) -> VerifyEmailUsingTokenOkResult | VerifyEmailUsingTokenInvalidTokenError:
    """Verify the address for which a token was made. `attempt_account_linking`: accounts are not linked.

    Raises:
        BadInputError: the token is no text.
    """
    token = masked(token)
    require_strings(token=token)
    if isinstance(attempt_account_linking, dict):  # 0.24: (tenant_id, token, user_context)
        attempt_account_linking, user_context = True, attempt_account_linking
    return await _functions().verify_email_using_token(
        token=token,
        tenant_id=tenant_id,
        attempt_account_linking=attempt_account_linking,
        user_context=context_of(user_context),
    )


async def is_email_verified(
    recipe_user_id: str | RecipeUserId | None = None,
    email: str | None = None,
    user_context: _Context = None,
    *,
    user_id: str | None = None,
) -> bool:
    """Return whether a user has verified an address, or has none.

    Raises:
        BadInputError: no address is given, and the user is unknown.
    """
    own, context = _named(recipe_user_id, user_id), context_of(user_context)
    address = await _own_email(own, email, context)
    if address is None:
        return True
    return await _functions().is_email_verified(recipe_user_id=own, email=address, user_context=context)


async def revoke_email_verification_tokens(
    tenant_id: str,
    recipe_user_id: str | RecipeUserId | None = None,
    email: str | None = None,
    user_context: _Context = None,
    *,
    user_id: str | None = None,
) -> RevokeEmailVerificationTokensOkResult:
    """End the tokens of a user for an address in a tenant.

    Raises:
        BadInputError: no address is given, and the user is unknown.
    """
    own, context = _named(recipe_user_id, user_id), context_of(user_context)
    address = await _own_email(own, email, context)
    if address is None:
        return RevokeEmailVerificationTokensOkResult()
    return await _functions().revoke_email_verification_tokens(
        recipe_user_id=own, email=address, tenant_id=tenant_id, user_context=context
    )


async def unverify_email(
    recipe_user_id: str | RecipeUserId | None = None,
    email: str | None = None,
    user_context: _Context = None,
    *,
    user_id: str | None = None,
) -> UnverifyEmailOkResult:
    """Forget that a user verified an address. Sessions say "verified" until their claim is fetched again.

    Raises:
        BadInputError: no address is given, and the user is unknown.
    """
    own, context = _named(recipe_user_id, user_id), context_of(user_context)
    address = await _own_email(own, email, context)
    if address is None:
        return UnverifyEmailOkResult()
    return await _functions().unverify_email(recipe_user_id=own, email=address, user_context=context)


async def create_email_verification_link(
    tenant_id: str,
    recipe_user_id: str | RecipeUserId | None = None,
    email: str | None = None,
    user_context: _Context = None,
    *,
    user_id: str | None = None,
) -> CreateEmailVerificationLinkOkResult | CreateEmailVerificationTokenEmailAlreadyVerifiedError:
    """Return a link to the website's page that verifies an address.

    Raises:
        BadInputError: the user or the tenant is unknown, or the address cannot be stored.
    """
    own, context = _named(recipe_user_id, user_id), context_of(user_context)
    made = await create_email_verification_token(tenant_id, own, email, context)
    if not isinstance(made, CreateEmailVerificationTokenOkResult):
        return made
    app = Supertokens.get_instance()
    request = app.get_request_from_user_context(context)
    return CreateEmailVerificationLinkOkResult(
        get_email_verify_link(app.app_info, made.token, tenant_id, request, context)
    )


async def send_email_verification_email(
    tenant_id: str,
    user_id: str,
    recipe_user_id: str | RecipeUserId | None = None,
    email: str | dict[str, Any] | None = None,
    user_context: _Context = None,
) -> SendEmailVerificationEmailOkResult | CreateEmailVerificationTokenEmailAlreadyVerifiedError:
    """Send a user the link to verify an address; how many were sent before does not matter here.

    Takes (tenant_id, user_id, recipe_user_id, email, user_context), or (tenant_id, user_id, email,
    user_context) as in 0.24.

    Raises:
        BadInputError: the user or the tenant is unknown, or the address cannot be stored.
        OSError: what the delivery service raises, such as a mail server that cannot be reached.
    """
    own, address, given = _recipient(user_id, recipe_user_id, email, user_context)
    context = context_of(given)
    to = await _own_email(own, address, context)
    if to is None:
        return CreateEmailVerificationTokenEmailAlreadyVerifiedError()
    link = await create_email_verification_link(tenant_id, own, to, context)
    if not isinstance(link, CreateEmailVerificationLinkOkResult):
        return link
    about = VerificationEmailTemplateVarsUser(str(user_id), own, to)
    await send_email(VerificationEmailTemplateVars(about, link.link, tenant_id), context)
    return SendEmailVerificationEmailOkResult()


def _recipient(
    user_id: str, third: str | None, fourth: str | dict[str, Any] | None, user_context: _Context
) -> tuple[RecipeUserId, str | None, _Context]:
    """Return whom an e-mail is for, from the arguments of either form."""
    require_strings(user_id=user_id)
    require_strings_or_none(recipe_user_id=third)
    if isinstance(fourth, dict):
        fourth, user_context, is_older = None, fourth, True
    else:
        # An address in the place of the id; ids of the application's own may look like one.
        is_older = third is None or (
            fourth is None and "@" in third and third != user_id and not isinstance(third, RecipeUserId)
        )
    if is_older:
        return RecipeUserId(user_id), third if fourth is None else fourth, user_context
    return RecipeUserId(str(third)), fourth, user_context


async def send_email(input_: EmailTemplateVars, user_context: _Context = None) -> None:
    """Have the delivery service send an e-mail.

    Raises:
        OSError: what the delivery service raises.
    """
    service = EmailVerificationRecipe.get_instance().email_delivery.ingredient_interface_impl
    await call_app(service.send_email, input_, context_of(user_context))
