"""When a request must prove that it is not forged, and whether it did (protocol: Anti-CSRF). Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from supertokens_py.access_token import same

from .constants import (
    ACCESS_TOKEN_COOKIE_KEY,
    ANTI_CSRF_HEADER_KEY,
    RID_HEADER_KEY,
    AntiCsrf,
    TokenTransferMethod,
)
from .exceptions import TryRefreshTokenError, UnauthorisedError

if TYPE_CHECKING:
    from supertokens_py.access_token import AccessToken
    from supertokens_py.framework.request import BaseRequest

    from .settings import SessionConfig

MISSING_RID = "anti-csrf check failed. Please pass 'rid: \"session\"' header in the request"


def check_is_due(anti_csrf_check: bool | None, method: str, transfer: TokenTransferMethod) -> bool:
    """Tell whether a request is checked: explicitly, or because it is a cookie request other than GET."""
    if transfer == "header":
        return False
    return method != "GET" if anti_csrf_check is None else anti_csrf_check


def require_custom_header(request: BaseRequest, mode: AntiCsrf) -> None:
    """Require the `rid` header where that is the proof; only same-origin or preflighted code can send it.

    Raises:
        TryRefreshTokenError: it is missing.
    """
    if mode == "VIA_CUSTOM_HEADER" and request.get_header(RID_HEADER_KEY) is None:
        raise TryRefreshTokenError(f"{MISSING_RID}, or set doAntiCsrfCheck to false for this API")


def require_token(token: AccessToken, sent: str | None) -> None:
    """Require the anti-CSRF token that belongs to the access token.

    Raises:
        TryRefreshTokenError: it is missing or another one.
    """
    expected = token.anti_csrf_token
    if sent is None:
        raise TryRefreshTokenError(
            "Provided antiCsrfToken is undefined. If you do not want anti-csrf check for this API, "
            "please set doAntiCsrfCheck to false for this API"
        )
    if expected is None:
        raise TryRefreshTokenError("Access token does not contain the anti-csrf token")
    if not same(sent, expected):
        raise TryRefreshTokenError("anti-csrf check failed")


def refuse_foreign_form(request: BaseRequest) -> None:
    """Refuse a form that a page of another origin made the browser post to a route of ours.

    Frontends call these routes with `fetch`, so a navigation is none of theirs. Without its cookies, which
    SameSite withholds, such a request looks like a session that ended, and the answer would log the user out.

    Raises:
        UnauthorisedError: the browser says so (Fetch Metadata, https://www.w3.org/TR/fetch-metadata/).
    """
    posts = request.method() == "POST" and request.get_header("sec-fetch-mode") == "navigate"
    if posts and _is_foreign(request):
        raise UnauthorisedError("a page of another origin posted this as a form", clear_tokens=False)


def require_proof_of_refresh(request: BaseRequest, mode: AntiCsrf) -> None:
    """Require what a cookie refresh must show; without it, a page of another origin cannot log the user out.

    A token that is missing or wrong is otherwise for the engine to judge.

    Raises:
        UnauthorisedError: the header is missing. Tokens are cleared, unless the browser says that a page of
            another origin sent this, as its scripts can without being asked whether they may.
    """
    if mode == "NONE" or request.get_header(RID_HEADER_KEY) is not None:
        return
    foreign = _is_foreign(request)
    if mode == "VIA_CUSTOM_HEADER" or (foreign and request.get_header(ANTI_CSRF_HEADER_KEY) is None):
        raise UnauthorisedError(f"{MISSING_RID}.", clear_tokens=not foreign)


def _is_foreign(request: BaseRequest) -> bool:
    return request.get_header("sec-fetch-site") in ("cross-site", "same-site")


def require_trusted_origin(request: BaseRequest, config: SessionConfig, user_context: dict[str, Any]) -> None:
    """Require that a WebSocket handshake comes from our own pages, if it comes from a browser with cookies.

    Raises:
        UnauthorisedError: another origin.
    """
    origin = request.get_header("origin")
    if origin is None or request.get_cookie(ACCESS_TOKEN_COOKIE_KEY) is None:
        return
    info = config.app_info
    if origin.lower() not in (info.api_domain, info.get_origin(request, user_context)):
        raise UnauthorisedError("WebSocket from an untrusted origin", clear_tokens=False)
