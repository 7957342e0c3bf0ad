"""How tokens travel: request to tokens, tokens to changes. Pure: settings and values in, decisions out."""

from __future__ import annotations

import logging
import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from supertokens_py.exceptions import PayloadTooLargeError
from supertokens_py.framework.cookies import Cookie, SameSite
from supertokens_py.framework.response import Changes
from supertokens_py.payloads import custom_claims
from supertokens_py.secret import hidden
from supertokens_py.tokens.access_token import AccessToken, looks_like_jwt
from supertokens_py.tokens.encoding import to_json

from .constants import (
    ACCESS_TOKEN_COOKIE_KEY,
    ACCESS_TOKEN_HEADER_KEY,
    ANTI_CSRF_HEADER_KEY,
    AUTHORIZATION_HEADER_KEY,
    FRONT_TOKEN_HEADER_SET_KEY,
    LEGACY_ID_REFRESH_TOKEN_COOKIE_KEY,
    REFRESH_TOKEN_COOKIE_KEY,
    REFRESH_TOKEN_HEADER_KEY,
    TokenTransferMethod,
)
from .exceptions import (
    AccessTokenTooLargeError,
    ClearDuplicateSessionCookiesError,
    DuplicateSessionCookiesError,
    TryRefreshTokenError,
)

if TYPE_CHECKING:
    from supertokens_py.framework.request import BaseRequest

    from .policy import Allowed, SessionPolicy
    from .results import TokenInfo

log: logging.Logger = logging.getLogger(__name__)

ONE_YEAR_MS = 31_536_000_000
COOKIE_LIMIT = 4096  #: name and value together, in every browser
_WARN_ABOVE = 4000

# An access token cookie holds name, "=", header, signature (2048 bit) and the claims that the SDK adds;
# what is left of COOKIE_LIMIT belongs to the custom claims (base64 makes four characters of three bytes).
_FIXED_TOKEN_LENGTH = len("sAccessToken=") + 110 + 1 + 342 + 1
_SDK_CLAIMS_LENGTH = 480

#: What the headers of a response may take for every proxy in its default settings, less some room for others.
PROXY_LIMIT = 3500

#: the form of every core's refresh tokens: sealed part, nonce, version
_REFRESH_TOKEN = re.compile(r"[A-Za-z0-9+/=_-]+\.[A-Za-z0-9+/=_-]+\.[Vv]\d+")


# -- reading ---------------------------------------------------------------------------------------


class Credentials:
    """The tokens that came with a request, as they were sent: whether they are ours is for others to see."""

    __slots__ = ("_request", "bearer")

    def __init__(self, request: BaseRequest) -> None:
        self._request = request
        value = request.get_header(AUTHORIZATION_HEADER_KEY)
        #: the Bearer credentials (scheme in any case), or None
        self.bearer: str | None = (
            None if value is None or value[:7].lower() != "bearer " else value[7:].strip() or None
        )

    def access_cookies(self) -> list[str]:
        """Return the cookies with access tokens."""
        return self._request.cookie_values(ACCESS_TOKEN_COOKIE_KEY)

    def refresh_cookies(self) -> list[str]:
        """Return the cookies with refresh tokens."""
        return self._request.cookie_values(REFRESH_TOKEN_COOKIE_KEY)

    def has_legacy_cookie(self) -> bool:
        """Return whether there is a cookie of a very old SDK."""
        return bool(self._request.cookie_values(LEGACY_ID_REFRESH_TOKEN_COOKIE_KEY))

    def use(self, method: TokenTransferMethod) -> bool:
        """Return whether any token, ours or not, came by a method."""
        if method == "header":
            return self.bearer is not None
        return bool(self.access_cookies() or self.refresh_cookies())


def choose_access_token(
    credentials: Credentials, allowed: Allowed, read: Callable[[str], AccessToken | None]
) -> tuple[AccessToken, TokenTransferMethod] | None:
    """Pick the access token of a request; header before cookie (protocol: The access token).

    Raises:
        TryRefreshTokenError: a legacy cookie, or two access cookies of which one is ours.
    """
    if credentials.has_legacy_cookie():
        raise TryRefreshTokenError("using legacy session, please call the refresh API", code="legacy_cookie")
    if allowed != "cookie" and (bearer := credentials.bearer) and (token := read(bearer)):
        return token, "header"
    if allowed == "header":
        return None
    values = credentials.access_cookies()
    if len(values) > 1:
        if any(read(value) for value in values):
            raise TryRefreshTokenError(
                "Multiple access tokens present in the request cookies.", code="duplicate_access_cookies"
            )
        return None
    token = read(values[0]) if values else None
    return (token, "cookie") if token else None


