"""A project that keeps pages which ask for their user, which `test_django_caches` runs in a process.

    python -m tests.framework.django_cached_users

prints as JSON what Ada, Bob and a stranger see of each page, one after the other and twice, by the place of
the cache and the kind of server.
"""

from __future__ import annotations

import json
from typing import Any

import django
from asgiref.sync import async_to_sync
from django.conf import settings

from supertokens_py import InputAppInfo, SupertokensConfig
from supertokens_py.recipe import session

ORIGIN = "http://localhost"
OURS = "supertokens_py.framework.django.django_middleware.middleware"
USERS = "supertokens_py.framework.django.users.user_middleware"
LOGIN_REQUIRED = "django.contrib.auth.middleware.LoginRequiredMiddleware"
CACHE = "django.middleware.cache.CacheMiddleware"
STORES = "django.middleware.cache.UpdateCacheMiddleware"
FETCHES = "django.middleware.cache.FetchFromCacheMiddleware"
#: `MIDDLEWARE` by the place of the cache.
PLACES = {
    "cache_page": [OURS, USERS],
    "below": [OURS, USERS, CACHE],
    "between": [OURS, CACHE, USERS],
    "around": [STORES, OURS, USERS, FETCHES],
    "members, cache_page": [OURS, USERS, LOGIN_REQUIRED],
    "members, below": [OURS, USERS, LOGIN_REQUIRED, CACHE],
}

settings.configure(
    ALLOWED_HOSTS=["*"],
    SECRET_KEY="only for tests",
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "supertokens_py.framework.django",
    ],
    CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {"context_processors": ["django.contrib.auth.context_processors.auth"]},
        }
    ],
    LOGIN_URL="/login",
    SUPERTOKENS={
        "app_info": InputAppInfo(app_name="Shop", api_domain=ORIGIN, website_domain=ORIGIN),
        "supertokens_config": SupertokensConfig("sqlite://"),
        "recipe_list": [session.init()],
    },
    SUPERTOKENS_USER=f"{__name__}.User",
    USE_TZ=True,
)
django.setup()

# isort: split
from django.contrib.auth.decorators import login_not_required, login_required  # noqa: E402
from django.core.cache import cache  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.template import engines  # noqa: E402
from django.template.response import TemplateResponse  # noqa: E402
from django.test import AsyncClient, Client, override_settings  # noqa: E402
from django.urls import path  # noqa: E402
from django.views.decorators.cache import cache_page  # noqa: E402

from supertokens_py.recipe.session.asyncio import create_new_session  # noqa: E402


class User:
    is_active = is_authenticated = True

    def __init__(self, user_id: str) -> None:
        self.pk = user_id

    def __str__(self) -> str:
        return self.pk


@login_not_required
async def log_in(request: HttpRequest) -> HttpResponse:
    await create_new_session(request, "public", request.POST["user"])
    return HttpResponse()


def by_user(request: Any) -> HttpResponse:
    return HttpResponse(str(request.user))


async def by_auser(request: Any) -> HttpResponse:
    return HttpResponse(str(await request.auser()))


def by_template(request: HttpRequest) -> HttpResponse:
    return HttpResponse(engines["django"].from_string("{{ user }}").render({}, request))


def by_template_later(request: HttpRequest) -> HttpResponse:
    return TemplateResponse(request, engines["django"].from_string("{{ user }}"), {})


def for_members(request: HttpRequest) -> HttpResponse:
    return HttpResponse("for members")


PAGES = [by_user, by_template, by_template_later, login_required(for_members)]
ASYNC_PAGES = [by_auser]  # `cache_page` takes none

urlpatterns = [
    path("log-in", log_in),
    *(path(page.__name__, page) for page in (*PAGES, *ASYNC_PAGES)),
    *(path(f"kept/{page.__name__}", cache_page(60)(page)) for page in PAGES),
    path("for-members", for_members),
]


def pages_of(place: str) -> list[str]:
    if "cache_page" in place:
        return [f"/kept/{page.__name__}" for page in PAGES]
    plain = [f"/{page.__name__}" for page in (*PAGES, *ASYNC_PAGES)]
    return [*plain, "/for-members"] if "members" in place else plain


def visitors(is_async: bool) -> list[Any]:
    found = []
    for user in ("ada", "bob", None):
        client, asks = Client(), AsyncClient()
        if user is not None:
            client.post("/log-in", {"user": user}, headers={"st-auth-mode": "cookie"})
            asks.cookies = client.cookies
        found.append(async_to_sync(asks.get) if is_async else client.get)
    return found


def seen(response: Any) -> str:
    return response.content.decode() if response.status_code == 200 else str(response.status_code)


def visit() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for place, middleware in PLACES.items():
        for is_async in (False, True) if place.endswith("below") else (False,):
            with override_settings(MIDDLEWARE=middleware):
                asking = visitors(is_async)
                for page in pages_of(place):
                    cache.clear()
                    kind = "async" if is_async else "sync"
                    found[f"{place}: {page}, {kind}"] = [seen(get(page)) for get in asking * 2]
    return found


if __name__ == "__main__":
    print(json.dumps(visit()))
