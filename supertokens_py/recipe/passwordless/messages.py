"""Sending a code: what a message has of it, and what follows where it cannot be sent."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from supertokens_py.app import Supertokens
from supertokens_py.engine.call import call_engine
from supertokens_py.recipe.sign_in.mailing import APIOptions as MailingAPIOptions
from supertokens_py.recipe.sign_in.mailing import EmailDeliveryIngredient, SMSDeliveryIngredient
from supertokens_py.runtime.bridge import call_app
from supertokens_py.types.response import GeneralErrorResponse
from supertokens_py.types.users import normalised_email

from .contacts import stored_phone_number
from .links import get_magic_link
from .results import CreateCodeOkResult
from .types import (
    EmailTemplateVars,
    FlowType,
    PasswordlessLoginEmailTemplateVars,
    PasswordlessLoginSMSTemplateVars,
    SMSTemplateVars,
)

if TYPE_CHECKING:
    from supertokens_py.config import AppInfo
    from supertokens_py.framework.request import BaseRequest
    from supertokens_py.framework.response import BaseResponse

log: logging.Logger = logging.getLogger(__name__)

_NOT_SENT = "The message could not be sent. Please try again later"


class APIOptions(MailingAPIOptions):
    """What an API gets to know of its request."""

    def __init__(
        self,
        request: BaseRequest,
        response: BaseResponse,
        recipe_id: str,
        config: Any,
        recipe_implementation: Any,
        app_info: AppInfo,
        email_delivery: EmailDeliveryIngredient[EmailTemplateVars],
        sms_delivery: SMSDeliveryIngredient[SMSTemplateVars],
    ) -> None:
        super().__init__(
            request, response, recipe_id, config, recipe_implementation, app_info, email_delivery
        )
        self.sms_delivery = sms_delivery


@dataclass(frozen=True)
class Contact:
    """Whom a message goes to: one of the two, as it was typed."""

    email: str | None
    phone_number: str | None

    @property
    def stored_email(self) -> str | None:
        """The address as it is counted and compared."""
        return None if self.email is None else normalised_email(self.email)

    @property
    def stored_phone_number(self) -> str | None:
        """The number as it is counted and compared."""
        return None if self.phone_number is None else stored_phone_number(self.phone_number)

    @property
    def is_phone(self) -> bool:
        """Whether it is a phone number."""
        return self.phone_number is not None


async def send(
    made: CreateCodeOkResult,
    contact: Contact,
    flow_type: FlowType,
    tenant_id: str,
    api_options: APIOptions,
    user_context: dict[str, Any],
) -> GeneralErrorResponse | None:
    """Send a code; return what to answer where that fails. The code ends then: nobody will have read it."""
    try:
        await _deliver(made, contact, flow_type, tenant_id, api_options, user_context)
    except Exception:  # whatever a service of the application raises
        log.exception("no code to sign in with was sent")
    else:
        return None
    await api_options.recipe_implementation.revoke_code(
        code_id=made.code_id, tenant_id=tenant_id, user_context=user_context
    )
    not_sent = Supertokens.get_instance().engine.passwordless.not_sent
    email, phone_number = contact.stored_email, contact.stored_phone_number
    await call_engine(user_context, not_sent, tenant_id, email=email, phone_number=phone_number)
    return GeneralErrorResponse(_NOT_SENT)


async def _deliver(
    made: CreateCodeOkResult,
    contact: Contact,
    flow_type: FlowType,
    tenant_id: str,
    api_options: APIOptions,
    user_context: dict[str, Any],
) -> None:
    code = None if flow_type == "MAGIC_LINK" else made.user_input_code
    link = None
    if flow_type != "USER_INPUT_CODE":
        link = get_magic_link(
            api_options.app_info,
            made.pre_auth_session_id,
            made.link_code,
            tenant_id,
            api_options.request,
            user_context,
        )
    shared = (tenant_id, made.code_life_time, made.pre_auth_session_id)
    if contact.phone_number is None:
        mail = api_options.email_delivery.ingredient_interface_impl
        letter = PasswordlessLoginEmailTemplateVars(*shared, str(contact.email), code, link)
        await call_app(mail.send_email, letter, user_context)
    else:
        sms = api_options.sms_delivery.ingredient_interface_impl
        message = PasswordlessLoginSMSTemplateVars(*shared, contact.phone_number, code, link)
        await call_app(sms.send_sms, message, user_context)
