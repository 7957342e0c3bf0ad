"""Form fields, the e-mails' variables, and names that applications annotate with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from supertokens_py.ingredients.emaildelivery.types import EmailDeliveryInterface, SMTPServiceInterface
from supertokens_py.recipe.sign_in.mailing import EmailDeliveryIngredient
from supertokens_py.types.users import User, UsersResponse

#: `(value, tenant_id)` to what is wrong with the value, or None; sync or async.
Validate: TypeAlias = Callable[[Any, str], Awaitable[str | None] | str | None]


@dataclass
class FormField:
    """A field as the frontend sent it."""

    id: str
    value: Any = field(repr=False)  # it may be a password


@dataclass
class ErrorFormField:
    """A field whose value is refused, and why."""

    id: str
    error: str


@dataclass(frozen=True)
class InputFormField:
    """A field of the sign-up form.

    Args:
        id: its name; "email" and "password" replace what is checked of those.
        validate: `(value, tenant_id)` to what is wrong, or None; sync or async.
        optional: whether it may be left out; "email" and "password" never may.
    """

    id: str
    validate: Validate | None = None
    optional: bool | None = None


@dataclass(frozen=True)
class NormalisedFormField:
    """A field with everything decided."""

    id: str
    validate: Validate
    optional: bool


@dataclass
class PasswordResetEmailTemplateVarsUser:
    """Whose password is to be reset."""

    id: str
    email: str
    recipe_user_id: str | None = None


@dataclass
class PasswordResetEmailTemplateVars:
    """What is in the e-mail with a link to reset a password."""

    user: PasswordResetEmailTemplateVarsUser
    password_reset_link: str = field(repr=False)
    tenant_id: str


EmailTemplateVars: TypeAlias = PasswordResetEmailTemplateVars
EmailDeliveryOverrideInput: TypeAlias = EmailDeliveryInterface[EmailTemplateVars]
SMTPOverrideInput: TypeAlias = SMTPServiceInterface[EmailTemplateVars]


@dataclass
class EmailPasswordIngredients:
    """The delivery service of the recipe."""

    email_delivery: EmailDeliveryIngredient[EmailTemplateVars]


__all__ = [
    "EmailDeliveryIngredient",
    "EmailDeliveryOverrideInput",
    "EmailPasswordIngredients",
    "EmailTemplateVars",
    "ErrorFormField",
    "FormField",
    "InputFormField",
    "NormalisedFormField",
    "PasswordResetEmailTemplateVars",
    "PasswordResetEmailTemplateVarsUser",
    "SMTPOverrideInput",
    "User",
    "UsersResponse",
    "Validate",
]
