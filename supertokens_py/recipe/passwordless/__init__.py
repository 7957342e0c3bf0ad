"""Sign-in with codes and links, by e-mail or text message: list `passwordless.init(…)` in `recipe_list`."""

from __future__ import annotations

from supertokens_py.ingredients.emaildelivery.types import EmailDeliveryConfig, EmailDeliveryInterface
from supertokens_py.ingredients.smsdelivery.types import SMSDeliveryConfig, SMSDeliveryInterface

from . import exceptions, utils
from .contacts import (
    ContactConfig,
    ContactEmailOnlyConfig,
    ContactEmailOrPhoneConfig,
    ContactPhoneOnlyConfig,
)
from .letters import SMTPService, SuperTokensSMSService, TwilioService
from .recipe import PasswordlessInit as init
from .recipe import PasswordlessRecipe
from .types import (
    CreateAndSendCustomEmailParameters,
    CreateAndSendCustomTextMessageParameters,
    EmailTemplateVars,
    PasswordlessLoginEmailTemplateVars,
    PasswordlessLoginSMSTemplateVars,
    SMSTemplateVars,
)
from .utils import InputOverrideConfig

PasswordlessOverrideConfig = InputOverrideConfig

__all__ = [
    "ContactConfig",
    "ContactEmailOnlyConfig",
    "ContactEmailOrPhoneConfig",
    "ContactPhoneOnlyConfig",
    "CreateAndSendCustomEmailParameters",
    "CreateAndSendCustomTextMessageParameters",
    "EmailDeliveryConfig",
    "EmailDeliveryInterface",
    "EmailTemplateVars",
    "InputOverrideConfig",
    "PasswordlessLoginEmailTemplateVars",
    "PasswordlessLoginSMSTemplateVars",
    "PasswordlessOverrideConfig",
    "PasswordlessRecipe",
    "SMSDeliveryConfig",
    "SMSDeliveryInterface",
    "SMSTemplateVars",
    "SMTPService",
    "SuperTokensSMSService",
    "TwilioService",
    "exceptions",
    "init",
    "utils",
]
