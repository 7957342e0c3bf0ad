"""The e-mail of this recipe, and the service that sends it by SMTP."""

from __future__ import annotations

from collections.abc import Callable

from supertokens_py.app import Supertokens
from supertokens_py.engine.arguments import require_instance
from supertokens_py.ingredients.emaildelivery.letter_html import Letter
from supertokens_py.ingredients.emaildelivery.smtp import BaseSMTPService
from supertokens_py.ingredients.emaildelivery.types import EmailContent, SMTPSettings

from .types import EmailTemplateVars, PasswordResetEmailTemplateVars, SMTPOverrideInput


def reset_letter(template_vars: EmailTemplateVars) -> EmailContent:
    """Return the e-mail with a link to reset a password."""
    require_instance("input_", template_vars, PasswordResetEmailTemplateVars)
    app = Supertokens.get_instance().app_info.app_name
    return Letter(
        app=app,
        to=template_vars.user.email,
        subject="Password reset instructions",
        message=f"A password reset request for your account on {app} has been received.",
        button="Reset password",
        link=template_vars.password_reset_link,
        note="If you did not ask for it, you can ignore this e-mail: your password stays as it is.",
    ).content()


class SMTPService(BaseSMTPService[EmailTemplateVars]):
    """Sends the recipe's e-mails by SMTP.

    Args:
        smtp_settings: the mail server.
        override: gets what sends and what writes the e-mails (`send_raw_email`, `get_content`), and returns
            it with your changes.
    """

    def __init__(
        self,
        smtp_settings: SMTPSettings,
        override: Callable[[SMTPOverrideInput], SMTPOverrideInput] | None = None,
    ) -> None:
        super().__init__(smtp_settings, override, reset_letter)
