"""Modes, users, the e-mail's variables, and names that applications annotate with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from supertokens_py.ingredients.emaildelivery.types import EmailDeliveryInterface, SMTPServiceInterface
from supertokens_py.recipe.sign_in.mailing import EmailDeliveryIngredient
from supertokens_py.types.base import RecipeUserId

from .addresses import TypeGetEmailForUserIdFunction

MODE_TYPE: TypeAlias = Literal["REQUIRED", "OPTIONAL"]


@dataclass
class EmailVerificationUser:
    """Whose address is, or was, to be verified."""

    recipe_user_id: RecipeUserId
    email: str

    @property
    def user_id(self) -> str:
        """The name that 0.24 has for the id."""
        return str(self.recipe_user_id)


class User(EmailVerificationUser):
    """The name that 0.24 has for it."""

    def __init__(self, user_id: str, email: str) -> None:
        super().__init__(RecipeUserId(user_id), email)


class VerificationEmailTemplateVarsUser:
    """Whose address is to be verified.

    Takes (user_id, recipe_user_id, email), or (user_id, email) as in 0.24.
    """

    def __init__(self, user_id: str, recipe_user_id: str | None = None, email: str | None = None) -> None:
        if email is None:
            recipe_user_id, email = None, recipe_user_id
        if email is None:
            raise TypeError("missing required argument: 'email'")
        self.id = user_id
        self.recipe_user_id: RecipeUserId = RecipeUserId(
            user_id if recipe_user_id is None else recipe_user_id
        )
        self.email = email

    def __repr__(self) -> str:
        return f"VerificationEmailTemplateVarsUser({self.id!r}, {str(self.recipe_user_id)!r}, {self.email!r})"


@dataclass
class VerificationEmailTemplateVars:
    """What is in the e-mail with a link to verify an address."""

    user: VerificationEmailTemplateVarsUser
    email_verify_link: str = field(repr=False)
    tenant_id: str


EmailTemplateVars: TypeAlias = VerificationEmailTemplateVars
EmailDeliveryOverrideInput: TypeAlias = EmailDeliveryInterface[EmailTemplateVars]
SMTPOverrideInput: TypeAlias = SMTPServiceInterface[EmailTemplateVars]


@dataclass
class EmailVerificationIngredients:
    """The delivery service of the recipe."""

    email_delivery: EmailDeliveryIngredient[EmailTemplateVars]


__all__ = [
    "MODE_TYPE",
    "EmailDeliveryIngredient",
    "EmailDeliveryOverrideInput",
    "EmailTemplateVars",
    "EmailVerificationIngredients",
    "EmailVerificationUser",
    "SMTPOverrideInput",
    "TypeGetEmailForUserIdFunction",
    "User",
    "VerificationEmailTemplateVars",
    "VerificationEmailTemplateVarsUser",
]
