"""The messages of this recipe, and the services that send them by SMTP and by Twilio."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from supertokens_py.app import Supertokens
from supertokens_py.engine.arguments import require_instance
from supertokens_py.exceptions import ConfigError
from supertokens_py.ingredients.emaildelivery.letter_html import Letter
from supertokens_py.ingredients.emaildelivery.smtp import BaseSMTPService
from supertokens_py.ingredients.emaildelivery.types import EmailContent, SMTPSettings
from supertokens_py.ingredients.smsdelivery.twilio import BaseTwilioService
from supertokens_py.ingredients.smsdelivery.types import SMSContent, TwilioSettings
from supertokens_py.secret import masked

from .types import (
    EmailTemplateVars,
    PasswordlessLoginEmailTemplateVars,
    PasswordlessLoginSMSTemplateVars,
    SMSTemplateVars,
    SMTPOverrideInput,
    TwilioOverrideInput,
)


def duration_in_words(milliseconds: int) -> str:
    """Return how long something is valid, such as "10 minutes", "1 hour" or "1.5 hours"."""
    seconds = milliseconds // 1000
    for unit, length in (("hour", 3600), ("minute", 60)):
        if seconds >= length:
            number = int(seconds / length * 10) / 10 if unit == "hour" else seconds // length
            return f"{number:g} {unit}{'' if number == 1 else 's'}"
    return f"{seconds} second{'' if seconds == 1 else 's'}"


def login_letter(template_vars: EmailTemplateVars) -> EmailContent:
    """Return the e-mail with a code, a link, or both."""
    require_instance("input_", template_vars, PasswordlessLoginEmailTemplateVars)
    app = Supertokens.get_instance().app_info.app_name
    code, link = template_vars.user_input_code, template_vars.url_with_link_code
    lifetime = duration_in_words(template_vars.code_life_time)
    if code is None:
        message = f"Use the button to log in to {app}. It works for {lifetime}."
    elif link is None:
        message = f"Enter this code to log in to {app}. It is valid for {lifetime}."
    else:
        message = f"Enter this code to log in to {app}, or use the button. Both are valid for {lifetime}."
    return Letter(
        app=app,
        to=template_vars.email,
        subject="Login to your account",
        message=message,
        code=code,
        button="Log in",
        link=link,
        note="If you did not ask for it, ignore this e-mail, and give the code to nobody.",
    ).content()


def login_message(template_vars: SMSTemplateVars) -> SMSContent:
    """Return the text message with a code, a link, or both."""
    require_instance("input_", template_vars, PasswordlessLoginSMSTemplateVars)
    app = Supertokens.get_instance().app_info.app_name
    code, link = masked(template_vars.user_input_code), masked(template_vars.url_with_link_code)
    lines = [] if code is None else [masked(f"OTP to login is {code} for {app}")]
    if link is not None:
        lines.append(masked(f"Or click {link} to login." if lines else f"Click {link} to login to {app}"))
    lines.append(masked(f"This is valid for {duration_in_words(template_vars.code_life_time)}."))
    return SMSContent(masked("\n".join(lines)), template_vars.phone_number)


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
        super().__init__(smtp_settings, override, login_letter)


class TwilioService(BaseTwilioService[SMSTemplateVars]):
    """Sends the recipe's text messages by Twilio; nothing of Twilio's has to be installed.

    Args:
        twilio_settings: the account.
        override: gets what sends and what writes the messages (`send_raw_sms`, `get_content`), and returns
            it with your changes.

    Raises:
        ConfigError: the settings cannot work, or `httpx2` (extra `phone`) is not installed.
    """

    def __init__(
        self,
        twilio_settings: TwilioSettings,
        override: Callable[[TwilioOverrideInput], TwilioOverrideInput] | None = None,
    ) -> None:
        super().__init__(twilio_settings, override, login_message)


class SuperTokensSMSService:
    """The vendor's service, which this package does not use: messages would go through a third party.

    Raises:
        ConfigError: always; it names what to use instead.
    """

    def __init__(self, api_key: str) -> NoReturn:
        raise ConfigError(
            "SuperTokensSMSService is not offered: use passwordless.TwilioService, or an "
            "SMSDeliveryInterface of your own"
        )
