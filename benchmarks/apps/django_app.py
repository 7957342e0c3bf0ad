"""One Django view, sync (WSGI) or async (ASGI), guarded in as many ways as there are contestants.

Django has one configuration per process: `BENCH_VARIANT` and `BENCH_MODE` (wsgi or asgi) choose it.
"""

from __future__ import annotations

import os
import time
from typing import Any

import django
from django.conf import settings

from apps import sdk
from support import tokens

VARIANT = os.environ.get("BENCH_VARIANT", "bare")
ASYNC = os.environ.get("BENCH_MODE", "wsgi") == "asgi"
OWNER, _, KIND = VARIANT.partition(": ")
PACKAGE = {"ours": sdk.OURS, "supertokens-python": sdk.THEIRS}.get(OWNER)

middleware: list[str] = []
if PACKAGE:
    middleware = [f"{PACKAGE}.framework.django.django_middleware.middleware"]
elif VARIANT != "bare":
    middleware = ["django.contrib.sessions.middleware.SessionMiddleware"]
    if VARIANT == "login_required":
        middleware.append("django.contrib.auth.middleware.AuthenticationMiddleware")

if not settings.configured:
    settings.configure(
        ALLOWED_HOSTS=["*"],
        AUTHENTICATION_BACKENDS=["apps.django_app.OneUser"],
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"],
        LOGGING={
            "version": 1,
            "disable_existing_loggers": False,
            "handlers": {"console": {"class": "logging.StreamHandler", "level": "ERROR"}},
            "loggers": {"django.request": {"handlers": ["console"]}},
        },
        MIDDLEWARE=middleware,
        ROOT_URLCONF="apps.django_app",
        SECRET_KEY="benchmark",
        SESSION_COOKIE_SECURE=False,
        SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
        USE_TZ=True,
    )
    django.setup()

from django.contrib.auth import alogin, login
from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path

USER = User(pk=1, username="user-1", is_active=True)


class OneUser(BaseBackend):
    """A user in memory, so that no database is measured."""

    def get_user(self, user_id: int) -> User:
        return USER

    async def aget_user(self, user_id: int) -> User:
        return USER


def _supertokens_views() -> tuple[Any, Any]:
    assert PACKAGE
    sdk.start(PACKAGE, "django")
    half = "asyncio" if ASYNC else "syncio"
    session = sdk.module(PACKAGE, f"recipe.session.{half}")
    verify_session = sdk.module(PACKAGE, f"recipe.session.framework.django.{half}").verify_session
    validators = sdk.two_validators(PACKAGE) if KIND == "2 validators" else None
    guard = verify_session(override_global_claim_validators=validators) if validators else verify_session()
    arguments = ("public", sdk.user(PACKAGE), dict(sdk.CLAIMS))
    if ASYNC:

        async def me(request: HttpRequest) -> JsonResponse:
            return JsonResponse({"user": request.supertokens.get_user_id()})

        async def sign_in(request: HttpRequest) -> JsonResponse:
            await session.create_new_session(request, *arguments)
            return JsonResponse({})
    else:

        def me(request: HttpRequest) -> JsonResponse:
            return JsonResponse({"user": request.supertokens.get_user_id()})

        def sign_in(request: HttpRequest) -> JsonResponse:
            session.create_new_session(request, *arguments)
            return JsonResponse({})

    return (_bare_views()[0] if KIND == "middleware" else guard(me)), sign_in


def _bare_views() -> tuple[Any, Any]:
    if ASYNC:

        async def me(request: HttpRequest) -> JsonResponse:
            return JsonResponse({"user": "user-1"})
    else:

        def me(request: HttpRequest) -> JsonResponse:
            return JsonResponse({"user": "user-1"})

    def sign_in(
        request: HttpRequest,
    ) -> JsonResponse:  # a token, so that every variant gets requests of one size
        response = JsonResponse({})
        response.set_cookie("sAccessToken", tokens.mint(tokens.new_key(), tokens.payload(), kid="d-1"))
        return response

    return me, sign_in


def _session_views() -> tuple[Any, Any]:
    if ASYNC:

        async def me(request: HttpRequest) -> JsonResponse:
            user = await request.session.aget("user")
            return JsonResponse({"user": user}, status=200 if user else 401)

        async def sign_in(request: HttpRequest) -> JsonResponse:
            await request.session.aset("user", "user-1")
            return JsonResponse({})
    else:

        def me(request: HttpRequest) -> JsonResponse:
            user = request.session.get("user")
            return JsonResponse({"user": user}, status=200 if user else 401)

        def sign_in(request: HttpRequest) -> JsonResponse:
            request.session["user"] = "user-1"
            return JsonResponse({})

    return me, sign_in


def _login_required_views() -> tuple[Any, Any]:
    from django.contrib.auth.signals import user_logged_in

    user_logged_in.disconnect(dispatch_uid="update_last_login")
    if ASYNC:

        async def me(request: HttpRequest) -> JsonResponse:
            return JsonResponse({"user": (await request.auser()).username})

        async def sign_in(request: HttpRequest) -> JsonResponse:
            await alogin(request, USER, backend="apps.django_app.OneUser")
            return JsonResponse({})
    else:

        def me(request: HttpRequest) -> JsonResponse:
            return JsonResponse({"user": request.user.username})

        def sign_in(request: HttpRequest) -> JsonResponse:
            login(request, USER, backend="apps.django_app.OneUser")
            return JsonResponse({})

    return login_required(me), sign_in


def cpu(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"ns": time.process_time_ns()})


if PACKAGE:
    _me, _sign_in = _supertokens_views()
else:
    _views = {
        "bare": _bare_views,
        "signed-cookie session": _session_views,
        "login_required": _login_required_views,
    }
    _me, _sign_in = _views[VARIANT]()
urlpatterns = [path("me", _me), path("login", _sign_in), path("cpu", cpu)]
application = get_asgi_application() if ASYNC else get_wsgi_application()
