"""Write tokens into the changes of a response: cookies, headers, front token (protocol: Cookies, Headers)."""

from __future__ import annotations

import logging
from base64 import b64encode
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from supertokens_py.exceptions import PayloadTooLargeError
from supertokens_py.framework.cookies import Cookie, SameSite
from supertokens_py.framework.response import Changes
from supertokens_py.payloads import custom_claims
from supertokens_py.tokens.access_token import AccessToken
from supertokens_py.tokens.encoding import to_json

from ..constants import (
    ACCESS_TOKEN_COOKIE_KEY,
    ACCESS_TOKEN_HEADER_KEY,
    ANTI_CSRF_HEADER_KEY,
    DEVICE_COOKIE_KEY,
    FRONT_TOKEN_HEADER_SET_KEY,
    LEGACY_ID_REFRESH_TOKEN_COOKIE_KEY,
    REFRESH_TOKEN_COOKIE_KEY,
    REFRESH_TOKEN_HEADER_KEY,
    TokenTransferMethod,
)
from ..exceptions import AccessTokenTooLargeError

if TYPE_CHECKING:
    from supertokens_py.framework.request import BaseRequest

    from ..policy.session_policy import SessionPolicy
    from ..results import TokenInfo

log: logging.Logger = logging.getLogger(__name__)

ONE_YEAR_MS = 31_536_000_000
COOKIE_LIMIT = 4096  #: name and value together, in every browser
_WARN_ABOVE = 4000

# An access token cookie contains name, "=", header, signature (2048 bit) and the claims that the SDK adds;
# what is left of COOKIE_LIMIT belongs to the custom claims (base64 makes four characters of three bytes).
_FIXED_TOKEN_LENGTH = len("sAccessToken=") + 110 + 1 + 342 + 1
_SDK_CLAIMS_LENGTH = 480

#: What the headers of a response may take for every proxy in its default settings, less some room for others.
PROXY_LIMIT = 3500


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
        self._same_site: SameSite | None = policy.fixed_same_site  # None until it is asked for

    def prepare(self) -> None:
        """Ask the application's `origin` function now, while its failure can still stop the request."""
        if self._same_site is None:
            self._same_site = self._policy.get_cookie_same_site(self._request, self._user_context)

    def set_access_token(
        self, token: AccessToken, method: TokenTransferMethod, *, persistent: bool = True
    ) -> None:
        """Deliver an access token and its front token; its cookie ends with the browser unless `persistent`.

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
        self._set_cookie(
            ACCESS_TOKEN_COOKIE_KEY, token.text, self._now_ms + ONE_YEAR_MS if persistent else None
        )
        if self._policy.expose_access_token_to_frontend_in_cookie_based_auth:
            self._changes.set_header(ACCESS_TOKEN_HEADER_KEY, token.text)

    def set_refresh_token(
        self, token: TokenInfo, method: TokenTransferMethod, *, persistent: bool = True
    ) -> None:
        """Deliver a refresh token; see `set_access_token` for `persistent`."""
        if method == "header":
            self._changes.set_header(REFRESH_TOKEN_HEADER_KEY, token.token)
        else:
            self._set_cookie(REFRESH_TOKEN_COOKIE_KEY, token.token, token.expiry if persistent else None)

    def set_return_token(self, name: str, token: str, path: str) -> None:
        """Deliver what leads back from an impersonation, to be sent to one path until the browser ends."""
        self._set_cookie(name, token, None, path=path)

    def clear_return_tokens(self, paths: Mapping[str, str]) -> None:
        """Make the client drop what `set_return_token` gave it; `paths` are by the names of the cookies."""
        for name, path in paths.items():
            self._set_cookie(name, "", 0, path=path)

    def set_anti_csrf(self, token: str) -> None:
        """Deliver an anti-CSRF token."""
        self._changes.set_header(ANTI_CSRF_HEADER_KEY, token)

    def clear(self, method: TokenTransferMethod) -> None:
        """Make the client drop its tokens (protocol: Clearing)."""
        if method == "cookie":
            # curl 7.88 takes the last deletion of a response only. An access token outlives its session, a
            # refresh token does not.
            self._set_cookie(REFRESH_TOKEN_COOKIE_KEY, "", 0)
            self._set_cookie(ACCESS_TOKEN_COOKIE_KEY, "", 0)
            if self._policy.binds_devices and self._request.cookie_values(DEVICE_COOKIE_KEY):
                self._changes.set_cookie(Cookie(DEVICE_COOKIE_KEY, "", 0))
            if self._changes.headers.get(ACCESS_TOKEN_HEADER_KEY):  # the exposed one; a cleared one stays
                self._changes.remove_header(ACCESS_TOKEN_HEADER_KEY)
        else:
            self._changes.set_header(ACCESS_TOKEN_HEADER_KEY, "")
            self._changes.set_header(REFRESH_TOKEN_HEADER_KEY, "")
        self._changes.remove_header(ANTI_CSRF_HEADER_KEY)
        self._changes.set_header(FRONT_TOKEN_HEADER_SET_KEY, "remove")

    def clear_all(self) -> None:
        """Make the client drop the tokens of both methods."""
        self.clear("cookie")
        self.clear("header")

    def clear_legacy(self) -> None:
        """Expire the cookie of very old SDKs (protocol: Legacy cookie)."""
        self._set_cookie(LEGACY_ID_REFRESH_TOKEN_COOKIE_KEY, "", 0)

    def expire_older_domain(self, name: str, domain: str) -> None:
        """Expire the cookie that an earlier `cookie_domain` left behind."""
        self._set_cookie(name, "", 0, domain=domain or None)

    def _set_cookie(
        self,
        name: str,
        value: str,
        expires_ms: int | None,
        *,
        domain: str | Literal[False] | None = False,
        path: str = "/",
    ) -> None:
        policy = self._policy
        if self._same_site is None:
            self._same_site = policy.get_cookie_same_site(self._request, self._user_context)
        self._changes.set_cookie(
            Cookie(
                name,
                value,
                expires_ms,
                path=policy.refresh_token_path if name == REFRESH_TOKEN_COOKIE_KEY else path,
                domain=policy.cookie_domain if domain is False else domain,
                secure=policy.cookie_secure,
                http_only=True,
                same_site=self._same_site,
                lifetime_ms=None if expires_ms is None else expires_ms - self._now_ms,
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

    `up` is the payload as the token has it: server-side rendering compares both as strings.
    """
    head = f'{{"uid":{to_json(token.user_id)},"ate":{token.expires_ms},"up":{token.payload_json}}}'
    encoded = b64encode(head.encode()).decode("ascii")
    if len(encoded) > _WARN_ABOVE:
        log.warning(
            "the front token is %d bytes long; browsers drop cookies above %d", len(encoded), COOKIE_LIMIT
        )
    return encoded
