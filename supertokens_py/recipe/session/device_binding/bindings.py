"""What requests of bound sessions must come with, and the offers that bind new ones."""

from __future__ import annotations

import dataclasses
import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from supertokens_py.engine.call import call_engine, reload_keys
from supertokens_py.engine.device_keys import (
    ALGORITHMS,
    CONFIRMATION_KEY,
    THUMBPRINT_KEY,
    BoundKey,
    DeviceKeys,
)
from supertokens_py.engine.records import Unauthorised
from supertokens_py.exceptions import EngineUnavailableError
from supertokens_py.framework.cookies import Cookie
from supertokens_py.framework.request import BaseRequest
from supertokens_py.recipe.session.constants import DEVICE_COOKIE_KEY, DEVICE_REGISTER
from supertokens_py.recipe.session.exceptions import (
    DeviceProofDelayedError,
    TryRefreshTokenError,
    UnauthorisedError,
)
from supertokens_py.recipe.session.policy.session_policy import SessionPolicy
from supertokens_py.recipe_module import App
from supertokens_py.urls import scheme_of, web_origin

from .bound_cookie import PURPOSE, KnownCookies, bound_cookie, expiry_of, is_genuine, unexpired
from .headers import REGISTRATION_HEADER, SKIPPED_HEADER, is_skipped, registration
from .settings import DeviceBinding, initiators_of, same_site_of

if TYPE_CHECKING:
    from supertokens_py.recipe.session.session_tokens.contents import TokenContents
    from supertokens_py.tokens.access_token import AccessToken

log: logging.Logger = logging.getLogger(__name__)

#: For how long the keys of bound cookies are relied on; renewed ones are noticed by then.
_SECRETS_LIFE_MS = 60_000
#: How many bound cookies are remembered that were found genuine.
_KNOWN = 8192
#: For how long before its end, by the server, a browser drops a bound cookie and proves again.
_MARGIN_MS = 30_000

_MISSING = "the session is bound to a device, and the request came without its proof"


@dataclass(frozen=True, slots=True)
class _Secrets:
    """The keys of bound cookies, the one to use first."""

    keys: Sequence[bytes]
    loaded_ms: int


