"""The arguments of `session.init`, and the configuration that they make together with the app's."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from supertokens_py.deprecation import warn_deprecated
from supertokens_py.exceptions import ConfigError
from supertokens_py.framework.cookies import SameSite
from supertokens_py.framework.request import BaseRequest
from supertokens_py.framework.response import BaseResponse
from supertokens_py.recipe.overrides import OverrideConfig, check_override
from supertokens_py.urls import cookie_domain, scheme_of, site_of

from . import cookie_checks
from .constants import AUTH_MODE_HEADER_KEY, SESSION_REFRESH, AntiCsrf, TokenTransferMethod
from .exceptions import ClaimValidationError
from .origins import OwnPages

if TYPE_CHECKING:
    from supertokens_py.config import AppInfo

    from .api import APIInterface
    from .functions import RecipeInterface

log: logging.Logger = logging.getLogger(__name__)

MessageHook: TypeAlias = Callable[[BaseRequest, str, BaseResponse], Awaitable[BaseResponse] | BaseResponse]
ClaimHook: TypeAlias = Callable[
    [BaseRequest, list[ClaimValidationError], BaseResponse], Awaitable[BaseResponse] | BaseResponse
]
TransferChoice: TypeAlias = Callable[
    [BaseRequest, bool, dict[str, Any]], TokenTransferMethod | Literal["any"]
]


class ErrorHandlers:
    """The hooks that write the responses of session errors; None keeps the default response.

    Each may be sync or async, gets the response with tokens already cleared where they are, and
    returns the response to send.
    """

    def __init__(
        self,
        on_token_theft_detected: Callable[..., Awaitable[BaseResponse] | BaseResponse] | None = None,
        on_try_refresh_token: MessageHook | None = None,
        on_unauthorised: MessageHook | None = None,
        on_invalid_claim: ClaimHook | None = None,
        on_clear_duplicate_session_cookies: MessageHook | None = None,
    ) -> None:
        self.on_token_theft_detected = on_token_theft_detected
        self.on_try_refresh_token = on_try_refresh_token
        self.on_unauthorised = on_unauthorised
        self.on_invalid_claim = on_invalid_claim
        self.on_clear_duplicate_session_cookies = on_clear_duplicate_session_cookies


class InputErrorHandlers(ErrorHandlers):
    """Your hooks for session errors.

    `on_token_theft_detected` gets (request, session_handle, user_id, response), or with five parameters
    (request, session_handle, user_id, recipe_user_id, response); if it takes a `reason` by name, it gets
    the kind of reuse as well. The others get (request, message or claim errors, response).
    """


class InputOverrideConfig(OverrideConfig):
    """Your changes to the session recipe; `openid_feature` changes the OpenID and JWT parts."""

    def __init__(
        self,
        functions: Callable[[RecipeInterface], RecipeInterface] | None = None,
        apis: Callable[[APIInterface], APIInterface] | None = None,
        openid_feature: OverrideConfig | None = None,
    ) -> None:
        super().__init__(functions, apis)
        self.openid_feature = openid_feature


@dataclass(frozen=True)
class JWTConfig:
    """The older switch of the JWT feature; the access token is a JWT itself now, so only `issuer` counts."""

    enable: bool
    property_name_in_access_token_payload: str | None = None
    issuer: str | None = None


@dataclass(frozen=True)
class SessionSettings:
    """The arguments of `session.init`; put the result into `recipe_list`.

    Args:
        cookie_domain: Domain attribute of the cookies; None keeps them on the API's host.
        older_cookie_domain: the previous `cookie_domain` ("" if there was none), whose cookies are expired.
        cookie_secure: Secure attribute; default: the API is https.
        cookie_same_site: "lax", "strict" or "none"; default: "none" for a website on another site.
        session_expired_status_code: status of unauthorised, try-refresh and theft answers [401].
        anti_csrf: "VIA_TOKEN", "VIA_CUSTOM_HEADER" or "NONE"; default: the header when SameSite is none.
        get_token_transfer_method: (request, creating, user_context) -> "cookie", "header" or "any".
        error_handlers: hooks that write the error responses.
        override: your changes to functions and APIs.
        invalid_claim_status_code: status of failed claims [403].
        use_dynamic_access_token_signing_key: sign with keys that rotate [True].
        expose_access_token_to_frontend_in_cookie_based_auth: also send the access token as a header [False].
        jwks_refresh_interval_sec: seconds after which verification keys are loaded again [14400].
        jwt: older JWT switch; deprecated.
        accepted_issuers: `iss` of access tokens that are accepted besides this API's own, such as
            "https://api.example.org/auth" of another API domain on the same database; "any" compares nothing.

    Raises:
        ConfigError: an argument cannot work; the message names it.
    """

    cookie_domain: str | None = None
    older_cookie_domain: str | None = None
    cookie_secure: bool | None = None
    cookie_same_site: SameSite | None = None
    session_expired_status_code: int | None = None
    anti_csrf: AntiCsrf | None = None
    get_token_transfer_method: TransferChoice | None = None
    error_handlers: InputErrorHandlers | None = None
    override: InputOverrideConfig | None = None
    invalid_claim_status_code: int | None = None
    use_dynamic_access_token_signing_key: bool | None = None
    expose_access_token_to_frontend_in_cookie_based_auth: bool | None = None
    jwks_refresh_interval_sec: int | None = None
    jwt: JWTConfig | dict[str, Any] | None = None
    accepted_issuers: Sequence[str] | Literal["any"] | None = None

    def __post_init__(self) -> None:
        _check_types(self)
        if self.jwt is not None:
            warn_deprecated(
                "session.init(jwt=...) is deprecated: the access token is a JWT itself; leave it out"
            )

    @property
    def issuer(self) -> str | None:
        """The issuer that the older JWT switch asks for."""
        if isinstance(self.jwt, dict):
            return self.jwt.get("issuer")
        return self.jwt.issuer if self.jwt else None


def _check_types(given: SessionSettings) -> None:
    handlers: Any = given.error_handlers
    if handlers is not None and not isinstance(handlers, ErrorHandlers):
        raise ConfigError("error_handlers must be an instance of ErrorHandlers or None")
    for name, hook in vars(given.error_handlers).items() if given.error_handlers else ():
        if name.startswith("on_") and hook is not None and not callable(hook):
            raise ConfigError(f"error_handlers.{name} must be a function or None")
    jwt: Any = given.jwt
    if jwt is not None and not isinstance(jwt, JWTConfig | dict):
        raise ConfigError("jwt must be a JWTConfig or None")
    check_override(given.override)
    transfer: Any = given.get_token_transfer_method
    if transfer is not None and not callable(transfer):
        raise ConfigError("get_token_transfer_method must be a function or None")
    if given.anti_csrf not in (None, "VIA_TOKEN", "VIA_CUSTOM_HEADER", "NONE"):
        raise ConfigError("anti_csrf must be one of VIA_TOKEN, VIA_CUSTOM_HEADER, NONE or None")
    if given.cookie_same_site is not None:
        normalise_same_site(given.cookie_same_site)
    expired, invalid = _status_codes(given)
    if expired == invalid:
        raise ConfigError(
            f"session_expired_status_code and invalid_claim_status_code cannot be the same ({expired})"
        )
    for name in ("cookie_domain", "older_cookie_domain"):
        value = getattr(given, name)
        if value is not None and not isinstance(value, str):
            raise ConfigError(f"{name} must be a text or None, not {value!r}")
    for name in (
        "cookie_secure",
        "use_dynamic_access_token_signing_key",
        "expose_access_token_to_frontend_in_cookie_based_auth",
    ):
        value = getattr(given, name)
        if value is not None and not isinstance(value, bool):
            raise ConfigError(f"{name} must be True, False or None, not {value!r}")
    _accepted_issuers(given.accepted_issuers)
    interval: Any = given.jwks_refresh_interval_sec
    if interval is not None and (isinstance(interval, bool) or not isinstance(interval, int) or interval < 1):
        raise ConfigError(f"jwks_refresh_interval_sec must be a whole number of seconds, not {interval!r}")


def _accepted_issuers(given: Sequence[str] | Literal["any"] | None) -> frozenset[str] | None:
    """Return the issuers besides one's own; None accepts all.

    Raises:
        ConfigError: it is neither a list of URLs nor "any".
    """
    if given == "any":
        return None
    values: list[Any] = []
    if isinstance(given, list | tuple | set | frozenset):
        values = list(given)
    elif given is not None:
        values = [None]
    if not all(isinstance(value, str) and "://" in value for value in values):
        raise ConfigError(
            'accepted_issuers must be a list of issuers such as "https://api.example.org/auth", or "any", '
            f"not {given!r}"
        )
    return frozenset(value.rstrip("/") for value in values)


def _status_codes(given: SessionSettings) -> tuple[int, int]:
    codes: list[int] = []
    for name, default in (("session_expired_status_code", 401), ("invalid_claim_status_code", 403)):
        value: Any = getattr(given, name)
        code: Any = default if value is None else value
        if isinstance(code, bool) or not isinstance(code, int) or not 200 <= code <= 599:
            raise ConfigError(f"{name} must be an HTTP status code, not {value!r}")
        codes.append(code)
    return codes[0], codes[1]


def normalise_same_site(text: str) -> SameSite:
    """Return `text` as a SameSite value.

    Raises:
        ConfigError: it is none.
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


