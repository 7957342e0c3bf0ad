"""What text messages are delivered by where no service was chosen: the log, on a developer's machine only."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from supertokens_py.exceptions import ConfigError
from supertokens_py.ingredients.services import Fallback, service_of

from .types import SMSContent, SMSDeliveryConfig, SMSDeliveryInterface

_T = TypeVar("_T")

log: logging.Logger = logging.getLogger(__name__)


class LoggingSMSService(SMSDeliveryInterface[_T]):
    """Writes text messages, codes and all, to the log as warnings: for development."""

    def __init__(self, write: Callable[[_T], SMSContent] | None = None) -> None:
        self.write = write

    async def send_sms(self, template_vars: _T, user_context: dict[str, Any]) -> None:
        if self.write is None:
            # Their own repr shows no code.
            given = ", ".join(f"{name}: {value}" for name, value in vars(template_vars).items())
            log.warning("no SMS service is set up (development): %s", given)
            return
        content = self.write(template_vars)
        log.warning("no SMS service is set up (development). To %s:\n%s", content.to_phone, content.body)


class _NoService(SMSDeliveryInterface[_T]):
    async def send_sms(self, template_vars: _T, user_context: dict[str, Any]) -> None:
        raise ConfigError("there is no SMS service: give SMSDeliveryConfig(service=TwilioService(...))")


def sms_delivery_of(
    config: SMSDeliveryConfig[_T] | None,
    write: Callable[[_T], SMSContent],
    *,
    recipe: str,
    is_development: bool,
) -> SMSDeliveryInterface[_T]:
    """Return what delivers the text messages of a recipe.

    Args:
        config: what the application gave to `init`.
        write: makes a message of the recipe's template variables.
        recipe: its id, for the error.
        is_development: whether the website is on this machine.

    Raises:
        ConfigError: there is no service, and the website is not on this machine.
    """
    return service_of(
        config,
        Fallback(
            service=LoggingSMSService(write) if is_development else None,
            unusable=_NoService[_T](),
            missing=_MISSING.format(recipe=recipe),
        ),
        complete=lambda service: (
            LoggingSMSService(write)
            if isinstance(service, LoggingSMSService) and service.write is None
            else service
        ),
        argument=f"sms_delivery in {recipe}.init",
    )


_MISSING = (
    "{recipe}.init(...) needs a service for its text messages, since the website is not on localhost. "
    "Give it\n"
    "    sms_delivery={recipe}.SMSDeliveryConfig({recipe}.TwilioService(TwilioSettings(sid, token, from_)))\n"
    "or, to write messages and their codes to the log (development only),\n"
    "    sms_delivery={recipe}.SMSDeliveryConfig(LoggingSMSService())\n"
    "TwilioSettings is in supertokens_py.ingredients.smsdelivery.types, LoggingSMSService in "
    "supertokens_py.ingredients.smsdelivery"
)
