"""The backend of the browser tests on Django Ninja, for ASGI servers; what one session needs."""

from __future__ import annotations

import json
from typing import Any

import shared
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpResponse
from django.urls import path

shared.configure()
settings.configure(
    SECRET_KEY="only for tests",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=["supertokens_py.framework.django.django_middleware.middleware"],
    USE_TZ=True,
)
application = get_asgi_application()

from ninja import NinjaAPI  # noqa: E402  needs the settings

from supertokens_py.framework.django.ninja import SessionAuth, setup  # noqa: E402  needs the settings
from supertokens_py.recipe.session.asyncio import create_new_session  # noqa: E402  needs the settings

api = NinjaAPI(auth=SessionAuth())
setup(api)


def page(request: Any, name: str) -> HttpResponse:
    found = shared.page_file(name)
    return HttpResponse(found[0], content_type=found[1]) if found else HttpResponse(status=404)


@api.post("/login", auth=None)
async def login(request: Any) -> dict[str, Any]:
    body = json.loads(request.body)
    await create_new_session(request, "public", body["user"], body.get("payload", {}))
    return {"user": body["user"]}


@api.api_operation(["GET", "POST"], "/me")
def me(request: Any) -> dict[str, Any]:
    return shared.describe(request.auth)


@api.post("/merge")
async def merge(request: Any) -> dict[str, Any]:
    await request.auth.merge_into_access_token_payload(json.loads(request.body))
    return shared.describe(request.auth)


urlpatterns = [
    path("pages/<path:name>", page),
    path("", api.urls),
]