def choose_refresh_token(
    credentials: Credentials, allowed: Allowed
) -> tuple[str, TokenTransferMethod] | None:
    """Pick the refresh token of a request (protocol: The refresh token).

    A Bearer JWT is never one. Any other text is the engine's to refuse, unless there is a cookie: proxies and
    API gateways put credentials of their own on every request, and those must not log the user out.
    """
    cookies = [] if allowed == "header" else credentials.refresh_cookies()
    cookie = cookies[0] if cookies else None
    bearer = None if allowed == "cookie" else credentials.bearer
    if bearer and not looks_like_jwt(bearer) and (not cookie or _REFRESH_TOKEN.fullmatch(bearer)):
        return hidden(bearer), "header"
    return (hidden(cookie), "cookie") if cookie else None


def other(method: TokenTransferMethod) -> TokenTransferMethod:
    """Return the other transfer method."""
    return "cookie" if method == "header" else "header"


# -- writing ---------------------------------------------------------------------------------------


class TokenWriter:
    """Writes tokens into the changes of one request, with the cookie attributes of that request."""

    def __init__(
        self, request: BaseRequest, policy: SessionPolicy, user_context: dict[str, Any], *, now_ms: int
    ) -> None:
        self._now_ms = now_ms
        self._changes: Changes = request.changes
        self._policy = policy
        self._request = request
        self._user_context = user_context
        self._same_site: SameSite | None = None

    def prepare(self) -> None:
        """Ask now what cookies depend on: an `origin` function, which may fail, and may not fail later."""
        if self._same_site is None:
            self._same_site = self._policy.get_cookie_same_site(self._request, self._user_context)

    def set_access_token(self, token: AccessToken, method: TokenTransferMethod) -> None:
        """Deliver an access token and its front token.

        Raises:
            AccessTokenTooLargeError: it is larger than a cookie.
        """
        if method == "cookie":
            _require_cookie_size(token)
        self._changes.set_header(FRONT_TOKEN_HEADER_SET_KEY, front_token(token))
        if method == "header":
            self._changes.set_header(ACCESS_TOKEN_HEADER_KEY, token.text)
            return
        # The cookie outlives the token on purpose: its presence says that there may be a session to refresh.
        self._set_cookie(ACCESS_TOKEN_COOKIE_KEY, token.text, self._now_ms + ONE_YEAR_MS)
        if self._policy.expose_access_token_to_frontend_in_cookie_based_auth:
            self._changes.set_header(ACCESS_TOKEN_HEADER_KEY, token.text)

    def set_refresh_token(self, token: TokenInfo, method: TokenTransferMethod) -> None:
        """Deliver a refresh token."""
        if method == "header":
            self._changes.set_header(REFRESH_TOKEN_HEADER_KEY, token.token)
        else:
            self._set_cookie(REFRESH_TOKEN_COOKIE_KEY, token.token, token.expiry)

    def set_anti_csrf(self, token: str) -> None:
        """Deliver an anti-CSRF token."""
        self._changes.set_header(ANTI_CSRF_HEADER_KEY, token)

    def clear(self, method: TokenTransferMethod) -> None:
        """Make the client forget its tokens (protocol: Clearing)."""
        if method == "cookie":
            # curl 7.88 takes the last deletion of a response only. An access token outlives its session, a
            # refresh token does not.
            self._set_cookie(REFRESH_TOKEN_COOKIE_KEY, "", 0)
            self._set_cookie(ACCESS_TOKEN_COOKIE_KEY, "", 0)
            if self._changes.headers.get(ACCESS_TOKEN_HEADER_KEY):  # the exposed one; a cleared one stays
                self._changes.remove_header(ACCESS_TOKEN_HEADER_KEY)
        else:
            self._changes.set_header(ACCESS_TOKEN_HEADER_KEY, "")
            self._changes.set_header(REFRESH_TOKEN_HEADER_KEY, "")
        self._changes.remove_header(ANTI_CSRF_HEADER_KEY)
        self._changes.set_header(FRONT_TOKEN_HEADER_SET_KEY, "remove")

    def clear_all(self) -> None:
        """Make the client forget the tokens of both methods."""
        self.clear("cookie")
        self.clear("header")

    def clear_legacy(self) -> None:
        """Expire the cookie of very old SDKs (protocol: Legacy cookie)."""
        self._set_cookie(LEGACY_ID_REFRESH_TOKEN_COOKIE_KEY, "", 0)

    def expire_older_domain(self, name: str, domain: str) -> None:
        """Expire the cookie that an earlier `cookie_domain` left behind."""
        self._set_cookie(name, "", 0, domain=domain or None)

    def _set_cookie(
        self, name: str, value: str, expires_ms: int, *, domain: str | Literal[False] | None = False
    ) -> None:
        policy = self._policy
        same_site = self._same_site
        if same_site is None:
            same_site = self._same_site = policy.get_cookie_same_site(self._request, self._user_context)
        self._changes.set_cookie(
            Cookie(
                name,
                value,
                expires_ms,
                path=policy.refresh_token_path if name == REFRESH_TOKEN_COOKIE_KEY else "/",
                domain=policy.cookie_domain if domain is False else domain,
                secure=policy.cookie_secure,
                http_only=True,
                same_site=same_site,
                lifetime_ms=expires_ms - self._now_ms,
            )
        )


