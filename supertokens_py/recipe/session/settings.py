"""The arguments of `session.init`, and the policy that they make together with those of `init`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from supertokens_py.config import AppInfo
from supertokens_py.exceptions import ConfigError
from supertokens_py.framework.cookies import SameSite
from supertokens_py.recipe.base import RecipeSettings
from supertokens_py.recipe.overrides import OverrideConfig, check_override
from supertokens_py.runtime.deprecation import warn_deprecated
from supertokens_py.settings import explains_unknown_arguments
from supertokens_py.urls import cookie_domain, scheme_of

from .api import APIInterface
from .constants import SESSION_REFRESH, AntiCsrf
from .device_binding.settings import DeviceBindingChoice, binding_settings, check_binding
from .devices.settings import DeviceSettings
from .features.event_settings import EventSettings
from .features.guests import NO_GUESTS, GuestSettings
from .features.instant_revocation import InstantRevocation
from .features.lifetimes import LifetimeChoice, SessionLifetime
from .features.limits import LimitChoice, SessionLimit
from .functions import RecipeInterface
from .lifecycle.impersonation_settings import Impersonation
from .lifecycle.optional_features import OptionalFeatures, feature_checks, revocation_settings
from .policy.origins import OwnPages
from .policy.session_policy import (
    Allowed,
    SessionPolicy,
    TransferChoice,
    get_token_transfer_method_default,
    normalise_same_site,
    same_site_between,
)
from .policy.settings_log import log_what_was_derived, warn_of_lost_cookies
from .responses.errors import ErrorHandlers, InputErrorHandlers
from .responses.pages import PageSettings


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


@explains_unknown_arguments("session.init")
@dataclass(frozen=True)
class SessionSettings(RecipeSettings):
    """The arguments of `session.init`; put the result into `recipe_list`.

    Args:
        cookie_domain: Domain attribute of the cookies; None keeps them on the API's host.
        older_cookie_domain: the previous `cookie_domain` ("" if there was none), whose cookies are expired.
        cookie_secure: Secure attribute; default: the API is https.
        cookie_same_site: "lax", "strict" or "none"; default: "lax", or "none" for a website on another site.
        session_expired_status_code: status of unauthorised, try-refresh and theft answers [401].
        anti_csrf: "VIA_TOKEN", "VIA_CUSTOM_HEADER" or "NONE"; default: "NONE" where SameSite protects
            (lax, strict), else "VIA_CUSTOM_HEADER".
        get_token_transfer_method: "cookie", "header" or "any", or a function
            (request, creating, user_context) that returns one of them.
        error_handlers: hooks that write the error responses.
        override: your changes to functions and APIs.
        invalid_claim_status_code: status of failed claims [403].
        use_dynamic_access_token_signing_key: sign with keys that rotate [True].
        expose_access_token_to_frontend_in_cookie_based_auth: also send the access token as a header [False].
        jwks_refresh_interval_sec: seconds after which verification keys are loaded again [14400].
        jwt: older JWT switch; deprecated.
        accepted_issuers: `iss` of access tokens that are accepted besides this API's own, such as
            "https://api.example.org/auth" of another API domain on the same database; "any" compares nothing.
        devices: keep what users need to recognise their devices in a list of sessions.
        lifetime: how long sessions live, or a function (user_id, tenant_id, user_context) that says so.
        limit: how many sessions a user may have at once, or a function as for `lifetime`.
        events: keep what happened to sessions in the database.
        instant_revocation: have every process refuse ended sessions within seconds, without asking the
            database at each request [False]; `InstantRevocation(...)` for other settings than its defaults.
        impersonation: who may act as another user.
        step_up: put into new sessions when and how the user authenticated, so that routes can ask for a
            fresh authentication (`AuthenticationClaim`) [False].
        guests: how visitors are treated who have a session (`create_guest_session`) but have not signed in.
        pages: redirect browsers that navigate, where the server renders pages.
        device_binding: "auto", or a `DeviceBinding`, binds sessions in cookies to a key of the device, where
            the browser can (Device Bound Session Credentials); experimental.

    Raises:
        ConfigError: an argument cannot work; the message names it.
    """

    cookie_domain: str | None = None
    older_cookie_domain: str | None = None
    cookie_secure: bool | None = None
    cookie_same_site: SameSite | None = None
    session_expired_status_code: int | None = None
    anti_csrf: AntiCsrf | None = None
    get_token_transfer_method: TransferChoice | Allowed | None = None
    error_handlers: InputErrorHandlers | None = None
    override: InputOverrideConfig | None = None
    invalid_claim_status_code: int | None = None
    use_dynamic_access_token_signing_key: bool | None = None
    expose_access_token_to_frontend_in_cookie_based_auth: bool | None = None
    jwks_refresh_interval_sec: int | None = None
    jwt: JWTConfig | dict[str, Any] | None = None
    accepted_issuers: Sequence[str] | Literal["any"] | None = None
    devices: DeviceSettings | None = None
    lifetime: SessionLifetime | LifetimeChoice | None = None
    limit: SessionLimit | LimitChoice | None = None
    events: EventSettings | None = None
    instant_revocation: InstantRevocation | bool | None = None
    impersonation: Impersonation | None = None
    step_up: bool | None = None
    guests: GuestSettings | None = None
    pages: PageSettings | None = None
    device_binding: DeviceBindingChoice | None = None

    def __post_init__(self) -> None:
        _check(self)
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


_Test: TypeAlias = tuple[Callable[[Any], bool], str]
_IS_FLAG: _Test = (lambda value: isinstance(value, bool), "True, False or None, not {value!r}")
_IS_TEXT: _Test = (lambda value: isinstance(value, str), "a string or None, not {value!r}")
_IS_STATUS: _Test = (
    lambda value: type(value) is int and 200 <= value <= 599,
    "an HTTP status code, not {value!r}",
)
#: Each setting that may be None: what else it may be, and how an error says it.
_CHECKS: tuple[tuple[str, Callable[[Any], bool], str], ...] = (
    (
        "error_handlers",
        lambda value: isinstance(value, ErrorHandlers),
        "an instance of ErrorHandlers or None",
    ),
    *feature_checks(),
    ("jwt", lambda value: isinstance(value, JWTConfig | dict), "a JWTConfig or None"),
    (
        "get_token_transfer_method",
        lambda value: callable(value) or value in ("any", "cookie", "header"),
        'a function, "any", "cookie", "header" or None',
    ),
    (
        "anti_csrf",
        lambda value: value in ("VIA_TOKEN", "VIA_CUSTOM_HEADER", "NONE"),
        "one of VIA_TOKEN, VIA_CUSTOM_HEADER, NONE or None",
    ),
    ("session_expired_status_code", *_IS_STATUS),
    ("invalid_claim_status_code", *_IS_STATUS),
    ("cookie_domain", *_IS_TEXT),
    ("older_cookie_domain", *_IS_TEXT),
    ("cookie_secure", *_IS_FLAG),
    ("use_dynamic_access_token_signing_key", *_IS_FLAG),
    ("expose_access_token_to_frontend_in_cookie_based_auth", *_IS_FLAG),
    (
        "jwks_refresh_interval_sec",
        lambda value: type(value) is int and value >= 1,
        "a whole number of seconds, not {value!r}",
    ),
)


def _check(given: SessionSettings) -> None:
    for name, is_possible, wanted in _CHECKS:
        value: Any = getattr(given, name)
        if value is not None and not is_possible(value):
            raise ConfigError(f"{name} must be {wanted.format(value=value)}")
    for name, hook in vars(given.error_handlers).items() if given.error_handlers else ():
        if name.startswith("on_") and hook is not None and not callable(hook):
            raise ConfigError(f"error_handlers.{name} must be a function or None")
    check_override(given.override)
    if given.cookie_same_site is not None:
        normalise_same_site(given.cookie_same_site)
    expired, invalid = _status_codes(given)
    if expired == invalid:
        raise ConfigError(
            f"session_expired_status_code and invalid_claim_status_code cannot be the same ({expired})"
        )
    _accepted_issuers(given.accepted_issuers)


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
    expired, invalid = given.session_expired_status_code, given.invalid_claim_status_code
    return 401 if expired is None else expired, 403 if invalid is None else invalid


@dataclass(frozen=True, kw_only=True)
class SessionConfig(SessionPolicy):
    """The policy, and what the application gave besides; read-only."""

    app_info: AppInfo
    optional_features: OptionalFeatures
    error_handlers: ErrorHandlers
    override: InputOverrideConfig

    @property
    def framework(self) -> str | None:
        """The framework that `init` was given."""
        return self.app_info.framework

    @property
    def mode(self) -> str:
        """Whether the application is served as "asgi" or "wsgi"."""
        return self.app_info.mode


def resolve(given: SessionSettings, app_info: AppInfo) -> SessionConfig:
    """Return what the arguments of `session.init` and `init` make together; log what deserves a look."""
    secure, older = given.cookie_secure, given.older_cookie_domain
    expired_status, invalid_status = _status_codes(given)
    choose_transfer, fixed_transfer = _transfer(given.get_token_transfer_method)
    config = SessionConfig(
        app_info=app_info,
        optional_features=OptionalFeatures(
            devices=given.devices,
            lifetime=given.lifetime,
            limit=given.limit,
            events=given.events,
            instant_revocation=revocation_settings(given.instant_revocation),
            impersonation=given.impersonation,
            step_up=given.step_up is True,
            guests=given.guests or NO_GUESTS,
            pages=given.pages,
            device_binding=binding_settings(given.device_binding),
        ),
        api_domain=app_info.api_domain,
        api_site=app_info.top_level_api_domain,
        fixed_website=app_info.fixed_origin,
        website=app_info.website,
        own_pages=OwnPages.of(app_info.api_domain, app_info.fixed_origin),
        cookie_domain=cookie_domain(given.cookie_domain) if given.cookie_domain else None,
        older_cookie_domain=cookie_domain(older) if older else older,
        cookie_secure=scheme_of(app_info.api_domain) == "https" if secure is None else secure,
        refresh_token_path=f"{app_info.api_base_path}{SESSION_REFRESH}",
        fixed_same_site=_fixed_same_site(given.cookie_same_site, app_info),
        explicit_anti_csrf=given.anti_csrf,
        get_token_transfer_method=choose_transfer,
        fixed_transfer=fixed_transfer,
        expose_access_token_to_frontend_in_cookie_based_auth=bool(
            given.expose_access_token_to_frontend_in_cookie_based_auth
        ),
        session_expired_status_code=expired_status,
        invalid_claim_status_code=invalid_status,
        use_dynamic_access_token_signing_key=given.use_dynamic_access_token_signing_key is not False,
        jwks_refresh_interval_sec=given.jwks_refresh_interval_sec or 14_400,
        accepted_issuers=_accepted_issuers(given.accepted_issuers),
        renders_pages=given.pages is not None,
        binds_devices=given.device_binding is not None,
        error_handlers=given.error_handlers or ErrorHandlers(),
        override=given.override or InputOverrideConfig(),
    )
    check_binding(config.optional_features.device_binding, config)
    log_what_was_derived(config)
    warn_of_lost_cookies(config, given.cookie_same_site)
    return config


def _transfer(given: TransferChoice | Allowed | None) -> tuple[TransferChoice, Allowed | None]:
    """Return the function that chooses the transfer method, and its answer where that is always the same."""
    if given in (None, "any", get_token_transfer_method_default):
        return get_token_transfer_method_default, "any"
    if callable(given):
        return given, None
    return lambda request, creating, user_context: given, given


def _fixed_same_site(given: SameSite | None, app_info: AppInfo) -> SameSite | None:
    """Return the SameSite value where it is the same for every request, else None."""
    if given is not None:
        return normalise_same_site(given)
    website = app_info.fixed_origin
    if website is None:
        return None
    return same_site_between(app_info.api_domain, app_info.top_level_api_domain, website)
