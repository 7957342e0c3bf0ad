"""System checks of settings that a browser would stumble over: CORS, CSRF and the domains of cookies.

They are about websites on another origin than the API, as `init` names the two.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning  # Django's names
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch
from django.utils.module_loading import import_string

from supertokens_py.framework.web_settings import WebSettings, web_settings

CORS: Final = "corsheaders.middleware.CorsMiddleware"
USERS: Final = "supertokens_py.framework.django.users.user_middleware"
_CSRF: Final = "django.middleware.csrf.CsrfViewMiddleware"
_EXPOSED: Final = ("front-token", "st-access-token", "st-refresh-token", "anti-csrf")


def check_browser(**_: Any) -> list[CheckMessage]:
    """Look for settings with which a browser loses its session, or never gets one."""
    web = web_settings()
    if web is None:
        return []  # `check_settings` says so
    found = [*_cookies(web), *_login_pages(web)]
    if web.website is not None and web.website != web.api:
        found += _cors(web) if CORS in settings.MIDDLEWARE else [_no_cors(web)]
    return found


def check_forms(**_: Any) -> list[CheckMessage]:
    """Look for a website whose requests Django's own CSRF check would refuse."""
    web = web_settings()
    if web is None or web.website in (None, web.api) or _CSRF not in settings.MIDDLEWARE:
        return []
    if "rest_framework" in settings.INSTALLED_APPS or _is_trusted(str(web.website)):
        return []  # views of REST framework are exempt
    return [
        Warning(
            f"Django's CSRF check refuses what {web.website} sends to views that are not csrf_exempt.",
            hint=f'CSRF_TRUSTED_ORIGINS = ["{web.website}"]; silence this where all such views are exempt',
            id="supertokens.W006",
        )
    ]


def allowed_origins() -> list[str] | None:
    """Return the origins that django-cors-headers allows, "*" for all; None where they are not known."""
    if CORS not in settings.MIDDLEWARE:
        return None
    conf = import_string("corsheaders.conf.conf")
    if conf.CORS_ALLOW_ALL_ORIGINS:
        return ["*"]
    return None if conf.CORS_ALLOWED_ORIGIN_REGEXES else [*conf.CORS_ALLOWED_ORIGINS]


def _no_cors(web: WebSettings) -> CheckMessage:
    return Warning(
        f"The website {web.website} is another origin than the API, and nothing allows it to ask.",
        hint=f'add "{CORS}" to MIDDLEWARE, at the top; silence this if a proxy writes the headers of CORS',
        id="supertokens.W004",
    )


def _cors(web: WebSettings) -> Iterator[CheckMessage]:
    website, conf = str(web.website), import_string("corsheaders.conf.conf")
    if not conf.CORS_ALLOW_CREDENTIALS:
        yield Error(
            "CORS does not allow credentials: browsers send and keep no cookies of the API.",
            hint="CORS_ALLOW_CREDENTIALS = True",
            id="supertokens.E004",
        )
    allowed = {name.lower() for name in conf.CORS_ALLOW_HEADERS}
    missing = [name for name in ("content-type", *web.cors_headers) if name.lower() not in allowed]
    if missing:
        yield Error(
            f"CORS does not allow headers that frontends send: {', '.join(missing)}.",
            hint="CORS_ALLOW_HEADERS = [*default_headers, *get_all_cors_headers()], below a call of init",
            id="supertokens.E005",
        )
    if conf.CORS_ALLOW_ALL_ORIGINS:
        yield Warning(
            "CORS allows every website: any of them can act in the name of users who visit it.",
            hint=f'CORS_ALLOWED_ORIGINS = ["{website}"] in the place of CORS_ALLOW_ALL_ORIGINS',
            id="supertokens.W005",
        )
    elif not _allows(conf, website):
        yield Error(
            f"CORS does not allow the website {website}.",
            hint=f'CORS_ALLOWED_ORIGINS = ["{website}"]',
            id="supertokens.E006",
        )
    yield from _cors_of_answers(conf, web)


def _cors_of_answers(conf: Any, web: WebSettings) -> Iterator[CheckMessage]:
    exposed = {name.lower() for name in conf.CORS_EXPOSE_HEADERS}
    if exposed and not exposed.issuperset(_EXPOSED):
        yield Error(
            "CORS_EXPOSE_HEADERS takes the place of what the SDK exposes, so that frontends see no tokens.",
            hint=f"leave it out, or add {', '.join(_EXPOSED)}",
            id="supertokens.E007",
        )
    path = f"{web.base_path}/session/refresh"
    if not re.match(conf.CORS_URLS_REGEX, path):
        yield Error(
            f"CORS_URLS_REGEX leaves the SDK's own routes out, such as {path}: no client could refresh.",
            hint=f'CORS_URLS_REGEX = r"^({web.base_path}|/api)/.*$", with your own paths',
            id="supertokens.E008",
        )


def _cookies(web: WebSettings) -> Iterator[CheckMessage]:
    given: str | None = settings.SESSION_COOKIE_DOMAIN
    if given and given.lstrip(".") != (web.cookie_domain or "").lstrip("."):
        yield Warning(
            "SESSION_COOKIE_DOMAIN is about Django's own session cookie, not about those of SuperTokens.",
            hint=f'session.init(cookie_domain="{given}") if other hosts are to get them; silence this if not',
            id="supertokens.W007",
        )


def _login_pages(web: WebSettings) -> Iterator[CheckMessage]:
    """Compare the two log-in pages of a project whose `request.user` is that of the session."""
    if web.login_path is None or USERS not in settings.MIDDLEWARE:
        return
    djangos = _login_url().removeprefix(web.api)
    if djangos.rstrip("/") != web.login_path.rstrip("/"):
        yield Warning(
            f'login_required sends visitors to "{djangos}", and verify_session to "{web.login_path}".',
            hint=f'LOGIN_URL = "{web.login_path}", or the same in PageSettings(login_path=...)',
            id="supertokens.W008",
        )


def _login_url() -> str:
    try:
        return resolve_url(settings.LOGIN_URL)
    except NoReverseMatch:
        return str(settings.LOGIN_URL)


def _allows(conf: Any, website: str) -> bool:
    if website in {origin.lower() for origin in conf.CORS_ALLOWED_ORIGINS}:
        return True
    return any(re.match(pattern, website) for pattern in conf.CORS_ALLOWED_ORIGIN_REGEXES)


def _is_trusted(website: str) -> bool:
    scheme, _, host = website.partition("://")
    trusted = {origin.lower() for origin in settings.CSRF_TRUSTED_ORIGINS}
    parents = (host[at + 1 :] for at, letter in enumerate(host) if letter == ".")
    return website in trusted or any(f"{scheme}://*.{parent}" in trusted for parent in parents)
