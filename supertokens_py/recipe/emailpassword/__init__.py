"""Sign-up and sign-in with e-mail address and password: list `emailpassword.init()` in `recipe_list`."""

from __future__ import annotations

from supertokens_py.ingredients.emaildelivery.types import EmailDeliveryConfig, EmailDeliveryInterface

from . import exceptions, utils
from .letters import SMTPService
from .passwords import PasswordPolicy
from .recipe import EmailPasswordInit as init
from .recipe import EmailPasswordRecipe, InputSignUpFeature
from .types import EmailTemplateVars, InputFormField
from .utils import InputOverrideConfig

EmailPasswordOverrideConfig = InputOverrideConfig

__all__ = [
    "EmailDeliveryConfig",
    "EmailDeliveryInterface",
    "EmailPasswordOverrideConfig",
    "EmailPasswordRecipe",
    "EmailTemplateVars",
    "InputFormField",
    "InputOverrideConfig",
    "InputSignUpFeature",
    "PasswordPolicy",
    "SMTPService",
    "exceptions",
    "init",
    "utils",
]
