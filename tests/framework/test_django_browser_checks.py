"""System checks of CORS, CSRF and cookie domains: each is found where it applies, and silent where not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from io import StringIO
from typing import Any

import pytest

from .clients import django_settings  # noqa: F401  must be first

# isort: split
from corsheaders.defaults import default_headers
from django.core.management.base import CommandError
from django.test import override_settings
from django.urls import path

from supertokens_py import InputAppInfo, SupertokensConfig, get_all_cors_headers, init
from supertokens_py.app import Supertokens
from supertokens_py.framework.django.browser_checks import CORS, check_browser, check_forms
from supertokens_py.framework.django.management.commands.supertokens import Command
from supertokens_py.recipe import session
from supertokens_py.recipe.session import PageSettings

OURS = "supertokens_py.framework.django.django_middleware.middleware"
CSRF = "django.middleware.csrf.CsrfViewMiddleware"
SHOP, API = "https://shop.example.com", "https://api.example.com"
USERS = "supertokens_py.framework.django.users.user_middleware"
ANY = object()
LOGIN = PageSettings(login_path="/login")
urlpatterns = [path("login", lambda request: None, name="log-in")]  # type: ignore[arg-type, return-value]


@pytest.fixture(autouse=True)
def no_app() -> Iterator[None]:
    Supertokens.reset()
    yield
    Supertokens.reset()


def start(website: Any = SHOP, **arguments: Any) -> None:
    place: Any = {"origin": lambda *_: SHOP} if website is ANY else {"website_domain": website}
    init(
        app_info=InputAppInfo(app_name="Shop", api_domain=API, **place),
        supertokens_config=SupertokensConfig("sqlite://"),
        recipe_list=[session.init(**arguments)],
    )


def good() -> dict[str, Any]:
    return {
        "MIDDLEWARE": [CORS, OURS],
        "CORS_ALLOWED_ORIGINS": [SHOP],
        "CORS_ALLOW_CREDENTIALS": True,
        "CORS_ALLOW_HEADERS": [*default_headers, *get_all_cors_headers()],
    }


@pytest.mark.parametrize(
    ("changed", "ids"),
    [
        ({}, []),
        ({"CORS_ALLOWED_ORIGINS": [], "CORS_ALLOWED_ORIGIN_REGEXES": [r"^https://\w+\.example\.com$"]}, []),
        (
            {
                "CORS_EXPOSE_HEADERS": [
                    "X-Own",
                    "front-token",
                    "st-access-token",
                    "st-refresh-token",
                    "anti-csrf",
                ]
            },
            [],
        ),
        ({"CORS_URLS_REGEX": r"^/(auth|api)/.*$"}, []),
        ({"MIDDLEWARE": [OURS]}, ["supertokens.W004"]),
        ({"CORS_ALLOW_CREDENTIALS": False}, ["supertokens.E004"]),
        ({"CORS_ALLOW_HEADERS": default_headers}, ["supertokens.E005"]),
        ({"CORS_ALLOW_ALL_ORIGINS": True}, ["supertokens.W005"]),
        ({"CORS_ALLOWED_ORIGINS": ["https://other.example.com"]}, ["supertokens.E006"]),
        ({"CORS_EXPOSE_HEADERS": ["X-Own"]}, ["supertokens.E007"]),
        ({"CORS_URLS_REGEX": r"^/api/.*$"}, ["supertokens.E008"]),
    ],
)
def test_cors_of_another_origin_is_checked(changed: dict[str, Any], ids: list[str]) -> None:
    """CP-40: each is found, with what to do about it."""
    start()
    with override_settings(**{**good(), **changed}):
        found = check_browser()
    assert [one.id for one in found] == ids
    assert all(one.hint for one in found)


def test_headers_that_are_missing_are_named() -> None:
    start()
    with override_settings(**{**good(), "CORS_ALLOW_HEADERS": [*default_headers, "rid", "fdi-version"]}):
        (found,) = check_browser()
    assert found.msg == "CORS does not allow headers that frontends send: anti-csrf, st-auth-mode."


@pytest.mark.parametrize("website", [API, ANY])
def test_cors_is_not_asked_for_without_another_origin(website: Any) -> None:
    """Where the website is decided request by request, nobody knows what the settings ought to be."""
    start(website)
    with override_settings(MIDDLEWARE=[OURS, CSRF]):
        assert (check_browser(), check_forms()) == ([], [])


def test_nothing_is_said_before_init() -> None:
    with override_settings(MIDDLEWARE=[OURS, CSRF]):
        assert (check_browser(), check_forms()) == ([], [])


@pytest.mark.parametrize(
    ("djangos", "ours", "ids"),
    [
        (None, None, []),
        (".example.com", None, ["supertokens.W007"]),
        (".example.com", "api.example.com", ["supertokens.W007"]),
        ("example.com", ".example.com", []),
    ],
)
def test_the_domain_of_the_other_session_cookie_is_not_taken_for_ours(
    djangos: str | None, ours: str | None, ids: list[str]
) -> None:
    start(API, cookie_domain=ours)
    with override_settings(MIDDLEWARE=[OURS], SESSION_COOKIE_DOMAIN=djangos):
        assert [one.id for one in check_browser()] == ids


@pytest.mark.parametrize(
    ("changed", "pages", "ids"),
    [
        ({}, LOGIN, ["supertokens.W008"]),  # Django's own is /accounts/login/
        ({"LOGIN_URL": "nowhere"}, LOGIN, ["supertokens.W008"]),
        ({"LOGIN_URL": "https://other.example.com/login"}, LOGIN, ["supertokens.W008"]),
        ({"LOGIN_URL": "/login"}, LOGIN, []),
        ({"LOGIN_URL": "/login/"}, LOGIN, []),
        ({"LOGIN_URL": f"{API}/login"}, LOGIN, []),
        ({"LOGIN_URL": "log-in"}, LOGIN, []),
        ({"MIDDLEWARE": [OURS]}, LOGIN, []),  # login_required asks Django's own log-in
        ({}, None, []),
    ],
)
def test_the_two_log_in_pages_are_compared(
    changed: dict[str, Any], pages: PageSettings | None, ids: list[str]
) -> None:
    """A visitor is sent to one page, whichever of the two guards a view."""
    start(API, pages=pages)
    with override_settings(**{"MIDDLEWARE": [OURS, USERS], "ROOT_URLCONF": __name__, **changed}):
        found = check_browser()
    assert [one.id for one in found] == ids
    assert all('LOGIN_URL = "/login"' in str(one.hint) for one in found)


@pytest.mark.parametrize(
    ("changed", "ids"),
    [
        ({}, ["supertokens.W006"]),
        (
            {"CSRF_TRUSTED_ORIGINS": ["https://other.example.com", "http://*.example.com"]},
            ["supertokens.W006"],
        ),
        ({"CSRF_TRUSTED_ORIGINS": [SHOP]}, []),
        ({"CSRF_TRUSTED_ORIGINS": ["https://*.example.com"]}, []),
        ({"MIDDLEWARE": [OURS]}, []),
        ({"INSTALLED_APPS": ["rest_framework"]}, []),
    ],
)
def test_websites_that_the_csrf_check_refuses_are_found(changed: dict[str, Any], ids: list[str]) -> None:
    start()
    with override_settings(**{"MIDDLEWARE": [CSRF, OURS], **changed}):
        assert [one.id for one in check_forms()] == ids


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({}, f"{SHOP} may call the API with credentials"),
        ({"CORS_ALLOWED_ORIGINS": ["https://a.com"]}, f"{SHOP} is not among the allowed origins"),
        ({"CORS_ALLOW_ALL_ORIGINS": True}, "a browser refuses credentials where the allowed origin is '*'"),
        ({"CORS_ALLOWED_ORIGIN_REGEXES": ["x"]}, "(say --cors-origin to have the origins checked)"),
        ({"MIDDLEWARE": [OURS]}, "(say --cors-origin to have the origins checked)"),
    ],
)
def test_the_doctor_of_a_project_knows_its_domains_and_origins(changed: dict[str, Any], text: str) -> None:
    start(cookie_domain="example.com")
    out = StringIO()
    command = Command(stdout=out)
    # The command fails where a finding is an error.
    with override_settings(**{**good(), **changed}), suppress(CommandError):
        command.handle(arguments=["doctor", "--no-store", "--json"])
    texts = [one["text"] for one in json.loads(out.getvalue())["findings"]]
    assert f"the website {SHOP} is the same site as the API {API}" in texts
    assert "every host under example.com gets the session cookies; each must be trusted" in texts
    assert [one for one in texts if one.endswith(text)]
