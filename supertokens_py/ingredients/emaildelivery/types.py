"""How a recipe has its e-mails delivered."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from supertokens_py.exceptions import ConfigError
from supertokens_py.secret import masked

_T = TypeVar("_T")


class EmailDeliveryInterface(ABC, Generic[_T]):
    """Delivers the e-mails of a recipe; applications may write their own."""

    @abstractmethod
    async def send_email(self, template_vars: _T, user_context: dict[str, Any]) -> None:
        """Deliver one e-mail. `template_vars` say what is in it, and to whom it goes."""


class EmailDeliveryConfig(Generic[_T]):
    """How e-mails of a recipe are delivered.

    Args:
        service: delivers them, such as an `SMTPService`.
        override: gets the service, and returns it with your changes, or another one.
    """

    def __init__(
        self,
        service: EmailDeliveryInterface[_T] | None = None,
        override: Callable[[EmailDeliveryInterface[_T]], EmailDeliveryInterface[_T]] | None = None,
    ) -> None:
        if service is not None and not callable(getattr(service, "send_email", None)):
            raise ConfigError(f"service must be an EmailDeliveryInterface, not {type(service).__name__}")
        if override is not None and not callable(override):
            raise ConfigError("override must be a function that gets the service and returns it")
        self.service = service
        self.override = override


@dataclass
class SMTPSettingsFrom:
    """Who e-mails come from."""

    name: str
    email: str


@dataclass(init=False)
class SMTPSettings:
    """A mail server.

    Args:
        host: its name.
        port: 465 for `secure=True`, else usually 587.
        from_: who the e-mails come from.
        password: where the server wants a log-in.
        secure: True: TLS from the first byte. None: STARTTLS, without which nothing is sent unless the server
            is on this machine and wants no password. False: STARTTLS where the server offers it; without it,
            e-mails are sent unencrypted, but no password.
        username: for the log-in; left out: the address of `from_`.
        timeout_s: seconds that connecting and each answer may take.
    """

    host: str
    port: int
    from_: SMTPSettingsFrom
    password: str | None = field(default=None, repr=False)
    secure: bool | None = None
    username: str | None = None
    timeout_s: float = 10.0

    def __init__(
        self,
        host: str,
        port: int,
        from_: SMTPSettingsFrom,
        password: str | None = None,
        secure: bool | None = None,
        username: str | None = None,
        timeout_s: float = 10.0,
    ) -> None:
        password = masked(password)
        self.host, self.port, self.from_ = host, port, from_
        self.password, self.secure, self.username = password, secure, username
        self.timeout_s = timeout_s
        if not host or type(port) is not int or not 0 < port < 65536:
            raise ConfigError("SMTPSettings needs a host, and a port from 1 to 65535")


@dataclass
class EmailContent:
    """One e-mail. `text` is the plain form of an HTML `body`."""

    body: str = field(repr=False)  # there may be a link in it that only its reader may use
    subject: str
    to_email: str
    is_html: bool = False
    text: str | None = field(default=None, repr=False)


class SMTPServiceInterface(ABC, Generic[_T]):
    """What an `SMTPService` is made of; its override gets one.

    Args:
        transporter: sends what it is given by SMTP.
    """

    def __init__(self, transporter: Any) -> None:
        self.transporter = transporter

    @abstractmethod
    async def send_raw_email(self, content: EmailContent, user_context: dict[str, Any]) -> None:
        """Send an e-mail as it is."""

    @abstractmethod
    async def get_content(self, template_vars: _T, user_context: dict[str, Any]) -> EmailContent:
        """Return what an e-mail says."""
