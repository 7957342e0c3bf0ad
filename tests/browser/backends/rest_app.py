"""The backend of the browser tests on Django REST framework, for WSGI servers; what one session needs."""

from __future__ import annotations

from typing import Any

import shared
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path

shared.configure()
settings.configure(
    SECRET_KEY="only for tests",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=["supertokens_py.framework.django.django_middleware.middleware"],
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": ["supertokens_py.framework.django.rest.SessionAuthentication"],
        "DEFAULT_PERMISSION_CLASSES": ["supertokens_py.framework.django.rest.HasSession"],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "UNAUTHENTICATED_USER": None,
    },
    USE_TZ=True,
)
application = get_wsgi_application()

from rest_framework.decorators import api_view, authentication_classes, permission_classes  # noqa: E402  needs the settings
from rest_framework.response import Response  # noqa: E402  needs the settings

from supertokens_py.recipe.session.syncio import create_new_session  # noqa: E402  needs the settings


def page(request: Any, name: str) -> HttpResponse:
    found = shared.page_file(name)
    return HttpResponse(found[0], content_type=found[1]) if found else HttpResponse(status=404)


@api_view(["POST"])
@authentication_classes([])
@permission_classes([])
def login(request: Any) -> Response:
    create_new_session(request, "public", request.data["user"], request.data.get("payload", {}))
    return Response({"user": request.data["user"]})


@api_view(["GET", "POST"])
def me(request: Any) -> Response:
    return Response(shared.describe(request.auth))


@api_view(["POST"])
def merge(request: Any) -> Response:
    request.auth.sync_merge_into_access_token_payload(request.data)
    return Response(shared.describe(request.auth))


urlpatterns = [
    path("pages/<path:name>", page),
    path("login", login),
    path("me", me),
    path("merge", merge),
]
