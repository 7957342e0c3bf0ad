"""Pages that a server renders: what a browser that navigates is answered in the place of a 401. Pure.

Frontends with a SuperTokens SDK refresh when they see a 401. A browser that merely follows a link cannot, and
it sends the refresh token to the refresh path only. So it is redirected there and back.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from posixpath import normpath
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

from supertokens_py.exceptions import ConfigError
from supertokens_py.framework.cookies import Cookie, SameSite
from supertokens_py.framework.request import BaseRequest
from supertokens_py.framework.response import BaseResponse
from supertokens_py.tokens.access_token import AccessToken

from ..claim_validation.refusals import GuestNotAllowedError
from ..constants import ACCESS_TOKEN_COOKIE_KEY, REFRESH_TOKEN_COOKIE_KEY, SESSION_REFRESH, SIGNOUT
from ..exceptions import TokenTheftError, TryRefreshTokenError, UnauthorisedError
from ..policy import csrf
from ..policy.origins import comes_from_elsewhere, is_htmx, is_in_advance, is_navigation
from ..policy.session_policy import SessionPolicy
from ..session_tokens.request_tokens import RequestTokens
from .documents import document
from .redirects import redirect, reload_from_this_site

#: Counts the refreshes since a page was last served with a session; many are a loop that no refresh will end.
TRIES_COOKIE: Final = "sPageTries"
MAX_TRIES = 3
_COOKIE_MS = 10_000  #: how long that cookie, and the one of a sign-out, live
#: Of an optional session that the store no longer has, whatever its access token says.
_ENDED: Final = frozenset({"session_gone", "session_revoked"})
_MAX_NEXT = 2048
_RENEW: Final = (
    "The form was not accepted: the page had been open for so long that your session must be renewed first. "
    '<a href="{link}" target="_blank" rel="noopener">Renew it in a new tab</a>, then go back and send the '
    "form again."
)
_LOG_IN: Final = (
    "The form was not accepted: you are not logged in. "
    '<a href="{link}" target="_blank" rel="noopener">Log in in a new tab</a>, then go back and send the form '
    "again."
)
#: What a sign-out form asks of the refresh path, where it is sent on with an expired access token.
SIGN_OUT_COOKIE: Final = "sPageSignOut"
#: What no address of a page on this server has: browsers read a backslash as a slash, drop line breaks, and
#: headers carry ASCII.
_UNSAFE = re.compile(r"[^!-~]|\\|\A//|\A(?!/)")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSettings:
    """`session.init(pages=PageSettings(login_path="/login"))`: pages that the server renders.

    Args:
        login_path: the path of the log-in page, which gets the page to go on to as `?next=`.
        refresh_ahead: refresh where less than half of an access token's life is left when a page is asked
            for, so that a form on it can be sent for at least as long.

    Raises:
        ConfigError: `login_path` is not a path such as "/login".
    """

    login_path: str
    refresh_ahead: bool = True

    def __post_init__(self) -> None:
        path: Any = self.login_path
        if not isinstance(path, str) or _UNSAFE.search(path):
            raise ConfigError(f'PageSettings: login_path must be a path such as "/login", not {path!r}')


@dataclass(frozen=True, slots=True)
class Pages:
    """Decides what navigations get, for one application."""

    settings: PageSettings
    base: str  #: the path below which the SDK's routes are
    policy: SessionPolicy
    now_ms: Callable[[], int]

    @classmethod
    def of(
        cls, settings: PageSettings | None, base: str, policy: SessionPolicy, now_ms: Callable[[], int]
    ) -> Pages | None:
        """Return the decisions of an application; None for one without such pages.

        Raises:
            ConfigError: no navigation can show what the other settings ask for.
        """
        if settings is None:
            return None
        if policy.fixed_transfer == "header":
            raise ConfigError('session.init: pages need cookies, but get_token_transfer_method is "header"')
        if policy.anti_csrf_mode != "NONE":
            raise ConfigError(
                f"session.init: pages cannot work with anti_csrf {policy.anti_csrf_mode}: a browser that "
                "navigates sends no header. Serve website and API from one site, with SameSite lax or strict"
            )
        return cls(settings, base, policy, now_ms)

    def safe_next(self, given: str | None) -> str:
        """Return the path to go on to: `given` if it is one on this server, else "/" (no open redirect)."""
        return safe_next(given, self.base)

    def after_login(self, given: str | None) -> str:
        """Return the path that the log-in page goes on to: as `safe_next`, but never itself."""
        following = self.safe_next(given)
        return "/" if self._is_login(urlsplit(following).path) else following

    def _is_login(self, path: str) -> bool:
        return _as_read(path) == _as_read(urlsplit(self.settings.login_path).path)

    def here(self, request: BaseRequest) -> str:
        """Return the path and the query that a request asks for."""
        try:
            parts = urlsplit(request.get_original_url())
        except ValueError:  # its `Host` is none, such as "["
            return "/"
        if _is_own_route(parts.path, self.base):  # the refresh on the way to a page failed
            return self.safe_next(request.get_query_param("next"))
        return self.safe_next(f"{parts.path}?{parts.query}" if parts.query else parts.path)

    def login(self, following: str) -> str:
        """Return the address of the log-in page, which goes on to `following` where that is another page."""
        if self._is_login(urlsplit(following).path):
            return self.settings.login_path
        return f"{self.settings.login_path}?next={quote(following, safe='/')}"

    def refresh(self, following: str) -> str:
        """Return the address that refreshes and comes back."""
        return f"{self._refresh_path}?next={quote(following, safe='/')}"

    def should_refresh_ahead(self, request: BaseRequest, token: AccessToken) -> bool:
        """Return whether to refresh before serving a page, although the access token is still valid.

        Nothing has verified it yet: where it does not say when it expires, it will be refused by itself.
        """
        if not self.settings.refresh_ahead or request.method() != "GET" or "exp" not in token.payload:
            return False
        left_ms, life_ms = token.expires_ms - self.now_ms(), token.expires_ms - token.created_ms
        return 2 * left_ms < life_ms and is_navigation(request) and tries_of(request) == 0

    def page_response(
        self, error: Exception, request: BaseRequest, response: BaseResponse
    ) -> BaseResponse | None:
        """Return what a browser gets in the place of a 401, or of a guest's 403; None: that."""
        if isinstance(error, GuestNotAllowedError):
            return self._of_guest(request, response)
        may_refresh = isinstance(error, TryRefreshTokenError)
        if not may_refresh and not isinstance(error, UnauthorisedError | TokenTheftError):
            return None
        if is_htmx(request):
            return self._of_htmx(request, response, may_refresh=may_refresh)
        if is_in_advance(request) or self._is_refresh(request):  # what is fetched so may be kept for minutes
            response.forbid_caching()
        if not is_navigation(request):
            return None
        if request.method() == "POST":
            return self._of_form(request, response, error)
        return self._of_link(request, response, error) if request.method() == "GET" else None

    def _of_link(self, request: BaseRequest, response: BaseResponse, error: Exception) -> BaseResponse | None:
        following, may_refresh = self.here(request), isinstance(error, TryRefreshTokenError)
        if getattr(error, "code", None) == "device_proof_missing" and comes_from_elsewhere(request):
            return reload_from_this_site(response, following)
        if self._is_refresh(request):  # it failed: the page may be one for visitors as well
            self._set_tries(response, MAX_TRIES)
            return redirect(response, following)
        if may_refresh and not self.is_looping(request):
            return self._to_refresh(request, response)
        if not may_refresh and lacks_strict_cookies(request):
            return reload_from_this_site(response, following)
        if self._is_login(request.get_path()):
            return None
        return redirect(response, self.login(following))

    def _of_guest(self, request: BaseRequest, response: BaseResponse) -> BaseResponse | None:
        """Send the guest who follows a link to a page for users to the log-in page, as a stranger."""
        if request.method() != "GET" or not is_navigation(request) or self._is_login(request.get_path()):
            return None
        return redirect(response, self.login(self.here(request)))

    def is_visitor(self, error: Exception, request: BaseRequest) -> bool:
        """Return whether a page that requires no session goes on without one, in the place of an error.

        A GET is sent to refresh first. The body of a form cannot be sent on: it counts as a visitor's. Errors
        that show a forgery stay what they are.
        """
        if not (is_navigation(request) or is_htmx(request)) or RequestTokens(request).bearer:
            return False
        if isinstance(error, UnauthorisedError):
            return error.code in _ENDED
        if not isinstance(error, TryRefreshTokenError) or csrf.shows_forgery(error):
            return False
        return self.is_looping(request) or (request.method() == "POST" and not is_htmx(request))

    def is_looping(self, request: BaseRequest) -> bool:
        """Return whether no further refresh is tried for now."""
        return tries_of(request) >= MAX_TRIES

    def _is_refresh(self, request: BaseRequest) -> bool:
        return _as_read(request.get_path()) == self._refresh_path

    def _to_refresh(self, request: BaseRequest, response: BaseResponse) -> BaseResponse:
        if tries_of(request):  # this page is not served after all, though some session was found for it
            request.changes.cookies.pop(self._tries(0).key, None)
        return redirect(response, self.refresh(self.here(request)))

    def _of_form(self, request: BaseRequest, response: BaseResponse, error: Exception) -> BaseResponse | None:
        """Say in a page that a form was not taken: what it holds cannot be sent on, only sent again."""
        if csrf.shows_forgery(error) or RequestTokens(request).bearer:
            return None
        following = self.safe_next(_own_page(request, "referer"))
        if isinstance(error, TryRefreshTokenError):
            title, link, text = "Please send the form again", self.refresh(following), _RENEW
        else:
            title, link, text = "Please log in", self.login(following), _LOG_IN
        response.set_status_code(self.policy.session_expired_status_code)
        response.forbid_caching()
        response.set_html_content(document(title, text.format(link=escape(link, quote=True))))
        return response

    def _of_htmx(
        self, request: BaseRequest, response: BaseResponse, *, may_refresh: bool
    ) -> BaseResponse | None:
        if may_refresh and request.method() == "GET" and not self.is_looping(request):
            return self._to_refresh(request, response)
        if may_refresh:  # the body of a form cannot be sent on: the page is loaded again, with new tokens
            response.set_header("HX-Refresh", "true")
        else:
            response.set_header("HX-Redirect", self._login_of_htmx(request))
        return None

    def _login_of_htmx(self, request: BaseRequest) -> str:
        """Return the address of the log-in page, which goes on to the page that the browser shows.

        A boosted link is one to a page, and so goes on to that.
        """
        if request.method() == "GET" and request.get_header("hx-boosted") == "true":
            return self.login(self.here(request))
        page = _own_page(request, "hx-current-url")
        return self.settings.login_path if page is None else self.login(self.safe_next(page))

    def ask_for_sign_out(self, response: BaseResponse) -> None:
        """Have the refresh path, where the browser is sent now, end the session as well.

        A cookie says so, and no parameter: it comes with requests of one's own pages only, so that no link of
        another site signs anybody out, in browsers without Fetch Metadata either.
        """
        _put(response, self._cookie(SIGN_OUT_COOKIE, "1", path=self._refresh_path, same_site="strict"))

    def is_sign_out(self, request: BaseRequest, response: BaseResponse) -> bool:
        """Return whether a form has asked to sign out, and have the browser forget that."""
        if request.get_cookie(SIGN_OUT_COOKIE) != "1":
            return False
        _put(response, self._cookie(SIGN_OUT_COOKIE, "", path=self._refresh_path, same_site="strict"))
        return True

    @property
    def _refresh_path(self) -> str:
        return f"{self.base}{SESSION_REFRESH}"

    def note_try(self, request: BaseRequest, response: BaseResponse) -> None:
        """Count one more refresh on the way to a page, in a cookie of some seconds."""
        self._set_tries(response, min(tries_of(request) + 1, MAX_TRIES))

    def note_served(self, request: BaseRequest) -> None:
        """Start to count anew: a page found a session, so that the next refresh is no step of a loop."""
        if request.get_cookie(TRIES_COOKIE):
            request.changes.set_cookie(self._tries(0))

    def _set_tries(self, response: BaseResponse, tries: int) -> None:
        _put(response, self._tries(tries))

    def _tries(self, tries: int) -> Cookie:
        return self._cookie(TRIES_COOKIE, str(tries) if tries else "")

    def _cookie(self, name: str, value: str, *, path: str = "/", same_site: SameSite = "lax") -> Cookie:
        """Return a cookie of some seconds by the clock of the browser, or one that deletes it."""
        expires_ms = self.now_ms() + _COOKIE_MS if value else 0
        return Cookie(
            name,
            value,
            expires_ms,
            path,
            secure=self.policy.cookie_secure,
            same_site=same_site,
            lifetime_ms=_COOKIE_MS,
        )


