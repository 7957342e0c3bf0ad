"""Devices and codes, the variables of messages, and names that applications annotate with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from supertokens_py.ingredients.emaildelivery.types import EmailDeliveryInterface, SMTPServiceInterface
from supertokens_py.ingredients.smsdelivery.types import SMSDeliveryInterface, TwilioServiceInterface
from supertokens_py.recipe.sign_in.mailing import EmailDeliveryIngredient, SMSDeliveryIngredient
from supertokens_py.types.users import User

FlowType: TypeAlias = Literal["USER_INPUT_CODE", "MAGIC_LINK", "USER_INPUT_CODE_AND_MAGIC_LINK"]
ContactMethod: TypeAlias = Literal["EMAIL", "PHONE", "EMAIL_OR_PHONE"]


@dataclass
class DeviceCode:
    """A code of a device, without what it could be used by; times in milliseconds."""

    code_id: str
    time_created: int
    code_life_time: int


@dataclass
class DeviceType:
    """One attempt to sign in; either `email` or `phone_number` is set."""

    pre_auth_session_id: str
    failed_code_input_attempt_count: int
    codes: Sequence[DeviceCode] = ()
    email: str | None = None
    phone_number: str | None = None


@dataclass
class ConsumedDevice:
    """The attempt to sign in that a code belonged to."""

    pre_auth_session_id: str
    failed_code_input_attempt_count: int
    email: str | None = None
    phone_number: str | None = None


@dataclass
class PasswordlessLoginEmailTemplateVars:
    """What is in the e-mail with a code, a link, or both; `code_life_time` is in milliseconds."""

    tenant_id: str
    code_life_time: int
    pre_auth_session_id: str
    email: str
    user_input_code: str | None = field(default=None, repr=False)
    url_with_link_code: str | None = field(default=None, repr=False)
    is_first_factor: bool = True


@dataclass
class PasswordlessLoginSMSTemplateVars:
    """What is in the text message with a code, a link, or both; `code_life_time` is in milliseconds."""

    tenant_id: str
    code_life_time: int
    pre_auth_session_id: str
    phone_number: str
    user_input_code: str | None = field(default=None, repr=False)
    url_with_link_code: str | None = field(default=None, repr=False)
    is_first_factor: bool = True


EmailTemplateVars: TypeAlias = PasswordlessLoginEmailTemplateVars
SMSTemplateVars: TypeAlias = PasswordlessLoginSMSTemplateVars
CreateAndSendCustomEmailParameters: TypeAlias = PasswordlessLoginEmailTemplateVars
CreateAndSendCustomTextMessageParameters: TypeAlias = PasswordlessLoginSMSTemplateVars
EmailDeliveryOverrideInput: TypeAlias = EmailDeliveryInterface[EmailTemplateVars]
SMSDeliveryOverrideInput: TypeAlias = SMSDeliveryInterface[SMSTemplateVars]
SMTPOverrideInput: TypeAlias = SMTPServiceInterface[EmailTemplateVars]
TwilioOverrideInput: TypeAlias = TwilioServiceInterface[SMSTemplateVars]


@dataclass
class PasswordlessIngredients:
    """What the recipe is given to do its work with."""

    email_delivery: EmailDeliveryIngredient[EmailTemplateVars]
    sms_delivery: SMSDeliveryIngredient[SMSTemplateVars]


__all__ = [
    "ConsumedDevice",
    "ContactMethod",
    "CreateAndSendCustomEmailParameters",
    "CreateAndSendCustomTextMessageParameters",
    "DeviceCode",
    "DeviceType",
    "EmailDeliveryIngredient",
    "EmailDeliveryOverrideInput",
    "EmailTemplateVars",
    "FlowType",
    "PasswordlessIngredients",
    "PasswordlessLoginEmailTemplateVars",
    "PasswordlessLoginSMSTemplateVars",
    "SMSDeliveryIngredient",
    "SMSDeliveryOverrideInput",
    "SMSTemplateVars",
    "SMTPOverrideInput",
    "TwilioOverrideInput",
    "User",
]
