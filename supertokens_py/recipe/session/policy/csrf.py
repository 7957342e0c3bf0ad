"""When a request must prove that it is not forged, and whether it did (protocol: Anti-CSRF). Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from supertokens_py.tokens.encoding import constant_time_equal

from ..constants import ANTI_CSRF_HEADER_KEY, RID_HEADER_KEY
from ..exceptions import TryRefreshTokenError, UnauthorisedError
from .origins import follows_link, is_cross_site, is_foreign, was_preflighted

if TYPE_CHECKING:
    from supertokens_py.framework.request import BaseRequest
    from supertokens_py.tokens.access_token import AccessToken

    from .session_policy import SessionPolicy

MISSING_RID = "anti-csrf check failed. Please pass 'rid: \"session\"' header in the request"


#: Codes of a request that a page of another origin sent; others of this module begin with "csrf_".
_FOREIGN: Final = frozenset({"foreign_form", "foreign_page"})
READING = ("GET", "HEAD")  #: not checked by default; a server answers HEAD as it would answer GET


def require_custom_header(request: BaseRequest, policy: SessionPolicy) -> None:
    """Require the `rid` header where that is the proof; only same-origin or preflighted code can send it.

    Where `init` derived that `SameSite` is the proof, a request that a page of another site sent has to show
    the header all the same: older cookies may be out there, set when the settings were others.

    Raises:
        TryRefreshTokenError: it is missing.
    """
    if policy.anti_csrf_mode != "VIA_CUSTOM_HEADER" and not (
        policy.relies_on_same_site and is_cross_site(request, policy.own_pages)
    ):
        return
    if request.get_header(RID_HEADER_KEY) is None:
        raise TryRefreshTokenError(
            f"{MISSING_RID}, or set doAntiCsrfCheck to false for this API", code="csrf_header_missing"
        )


def require_token(token: AccessToken, sent: str | None) -> None:
    """Require the anti-CSRF token that belongs to the access token.

    Raises:
        TryRefreshTokenError: it is missing or another one.
    """
    expected = token.anti_csrf_token
    if sent is None:
        raise TryRefreshTokenError(
            "Provided antiCsrfToken is undefined. If you do not want anti-csrf check for this API, "
            "please set doAntiCsrfCheck to false for this API",
            code="csrf_token_missing",
        )
    if expected is None:
        raise TryRefreshTokenError(
            "Access token does not contain the anti-csrf token", code="csrf_token_absent"
        )
    if not constant_time_equal(sent, expected):
        raise TryRefreshTokenError("anti-csrf check failed", code="csrf_token_wrong")


def refuse_foreign_form(request: BaseRequest) -> None:
    """Refuse a form that a page of another origin made the browser post to a route of ours.

    Frontends call these routes with `fetch`, so a navigation is none of theirs. Without its cookies, which
    SameSite withholds, such a request looks like a session that ended, and the answer would log the user out.

    Raises:
        UnauthorisedError: the browser says so (Fetch Metadata, https://www.w3.org/TR/fetch-metadata/).
    """
    posts = request.method() == "POST" and request.get_header("sec-fetch-mode") == "navigate"
    if posts and request.get_header("sec-fetch-site") in ("cross-site", "same-site"):
        raise UnauthorisedError(
            "a page of another origin posted this as a form", clear_tokens=False, code="foreign_form"
        )


def require_proof_of_refresh(request: BaseRequest, policy: SessionPolicy) -> None:
    """Require what a cookie refresh must show; without it, a page of another origin cannot log the user out.

    An anti-CSRF token that is missing or wrong is otherwise for the engine to refuse.

    Raises:
        UnauthorisedError: the header is missing. Tokens are cleared, unless a page of another origin sent
            this, as its scripts can without being asked whether they may.
    """
    refuse_change_by_another_page(request, policy)
    if request.get_header(RID_HEADER_KEY) is not None:
        return
    match policy.anti_csrf_mode:
        case "VIA_CUSTOM_HEADER":
            missing = True
        case "VIA_TOKEN":
            missing = request.get_header(ANTI_CSRF_HEADER_KEY) is None and is_foreign(
                request, policy.own_pages
            )
        case _:
            missing = policy.relies_on_same_site and is_cross_site(request, policy.own_pages)
    if missing:
        clear = not is_foreign(request, policy.own_pages)
        raise UnauthorisedError(f"{MISSING_RID}.", clear_tokens=clear, code="csrf_header_missing")


def shows_forgery(error: Exception) -> bool:
    """Return whether a request was refused for want of a proof: refreshing and asking again is no remedy."""
    code = str(getattr(error, "code", None))
    return code in _FOREIGN or code.startswith("csrf_")


def is_unasked(request: BaseRequest, policy: SessionPolicy) -> bool:
    """Return whether a page of another origin sent a request that no CORS layer was asked about.

    Neither its answer nor its cookies may change what the visitor's browser keeps.
    """
    return not was_preflighted(request) and is_foreign(request, policy.own_pages)


def is_change_by_another_page(request: BaseRequest, policy: SessionPolicy) -> bool:
    """Return whether a page of another origin sent, unasked, a request that may change something."""
    return request.method() not in READING and is_unasked(request, policy)


def refuse_change_by_another_page(request: BaseRequest, policy: SessionPolicy) -> None:
    """Refuse to change a session whose cookies a page of another origin made the browser send.

    `SameSite` keeps none back from pages of the same site, such as a subdomain's. Whatever `anti_csrf` says:
    frontends send the header `rid` to the routes of the SDK, for which browsers ask the CORS layer.

    Raises:
        UnauthorisedError: nothing is cleared.
    """
    if is_change_by_another_page(request, policy):
        raise UnauthorisedError(
            f"a page of another origin ({_origin(request)}) sent this without a header `rid` or "
            "`st-auth-mode`",
            clear_tokens=False,
            code="foreign_page",
        )


def refuse_login_of_another_page(request: BaseRequest, policy: SessionPolicy) -> None:
    """Refuse to give a browser session cookies that a page of another origin asked for (log-in CSRF).

    Visitors who arrive by a link are let through: that is how identity providers and links in mails bring
    them, and such routes check a state or a secret of their own.

    Raises:
        UnauthorisedError: nothing is cleared.
    """
    if is_unasked(request, policy) and not follows_link(request):
        raise UnauthorisedError(
            f"a page of another origin ({_origin(request)}) asked for a session in "
            "cookies without a header `rid` or `st-auth-mode`",
            clear_tokens=False,
            code="foreign_page",
        )


def _origin(request: BaseRequest) -> str:
    """Return the origin of a page for a log."""
    return repr(str(request.get_header("origin"))[:100])


def require_trusted_origin(request: BaseRequest, policy: SessionPolicy, user_context: dict[str, Any]) -> None:
    """Require that a WebSocket handshake with cookies comes from our own pages, if a browser sends it.

    Browsers send cookies with handshakes of any page and ask nobody, so the origin is the proof.

    Raises:
        UnauthorisedError: another origin.
    """
    origin = request.get_header("origin")
    if origin is None or policy.own_pages.has_sent(request):
        return
    if origin.lower() != policy.website(request, user_context):
        raise UnauthorisedError(
            "WebSocket from an untrusted origin", clear_tokens=False, code="foreign_websocket"
        )
