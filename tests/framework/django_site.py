"""A site of pages with Django's own users and its admin, which `test_django_site` runs in a process.

    python -m tests.framework.django_site

prints what its visitors see as JSON, by the name of what they do.
"""

from __future__ import annotations

import json
from functools import wraps
from typing import Any

import django
from asgiref.sync import async_to_sync
from django.conf import settings

from supertokens_py import InputAppInfo, SupertokensConfig
from supertokens_py.recipe import session
from supertokens_py.recipe.session import PageSettings
from supertokens_py.recipe.session.claims import PrimitiveClaim

ORIGIN = "http://testserver"
PASSWORD = "correct horse"
LOGIN_REQUIRED = "django.contrib.auth.middleware.LoginRequiredMiddleware"
#: What a browser says of a form on a page of a subdomain, which it sends with the cookies of this site.
ELSEWHERE = {
    "origin": "http://blog.testserver",
    "sec-fetch-site": "same-site",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
}

PLAN = PrimitiveClaim[str](key="plan", fetch_value=lambda *_: None)


def needs_a_plan(default: Any) -> Any:
    """Have eve, whose row is the third, refused by whatever does not say otherwise."""
    default.get_global_claim_validators = lambda _, user_id, *__: (
        [PLAN.validators.has_value("paid")] if user_id == "3" else []
    )
    return default


settings.configure(
    ALLOWED_HOSTS=["*"],
    SECRET_KEY="only for tests",
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=[
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.messages",
        "django.contrib.sessions",
        "supertokens_py.framework.django",
    ],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "supertokens_py.framework.django.django_middleware.middleware",
        "supertokens_py.framework.django.users.user_middleware",
        LOGIN_REQUIRED,
    ],
    LOGIN_URL="/login",
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                    "supertokens_py.framework.django.context.session",
                ]
            },
        }
    ],
    SUPERTOKENS={
        "app_info": InputAppInfo(app_name="Shop", api_domain=ORIGIN, website_domain=ORIGIN),
        "supertokens_config": SupertokensConfig("sqlite://"),
        "recipe_list": [
            session.init(
                pages=PageSettings(login_path="/login"),
                override=session.InputOverrideConfig(functions=needs_a_plan),
            )
        ],
    },
    USE_TZ=True,
)
django.setup()

# isort: split
from django.contrib import admin  # noqa: E402
from django.contrib.auth import authenticate  # noqa: E402
from django.contrib.auth.decorators import login_not_required  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.shortcuts import redirect  # noqa: E402
from django.template import engines  # noqa: E402
from django.test import AsyncClient, Client, SimpleTestCase  # noqa: E402
from django.test.utils import override_settings, setup_test_environment  # noqa: E402
from django.urls import path  # noqa: E402

from supertokens_py.framework.django.views import session_required  # noqa: E402
from supertokens_py.recipe.session import next_page  # noqa: E402
from supertokens_py.recipe.session.syncio import create_new_session  # noqa: E402
from supertokens_py.testing import PAGE, login_as  # noqa: E402

_HELLO = "{% if user.is_authenticated %}{{ user.username }}{% else %}visitor{% endif %}"


