"""A project that listens to Django's own signals, which `test_django_login_signals` runs in a process.

    python -m tests.framework.django_login_signals

prints what they heard as JSON, by the kind of the views and the name of what was done.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import django
from django.conf import settings

from supertokens_py import InputAppInfo, SupertokensConfig
from supertokens_py.recipe import emailpassword, session
from supertokens_py.recipe.session import GuestSettings, Impersonation

ORIGIN = "http://localhost"

settings.configure(
    ALLOWED_HOSTS=["*"],
    SECRET_KEY="only for tests",
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "supertokens_py.framework.django",
    ],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": "file:login_signals?mode=memory&cache=shared",
        }
    },
    MIDDLEWARE=[
        "supertokens_py.framework.django.django_middleware.middleware",
        "supertokens_py.framework.django.users.user_middleware",
    ],
    SUPERTOKENS={
        "app_info": InputAppInfo(app_name="Shop", api_domain=ORIGIN, website_domain=ORIGIN),
        "supertokens_config": SupertokensConfig("sqlite://"),
        "recipe_list": [
            session.init(
                step_up=True,
                guests=GuestSettings(),
                impersonation=Impersonation(may=lambda *_: True, end_path="/back"),
            ),
            emailpassword.init(),
        ],
    },
    USE_TZ=True,
)
django.setup()

# isort: split
from django.contrib.auth.models import User  # noqa: E402
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.test import AsyncClient, Client  # noqa: E402
from django.urls import path  # noqa: E402

from supertokens_py.framework.django.views import session_required  # noqa: E402
from supertokens_py.recipe.emailpassword.syncio import sign_in  # noqa: E402
from supertokens_py.recipe.session.syncio import (  # noqa: E402
    create_guest_session,
    create_impersonation_session,
    create_new_session,
    end_impersonation,
)

heard: list[Any] = []


def hear_in(sender: Any, request: Any, user: Any, **_: Any) -> None:
    heard.append(["in", sender.__name__, user.username, request.path, request.user == user])


def hear_out(sender: Any, request: Any, user: Any, **_: Any) -> None:
    heard.append(["out", sender.__name__, user.username, request.path, request.user == user])


def hear_failure(sender: Any, credentials: Any, request: Any, **_: Any) -> None:
    heard.append(["failed", sender, credentials, request.path])


def fail(**_: Any) -> None:
    raise RuntimeError("a receiver's own mistake")


def login(request: HttpRequest) -> HttpResponse:
    create_new_session(request, "public", request.POST["user"])
    return HttpResponse(status=int(request.POST.get("status", 200)))


def regret(request: HttpRequest) -> HttpResponse:
    create_new_session(request, "public", "1").sync_revoke_session()
    return HttpResponse()


def guest(request: HttpRequest) -> HttpResponse:
    create_guest_session(request)
    return HttpResponse()


def check(request: HttpRequest) -> HttpResponse:
    return HttpResponse(sign_in("public", "ada@example.com", request.POST["password"]).status)


@session_required(allow_guests=GuestSettings())
def leave(request: Any) -> HttpResponse:
    request.supertokens.sync_revoke_session()
    return HttpResponse()


@session_required
def again(request: Any) -> HttpResponse:
    request.supertokens.sync_reauthenticate()
    return HttpResponse()


@session_required
def act(request: Any) -> HttpResponse:
    create_impersonation_session(request, "2", actor=request.supertokens, reason="help")
    return HttpResponse()


def back(request: HttpRequest) -> HttpResponse:
    end_impersonation(request)
    return HttpResponse()


views = (login, regret, guest, check, leave, again, act, back)
urlpatterns = [path(view.__name__, view) for view in views]
WRONG = {
    "formFields": [{"id": "email", "value": "ada@example.com"}, {"id": "password", "value": "wrong1234"}]
}


class Visitor:
    """A browser of sync or of async views."""

    def __init__(self, kind: str) -> None:
        self.client = Client() if kind == "sync" else AsyncClient()

    def post(self, where: str, form: dict[str, Any] | None = None, **more: Any) -> list[Any]:
        """Post a form; return what receivers heard meanwhile."""
        heard.clear()
        given: Any = self.client.post(
            where, form or {}, headers={"st-auth-mode": "cookie", "rid": "x"}, **more
        )
        if asyncio.iscoroutine(given):
            given = asyncio.run(given)
        return [given.status_code, *heard]


def visit(kind: str) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    ada = Visitor(kind)
    User.objects.update(last_login=None)
    seen["log-in"] = ada.post("/login", {"user": "1"})
    seen["last log-in"] = [User.objects.get(pk=pk).last_login is not None for pk in (1, 2)]
    seen["refresh"] = ada.post("/auth/session/refresh")
    seen["re-authentication"] = ada.post("/again")
    seen["impersonation"] = [ada.post("/act"), ada.post("/back")]
    seen["sign-out"] = ada.post("/auth/signout")
    seen["sign-out without a session"] = ada.post("/auth/signout")
    ada.post("/login", {"user": "1"})
    seen["revoked by the view"] = ada.post("/leave")
    other = Visitor(kind)
    seen["nobody's row"] = [other.post("/login", {"user": "77"}), other.post("/leave")]
    seen["inactive"] = [other.post("/login", {"user": "3"}), other.post("/leave")]
    seen["guest"] = [other.post("/guest"), other.post("/leave")]
    seen["withdrawn"] = other.post("/login", {"user": "1", "status": 500})
    seen["regretted"] = other.post("/regret")
    seen["wrong password at the route"] = other.post("/auth/signin", WRONG, content_type="application/json")
    seen["wrong password in a view"] = other.post("/check", {"password": "wrong1234"})
    return seen


def without_rows() -> dict[str, Any]:
    """Return what is heard where users are no rows, and where they cannot be loaded."""
    visitor, seen = Visitor("sync"), dict[str, Any]()
    for name in ("load_something", "load_nothing"):
        settings.SUPERTOKENS_USER = f"{__name__}.{name}"
        seen[name] = visitor.post("/login", {"user": "1"})
    return seen


def load_something(user_id: str) -> Any:
    return object()


def load_nothing(user_id: str) -> Any:
    raise RuntimeError("the database of users is away")


def main() -> dict[str, Any]:
    call_command("migrate", verbosity=0)
    for name, is_active in (("ada", True), ("bob", True), ("eve", False)):
        User.objects.create_user(name, is_active=is_active)
    user_logged_in.connect(fail)
    user_logged_in.connect(hear_in)
    user_logged_out.connect(hear_out)
    user_login_failed.connect(hear_failure)
    seen: dict[str, Any] = {kind: visit(kind) for kind in ("sync", "async")}
    for signal in (user_logged_in, user_logged_out):
        signal.receivers = []
    visitor = Visitor("sync")
    seen["nobody listens"] = [visitor.post("/login", {"user": "1"}), visitor.post("/leave")]
    user_logged_in.connect(hear_in)
    return {**seen, **without_rows()}


if __name__ == "__main__":
    print(json.dumps(main()))
