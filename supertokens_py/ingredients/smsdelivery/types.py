"""How a recipe has its text messages delivered."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from supertokens_py.exceptions import ConfigError
from supertokens_py.secret import masked

_T = TypeVar("_T")


class SMSDeliveryInterface(ABC, Generic[_T]):
    """Delivers the text messages of a recipe; applications may write their own."""

    @abstractmethod
    async def send_sms(self, template_vars: _T, user_context: dict[str, Any]) -> None:
        """Deliver one message. `template_vars` say what is in it, and to whom it goes."""


class SMSDeliveryConfig(Generic[_T]):
    """How text messages of a recipe are delivered.

    Args:
        service: delivers them, such as a `TwilioService`.
        override: gets the service, and returns it with your changes, or another one.
    """

    def __init__(
        self,
        service: SMSDeliveryInterface[_T] | None = None,
        override: Callable[[SMSDeliveryInterface[_T]], SMSDeliveryInterface[_T]] | None = None,
    ) -> None:
        if service is not None and not callable(getattr(service, "send_sms", None)):
            raise ConfigError(f"service must be an SMSDeliveryInterface, not {type(service).__name__}")
        if override is not None and not callable(override):
            raise ConfigError("override must be a function that gets the service and returns it")
        self.service = service
        self.override = override


@dataclass
class SMSContent:
    """One text message."""

    body: str = field(repr=False)  # there is a code in it that only its reader may use
    to_phone: str


#: What `TwilioSettings(opts=…)` may name.
_OPTIONS = ("base_url", "edge", "region", "timeout")


@dataclass(init=False)
class TwilioSettings:
    """An account at Twilio, and whom messages come from.

    Args:
        account_sid: the account.
        auth_token: its secret.
        from_: the number that messages come from; or
        messaging_service_sid: the service that chooses one.
        opts: `timeout` (seconds, 10), `edge` and `region` as Twilio names them, and `base_url`, another
            server with the same interface.

    Raises:
        ConfigError: not exactly one of `from_` and `messaging_service_sid` is given, or an unknown option.
    """

    account_sid: str
    auth_token: str = field(repr=False)
    from_: str | None
    messaging_service_sid: str | None
    opts: dict[str, Any]

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        from_: str | None = None,
        messaging_service_sid: str | None = None,
        opts: Mapping[str, Any] | None = None,
    ) -> None:
        self.account_sid, self.auth_token = account_sid, masked(auth_token)
        self.from_, self.messaging_service_sid = from_, messaging_service_sid
        self.opts = dict(opts or {})
        if (from_ is None) == (messaging_service_sid is None):
            raise ConfigError(
                "Please pass exactly one of 'from_' and 'messaging_service_sid' config for TwilioSettings."
            )
        if unknown := sorted(set(self.opts) - set(_OPTIONS)):
            raise ConfigError(
                f"TwilioSettings(opts=…) has no {', '.join(unknown)}; there are {', '.join(_OPTIONS)}"
            )


class TwilioServiceInterface(ABC, Generic[_T]):
    """What a `TwilioService` is made of; its override gets one.

    Args:
        twilio_client: sends messages: `twilio_client.messages.create(to=…, body=…, from_=…)`.
    """

    def __init__(self, twilio_client: Any) -> None:
        self.twilio_client = twilio_client

    @abstractmethod
    async def send_raw_sms(
        self,
        content: SMSContent,
        user_context: dict[str, Any],
        from_: str | None = None,
        messaging_service_sid: str | None = None,
    ) -> None:
        """Send a message as it is."""

    @abstractmethod
    async def get_content(self, template_vars: _T, user_context: dict[str, Any]) -> SMSContent:
        """Return what a message says."""
