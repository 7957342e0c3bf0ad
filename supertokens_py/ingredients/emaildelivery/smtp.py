"""E-mails over SMTP, by Python's own client in threads of their own."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Any, Generic, TypeVar

from supertokens_py.exceptions import BadInputError, ConfigError
from supertokens_py.runtime.bridge import call_app
from supertokens_py.runtime.dedicated_pools import DedicatedPool
from supertokens_py.secret import masked
from supertokens_py.urls import is_local

from .types import EmailContent, EmailDeliveryInterface, SMTPServiceInterface, SMTPSettings

_T = TypeVar("_T")

#: E-mails that a process sends at once; others wait.
_POOL = DedicatedPool("mail", 4)


class Transporter:
    """Sends e-mails to one mail server."""

    def __init__(self, smtp_settings: SMTPSettings) -> None:
        self.smtp_settings = smtp_settings
        self._password = masked(smtp_settings.password)

    async def send_email(self, input_: EmailContent, _: dict[str, Any] | None = None) -> None:
        """Send one e-mail.

        Raises:
            BadInputError: an address or the subject cannot be in an e-mail.
            OSError: the server cannot be reached, takes too long, has no valid certificate or refuses.
        """
        await _POOL.offload(self._send_hidden, message_of(input_, self.smtp_settings))

    def _send_hidden(self, message: EmailMessage) -> None:
        """Send, and raise what the client raises without its frames: they hold the mail and the password."""
        try:
            self._send(message)
        except Exception as error:
            error.__cause__ = error.__context__ = None
            failure = error.with_traceback(None)
        else:
            return
        raise failure

    def _send(self, message: EmailMessage) -> None:
        settings, context = self.smtp_settings, ssl.create_default_context()
        if settings.secure:
            client: smtplib.SMTP = smtplib.SMTP_SSL(
                settings.host, settings.port, timeout=settings.timeout_s, context=context
            )
        else:
            client = smtplib.SMTP(settings.host, settings.port, timeout=settings.timeout_s)
        with client:
            if not settings.secure:
                self._encrypt(client, context)
            if self._password is not None:
                client.login(settings.username or settings.from_.email, self._password)
            client.send_message(message)

    def _encrypt(self, client: smtplib.SMTP, context: ssl.SSLContext) -> None:
        settings = self.smtp_settings
        client.ehlo()
        if client.has_extn("starttls"):
            client.starttls(context=context)
            return
        # Somebody in between could have taken the offer away, to read the password or the link.
        if self._password is not None or (settings.secure is None and not is_local(settings.host)):
            raise smtplib.SMTPNotSupportedError(
                f"{settings.host} offers no STARTTLS, so nothing was sent. SMTPSettings(secure=True) speaks "
                "TLS from the first byte; secure=False, without a password, sends unencrypted"
            )


def message_of(content: EmailContent, settings: SMTPSettings) -> EmailMessage:
    """Return an e-mail as it is sent: plain text, and HTML beside it.

    Raises:
        BadInputError: an address or the subject cannot be in an e-mail.
    """
    message, sender = EmailMessage(), settings.from_
    try:
        message["From"] = Address(sender.name, addr_spec=sender.email)
        message["To"] = Address(addr_spec=content.to_email)
        message["Subject"] = content.subject
    except (ValueError, HeaderParseError, IndexError) as error:  # line ends among them
        raise BadInputError("an address or the subject cannot be in an e-mail") from error
    message["Date"] = formatdate(localtime=False)
    message["Message-ID"] = make_msgid(domain=sender.email.rpartition("@")[2] or None)
    message["Auto-Submitted"] = "auto-generated"
    if not content.is_html:
        message.set_content(content.body)
        return message
    if content.text is not None:
        message.set_content(content.text)
        message.add_alternative(content.body, subtype="html")
    else:
        message.set_content(content.body, subtype="html")
    return message


class DefaultSMTPImplementation(SMTPServiceInterface[_T]):
    """Sends what `write` makes of the template variables."""

    def __init__(self, transporter: Transporter, write: Callable[[_T], EmailContent]) -> None:
        super().__init__(transporter)
        self._write = write

    async def send_raw_email(self, content: EmailContent, user_context: dict[str, Any]) -> None:
        await self.transporter.send_email(content, user_context)

    async def get_content(self, template_vars: _T, user_context: dict[str, Any]) -> EmailContent:
        return self._write(template_vars)


class BaseSMTPService(EmailDeliveryInterface[_T], Generic[_T]):
    """The SMTP service of a recipe, which writes its e-mails with `write`."""

    def __init__(
        self,
        smtp_settings: SMTPSettings,
        override: Callable[[SMTPServiceInterface[_T]], SMTPServiceInterface[_T]] | None,
        write: Callable[[_T], EmailContent],
    ) -> None:
        if not isinstance(smtp_settings, SMTPSettings):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigError("smtp_settings must be an SMTPSettings")
        self.transporter: Transporter = Transporter(smtp_settings)
        service: SMTPServiceInterface[_T] = DefaultSMTPImplementation(self.transporter, write)
        if override is not None:
            service = override(service)
            if service is None:  # pyright: ignore[reportUnnecessaryComparison]
                raise ConfigError("the override of SMTPService returned None; it must return the service")
        self.service_implementation: SMTPServiceInterface[_T] = service

    async def send_email(self, template_vars: _T, user_context: dict[str, Any]) -> None:
        service = self.service_implementation
        content = await call_app(service.get_content, template_vars, user_context)
        await call_app(service.send_raw_email, content, user_context)
