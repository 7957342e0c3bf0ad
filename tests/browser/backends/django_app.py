"""The backend of the browser tests on Django: one file, settings included; async views or sync ones.

DJANGO_VIEWS=async serves async views (for ASGI), sync serves blocking ones (for WSGI).
"""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable
from typing import Any

import shared
from corsheaders.defaults import default_headers
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

from supertokens_py import get_all_cors_headers
from supertokens_py.recipe.userroles import PermissionClaim, UserRoleClaim

shared.configure()
settings.configure(
    SECRET_KEY="only for tests",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["corsheaders"],
    MIDDLEWARE=[
        "corsheaders.middleware.CorsMiddleware",
        "supertokens_py.framework.django.django_middleware.middleware",
    ],
    CORS_ALLOWED_ORIGINS=shared.ALLOWED_ORIGINS,
    CORS_ALLOW_CREDENTIALS=True,
    CORS_ALLOW_HEADERS=[*default_headers, *get_all_cors_headers()],
    USE_TZ=True,
    LOGGING={  # without it Django tells of errors by e-mail only
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"console": {"class": "logging.StreamHandler", "level": "ERROR"}},
        "root": {"handlers": ["console"]},
    },
)
ASYNC = os.environ["DJANGO_VIEWS"] == "async"

if ASYNC:
    from supertokens_py.recipe.session.asyncio import create_new_session, revoke_session
    from supertokens_py.recipe.session.framework.django.asyncio import verify_session
    from supertokens_py.recipe.userroles.asyncio import add_role_to_user, create_new_role_or_add_permissions
else:
    from supertokens_py.recipe.session.framework.django.syncio import verify_session
    from supertokens_py.recipe.session.syncio import create_new_session, revoke_session
    from supertokens_py.recipe.userroles.syncio import add_role_to_user, create_new_role_or_add_permissions

View = Callable[[HttpRequest], Any]


def view(answer: Callable[[HttpRequest], Any]) -> View:
    """Make a view of `answer`, whose result may be awaitable in the async backend; it is the JSON to send."""

    async def view_async(request: HttpRequest) -> HttpResponse:
        result = answer(request)
        return _response(await result if isinstance(result, Awaitable) else result)

    def view_sync(request: HttpRequest) -> HttpResponse:
        return _response(answer(request))

    return view_async if ASYNC else view_sync


def _response(result: Any) -> HttpResponse:
    return result if isinstance(result, HttpResponse) else JsonResponse(result, safe=False)


def page(request: HttpRequest, name: str) -> HttpResponse:
    found = shared.page_file(name)
    return HttpResponse(found[0], content_type=found[1]) if found else HttpResponse(status=404)


def describe(request: HttpRequest) -> Any:
    return shared.describe(request.supertokens)


def me_or_nobody(request: HttpRequest) -> Any:
    return {"user": request.supertokens.get_user_id() if request.supertokens else None}


def complete_second_factor(request: HttpRequest) -> Any:
    """The user has shown the second factor; the session does not know yet."""
    shared.second_factor_done[request.supertokens.get_user_id()] = True
    return {}


def forbidden(_: HttpRequest) -> Any:
    """The application's own 403, which is no claim failure."""
    return HttpResponse(status=403)


def accept_post(request: HttpRequest) -> Any:
    shared.accepted_posts.append(request.supertokens.get_user_id())
    return {}


if ASYNC:

    async def login(request: HttpRequest) -> Any:
        body = json.loads(request.body)
        await create_new_session(request, "public", body["user"], body.get("payload", {}))
        return {"user": body["user"]}

    async def merge(request: HttpRequest) -> Any:
        await request.supertokens.merge_into_access_token_payload(json.loads(request.body))
        return describe(request)

    async def revoke_me(request: HttpRequest) -> Any:
        await request.supertokens.revoke_session()
        return {}

    async def refetch_second_factor(request: HttpRequest) -> Any:
        await request.supertokens.fetch_and_set_claim(shared.SecondFactorClaim)
        return {}

    async def become_admin(request: HttpRequest) -> Any:
        await create_new_role_or_add_permissions("admin", ["write"])
        await add_role_to_user("public", request.supertokens.get_user_id(), "admin")
        await request.supertokens.fetch_and_set_claim(UserRoleClaim)
        await request.supertokens.fetch_and_set_claim(PermissionClaim)
        return {}

    async def revoke(request: HttpRequest) -> Any:
        return {"revoked": await revoke_session(request.GET["handle"])}

else:

    def login(request: HttpRequest) -> Any:
        body = json.loads(request.body)
        create_new_session(request, "public", body["user"], body.get("payload", {}))
        return {"user": body["user"]}

    def merge(request: HttpRequest) -> Any:
        request.supertokens.sync_merge_into_access_token_payload(json.loads(request.body))
        return describe(request)

    def revoke_me(request: HttpRequest) -> Any:
        request.supertokens.sync_revoke_session()
        return {}

    def refetch_second_factor(request: HttpRequest) -> Any:
        request.supertokens.sync_fetch_and_set_claim(shared.SecondFactorClaim)
        return {}

    def become_admin(request: HttpRequest) -> Any:
        create_new_role_or_add_permissions("admin", ["write"])
        add_role_to_user("public", request.supertokens.get_user_id(), "admin")
        request.supertokens.sync_fetch_and_set_claim(UserRoleClaim)
        request.supertokens.sync_fetch_and_set_claim(PermissionClaim)
        return {}

    def revoke(request: HttpRequest) -> Any:
        return {"revoked": revoke_session(request.GET["handle"])}


def protected(answer: Callable[[HttpRequest], Any], **options: Any) -> View:
    """Make a view that needs a session."""
    return verify_session(**options)(view(answer))


urlpatterns = [
    path("pages/<path:name>", page),
    path("login", view(login)),
    path("public", view(lambda _: {"public": True})),
    path("optional", protected(me_or_nobody, session_required=False)),
    path("me", protected(describe)),
    path("checked", protected(describe, check_database=True)),
    path("merge", protected(merge)),
    path("revoke-me", protected(revoke_me)),
    path(
        "second-factor",
        protected(describe, override_global_claim_validators=shared.require_second_factor),
    ),
    path("second-factor/complete", protected(complete_second_factor)),
    path("second-factor/refetch", protected(refetch_second_factor)),
    path("admin", protected(describe, override_global_claim_validators=shared.require_admin)),
    path("become-admin", protected(become_admin)),
    path("forbidden", protected(forbidden)),
    path("form", protected(accept_post)),
    path("form-without-check", protected(accept_post, anti_csrf_check=False)),
    path("test/accepted-posts", view(lambda _: shared.accepted_posts)),
    path("test/revoke", view(revoke)),
]