@login_not_required
def login(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        user = authenticate(request, username=request.POST["user"], password=request.POST["password"])
        assert user is not None
        create_new_session(request, "public", str(user.pk))
        return redirect(next_page(request.GET.get("next")))
    return HttpResponse("log in")


@login_not_required
def home(request: HttpRequest) -> HttpResponse:
    return HttpResponse(engines["django"].from_string(_HELLO).render({}, request))


@login_not_required
async def async_home(request: Any) -> HttpResponse:
    await request.auser()
    return HttpResponse(engines["django"].from_string(_HELLO).render({}, request))


@login_not_required
@session_required
def account(request: HttpRequest) -> HttpResponse:
    return HttpResponse("account")


def orders(request: HttpRequest) -> HttpResponse:
    return HttpResponse("orders")


@login_not_required
def answers_anybody(request: HttpRequest) -> HttpResponse:
    return HttpResponse("an assertion of an identity provider")


@login_not_required
def looks(request: HttpRequest) -> HttpResponse:
    text = "{% if session %}a session{% else %}no session{% endif %}"
    return HttpResponse(engines["django"].from_string(text).render({}, request))


def _row_and_session(request: Any) -> HttpResponse:
    return HttpResponse(f"{request.user.username} {request.supertokens.get_user_id()}")


@session_required(anti_csrf_check=False)
def open_to_others(request: Any) -> HttpResponse:
    return _row_and_session(request)


@session_required(anti_csrf_check=False, vary=False)
async def async_open_to_others(request: Any) -> HttpResponse:
    user = await request.auser()
    return HttpResponse(f"{user.username} {request.supertokens.get_user_id()}")


@session_required(anti_csrf_check=False, vary=False)
def shared_with_others(request: Any) -> HttpResponse:
    return _row_and_session(request)


@session_required(override_global_claim_validators=lambda *_: [])
def plans(request: Any) -> HttpResponse:
    return HttpResponse(f"plans for {request.user.username}")


def or_key(view: Any) -> Any:
    @wraps(view)
    def call(request: HttpRequest) -> Any:
        return HttpResponse("by key") if request.headers.get("x-key") == "k" else view(request)

    return call


@login_not_required
@or_key
@session_required
def by_session_or_key(request: HttpRequest) -> HttpResponse:
    return HttpResponse("by session")


urlpatterns = [
    path("", home),
    path("async", async_home),
    path("login", login),
    path("account", account),
    path("orders", orders),
    path("anybody", answers_anybody),
    path("looks", looks),
    path("open", open_to_others),
    path("open-async", async_open_to_others),
    path("open-shared", shared_with_others),
    path("key", by_session_or_key),
    path("plans", plans),
    path("admin/", admin.site.urls),
]


def browser() -> Client:
    return Client(headers=PAGE)


def seen(response: Any) -> list[Any]:
    return [response.status_code, response.headers.get("Location") or response.content.decode()[:40]]


def sign_in(client: Client, user: str) -> Any:
    return client.post("/login?next=/", {"user": user, "password": PASSWORD})


def admin_of(client: Client, user: str) -> list[Any]:
    form = {"username": user, "password": PASSWORD, "next": "/admin/"}
    return seen(client.post("/admin/login/", form))


def is_inside(client: Client) -> list[Any]:
    response = client.get("/admin/")
    return [response.status_code, response.headers.get("Location") or response.context["user"].username]


def visit_the_admin() -> dict[str, Any]:
    result: dict[str, Any] = {}
    staff = browser()
    result["admin: visitor"] = is_inside(staff)
    result["admin: log-in"] = admin_of(staff, "root")
    result["admin: afterwards"] = is_inside(staff)
    result["admin: elsewhere"] = [seen(staff.get("/")), seen(staff.get("/orders"))]
    sign_in(staff, "ada")
    result["admin: with a session of ada"] = [is_inside(staff), seen(staff.get("/"))]
    result["admin: sign-out of ada"] = [seen(staff.post("/auth/signout", {"next": "/"})), is_inside(staff)]
    sign_in(staff, "root")
    result["admin: log-out"] = [staff.post("/admin/logout/").status_code, is_inside(staff)]
    result["admin: session after log-out"] = seen(staff.get("/"))
    expired = browser()
    sign_in(expired, "ada")
    forge(expired)
    result["admin: bad token"] = [is_inside(expired), admin_of(expired, "root"), is_inside(expired)]
    return result


def forge(client: Client) -> None:
    """Put an access token into a client of which the SDK says: try to refresh."""
    head, _, _ = client.cookies["sAccessToken"].value.rpartition(".")
    client.cookies["sAccessToken"] = f"{head}.AAAA"


def visit_the_pages() -> dict[str, Any]:
    result: dict[str, Any] = {}
    visitor = browser()
    followed = visitor.get("/account", follow=True)
    result["pages: followed"] = [followed.redirect_chain, seen(followed)]
    result["pages: log-in"] = seen(sign_in(visitor, "ada"))
    result["pages: account"] = seen(visitor.get("/account"))
    result["pages: user of templates"] = [seen(visitor.get("/")), async_to_sync(async_page)(visitor)]
    forge(visitor)
    response = visitor.post("/account", {"a": "b"}, headers={"referer": f"{ORIGIN}/account"})
    result["pages: form with an old token"] = [response.status_code, response.headers["Content-Type"]]
    result["members: form with an old token"] = old_forms(visitor)
    signed_out = browser()
    sign_in(signed_out, "ada")
    test = SimpleTestCase()
    test.client = signed_out
    test.assertRedirects(signed_out.post("/auth/signout", {"next": "/login"}), "/login", status_code=303)
    result["pages: signed out"] = seen(signed_out.get("/"))
    return result


def old_forms(client: Client) -> list[Any]:
    """Return what a form gets whose access token has expired, where `LoginRequiredMiddleware` alone asks."""
    other = AsyncClient()
    other.cookies = client.cookies
    answers = [
        client.post("/orders", {"a": "b"}),
        async_to_sync(other.post)("/orders", {"a": "b"}, headers=PAGE),
        browser().post("/orders", {"a": "b"}),
        client.post("/anybody", {"a": "b"}),
    ]
    return [
        [one.status_code, "send the form again" in one.content.decode(), one.headers.get("Location")]
        for one in answers
    ]


async def async_page(client: Client) -> list[Any]:
    other = AsyncClient()
    other.cookies = client.cookies
    return seen(await other.get("/async", headers=PAGE))


PAGES_FOR_OTHERS = [
    *("anybody", "", "async", "looks"),
    *("open", "open-async", "open-shared"),
    *("orders", "account", "key"),
]


def come_from_elsewhere() -> dict[str, Any]:
    """Return what a page of a subdomain gets that posts with the cookies of ada, by WSGI and by ASGI."""
    result: dict[str, Any] = {}
    members: list[str] = settings.MIDDLEWARE
    everybody = [one for one in members if one != LOGIN_REQUIRED]
    for name, used in (("members", members), ("all", everybody)):
        with override_settings(MIDDLEWARE=used):
            client, async_client = browser(), AsyncClient()
            sign_in(client, "ada")
            async_client.cookies = client.cookies
            for one in PAGES_FOR_OTHERS:
                answers = [
                    client.post(f"/{one}", headers=ELSEWHERE),
                    async_to_sync(async_client.post)(f"/{one}", headers={**PAGE, **ELSEWHERE}),
                ]
                result[f"{name}: /{one}"] = [seen(answer) for answer in answers]
    return result


def bring_a_key() -> dict[str, Any]:
    client, key = browser(), {"x-key": "k"}
    return {"key": [seen(client.get("/key", headers=key)), seen(client.get("/key"))]}


def choose_a_plan() -> dict[str, Any]:
    client = browser()
    sign_in(client, "eve")
    return {"plans": seen(client.get("/plans")), "no plan": client.get("/orders").status_code}


def log_in_as() -> dict[str, Any]:
    """Return who a test client is after `login_as` with a row of the model, and with its primary key."""
    ada = User.objects.get(username="ada")
    found: dict[str, Any] = {}
    for name, one in (("row", ada), ("number", ada.pk), ("text", str(ada.pk))):
        client = browser()
        login_as(client, one, allow_real_store=True)
        found[f"login_as: {name}"] = seen(client.get("/"))
    try:
        login_as(browser(), User(username="unsaved"), allow_real_store=True)
    except TypeError as error:
        found["login_as: unsaved"] = str(error)
    return found


def main() -> dict[str, Any]:
    setup_test_environment()  # for `response.context`
    call_command("migrate", verbosity=0)
    User.objects.create_user("ada", password=PASSWORD)
    User.objects.create_superuser("root", password=PASSWORD)
    User.objects.create_user("eve", password=PASSWORD)
    return {
        **visit_the_admin(),
        **visit_the_pages(),
        **come_from_elsewhere(),
        **bring_a_key(),
        **choose_a_plan(),
        **log_in_as(),
    }


if __name__ == "__main__":
    print(json.dumps(main()))