def _own_page(request: BaseRequest, header: str) -> str | None:
    """Return the path and the query of the page that a header names, if it is one of this server."""
    try:
        page, here = map(urlsplit, (request.get_header(header) or "", request.get_original_url()))
    except ValueError:  # such as "http://["
        return None
    if page.netloc != here.netloc:
        return None
    return f"{page.path}?{page.query}" if page.query else page.path


def safe_next(given: str | None, base: str) -> str:
    """Return the path to go on to: `given` if it is one of a page on this server, else "/"."""
    if given is None or len(given) > _MAX_NEXT or _UNSAFE.search(given):
        return "/"
    parts = urlsplit(given)
    return "/" if parts.scheme or parts.netloc or _is_own_route(parts.path, base) else given


def _is_own_route(path: str, base: str) -> bool:
    """Return whether a server would read a path as one of the SDK's routes, however it is spelt."""
    read = _as_read(path)
    return f"{read}/".startswith(f"{base}/") if base else read in (SESSION_REFRESH, SIGNOUT)


def _as_read(path: str) -> str:
    """Return a path as servers read it, without a slash at its end."""
    return normpath(unquote(path))


def _put(response: BaseResponse, cookie: Cookie) -> None:
    response.cookies[cookie.key] = cookie


def tries_of(request: BaseRequest) -> int:
    """Return how often this navigation has been refreshed since a page was served with a session."""
    value = request.get_cookie(TRIES_COOKIE)
    return int(value) if value in ("1", "2", "3") else 0


def lacks_strict_cookies(request: BaseRequest) -> bool:
    """Return whether the browser kept its cookies back since a link on another site leads here (Strict)."""
    came_from = request.get_header("sec-fetch-site")
    has_none = not any(map(request.cookie_values, (ACCESS_TOKEN_COOKIE_KEY, REFRESH_TOKEN_COOKIE_KEY)))
    return came_from == "cross-site" and has_none
