"""System checks: `manage.py check`, and `check --deploy` for what only matters in production."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning  # Django's names

from supertokens_py.framework.adapter import api_domain, keeps_sessions_in_a_file

from .browser_checks import CORS, USERS

OURS: Final = "supertokens_py.framework.django.django_middleware.middleware"
_SAME: Final = frozenset((OURS, "supertokens_py.framework.django.middleware"))
_DJANGOUSERS: Final = "django.contrib.auth.middleware.AuthenticationMiddleware"


def check_settings(**_: Any) -> list[CheckMessage]:
    """Look for settings with which sessions cannot work."""
    found: list[CheckMessage] = []
    names: list[str] = list(settings.MIDDLEWARE)
    ours = _place(names, _SAME)
    if ours is None:
        hint = f'add "{OURS}" to MIDDLEWARE, after the CORS middleware and before your own'
        found.append(Error("The SuperTokens middleware is missing.", hint=hint, id="supertokens.E001"))
    cors = _place(names, {CORS})
    if ours is not None and cors is not None and cors > ours:
        found.append(
            Error(
                "The CORS middleware stands below that of SuperTokens, whose answers get no CORS headers.",
                hint=f'put "{CORS}" first in MIDDLEWARE',
                id="supertokens.E002",
            )
        )
    if api_domain() is None:
        hint = "call supertokens_py.init in the settings, or set SUPERTOKENS"
        found.append(Error("supertokens_py.init was not called.", hint=hint, id="supertokens.E003"))
    users, djangos = _place(names, {USERS}), _place(names, {_DJANGOUSERS})
    if users is not None and djangos is not None and users < djangos:
        found.append(
            Warning(
                "request.user is that of Django's own log-in, not that of the SuperTokens session.",
                hint=f'put "{USERS}" after "{_DJANGOUSERS}" in MIDDLEWARE',
                id="supertokens.W003",
            )
        )
    return found


def check_deployment(**_: Any) -> list[CheckMessage]:
    """Look for what would only fail behind a proxy, or with more than one machine."""
    found: list[CheckMessage] = []
    api = api_domain()
    if api is None:
        return found  # `check_settings` says so
    if api.startswith("https://") and settings.SECURE_PROXY_SSL_HEADER is None:
        found.append(
            Warning(
                "The API is https, but Django is not told which requests are.",
                hint="set SECURE_PROXY_SSL_HEADER to the header of your proxy, if one ends TLS",
                id="supertokens.W001",
            )
        )
    if keeps_sessions_in_a_file():
        found.append(
            Warning(
                "Sessions are kept in a SQLite file: every machine would have sessions of its own.",
                hint="set connection_uri to a postgresql:// database, if there is more than one machine",
                id="supertokens.W002",
            )
        )
    return found


def _place(names: Sequence[str], wanted: frozenset[str] | set[str]) -> int | None:
    return next((at for at, name in enumerate(names) if name in wanted), None)
