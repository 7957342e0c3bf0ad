"""E-mails and text messages that a test would have sent."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias, overload
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

from supertokens_py.ingredients.emaildelivery.types import EmailDeliveryInterface
from supertokens_py.ingredients.smsdelivery.types import SMSDeliveryInterface
from supertokens_py.recipe.emailpassword.api import DEFERRED_WORK
from supertokens_py.recipe.emailpassword.types import PasswordResetEmailTemplateVars
from supertokens_py.recipe.emailverification.types import VerificationEmailTemplateVars
from supertokens_py.recipe.sign_in.mailing import EmailDeliveryIngredient, SMSDeliveryIngredient

from .conversations import hold
from .logins import Login
from .received import verification

Kind: TypeAlias = Literal["password_reset", "email_verification", "sign_in"]

#: Sent after the answer, within some milliseconds; whoever looks waits for it.
_WAIT_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class SentMessage:
    """What would have been sent.

    Args:
        to: an e-mail address, or a phone number.
        by: "email" or "sms".
        kind: what it is for: "password_reset", "email_verification" or "sign_in" (a code, a link, or both).
        link: the link in it, or None.
        code: the code in it, or None.
        tenant: the tenant that it was asked for at.
        user_id: whose it is; None for "sign_in", where there may be no user yet.
        template_vars: what a delivery service gets.
    """

    to: str
    by: Literal["email", "sms"]
    kind: Kind
    link: str | None
    code: str | None
    tenant: str
    user_id: str | None
    template_vars: Any = field(repr=False)

    @property
    def token(self) -> str | None:
        """What the page behind the link sends: its token, or the link code of "sign_in". None: no link."""
        if self.link is None:
            return None
        parts = urlsplit(self.link)
        if self.kind == "sign_in":
            return parts.fragment
        return parse_qs(parts.query)["token"][0]


class Outbox(Sequence[SentMessage]):
    """The messages of a test, in order: `supertokens_outbox[-1].link`.

    A link to reset a password is sent after the answer: whoever looks waits for it.
    """

    def __init__(self) -> None:
        self._sent: list[SentMessage] = []

    def __len__(self) -> int:
        return len(self._all())

    @overload
    def __getitem__(self, index: int) -> SentMessage: ...

    @overload
    def __getitem__(self, index: slice) -> list[SentMessage]: ...

    def __getitem__(self, index: int | slice) -> SentMessage | list[SentMessage]:
        return self._all()[index]

    def __iter__(self) -> Iterator[SentMessage]:
        return iter(self._all())

    def __repr__(self) -> str:
        return f"Outbox({self._all()!r})"

    def last_to(self, to: str) -> SentMessage:
        """Return the latest message to an e-mail address or phone number.

        Raises:
            AssertionError: there is none; the message says to whom there are.
        """
        sent = self._all()
        found = [one for one in sent if one.to == to]
        assert found, f"nothing was sent to {to}, but to: {', '.join(one.to for one in sent) or 'nobody'}"
        return found[-1]

    def clear(self) -> None:
        """Forget what was sent."""
        self._all().clear()

    def verify(self, login: Login) -> Any:
        """Verify the address of a login: ask for the mail as a frontend does, and open its link.

        It is a session of a user whose address is known, as after `sign_up_as`; the login and its client get
        the tokens of the answers.

        Returns:
            The response to the link; with an async client, something to await for it.

        Raises:
            AssertionError: a request was refused; the message has the answer.
        """
        return hold(verification(login, self), login.jar)

    def add(self, template_vars: Any, by: Literal["email", "sms"]) -> None:
        """Keep a message."""
        self._sent.append(_message(template_vars, by))

    def _all(self) -> list[SentMessage]:
        assert DEFERRED_WORK.wait(_WAIT_S), "an e-mail is still being sent"
        return self._sent


class _Delivery(EmailDeliveryInterface[Any], SMSDeliveryInterface[Any]):
    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    async def send_email(self, template_vars: Any, user_context: dict[str, Any]) -> None:
        self._outbox.add(template_vars, "email")

    async def send_sms(self, template_vars: Any, user_context: dict[str, Any]) -> None:
        self._outbox.add(template_vars, "sms")


def _message(template_vars: Any, by: Literal["email", "sms"]) -> SentMessage:
    about, tenant = template_vars, template_vars.tenant_id
    if isinstance(about, PasswordResetEmailTemplateVars):
        link, user = str(about.password_reset_link), about.user
        return SentMessage(user.email, by, "password_reset", link, None, tenant, user.id, about)
    if isinstance(about, VerificationEmailTemplateVars):
        link, user = str(about.email_verify_link), about.user
        return SentMessage(user.email, by, "email_verification", link, None, tenant, user.id, about)
    to: str = about.email if by == "email" else about.phone_number
    code, url = (
        None if one is None else str(one) for one in (about.user_input_code, about.url_with_link_code)
    )
    return SentMessage(to, by, "sign_in", url, code, tenant, None, about)


@contextmanager
def collected() -> Generator[Outbox]:
    """Have every recipe of every app hand its messages to an outbox, and nothing to a delivery service.

    Delivery services and their overrides are left out: nothing of them is called.
    """
    outbox, name = Outbox(), "ingredient_interface_impl"
    delivery = _Delivery(outbox)

    def keep(self: Any, given: Any) -> None:
        vars(self)[name] = given  # of a recipe that is made meanwhile

    instead = property(lambda _: delivery, keep)
    with ExitStack() as stack:
        for kind in (EmailDeliveryIngredient, SMSDeliveryIngredient):
            stack.enter_context(patch.object(kind, name, instead, create=True))
        yield outbox
        assert DEFERRED_WORK.wait(_WAIT_S), "an e-mail is still being sent"
