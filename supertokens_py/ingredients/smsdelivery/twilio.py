"""Text messages over Twilio's HTTP interface; its own package is not needed."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, Generic, TypeVar, cast
from urllib.parse import quote

from supertokens_py.exceptions import ConfigError
from supertokens_py.runtime.bridge import call_app
from supertokens_py.runtime.dedicated_pools import DedicatedPool
from supertokens_py.secret import SecretDict, masked
from supertokens_py.urls import host_of, is_local

from .types import SMSContent, SMSDeliveryInterface, TwilioServiceInterface, TwilioSettings

_T = TypeVar("_T")

#: Messages that a process sends at once; others wait.
_POOL = DedicatedPool("sms", 4)


class SMSNotSentError(OSError):
    """Twilio refused a message, or could not be reached; `code` is Twilio's own, where it gave one."""

    def __init__(self, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code


class TwilioClient:
    """Sends messages of one account, as far as Twilio's own client is used for that.

    Raises:
        ConfigError: `httpx2` is not installed, or `base_url` would send the account's secret unencrypted.
    """

    def __init__(self, settings: TwilioSettings) -> None:
        if find_spec("httpx2") is None:
            raise ConfigError("TwilioService needs the extra 'phone' (docs/installation.md)")
        self._settings = settings
        base = _base_url(settings.opts)
        if not base.startswith("https://") and not is_local(host_of(base)):
            raise ConfigError("the base_url of TwilioSettings must begin with https://")
        account = quote(settings.account_sid, safe="")
        self._url = f"{base}/2010-04-01/Accounts/{account}/Messages.json"
        self._timeout_s = float(settings.opts.get("timeout") or 10.0)

    @property
    def messages(self) -> TwilioClient:
        """Where Twilio's own client has `create`."""
        return self

    def create(
        self,
        to: str,
        body: str,
        from_: str | None = None,
        messaging_service_sid: str | None = None,
    ) -> dict[str, Any]:
        """Send one message, and return what Twilio says of it. This blocks.

        Raises:
            SMSNotSentError: Twilio refused it, or could not be reached.
        """
        body = masked(body)
        given = (("To", to), ("Body", body), ("From", from_), ("MessagingServiceSid", messaging_service_sid))
        try:
            return self._post(SecretDict((name, value) for name, value in given if value is not None))
        except SMSNotSentError as error:
            # Without frames: they hold the message and the account's secret.
            failure = error.with_traceback(None)
            failure.__cause__ = failure.__context__ = None
        raise failure

    def _post(self, form: SecretDict) -> dict[str, Any]:
        import httpx2  # noqa: PLC0415  (an optional extra)

        account = (self._settings.account_sid, self._settings.auth_token)
        try:
            reply = httpx2.post(self._url, data=form, auth=account, timeout=self._timeout_s)
        except httpx2.HTTPError as error:
            raise SMSNotSentError(f"Twilio could not be reached: {type(error).__name__}") from None
        try:
            answer: Any = reply.json()
        except ValueError:
            answer = None
        known = cast("dict[str, Any]", answer if isinstance(answer, dict) else {})
        if not reply.is_success:
            # Its text may name the number, which belongs into no log.
            code = known.get("code")
            raise SMSNotSentError(
                f"Twilio refused the message: HTTP {reply.status_code}, code {code}",
                code if isinstance(code, int) else None,
            )
        return known


def _base_url(opts: dict[str, Any]) -> str:
    """Return where Twilio's interface is; a region may be reached by an edge only."""
    if opts.get("base_url"):
        return str(opts["base_url"]).rstrip("/")
    edge, region = opts.get("edge"), opts.get("region")
    if edge and not region:
        region = "us1"
    names = [name for name in ("api", edge, region, "twilio.com") if name]
    return f"https://{'.'.join(map(str, names))}"


class DefaultTwilioImplementation(TwilioServiceInterface[_T]):
    """Sends what `write` makes of the template variables."""

    def __init__(self, twilio_client: TwilioClient, write: Callable[[_T], SMSContent]) -> None:
        super().__init__(twilio_client)
        self._write = write

    async def send_raw_sms(
        self,
        content: SMSContent,
        user_context: dict[str, Any],
        from_: str | None = None,
        messaging_service_sid: str | None = None,
    ) -> None:
        create = self.twilio_client.messages.create
        await _POOL.offload(
            create,
            to=content.to_phone,
            body=masked(content.body),
            from_=from_,
            messaging_service_sid=messaging_service_sid,
        )

    async def get_content(self, template_vars: _T, user_context: dict[str, Any]) -> SMSContent:
        return self._write(template_vars)


class BaseTwilioService(SMSDeliveryInterface[_T], Generic[_T]):
    """The Twilio service of a recipe, which writes its messages with `write`."""

    def __init__(
        self,
        twilio_settings: TwilioSettings,
        override: Callable[[TwilioServiceInterface[_T]], TwilioServiceInterface[_T]] | None,
        write: Callable[[_T], SMSContent],
    ) -> None:
        if not isinstance(twilio_settings, TwilioSettings):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigError("twilio_settings must be a TwilioSettings")
        self.twilio_settings = twilio_settings
        service: TwilioServiceInterface[_T] = DefaultTwilioImplementation(
            TwilioClient(twilio_settings), write
        )
        if override is not None:
            service = override(service)
            if service is None:  # pyright: ignore[reportUnnecessaryComparison]
                raise ConfigError("the override of TwilioService returned None; it must return the service")
        self.service_implementation: TwilioServiceInterface[_T] = service

    async def send_sms(self, template_vars: _T, user_context: dict[str, Any]) -> None:
        service, settings = self.service_implementation, self.twilio_settings
        content = await call_app(service.get_content, template_vars, user_context)
        await call_app(
            service.send_raw_sms,
            content,
            user_context,
            from_=settings.from_,
            messaging_service_sid=settings.messaging_service_sid,
        )