def normalise_session_scope(text: str) -> str:
    """Return a cookie domain in the form that goes on the wire; older name of `urls.cookie_domain`."""
    return cookie_domain(text)


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


class SessionConfig:
    """What `session.init` and `init` decide together; read-only after `init`."""

    def __init__(self, given: SessionSettings, app_info: AppInfo) -> None:
        self.app_info = app_info
        self.framework: str | None = app_info.framework
        self.mode = app_info.mode
        self.refresh_token_path: str = f"{app_info.api_base_path}{SESSION_REFRESH}"
        self.cookie_domain: str | None = cookie_domain(given.cookie_domain) if given.cookie_domain else None
        older = given.older_cookie_domain
        self.older_cookie_domain: str | None = cookie_domain(older) if older else older
        secure = given.cookie_secure
        self.cookie_secure: bool = scheme_of(app_info.api_domain) == "https" if secure is None else secure
        self.session_expired_status_code: int
        self.invalid_claim_status_code: int
        self.session_expired_status_code, self.invalid_claim_status_code = _status_codes(given)
        self.error_handlers: ErrorHandlers = given.error_handlers or ErrorHandlers()
        self.get_token_transfer_method: TransferChoice = (
            given.get_token_transfer_method or get_token_transfer_method_default
        )
        self.override: InputOverrideConfig = given.override or InputOverrideConfig()
        self.use_dynamic_access_token_signing_key: bool = (
            given.use_dynamic_access_token_signing_key is not False
        )
        self.expose_access_token_to_frontend_in_cookie_based_auth: bool = bool(
            given.expose_access_token_to_frontend_in_cookie_based_auth
        )
        self.jwks_refresh_interval_sec: int = given.jwks_refresh_interval_sec or 14_400
        #: the mode that `session.init` was given, if it was
        self.explicit_anti_csrf: AntiCsrf | None = given.anti_csrf
        self.accepted_issuers: frozenset[str] | None = _accepted_issuers(given.accepted_issuers)
        self._same_site: SameSite | None = self._fixed_same_site(given.cookie_same_site)
        strict = self._same_site in ("lax", "strict")
        #: the mode of every request: the cookies that are checked may have been set for any other
        self.anti_csrf_mode: AntiCsrf = given.anti_csrf or ("NONE" if strict else "VIA_CUSTOM_HEADER")
        #: whether `SameSite` is the only proof, because nobody asked for another one
        self.relies_on_same_site: bool = given.anti_csrf is None and strict
        self.own_pages: OwnPages = OwnPages.of(app_info)
        self._log_what_was_derived(given)
        if given.cookie_same_site is not None and self._same_site == "none" and not self.cookie_secure:
            log.warning(
                "cookie_same_site is none and the API is not https: browsers drop such cookies, so nobody "
                "stays signed in. Leave cookie_same_site out, or serve the API over https."
            )
        for loss in (
            cookie_checks.by_secure(app_info.api_domain, self.cookie_secure),
            cookie_checks.by_domain(app_info.api_domain, self.cookie_domain),
            cookie_checks.by_name(app_info.api_domain, app_info.fixed_origin or app_info.api_domain),
        ):
            if loss is not None:
                log.warning("%s; %s", loss.text, loss.advice)

    def _fixed_same_site(self, given: SameSite | None) -> SameSite | None:
        """Return the SameSite value where it is the same for every request, else None."""
        if given is not None:
            return normalise_same_site(given)
        origin = self.app_info.fixed_origin
        return None if origin is None else self._same_site_with(origin)

    def _same_site_with(self, origin: str | None) -> SameSite:
        if origin is None:
            return "none"
        api = self.app_info.api_domain
        same = site_of(origin) == self.app_info.top_level_api_domain and scheme_of(origin) == scheme_of(api)
        return "lax" if same else "none"

    def get_cookie_same_site(self, request: BaseRequest | None, user_context: dict[str, Any]) -> SameSite:
        """Return the SameSite of the cookies that this request gets (protocol: Sites)."""
        if self._same_site is not None:
            return self._same_site
        return self._same_site_with(self.app_info.website(request, user_context))

    def anti_csrf(self, request: BaseRequest | None, user_context: dict[str, Any]) -> AntiCsrf:
        """Return the anti-CSRF mode; no request decides what it must prove."""
        return self.anti_csrf_mode

    @property
    def anti_csrf_function_or_string(
        self,
    ) -> AntiCsrf | Callable[[BaseRequest | None, dict[str, Any]], AntiCsrf]:
        """The mode that `session.init` was given, or a function that returns the derived one."""
        return self.explicit_anti_csrf or self.anti_csrf

    def _log_what_was_derived(self, given: SessionSettings) -> None:
        if given.anti_csrf is None:
            log.info(
                "anti_csrf is %s (derived): cookies are SameSite=%s",
                self.anti_csrf_mode,
                self._same_site or "lax or none, as the function `origin` answers",
            )
        elif given.anti_csrf == "NONE" and self._same_site in ("none", None):
            log.warning(
                "anti_csrf is NONE and cookies may be SameSite=None: any website can act as your users. "
                "Leave anti_csrf out, or set cookie_same_site to lax or strict"
            )

    def allowed_transfer(
        self, request: BaseRequest, creating: bool, user_context: dict[str, Any]
    ) -> TokenTransferMethod | Literal["any"]:
        """Ask how tokens may travel.

        Raises:
            ConfigError: the application's function answered something else.
        """
        answer: Any = self.get_token_transfer_method(request, creating, user_context)
        if answer not in ("any", "cookie", "header"):
            raise ConfigError(
                f'get_token_transfer_method returned {answer!r}; it must return "cookie", "header" or "any"'
            )
        return answer
