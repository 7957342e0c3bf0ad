"""Functions that send: codes with the checks and limits of the routes, and messages as they are given."""

from __future__ import annotations

from typing import Any

from supertokens_py.framework.request_registry import as_base_request
from supertokens_py.framework.response import BaseResponse
from supertokens_py.recipe.passwordless.recipe import PasswordlessRecipe
from supertokens_py.recipe.passwordless.results import (
    CreateCodePostOkResult,
    ResendCodePostOkResult,
    RestartFlowError,
    SignInUpPostNotAllowedResponse,
)
from supertokens_py.recipe.passwordless.types import EmailTemplateVars, SMSTemplateVars
from supertokens_py.runtime.bridge import call_app
from supertokens_py.secret import masked
from supertokens_py.types.base import context_of
from supertokens_py.types.response import GeneralErrorResponse

_Context = dict[str, Any] | None


async def send_code(
    request: Any,
    tenant_id: str,
    email: str | None = None,
    phone_number: str | None = None,
    user_context: _Context = None,
) -> CreateCodePostOkResult | SignInUpPostNotAllowedResponse | GeneralErrorResponse:
    """Send a code or a link for a form of your own, with the checks and the limits of `POST /signinup/code`.

    Keep the `device_id` and the `pre_auth_session_id` of the result for the browser that asked.

    Args:
        request: your framework's request, whose client is counted.
        tenant_id: where the code is valid.
        email: the address; or
        phone_number: with `+` and the country's code.

    Returns:
        A `GeneralErrorResponse` says in `message` what is wrong with the contact, or that the service failed.

    Raises:
        BadInputError: there is not exactly one contact, or not one of the kind that codes are sent to.
        TooManyAttemptsError: the contact or the client has had its share; the text is for people.
        UnauthorisedError: the tenant has other ways to sign in only.
    """
    body, recipe = {"email": email, "phoneNumber": phone_number}, PasswordlessRecipe.get_instance()
    options = recipe.api_options(as_base_request(request), BaseResponse())
    return await recipe.send_code(body, options, tenant_id, context_of(user_context))


async def resend_code(
    request: Any,
    tenant_id: str,
    device_id: str,
    pre_auth_session_id: str,
    user_context: _Context = None,
) -> ResendCodePostOkResult | RestartFlowError | GeneralErrorResponse:
    """Send a further code of what `send_code` began; earlier ones stay valid. It raises the same."""
    recipe = PasswordlessRecipe.get_instance()
    body = {"deviceId": masked(device_id), "preAuthSessionId": pre_auth_session_id}
    options = recipe.api_options(as_base_request(request), BaseResponse())
    return await recipe.resend_code(body, options, tenant_id, context_of(user_context))


async def send_email(input_: EmailTemplateVars, user_context: _Context = None) -> None:
    """Have the delivery service send an e-mail.

    Raises:
        OSError: what the delivery service raises.
    """
    service = PasswordlessRecipe.get_instance().email_delivery.ingredient_interface_impl
    await call_app(service.send_email, input_, context_of(user_context))


async def send_sms(input_: SMSTemplateVars, user_context: _Context = None) -> None:
    """Have the delivery service send a text message.

    Raises:
        OSError: what the delivery service raises.
    """
    service = PasswordlessRecipe.get_instance().sms_delivery.ingredient_interface_impl
    await call_app(service.send_sms, input_, context_of(user_context))
