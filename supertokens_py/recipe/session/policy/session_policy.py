"""What `init` decided about sessions: cookies, transfer methods, anti-CSRF. Pure."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeAlias

from supertokens_py.exceptions import ConfigError
from supertokens_py.framework.cookies import SameSite
from supertokens_py.framework.request import BaseRequest
from supertokens_py.urls import LOCAL_SITE, scheme_of, site_of

from ..constants import AUTH_MODE_HEADER_KEY, AntiCsrf, TokenTransferMethod
from ..exceptions import UnauthorisedError
from .origins import OwnPages, is_htmx, is_navigation

log: logging.Logger = logging.getLogger(__name__)

Allowed: TypeAlias = TokenTransferMethod | Literal["any"]
TransferChoice: TypeAlias = Callable[[BaseRequest, bool, dict[str, Any]], Allowed]


@dataclass(frozen=True, kw_only=True)
class SessionPolicy:
    """The rules that `init` and `session.init` made together; `settings.resolve` makes one.

    What may differ between requests is asked by a method: only where a cookie is written or a handshake is
    checked, since the functions `origin` and `get_token_transfer_method` are the application's.
    """

    api_domain: str  #: origin of the API
    api_site: str  #: its registrable domain
    fixed_website: str | None  #: origin of the website; None where `website` decides per request
    website: Callable[[BaseRequest | None, dict[str, Any]], str | None]
    own_pages: OwnPages
    cookie_domain: str | None
    older_cookie_domain: str | None  #: "" expires cookies without Domain
    cookie_secure: bool
    refresh_token_path: str
    fixed_same_site: SameSite | None  #: None where the website of the request decides
    explicit_anti_csrf: AntiCsrf | None  #: the mode that `session.init` was given, if it was
    get_token_transfer_method: TransferChoice
    fixed_transfer: Allowed | None  #: the same for every request; None where the function decides
    expose_access_token_to_frontend_in_cookie_based_auth: bool
    session_expired_status_code: int
    invalid_claim_status_code: int
    use_dynamic_access_token_signing_key: bool
    jwks_refresh_interval_sec: int
    accepted_issuers: frozenset[str] | None  #: besides the API's own; None accepts all
    binds_devices: bool = False  #: whether clients may have a bound cookie
    renders_pages: bool = False  #: whether browsers come without a frontend SDK

    @cached_property
    def anti_csrf_mode(self) -> AntiCsrf:
        """The mode of every request: cookies that are checked may have been set under any other one."""
        return self.explicit_anti_csrf or ("NONE" if self._is_same_site else "VIA_CUSTOM_HEADER")

    @cached_property
    def relies_on_same_site(self) -> bool:
        """Whether `SameSite` is the only proof, because nobody asked for another one."""
        return self.explicit_anti_csrf is None and self._is_same_site

    @property
    def _is_same_site(self) -> bool:
        return self.fixed_same_site in ("lax", "strict")

    @cached_property
    def creates_anti_csrf_tokens(self) -> bool:
        """Whether sessions carry an anti-CSRF token of their own."""
        return self.explicit_anti_csrf == "VIA_TOKEN"

    def anti_csrf(self, request: BaseRequest | None, user_context: dict[str, Any]) -> AntiCsrf:
        """Return the anti-CSRF mode; no request decides what it must prove."""
        return self.anti_csrf_mode

    @property
    def anti_csrf_function_or_string(
        self,
    ) -> AntiCsrf | Callable[[BaseRequest | None, dict[str, Any]], AntiCsrf]:
        """The mode that `session.init` was given, or a function that returns the derived one."""
        return self.explicit_anti_csrf or self.anti_csrf

    def get_cookie_same_site(self, request: BaseRequest | None, user_context: dict[str, Any]) -> SameSite:
        """Return the SameSite of the cookies that this request gets (protocol: Sites)."""
        if self.fixed_same_site is not None:
            return self.fixed_same_site
        return same_site_between(self.api_domain, self.api_site, self.website(request, user_context))

    def allowed_transfer(self, request: BaseRequest, creating: bool, user_context: dict[str, Any]) -> Allowed:
        """Return how the tokens of a request may travel.

        Raises:
            ConfigError: the application's function returned something else.
        """
        if self.fixed_transfer is not None:
            return self.fixed_transfer
        answer: Any = self.get_token_transfer_method(request, creating, user_context)
        if answer not in ("any", "cookie", "header"):
            raise ConfigError(
                f'get_token_transfer_method returned {answer!r}; it must return "cookie", "header" or "any"'
            )
        return answer

    def transfer_of_new_session(
        self, request: BaseRequest, user_context: dict[str, Any]
    ) -> TokenTransferMethod:
        """Return how the tokens of a session that this request creates travel: as headers by default.

        A browser that sends a form of a page keeps nothing but cookies.
        """
        allowed = self.allowed_transfer(request, True, user_context)
        if allowed != "any":
            return allowed
        asked = auth_mode(request)
        if asked is None and self.renders_pages and (is_navigation(request) or is_htmx(request)):
            return "cookie"
        return "cookie" if asked == "cookie" else "header"

    def require_working_cookies(self, request: BaseRequest | None, user_context: dict[str, Any]) -> None:
        """Refuse a cookie session that browsers would drop: SameSite=None without Secure (protocol: Sites).

        Raises:
            ConfigError: says what to change.
            UnauthorisedError: the same, where an `origin` function decided it: no request causes a 500.
        """
        if self.get_cookie_same_site(request, user_context) != "none" or self.cookie_secure:
            return
        text = self.why_cookies_cannot_cross(self.website(request, user_context))
        if text is None:
            return
        if self.fixed_website is not None:
            raise ConfigError(text)
        log.warning("%s", text)
        raise UnauthorisedError(text, clear_tokens=False, code="cookies_impossible")

    def why_cookies_cannot_cross(self, website: str | None) -> str | None:
        """Return why SameSite=None without Secure fails, and what to change; None for two local sites."""
        if website is not None and self.api_site == site_of(website) == LOCAL_SITE:
            return None
        return (
            f"cookies cannot work here: the website ({website}) is on another site than the API "
            f"({self.api_domain}), and browsers keep such cookies over https only. Serve the API over "
            "https, with api_domain='https://...' and without cookie_secure=False, or let the frontend use "
            "header mode (tokenTransferMethod: 'header')"
        )


def same_site_between(api_domain: str, api_site: str, website: str | None) -> SameSite:
    """Return the SameSite of cookies of an API that a website (None: no web page) uses."""
    if website is None:
        return "none"
    is_same = site_of(website) == api_site and scheme_of(website) == scheme_of(api_domain)
    return "lax" if is_same else "none"


def normalise_same_site(text: str) -> SameSite:
    """Return `text` as a SameSite value.

    Raises:
        ConfigError: it is not a SameSite value.
    """
    match str(text).strip().lower():
        case "strict":
            return "strict"
        case "lax":
            return "lax"
        case "none":
            return "none"
        case _:
            raise ConfigError('cookie same site must be one of "strict", "lax", or "none"')


def get_token_transfer_method_default(
    req: BaseRequest, for_create_new_session: bool, user_context: dict[str, Any]
) -> TokenTransferMethod | Literal["any"]:
    """Accept both methods; create with the one that `st-auth-mode` asks for."""
    if not for_create_new_session:
        return "any"
    return auth_mode(req) or "any"


def auth_mode(request: BaseRequest) -> TokenTransferMethod | None:
    """Return what the client prefers for a new session, if it says so."""
    match (request.get_header(AUTH_MODE_HEADER_KEY) or "").lower():
        case "header":
            return "header"
        case "cookie":
            return "cookie"
        case _:
            return None