class DeviceBindings:
    """The bound sessions of one app.

    Args:
        settings: what `session.init` was given.
        policy: how cookies are written.
    """

    def __init__(self, app: App, policy: SessionPolicy, settings: DeviceBinding) -> None:
        self._app = app
        self.settings: DeviceBinding = settings
        self.policy: SessionPolicy = policy
        self.base: str = str(app.app_info.api_base_path)
        self._secrets = _Secrets((), 0)
        self._known = KnownCookies(_KNOWN)

    @property
    def explains(self) -> bool:
        """Whether responses name the code of their refusal."""
        return self._app.debug

    @property
    def keys(self) -> DeviceKeys:
        """The engine's keys of devices: no app has this setting and an engine that keeps none."""
        return cast("DeviceKeys", self._app.engine.device_keys)

    # -- what a request must come with ---------------------------------------------------------------

    def has_known_proof(self, request: BaseRequest, token: AccessToken) -> bool:
        """Return whether the bound cookie of a request was found before to be of a session that is bound.

        Nearly always it was, so this costs neither a MAC nor a coroutine.
        """
        claim = token.payload[CONFIRMATION_KEY]
        value = self._known.value_of(token.handle, claim, now_ms=self._app.now_ms())
        return value is not None and request.sent_cookies().has(DEVICE_COOKIE_KEY, value)

    async def require(
        self, session: TokenContents, values: Sequence[str], user_context: dict[str, Any] | None
    ) -> None:
        """Require the proof of a bound session's device; do nothing for a session that is not bound.

        Args:
            values: the bound cookies of the request, however the access token came.

        Raises:
            TryRefreshTokenError: there is none, or one of another session, key or time.
        """
        thumbprint = session.bound_key
        if thumbprint is None:
            return
        if not await self._are_proof(values, session.session_handle, thumbprint, user_context):
            raise TryRefreshTokenError(_MISSING, code="device_proof_missing")

    async def _are_proof(
        self, values: Sequence[str], handle: str, thumbprint: str, user_context: dict[str, Any] | None
    ) -> bool:
        now_ms = self._app.now_ms()
        known = self._secrets
        if now_ms - known.loaded_ms > _SECRETS_LIFE_MS or not known.keys:
            known = await self._load(user_context)
        values = unexpired(values, now_ms=now_ms)
        for value in values:
            if is_genuine(value, known.keys, handle, thumbprint):
                self._known.add(value, handle, {THUMBPRINT_KEY: thumbprint})
                return True
        if not values or known.loaded_ms == now_ms:
            return False
        # Another process may have renewed the master key, and made the cookie with the new one.
        await reload_keys(self._app.engine.keys)
        renewed = await self._load(user_context)
        return renewed.keys != known.keys and any(
            is_genuine(value, renewed.keys, handle, thumbprint) for value in values
        )

    async def _load(self, user_context: dict[str, Any] | None) -> _Secrets:
        now_ms = self._app.now_ms()
        try:
            keys = await call_engine(user_context, self._app.engine.keys.shared_secrets, PURPOSE)
        except EngineUnavailableError:
            if not self._secrets.keys:
                raise
            keys = self._secrets.keys
        if keys != self._secrets.keys:
            self._known = KnownCookies(_KNOWN)  # they may have been renewed because somebody else has them
        self._secrets = _Secrets(keys, now_ms)
        return self._secrets

    async def admit(self, request: BaseRequest, refresh_token: str, user_context: dict[str, Any]) -> None:
        """Let a refresh go on if its session is not bound, or the proof of the device comes with it.

        Nothing is changed: whoever copied the tokens cannot log the owner out by trying.

        Raises:
            DeviceProofDelayedError: the browser says that it could not prove for now.
            UnauthorisedError: there is no proof, or the token is none of this app's.
        """
        values = request.cookie_values(DEVICE_COOKIE_KEY)
        skipped = is_skipped(request.get_header(SKIPPED_HEADER))
        clear = self._is_proven(request)
        await self.admit_token(refresh_token, values, user_context, skipped=skipped, clear=clear)

    def _is_proven(self, request: BaseRequest) -> bool:
        """Return whether the browser of a bound session proves its device for requests of this kind.

        For those of other pages, and for links on them, none does. What comes without a proof then says
        nothing of the owner, whom any page on the same site could log out otherwise.
        """
        place, origin = request.get_header("sec-fetch-site"), request.get_header("origin")
        if place in ("same-origin", "none") or (place is None and origin is None):
            return True
        page = None if origin is None else web_origin(origin)
        if page is None:
            return False
        hosts = initiators_of(self.settings, self.policy)
        return page == self.policy.api_domain or (
            scheme_of(page) == "https" and urlsplit(page).hostname in hosts
        )

    async def admit_token(
        self,
        refresh_token: str,
        values: Sequence[str],
        user_context: dict[str, Any],
        *,
        skipped: bool = False,
        clear: bool = True,
    ) -> None:
        """Do as `admit` with what a request would have come with; `clear` says whether its tokens go."""
        key = await call_engine(user_context, self.keys.of_refresh_token, refresh_token)
        if isinstance(key, Unauthorised):
            raise UnauthorisedError(key.message, code=key.code)
        if key is None or await self._are_proof(values, key.handle, key.thumbprint, user_context):
            return
        if skipped:
            raise DeviceProofDelayedError("the browser could not prove its device for now")
        if clear:
            await call_engine(user_context, self.keys.note_missing, key)
        raise UnauthorisedError(_MISSING, clear_tokens=clear, code="device_proof_missing")

    async def may_restore(
        self, request: BaseRequest, session: TokenContents, key: BoundKey | None, user_context: dict[str, Any]
    ) -> bool:
        """Return whether the session of a request may lead back to another one, whose key is given.

        To one that is bound, only the device that it is bound to may, and by a proof in this request.
        """
        if key is None:
            return True
        values = request.cookie_values(DEVICE_COOKIE_KEY)
        is_bound = await self.key_of(session.session_handle, key, user_context) is not None
        return is_bound and await self._are_proof(
            values, session.session_handle, key.thumbprint, user_context
        )

    async def key_of(
        self, handle: str, key: BoundKey, user_context: dict[str, Any] | None
    ) -> BoundKey | None:
        """Return a key as that of another session; None if that is not bound to it."""
        own = await call_engine(user_context, self.keys.of_session, handle)
        return own if own is not None and own.thumbprint == key.thumbprint else None

    # -- offers and cookies --------------------------------------------------------------------------

    async def offer(self, request: BaseRequest, handle: str, user_context: dict[str, Any]) -> None:
        """Offer the browser that gets a new session to bind it. Those that know nothing of it ignore that."""
        try:
            challenge = await call_engine(user_context, self.keys.offer, handle)
        except EngineUnavailableError as error:
            log.warning("a session is not offered to be bound: %s", error)
            return
        value = registration(ALGORITHMS, f"{self.base}{DEVICE_REGISTER}", challenge)
        request.changes.headers[REGISTRATION_HEADER] = value  # not for scripts to read

    async def carry_over(
        self, request: BaseRequest, key: BoundKey, handle: str, user_context: dict[str, Any]
    ) -> None:
        """Replace the bound cookie of one session by that of another with the same key.

        It expires when the former one would: whoever has copied that gains no time.
        """
        values = request.cookie_values(DEVICE_COOKIE_KEY)
        own = dataclasses.replace(key, handle=handle)
        for value in values:
            if await self._are_proof([value], key.handle, key.thumbprint, user_context):
                await self.set_cookie(request, own, user_context, expires_ms=expiry_of(value))
                return
        if values:
            request.changes.set_cookie(Cookie(DEVICE_COOKIE_KEY, "", 0))  # so that the browser proves

    async def set_cookie(
        self,
        request: BaseRequest,
        key: BoundKey,
        user_context: dict[str, Any] | None,
        *,
        expires_ms: int | None = None,
    ) -> None:
        """Give the browser a bound cookie, which expires after the time that is set or at the given one."""
        known = await self._load(user_context)
        now_ms = self._app.now_ms()
        if expires_ms is None:
            expires_ms = now_ms + self.settings.cookie_lifetime * 1000
        value = bound_cookie(
            known.keys[0],
            key.handle,
            key.thumbprint,
            expires_ms=expires_ms,
            nonce=secrets.token_urlsafe(6),
        )
        lifetime_ms = max(0, expires_ms - _MARGIN_MS - now_ms)
        request.changes.set_cookie(
            Cookie(
                DEVICE_COOKIE_KEY,
                value,
                now_ms + lifetime_ms,
                same_site=same_site_of(self.policy),
                lifetime_ms=lifetime_ms,
            )
        )
