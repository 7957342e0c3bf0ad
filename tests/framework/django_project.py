"""A Django project in one file, with users of its own, which `test_django_idioms` runs in a process.

    python -m tests.framework.django_project COMMAND...

`COMMAND` is one of `manage.py`, or `visit`, which prints what visitors of its pages see as JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any, ClassVar

import django
from asgiref.sync import async_to_sync
from django.conf import settings

from supertokens_py import InputAppInfo, SupertokensConfig
from supertokens_py.recipe import session

ORIGIN = "http://localhost:8000"
WEBSITE = os.environ.get("PROJECT_WEBSITE", ORIGIN)

settings.configure(
    ALLOWED_HOSTS=["*"],
    SECRET_KEY="only for tests",
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "supertokens_py.framework.django",
    ],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["PROJECT_DATABASE"]}},
    MIDDLEWARE=[
        "supertokens_py.framework.django.django_middleware.middleware",
        "supertokens_py.framework.django.users.user_middleware",
        *json.loads(os.environ.get("PROJECT_MIDDLEWARE", "[]")),
    ],
    LOGIN_URL="/login",
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {"context_processors": ["supertokens_py.framework.django.context.session"]},
        }
    ],
    SUPERTOKENS={
        "app_info": InputAppInfo(app_name="Shop", api_domain=ORIGIN, website_domain=WEBSITE),
        "supertokens_config": SupertokensConfig(os.environ["PROJECT_SESSIONS"]),
        "recipe_list": [session.init()],
    },
    USE_TZ=True,
)
django.setup()

# isort: split
from django.contrib.auth.decorators import login_not_required  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command, execute_from_command_line  # noqa: E402
from django.db import connection  # noqa: E402
from django.http import HttpRequest, HttpResponse, JsonResponse  # noqa: E402
from django.template import engines  # noqa: E402
from django.test import AsyncClient, Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402
from django.urls import path  # noqa: E402
from django.utils.decorators import method_decorator  # noqa: E402
from django.views import View  # noqa: E402

from supertokens_py.framework.django.views import SessionRequiredMixin, session_required  # noqa: E402
from supertokens_py.recipe.session.asyncio import create_guest_session, create_new_session  # noqa: E402
from supertokens_py.recipe.session.framework.django.syncio import verify_session  # noqa: E402


@login_not_required
async def login(request: HttpRequest) -> HttpResponse:
    if request.POST["user"] == "guest":
        await create_guest_session(request)
    else:
        await create_new_session(request, "public", request.POST["user"])
    return HttpResponse()


def name_of_user(request: Any) -> JsonResponse:
    return JsonResponse({"user": request.user.username, "known": request.user.is_authenticated})


async def name_of_auser(request: Any) -> JsonResponse:
    user, again = await request.auser(), await request.auser()
    return JsonResponse({"user": user.username, "same": user is again})


async def blocks(request: Any) -> JsonResponse:
    try:
        return JsonResponse({"user": request.user.username})
    except Exception as error:
        return JsonResponse({"error": str(error)})


def asks_for_nobody(request: HttpRequest) -> HttpResponse:
    return HttpResponse("anybody")


@session_required
def guarded(request: Any) -> JsonResponse:
    return JsonResponse({"session": request.supertokens.get_user_id()})


@session_required(check_database=True)
async def guarded_async(request: Any) -> JsonResponse:
    return JsonResponse({"session": request.supertokens.get_user_id()})


@session_required(allow_guests=True)
def user_of_anybody(request: Any) -> JsonResponse:
    return JsonResponse({"guest": request.supertokens.is_guest, "known": request.user.is_authenticated})


class Guarded(SessionRequiredMixin, View):
    session_options: ClassVar[dict[str, Any]] = {"check_database": True}

    def get(self, request: Any) -> JsonResponse:
        return JsonResponse({"session": request.supertokens.get_user_id()})


class GuardedAsync(SessionRequiredMixin, View):
    async def get(self, request: Any) -> JsonResponse:
        return JsonResponse({"session": request.supertokens.get_user_id()})


@method_decorator(verify_session(), name="dispatch")
class Dispatched(View):
    def get(self, request: Any) -> JsonResponse:
        return JsonResponse({"session": request.supertokens.get_user_id()})


def page(request: HttpRequest) -> HttpResponse:
    text = "{% if session %}{{ session.get_user_id }}{% else %}visitor{% endif %}"
    return HttpResponse(engines["django"].from_string(text).render({}, request))


@session_required(session_required=False)
async def page_async(request: HttpRequest) -> HttpResponse:
    return page(request)


async def page_blocks(request: HttpRequest) -> HttpResponse:
    try:
        return page(request)
    except Exception as error:
        return JsonResponse({"error": str(error)})


urlpatterns = [
    path("login", login),
    path("user", name_of_user),
    path("auser", name_of_auser),
    path("blocks", blocks),
    path("nobody", asks_for_nobody),
    path("guarded", guarded),
    path("guarded-async", guarded_async),
    path("guests", user_of_anybody),
    path("class", Guarded.as_view()),
    path("class-async", GuardedAsync.as_view()),
    path("dispatch", Dispatched.as_view()),
    path("page", page),
    path("page-async", page_async),
    path("page-blocks", page_blocks),
]


def seen(response: Any) -> list[Any]:
    is_json = response.headers.get("Content-Type", "").startswith("application/json")
    body = json.loads(response.content) if is_json else response.content.decode()
    return [response.status_code, body or response.headers.get("Location", "")]


def visit() -> dict[str, Any]:
    """Return what visitors see: by path, without a session, of a user and of one who has no row."""
    call_command("migrate", verbosity=0)
    ada = User.objects.create(username="ada")
    paths = [f"/{one.pattern}" for one in urlpatterns if str(one.pattern) != "login"]
    result: dict[str, Any] = {}
    visitors = {"nobody": None, "ada": str(ada.pk), "stranger": "5b8f-not-a-number", "forger": str(ada.pk)}
    visitors["guest"] = "guest"
    visitors["misspelt"] = f"0_{ada.pk}"
    visitors["inactive"] = str(User.objects.create(username="bob", is_active=False).pk)
    for visitor, user_id in visitors.items():
        client, async_client = Client(), AsyncClient()
        if user_id is not None:
            client.post("/login", {"user": user_id}, headers={"st-auth-mode": "cookie"})
            async_client.cookies = client.cookies
        if visitor == "forger":
            head, _, _ = client.cookies["sAccessToken"].value.rpartition(".")
            client.cookies["sAccessToken"] = f"{head}.AAAA"
        for one in paths:
            result[f"{visitor} {one}"] = seen(client.get(one))
            result[f"{visitor} async {one}"] = seen(asyncio.run(_get(async_client, one)))
        for one in ("/nobody", "/user", "/auser"):
            with CaptureQueriesContext(connection) as queries:
                client.get(one)
            # Django's functions of an async view then run in this thread, on this connection.
            with CaptureQueriesContext(connection) as async_queries:
                async_to_sync(async_client.get)(one)
            result[f"{visitor} queries {one}"] = [len(queries), len(async_queries)]
    return result


async def _get(client: AsyncClient, where: str) -> Any:
    return await client.get(where)


if __name__ == "__main__":
    if sys.argv[1] == "visit":
        print(json.dumps(visit()))
    else:
        execute_from_command_line(sys.argv)
