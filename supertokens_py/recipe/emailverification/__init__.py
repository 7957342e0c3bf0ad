"""Verification of e-mail addresses: list `emailverification.init(mode="REQUIRED")` in `recipe_list`."""

from __future__ import annotations

from supertokens_py.ingredients.emaildelivery.types import EmailDeliveryConfig, EmailDeliveryInterface

from . import exception, recipe, types, utils
from .claim import EmailVerificationClaim
from .letters import SMTPService
from .recipe import EmailVerificationInit as init
from .recipe import EmailVerificationRecipe
from .types import MODE_TYPE, EmailTemplateVars, TypeGetEmailForUserIdFunction
from .utils import InputOverrideConfig, OverrideConfig

EmailVerificationOverrideConfig = OverrideConfig

__all__ = [
    "MODE_TYPE",
    "EmailDeliveryConfig",
    "EmailDeliveryInterface",
    "EmailTemplateVars",
    "EmailVerificationClaim",
    "EmailVerificationOverrideConfig",
    "EmailVerificationRecipe",
    "InputOverrideConfig",
    "OverrideConfig",
    "SMTPService",
    "TypeGetEmailForUserIdFunction",
    "exception",
    "init",
    "recipe",
    "types",
    "utils",
]
