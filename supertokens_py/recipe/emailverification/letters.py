"""The e-mail of this recipe, and the service that sends it by SMTP."""

from __future__ import annotations

from collections.abc import Callable

from supertokens_py.app import Supertokens
from supertokens_py.engine.arguments import require_instance
from supertokens_py.ingredients.emaildelivery.letter_html import Letter
from supertokens_py.ingredients.emaildelivery.smtp import BaseSMTPService
from supertokens_py.ingredients.emaildelivery.types import EmailContent, SMTPSettings

from .types import EmailTemplateVars, SMTPOverrideInput, VerificationEmailTemplateVars


def verification_letter(template_vars: EmailTemplateVars) -> EmailContent:
    """Return the e-mail with a link to verify an address."""
    require_instance("input_", template_vars, VerificationEmailTemplateVars)
    app = Supertokens.get_instance().app_info.app_name
    return Letter(
        app=app,
        to=template_vars.user.email,
        subject="Email verification instructions",
        message=f"Somebody wants to use this address on {app}. Please verify it if it was you.",
        button="Verify e-mail address",
        link=template_vars.email_verify_link,
        note=(
            "If it was not you, do not follow the link: they would be taken for you. Ignore this e-mail. If "
            "they opened an account with your address, “Forgot password?” makes it yours and signs everybody "
            "else out."
        ),
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
        super().__init__(smtp_settings, override, verification_letter)
