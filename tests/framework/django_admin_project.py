"""A Django project with Django's admin, in one file; `test_django_admin` runs it in a process.

    python -m tests.framework.django_admin_project

prints what its pages answered to its visitors as JSON; with `serve` it serves them, for `tests/browser`.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections.abc import Callable
from io import StringIO
from typing import Any
from unittest import mock
from urllib.parse import urlencode
from wsgiref.simple_server import WSGIRequestHandler, make_server

import django
from django.conf import settings

from supertokens_py import InputAppInfo, SupertokensConfig
from supertokens_py.recipe import session
from supertokens_py.recipe.session import DeviceSettings

ORIGIN = "http://localhost:8000"
#: Whether `request.user` is that of a session outside of the admin; no devices are kept then.
OF_SESSIONS = os.environ.get("PROJECT_USERS") == "sessions"
USERS = ["supertokens_py.framework.django.users.user_middleware"] if OF_SESSIONS else []
DEVICES = None if OF_SESSIONS else DeviceSettings()

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
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["PROJECT_DATABASE"]}},
    MIDDLEWARE=[
        "supertokens_py.framework.django.django_middleware.middleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        *USERS,
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    STATIC_URL="static/",
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
    SUPERTOKENS={
        "app_info": InputAppInfo(app_name="Shop", api_domain=ORIGIN, website_domain=ORIGIN),
        "supertokens_config": SupertokensConfig(os.environ["PROJECT_SESSIONS"]),
        "recipe_list": [session.init(devices=DEVICES)],
    },
    USE_TZ=True,
)
django.setup()

# isort: split
from django.contrib import admin, messages  # noqa: E402
from django.contrib.admin.models import LogEntry  # noqa: E402
from django.contrib.auth.admin import UserAdmin  # noqa: E402
from django.contrib.auth.models import Permission, User  # noqa: E402
from django.contrib.staticfiles.handlers import StaticFilesHandler  # noqa: E402
from django.core.handlers.wsgi import WSGIHandler  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.test import AsyncClient, Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402
from django.urls import path  # noqa: E402

from supertokens_py.events import AdminActed, Event, SessionRevoked, subscribe  # noqa: E402
from supertokens_py.exceptions import BadInputError, EngineUnavailableError  # noqa: E402
from supertokens_py.framework.django import admin as session_admin  # noqa: E402
from supertokens_py.framework.django.admin import SessionAdmin, sessions_link  # noqa: E402
from supertokens_py.framework.django.models import Session  # noqa: E402
from supertokens_py.recipe.session.syncio import (  # noqa: E402
    create_new_session,
    create_new_session_without_request_response,
    get_all_session_handles_for_user,
)

LIST = "/admin/supertokens/session/"
REVOKE = f"{LIST}revoke/"
#: Prints as itself nowhere: markup, a direction mark, and a line break.
HOSTILE = '"><script>alert(1)</script>\u202e\nx'
HOSTILE_SHOWN = "<bdi>&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;\\u202e\\nx"
VISITORS = ("anonymous", "customer", "staff", "reader", "writer", "root")


class LinkedUserAdmin(UserAdmin):
    list_display = (*UserAdmin.list_display, sessions_link)


admin.site.unregister(User)
admin.site.register(User, LinkedUserAdmin)


def login(request: HttpRequest) -> HttpResponse:
    create_new_session(request, "public", request.POST["user"])
    return HttpResponse()


other_site = admin.AdminSite(name="other")
other_site.register(Session, SessionAdmin)

urlpatterns = [
    path("admin/", admin.site.urls),
    path("other/", other_site.urls),
    path("login", login),
]

events: list[AdminActed | SessionRevoked] = []


def note(event: Event) -> None:
    if isinstance(event, AdminActed | SessionRevoked):
        events.append(event)


subscribe(note)


def make_users() -> dict[str, Any]:
    """Create one user of each kind; return their primary keys by name."""
    call_command("migrate", verbosity=0)
    users = {name: User.objects.create(username=name, is_staff=name != "customer") for name in VISITORS[1:]}
    view, delete = (
        Permission.objects.get(content_type__app_label="supertokens", codename=f"{name}_session")
        for name in ("view", "delete")
    )
    users["customer"].user_permissions.add(view, delete)
    users["staff"].user_permissions.add(delete)
    users["reader"].user_permissions.add(view)
    users["writer"].user_permissions.add(view, delete)
    User.objects.filter(username="root").update(is_superuser=True)
    return users


def session_of(user_id: str) -> str:
    return create_new_session_without_request_response("public", user_id).get_handle()


def address(page: str, **query: Any) -> str:
    return f"{page}?{urlencode(query, doseq=True)}"


def client_of(user: Any, **options: Any) -> Client:
    client = Client(**options)
    if user is not None:
        client.force_login(user)
    return client


def pages_of(user: Any, handle: str) -> dict[str, list[int]]:
    """Return the statuses of each page to somebody, of a thread and of an event loop."""
    client, async_client = client_of(user), AsyncClient()
    async_client.cookies = client.cookies
    revoke = address(REVOKE, user="ada", handle=handle)
    asked: dict[str, Callable[[Any], Any]] = {
        "list": lambda one: one.get(address(LIST, user="ada")),
        "revoke": lambda one: one.get(revoke),
        "others": lambda one: one.get(f"{revoke}&which=others"),
    }
    result: dict[str, list[int]] = {}
    for name, ask in asked.items():
        result[name] = [ask(client).status_code, asyncio.run(_await(ask, async_client))]
    return result


async def _await(ask: Callable[[Any], Any], client: AsyncClient) -> int:
    response = await ask(client)
    return response.status_code


def seen_from_a_browser() -> None:
    agent = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
    headers = {"user-agent": agent, "st-auth-mode": "cookie"}
    Client(REMOTE_ADDR="203.0.113.77").post("/login", {"user": "eve"}, headers=headers)


def cells(page: str) -> list[str]:
    """Return the text of the cells of the only row of a list, without its markup; digits of times as 0."""
    (row,) = re.findall(r"<tbody>(.*?)</tbody>", page, re.DOTALL)
    texts = [re.sub(r"<[^>]*>", "", cell).strip() for cell in re.findall(r"<td>(.*?)</td>", row, re.DOTALL)]
    return [re.sub(r"\d", "0", text) if text.endswith("Z") else text for text in texts[:-1]]


def texts(response: Any) -> list[str]:
    return [str(one) for one in messages.get_messages(response.wsgi_request)]


def acted() -> list[list[str | None]]:
    """Return the events since the last call."""
    found = [
        ["acted", one.actor_id, one.target]
        if isinstance(one, AdminActed)
        else ["revoked", one.actor_id, one.reason, one.handle]
        for one in events
    ]
    events.clear()
    return found


def live(user_id: str) -> list[str]:
    return sorted(get_all_session_handles_for_user(user_id))


def revocations(users: dict[str, Any]) -> dict[str, Any]:
    """Return what ending sessions does, by WSGI and by ASGI."""
    result: dict[str, Any] = {}
    client, async_client = client_of(users["writer"]), AsyncClient()
    async_client.cookies = client.cookies
    first, second, third, fourth = (session_of("bea") for _ in range(4))
    foreign = session_of("cleo")
    result["handles"] = [first, second, third, fourth]
    acted()
    for name, user in (("reader", users["reader"]), ("staff", users["staff"]), ("anonymous", None)):
        response = client_of(user).post(address(REVOKE, user="bea", handle=first))
        result[f"{name} posts"] = [response.status_code, len(live("bea"))]
    response = client.post(address(REVOKE, user="bea", handle=foreign))
    location = response.headers["Location"]
    result["foreign"] = [response.status_code, location, texts(response), live("cleo") == [foreign]]
    response = client.post(address(REVOKE, user="bea", which="others", handle=[first, second]))
    result["two stay"] = [response.status_code, texts(response), len(live("bea"))]
    response = client.post(address(REVOKE, user="bea", which="selected", handle=[first]))
    location = response.headers["Location"]
    result["one"] = [response.status_code, location, live("bea") == sorted([second, third, fourth])]
    result["one, shown"] = "1 session ended." in client.get(location).content.decode()
    result["one, events"] = acted()
    others = address(REVOKE, user="bea", which="others", handle=second)
    response = asyncio.run(async_client_post(async_client, others))
    result["others"] = [response.status_code, live("bea") == [second]]
    result["others, events"] = acted()
    response = client.post(others)
    result["no others"] = texts(response)
    names = ("user__username", "object_id", "object_repr", "action_flag")
    result["log"] = [list(entry) for entry in LogEntry.objects.order_by("pk").values_list(*names)]
    result["keys"] = {name: str(user.pk) for name, user in users.items()}
    index = client_of(users["root"]).get("/admin/").content.decode()
    result["index"] = [LIST in index, f"{LIST}add/" in index]
    return result


def of_many(users: dict[str, Any]) -> dict[str, Any]:
    """Return what is asked, and what happens, where more sessions end than a page shows."""
    client = client_of(users["writer"])
    handles = [session_of("dan") for _ in range(203)]
    listed = client.get(address(LIST, user="dan")).content.decode()
    shown = next(one for one in handles if one in listed)
    others = address(REVOKE, user="dan", which="others", handle=shown)
    asked = client.get(others).content.decode()
    client.post(others)
    return {
        "title": re.findall(r"End \d+ sessions\?", asked)[-1],
        "named": sum(one in asked for one in handles),
        "rest": re.findall(r"<li>(and \d+ more)</li>", asked),
        "left": len(live("dan")),
    }


async def async_client_post(client: AsyncClient, where: str) -> Any:
    return await client.post(where)


def edges(users: dict[str, Any]) -> dict[str, Any]:
    """Return what unusual requests are answered."""
    result: dict[str, Any] = {}
    strict = client_of(users["writer"], enforce_csrf_checks=True)
    handle = session_of("dora")
    where = address(REVOKE, user="dora", handle=handle)
    strict.get(where)
    token = strict.cookies["csrftoken"].value
    for name, fields in (("without token", {}), ("with token", {"csrfmiddlewaretoken": token})):
        response = strict.post(where, fields, headers={"origin": "https://evil.example"})
        result[f"csrf, foreign, {name}"] = [response.status_code, live("dora") == [handle]]
    response = strict.post(where)
    result["csrf, no token"] = [response.status_code, live("dora") == [handle]]
    response = strict.post(where, {"csrfmiddlewaretoken": token}, headers={"origin": "http://testserver"})
    result["csrf, own"] = [response.status_code, live("dora") == []]

    client = client_of(users["writer"])
    handle = create_new_session_without_request_response("public", HOSTILE).get_handle()
    for name, page in (
        ("list", address(LIST, user=HOSTILE)),
        ("nobody", address(LIST, user=f"{HOSTILE}nobody")),
        ("revoke", address(REVOKE, user=HOSTILE, handle=handle)),
    ):
        response = client.get(page)
        text = response.content.decode()
        result[f"hostile {name}"] = [response.status_code, "<script>alert" in text, handle in text]
        result[f"hostile {name}, shown"] = (
            "<bdi>&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;\\u202e\\nx" in text
        )
    response = client.post(address(REVOKE, user=HOSTILE, handle=handle))
    result["hostile revoked"] = [response.status_code, live(HOSTILE)]
    result["hostile, back"] = client.get(response.headers["Location"]).status_code
    result["hostile, log"] = LogEntry.objects.latest("pk").object_repr.removeprefix(f"session {handle}")

    result["too long"] = client.get(address(LIST, user="x" * 513)).status_code
    result["nul"] = client.get(address(LIST, user="a\0")).status_code
    for name in ("add/", "1/change/", "1/delete/", "1/history/"):
        result[name] = client.get(f"{LIST}{name}").status_code
    down = mock.patch.object(session_admin, "list_sessions", side_effect=EngineUnavailableError("away"))
    with down:
        response = client.get(address(LIST, user="ada"))
    result["down"] = [response.status_code, "does not answer" in response.content.decode()]
    refused = mock.patch.object(session_admin, "list_sessions", side_effect=BadInputError("no such id"))
    with refused:
        response = client.get(address(LIST, user="ada"))
    result["refused"] = [response.status_code, "no such id" in response.content.decode()]
    result["too long, revoke"] = texts(client.post(address(REVOKE, user="x" * 513)))
    where = address(REVOKE, user="ada", handle=live("ada"))
    away = EngineUnavailableError("away")
    with mock.patch.object(session_admin, "revoke_multiple_sessions", side_effect=away):
        response = client.post(where)
    logs_nothing = LogEntry.objects.latest("pk").object_id == handle
    result["down, revoke"] = [response.status_code, texts(response), logs_nothing]
    with CaptureQueriesContext(connection) as queries:
        client.get(address(LIST, user="ada"))
    result["queries"] = sorted({one["sql"].split(" FROM ")[-1].split('"')[1] for one in queries})
    users_page = client_of(users["root"]).get("/admin/auth/user/").content.decode()
    result["link"] = f'<a href="{LIST}?user={users["customer"].pk}">Sessions</a>' in users_page
    other = LIST.replace("/admin/", "/other/")
    page = client.get(address(other, user="ada")).content.decode()
    response = client.post(address(f"{other}revoke/", user="ada"))
    result["other site"] = [f'action="{other}revoke/"' in page, LIST in page, response.headers["Location"]]
    result["rows"] = [list(Session.objects.all()), Session.objects.count()]
    result["manage.py"] = [
        printed("check"),
        printed("makemigrations", check_changes=True, dry_run=True),
        printed("dumpdata", "supertokens"),
    ]
    return result


def printed(*arguments: str, **options: Any) -> str:
    """Return what a command of `manage.py` prints."""
    output = StringIO()
    call_command(*arguments, stdout=output, **options)
    return output.getvalue().strip()


def beside_user_middleware(users: dict[str, Any]) -> dict[str, Any]:
    """Return what a session of somebody who may look, and their log-in to Django, are answered."""
    client = Client()
    client.post("/login", {"user": users["writer"].pk}, headers={"st-auth-mode": "cookie"})
    by_session = client.get(address(LIST, user="ada")).status_code
    response = client_of(users["writer"]).get(address(LIST, user="ada"))
    return {"session": by_session, "log-in": response.status_code, "cells": cells(response.content.decode())}


def visit() -> dict[str, Any]:
    users = make_users()
    if OF_SESSIONS:
        session_of("ada")
        return beside_user_middleware(users)
    kept = session_of("ada")
    handle = session_of("ada")
    result: dict[str, Any] = {name: pages_of(users.get(name), handle) for name in VISITORS}
    seen_from_a_browser()
    page = client_of(users["reader"]).get(address(LIST, user="ada")).content.decode()
    result["reader, list"] = [
        kept in page,
        handle in page,
        "checkbox" in page,
        REVOKE in page and "End" in page,
    ]
    result["cells"] = cells(client_of(users["writer"]).get(address(LIST, user="eve")).content.decode())
    return {**result, **revocations(users), "many": of_many(users), **edges(users)}


def serve() -> None:
    """Serve the pages with their style sheets; print the port, and the cookie of somebody who may all."""
    users = make_users()
    for _ in range(2):
        session_of("ada")
    application = StaticFilesHandler(WSGIHandler())
    with make_server("127.0.0.1", 0, application, handler_class=SilentHandler) as server:
        cookie = client_of(users["writer"]).cookies["sessionid"].value
        print(json.dumps({"port": server.server_port, "sessionid": cookie}), flush=True)
        server.serve_forever()


class SilentHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing of requests."""


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        serve()
    else:
        print(json.dumps(visit()))
