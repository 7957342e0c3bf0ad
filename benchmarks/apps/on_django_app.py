"""The same route in Django REST framework and Django Ninja, under WSGI: bare, and with ours.

`BENCH_FRAMEWORK` (drf, ninja) and `BENCH_VARIANT` choose it.
"""

from __future__ import annotations

import os
from typing import Any

import django
from django.conf import settings

from apps import sdk
from apps.others_app import cpu, guarded, minted, user

settings.configure(
    ALLOWED_HOSTS=["*"],
    MIDDLEWARE=["supertokens_py.framework.django.django_middleware.middleware"] if guarded() else [],
    ROOT_URLCONF="apps.on_django_app",
    SECRET_KEY="benchmark",
    USE_TZ=True,
    REST_FRAMEWORK={"UNAUTHENTICATED_USER": None},
)
django.setup()

from django.core.wsgi import get_wsgi_application
from django.http import JsonResponse
from django.urls import path

if guarded():
    sdk.start(sdk.OURS, "django")


def login(request: Any) -> JsonResponse:
    response = JsonResponse({})
    if guarded():
        create = sdk.module(sdk.OURS, "recipe.session.syncio").create_new_session
        create(request, "public", "user-1", dict(sdk.CLAIMS))
    else:
        response.set_cookie("sAccessToken", minted())
    return response


def spent(request: Any) -> JsonResponse:
    return JsonResponse(cpu())


def _rest() -> Any:
    from rest_framework.decorators import (
        api_view,
        authentication_classes,
        permission_classes,
        renderer_classes,
    )
    from rest_framework.renderers import JSONRenderer
    from rest_framework.response import Response

    def me(request: Any) -> Any:
        return Response(user(request.auth))

    authentication, permissions = [], []
    if guarded():
        rest = sdk.module(sdk.OURS, "framework.django.rest")
        authentication, permissions = [rest.SessionAuthentication], [rest.HasSession]
    view = permission_classes(permissions)(renderer_classes([JSONRenderer])(me))
    return path("me", api_view(["GET"])(authentication_classes(authentication)(view)))


def _ninja() -> Any:
    from ninja import NinjaAPI

    api = NinjaAPI(docs_url=None, openapi_url=None)
    auth = None
    if guarded():
        ninja = sdk.module(sdk.OURS, "framework.django.ninja")
        ninja.setup(api)
        auth = ninja.SessionAuth()

    @api.get("/me", auth=auth)
    def me(request: Any) -> dict[str, str]:
        return user(getattr(request, "supertokens", None))

    return path("", api.urls)


_guarded_route = {"drf": _rest, "ninja": _ninja}[os.environ["BENCH_FRAMEWORK"]]()
urlpatterns = [path("login", login), path("cpu", spent), _guarded_route]
application = get_wsgi_application()
