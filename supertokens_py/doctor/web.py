"""What a browser would make of domains, cookies and CORS. Pure: settings in, findings out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from supertokens_py.exceptions import ConfigError
from supertokens_py.normalised_url_path import NormalisedURLPath
from supertokens_py.recipe.session.policy import cookie_diagnosis
from supertokens_py.urls import (
    api_origin,
    cookie_domain,
    dropped_paths,
    host_of,
    is_local,
    scheme_of,
    schemeful_site,
    site_of,
)

from .device_binding import check_device_binding
from .findings import Finding

SameSite: TypeAlias = Literal["lax", "strict", "none"]
AntiCsrf: TypeAlias = Literal["VIA_TOKEN", "VIA_CUSTOM_HEADER", "NONE"]
Transfer: TypeAlias = Literal["cookie", "header", "any"]

_COOKIES = "cookies"
_CORS = "CORS"
_DOMAINS = "domains"
_LAX_WILL_DO = "leave cookie_same_site at its default: website and API are one site, Lax cookies are sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSettings:
    """The arguments of `init` and `session.init` that affect a browser; None means the default."""

    api_domain: str
    website_domain: str
    api_base_path: str = "/auth"
    website_base_path: str = "/auth"
    same_site: SameSite | None = None
    secure: bool | None = None
    cookie_domain: str | None = None
    anti_csrf: AntiCsrf | None = None
    transfer: Transfer = "any"
    cors_origins: Sequence[str] | None = None
    device_binding: bool = False
    initiators: Sequence[str] = ()


def check_web(settings: WebSettings) -> list[Finding]:
    """Return everything that is noteworthy about the settings."""
    try:
        api, website = api_origin(settings.api_domain), api_origin(settings.website_domain)
        api_site, website_site = site_of(api), site_of(website)
    except ConfigError as error:
        return [Finding("error", _DOMAINS, str(error), "correct the domain; `init` refuses it too")]
    pair = _Pair(
        settings, api, website, cross_site=api_site != website_site or scheme_of(api) != scheme_of(website)
    )
    found = [*_domains(pair), *_cors(pair)]
    if settings.transfer != "header":
        found += [*_cookies(pair), *_cookie_domain(pair), *_anti_csrf(pair)]
    if settings.device_binding:
        found += check_device_binding(
            api,
            website,
            secure=pair.secure,
            cookie_domain=settings.cookie_domain,
            transfer=settings.transfer,
            initiators=settings.initiators,
            cors_origins=settings.cors_origins,
        )
    return found


@dataclass(frozen=True, slots=True)
class _Pair:
    settings: WebSettings
    api: str
    website: str
    cross_site: bool  #: as `init` derives SameSite: local names and IP addresses pass for one site

    @property
    def is_one_site(self) -> bool:
        """Whether they are one site to a browser."""
        return schemeful_site(self.api) == schemeful_site(self.website)

    @property
    def differs_in_scheme_only(self) -> bool:
        return site_of(self.api) == site_of(self.website) and scheme_of(self.api) != scheme_of(self.website)

    @property
    def same_site(self) -> SameSite:
        return self.settings.same_site or ("none" if self.cross_site else "lax")

    @property
    def secure(self) -> bool:
        given = self.settings.secure
        return scheme_of(self.api) == "https" if given is None else given


def _domains(pair: _Pair) -> Iterator[Finding]:
    relation = "the same site as" if pair.is_one_site else "another site than"
    yield Finding("ok", _DOMAINS, f"the website {pair.website} is {relation} the API {pair.api}")
    given = pair.settings
    for dropped in dropped_paths(
        given.api_domain,
        NormalisedURLPath(given.api_base_path),
        given.website_domain,
        NormalisedURLPath(given.website_base_path),
    ):
        yield Finding("warning", _DOMAINS, dropped.text, dropped.advice)
    for name, origin in (("website", pair.website), ("API", pair.api)):
        if scheme_of(origin) == "http" and not is_local(host_of(origin)):
            yield Finding(
                "warning",
                _DOMAINS,
                f"the {name} {origin} is plain http: tokens can be read and changed on the way",
                "serve it over https",
            )
    if (
        scheme_of(pair.website) == "https"
        and scheme_of(pair.api) == "http"
        and not is_local(host_of(pair.api))
    ):
        yield Finding(
            "error",
            _DOMAINS,
            "a page on https may not call an API on http (mixed content)",
            "serve the API over https",
        )


def _cookies(pair: _Pair) -> Iterator[Finding]:
    same_site, secure = pair.same_site, pair.secure
    yield Finding(
        "ok", _COOKIES, f"session cookies are SameSite={same_site.capitalize()}{'; Secure' if secure else ''}"
    )
    for loss in (
        cookie_diagnosis.by_name(pair.api, pair.website, cross_sites=same_site == "none" and secure),
        cookie_diagnosis.by_secure(pair.api, secure),
    ):
        if loss is not None:
            yield Finding("error", _COOKIES, loss.text, loss.advice)
    if not secure and scheme_of(pair.api) == "https":
        yield Finding(
            "warning",
            _COOKIES,
            "without Secure the cookies also travel over http",
            "leave cookie_secure at its default",
        )
    if same_site == "none" and not secure:
        yield Finding(
            "error",
            _COOKIES,
            "a browser refuses SameSite=None without Secure: the session is lost at once",
            "serve the API over https, or have website and API on one site"
            if not pair.is_one_site
            else _LAX_WILL_DO,
        )
    elif same_site == "none" and pair.is_one_site:
        yield Finding(
            "warning",
            _COOKIES,
            "SameSite=None cookies also come with requests from other sites, and are not needed here",
            _LAX_WILL_DO,
        )
    if pair.cross_site and same_site != "none":
        yield Finding(
            "error",
            _COOKIES,
            f"SameSite={same_site.capitalize()} cookies are not sent from {pair.website} to {pair.api}",
            "serve website and API both over https: to a browser the scheme is a part of the site"
            if pair.differs_in_scheme_only
            else "leave cookie_same_site at its default, or have website and API on one site",
        )
    if same_site == "none" and not pair.is_one_site:
        yield Finding(
            "warning",
            _COOKIES,
            "browsers that block third-party cookies (Safari, private windows of Chrome) lose the session",
            "have the API on a subdomain of the website, or use header-based sessions",
        )


def _cookie_domain(pair: _Pair) -> Iterator[Finding]:
    given = pair.settings.cookie_domain
    if (loss := cookie_diagnosis.by_domain(pair.api, given)) is not None:
        yield Finding("error", _COOKIES, loss.text, loss.advice)
    elif given is not None and (domain := cookie_domain(given).lstrip(".")) != host_of(pair.api):
        yield Finding(
            "note", _COOKIES, f"every host under {domain} gets the session cookies; each must be trusted"
        )


def _anti_csrf(pair: _Pair) -> Iterator[Finding]:
    anti_csrf = pair.settings.anti_csrf or ("VIA_CUSTOM_HEADER" if pair.same_site == "none" else "NONE")
    if anti_csrf == "NONE" and pair.same_site == "none":
        yield Finding(
            "error",
            _COOKIES,
            "with SameSite=None and no anti-CSRF any website can act for a logged-in user",
            "leave anti_csrf at its default, or choose VIA_TOKEN",
        )
    else:
        yield Finding("ok", _COOKIES, f"anti-CSRF is {anti_csrf}")


def _cors(pair: _Pair) -> Iterator[Finding]:
    if pair.website == pair.api:
        yield Finding("ok", _CORS, "website and API are one origin: no CORS is needed")
        return
    origins = pair.settings.cors_origins
    if origins is None:
        yield Finding(
            "note",
            _CORS,
            f"the API must allow the origin {pair.website} with credentials, and the headers that "
            "get_all_cors_headers() names (say --cors-origin to have the origins checked)",
        )
        return
    if "*" in origins:
        yield Finding(
            "error",
            _CORS,
            "a browser refuses credentials where the allowed origin is '*'",
            f"allow {pair.website} by name",
        )
    elif pair.website not in [origin.rstrip("/").lower() for origin in origins]:
        near = [origin for origin in origins if host_of(origin.lower()) == host_of(pair.website)]
        hint = f" ({near[0]} differs in scheme, port or path)" if near else ""
        yield Finding(
            "error",
            _CORS,
            f"{pair.website} is not among the allowed origins{hint}",
            f"allow exactly {pair.website}",
        )
    else:
        yield Finding("ok", _CORS, f"{pair.website} may call the API with credentials")
    yield from (
        Finding(
            "error", _CORS, f"the origin {origin!r} ends with '/': browsers send none", "remove the slash"
        )
        for origin in origins
        if origin.endswith("/")
    )