def check_fits_cookie(payload: Mapping[str, Any]) -> None:
    """Refuse custom claims with which the access token would not fit a cookie.

    What has no JSON form is left to the engine, which validates payloads and says what is wrong in them.

    Raises:
        PayloadTooLargeError: says by how much.
    """
    try:
        length = _access_cookie_length(to_json(custom_claims(payload)))
    except ValueError:
        return
    if length > COOKIE_LIMIT:
        raise PayloadTooLargeError(length, COOKIE_LIMIT)


def _require_cookie_size(token: AccessToken) -> None:
    length = len(ACCESS_TOKEN_COOKIE_KEY) + len(token.text)
    if length > COOKIE_LIMIT:
        raise AccessTokenTooLargeError(token.handle, length, COOKIE_LIMIT)


def _access_cookie_length(custom: str) -> int:
    """Return how long name and value of an access cookie become with these claims (compact JSON)."""
    return _FIXED_TOKEN_LENGTH + -(-(len(custom.encode()) + _SDK_CLAIMS_LENGTH) * 4 // 3)


def front_token(token: AccessToken) -> str:
    """Return what the frontend may read of an access token (protocol: Front token).

    `up` is the payload's own text: server-side rendering compares both as text.
    """
    head = f'{{"uid":{to_json(token.user_id)},"ate":{token.expires_ms},"up":{token.payload_json}}}'
    encoded = b64encode(head.encode()).decode("ascii")
    if len(encoded) > _WARN_ABOVE:
        log.warning(
            "the front token is %d bytes long; browsers drop cookies above %d", len(encoded), COOKIE_LIMIT
        )
    return encoded


# -- rules -----------------------------------------------------------------------------------------

CONTAINS_MULTIPLE = "The request contains multiple session cookies."


def expire_duplicates(credentials: Credentials, policy: SessionPolicy, writer: TokenWriter) -> None:
    """Handle cookies that came twice, after a change of `cookie_domain` (protocol: Duplicate cookies).

    Raises:
        DuplicateSessionCookiesError: they came, and `older_cookie_domain` does not say which is the old one.
        ClearDuplicateSessionCookiesError: the old ones have been expired.
    """
    sent = {
        ACCESS_TOKEN_COOKIE_KEY: credentials.access_cookies(),
        REFRESH_TOKEN_COOKIE_KEY: credentials.refresh_cookies(),
    }
    doubled = [name for name, values in sent.items() if len(values) > 1]
    if not doubled:
        return
    if policy.older_cookie_domain is None:
        raise DuplicateSessionCookiesError(
            CONTAINS_MULTIPLE + " This may happen if you've changed the 'cookie_domain' setting in your "
            "configuration. To clear tokens from the previous domain, set 'older_cookie_domain' in your "
            'config. It is the former cookie_domain, or "" if there was none. Until then these browsers get '
            "500 at each refresh, and keep their sessions."
        )
    for name in doubled:
        writer.expire_older_domain(name, policy.older_cookie_domain)
    raise ClearDuplicateSessionCookiesError(
        CONTAINS_MULTIPLE + " We are clearing the cookie from older_cookie_domain. "
        "Session will be refreshed in the next refresh call."
    )
