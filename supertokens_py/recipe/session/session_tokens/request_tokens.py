"""The tokens that came with a request, and which of them count. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable

from supertokens_py.framework.cookies import SentCookies
from supertokens_py.framework.request import BaseRequest
from supertokens_py.secret import masked
from supertokens_py.tokens.access_token import AccessToken, looks_like_jwt, parse_access_token

from ..constants import (
    ACCESS_TOKEN_COOKIE_KEY,
    AUTHORIZATION_HEADER_KEY,
    LEGACY_ID_REFRESH_TOKEN_COOKIE_KEY,
    REFRESH_TOKEN_COOKIE_KEY,
    TokenTransferMethod,
)
from ..exceptions import TryRefreshTokenError
from ..policy.session_policy import Allowed

#: the form of every core's refresh tokens: sealed part, nonce, version
_REFRESH_TOKEN = re.compile(r"[A-Za-z0-9+/=_-]+\.[A-Za-z0-9+/=_-]+\.[Vv][0-9]+")


class RequestTokens:
    """What a request presents, read once and as it was sent: nothing says yet whether a token is ours."""

    __slots__ = (
        "_cookies",
        "_refresh_cookies",
        "access_cookies",
        "bearer",
        "has_legacy_cookie",
        "is_websocket",
        "method",
    )

    def __init__(self, request: BaseRequest) -> None:
        self.method: str = request.method()
        value = request.get_header(AUTHORIZATION_HEADER_KEY)
        #: the Bearer credentials (scheme in any case), or None
        self.bearer: str | None = (
            None if value is None or value[:7].lower() != "bearer " else value[7:].strip() or None
        )
        #: whether this is the handshake of a WebSocket
        self.is_websocket: bool = request.is_websocket()
        self._cookies: SentCookies = request.sent_cookies()
        #: whether there is a cookie of a very old SDK
        self.has_legacy_cookie: bool = bool(self._cookies.values(LEGACY_ID_REFRESH_TOKEN_COOKIE_KEY))
        self.access_cookies: list[str] = self._cookies.values(ACCESS_TOKEN_COOKIE_KEY)
        self._refresh_cookies: list[str] | None = None

    @property
    def refresh_cookies(self) -> list[str]:
        """The cookies with refresh tokens, which browsers send to the refresh path only."""
        if self._refresh_cookies is None:
            self._refresh_cookies = self._cookies.values(REFRESH_TOKEN_COOKIE_KEY)
        return self._refresh_cookies

    def uses(self, method: TokenTransferMethod) -> bool:
        """Return whether any token, ours or not, came by a method."""
        if method == "header":
            return self.bearer is not None
        return bool(self.access_cookies or self.refresh_cookies)

    def access_token(
        self, allowed: Allowed, read: Callable[[str], AccessToken | None]
    ) -> tuple[AccessToken, TokenTransferMethod] | None:
        """Return the access token that counts and how it came, header before cookie.

        See protocol: The access token.

        Raises:
            TryRefreshTokenError: a legacy cookie, or two access cookies of which one is ours.
        """
        if self.has_legacy_cookie:
            raise TryRefreshTokenError(
                "using legacy session, please call the refresh API", code="legacy_cookie"
            )
        if allowed != "cookie" and self.bearer and (token := read(self.bearer)):
            return token, "header"
        if allowed == "header":
            return None
        values = self.access_cookies
        if len(values) > 1:
            if any(read(value) for value in values):
                raise TryRefreshTokenError(
                    "Multiple access tokens present in the request cookies.", code="duplicate_access_cookies"
                )
            return None
        token = read(values[0]) if values else None
        return (token, "cookie") if token else None

    def refresh_token(self, allowed: Allowed) -> tuple[str, TokenTransferMethod] | None:
        """Return the refresh token that counts and how it came (protocol: The refresh token).

        A Bearer JWT is never one. Any other string is the engine's to refuse, unless there is a cookie:
        proxies and API gateways put credentials of their own on every request, and those must not log the
        user out.
        """
        cookies = [] if allowed == "header" else self.refresh_cookies
        cookie = cookies[0] if cookies else None
        bearer = None if allowed == "cookie" else self.bearer
        if bearer and not looks_like_jwt(bearer) and (not cookie or _REFRESH_TOKEN.fullmatch(bearer)):
            return masked(bearer), "header"
        return (masked(cookie), "cookie") if cookie else None


def other(method: TokenTransferMethod) -> TokenTransferMethod:
    """Return the other transfer method."""
    return "cookie" if method == "header" else "header"


def carries_token_of(request: BaseRequest, handle: str) -> bool:
    """Return whether the request has an access token, valid or not, of the session with this handle."""
    tokens = RequestTokens(request)
    given = [*tokens.access_cookies, *([] if tokens.bearer is None else [tokens.bearer])]
    return any(read is not None and read.handle == handle for read in map(parse_access_token, given))
