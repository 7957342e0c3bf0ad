"""What e-mails are delivered by where no service was chosen: the log, on a developer's machine only."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from supertokens_py.exceptions import ConfigError
from supertokens_py.ingredients.services import Fallback, service_of

from .types import EmailContent, EmailDeliveryConfig, EmailDeliveryInterface

_T = TypeVar("_T")

log: logging.Logger = logging.getLogger(__name__)


class LoggingEmailService(EmailDeliveryInterface[_T]):
    """Writes e-mails, links and all, to the log as warnings: for development."""

    def __init__(self, write: Callable[[_T], EmailContent] | None = None) -> None:
        self.write = write

    async def send_email(self, template_vars: _T, user_context: dict[str, Any]) -> None:
        if self.write is None:
            # Their own repr shows no link.
            given = ", ".join(f"{name}: {value}" for name, value in vars(template_vars).items())
            log.warning("no e-mail service is set up (development): %s", given)
            return
        content = self.write(template_vars)
        log.warning(
            "no e-mail service is set up (development). To %s: %s\n%s",
            content.to_email,
            content.subject,
            content.text or content.body,
        )


class _NoService(EmailDeliveryInterface[_T]):
    async def send_email(self, template_vars: _T, user_context: dict[str, Any]) -> None:
        raise ConfigError("there is no e-mail service: give EmailDeliveryConfig(service=SMTPService(...))")


def delivery_of(
    config: EmailDeliveryConfig[_T] | None,
    write: Callable[[_T], EmailContent],
    *,
    recipe: str,
    is_development: bool,
) -> EmailDeliveryInterface[_T]:
    """Return what delivers the e-mails of a recipe.

    Args:
        config: what the application gave to `init`.
        write: makes an e-mail of the recipe's template variables.
        recipe: its id, for the error.
        is_development: whether the website is on this machine.

    Raises:
        ConfigError: there is no service, and the website is not on this machine.
    """
    return service_of(
        config,
        Fallback(
            service=LoggingEmailService(write) if is_development else None,
            unusable=_NoService[_T](),
            missing=_MISSING.format(recipe=recipe),
        ),
        complete=lambda service: (
            LoggingEmailService(write)
            if isinstance(service, LoggingEmailService) and service.write is None
            else service
        ),
        argument=f"email_delivery in {recipe}.init",
    )


_MISSING = (
    "{recipe}.init(...) needs a service for its e-mails, since the website is not on localhost. Give it\n"
    "    email_delivery={recipe}.EmailDeliveryConfig({recipe}.SMTPService(SMTPSettings(host, port, from_)))\n"
    "or, to write e-mails and their links to the log (development only),\n"
    "    email_delivery={recipe}.EmailDeliveryConfig(LoggingEmailService())\n"
    "SMTPSettings is in supertokens_py.ingredients.emaildelivery.types, LoggingEmailService in "
    "supertokens_py.ingredients.emaildelivery"
)
