"""A site whose users sign in with codes and are rows of Django, which `test_django_idioms` runs in a process.

    python -m tests.framework.django_mapped_users

The mapping is that of docs/moving-users.md, whose `row_of` it gives the rows of Django. It prints as JSON
what a user sees who signs in twice, by the kind of the form's views.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import django
from django.conf import settings

from supertokens_py import InputAppInfo, SupertokensConfig
from supertokens_py.recipe import passwordless, session

ORIGIN = "http://localhost"
PAGE = Path(__file__).parents[2] / "docs" / "moving-users.md"
DATABASE = "file:mapped_users?mode=memory&cache=shared"

#: The functions of the page, without its `init`.
(_BLOCK,) = re.findall(
    r"```python\n(from supertokens_py import InputAppInfo, init\n.*?)\nhere = ", PAGE.read_text(), re.S
)
documented: dict[str, Any] = {}
exec(compile(_BLOCK, str(PAGE), "exec", dont_inherit=True), documented)

settings.configure(
    ALLOWED_HOSTS=["*"],
    SECRET_KEY="only for tests",
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "supertokens_py.framework.django"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": DATABASE}},
    MIDDLEWARE=[
        "supertokens_py.framework.django.django_middleware.middleware",
        "supertokens_py.framework.django.users.user_middleware",
        "django.contrib.auth.middleware.LoginRequiredMiddleware",
    ],
    LOGIN_URL="/login",
    SUPERTOKENS={
        "app_info": InputAppInfo(app_name="Shop", api_domain=ORIGIN, website_domain=ORIGIN),
        "supertokens_config": SupertokensConfig("sqlite://"),
        "recipe_list": [
            session.init(),
            passwordless.init(
                passwordless.ContactEmailOnlyConfig(),
                "USER_INPUT_CODE",
                override=passwordless.InputOverrideConfig(functions=documented["with_rows"]("consume_code")),
            ),
        ],
    },
    USE_TZ=True,
)
django.setup()

# isort: split
from django.contrib.auth.decorators import login_not_required  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import transaction  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import path  # noqa: E402

from supertokens_py.recipe.passwordless import asyncio, syncio  # noqa: E402
from supertokens_py.recipe.session.asyncio import create_new_session as create_async  # noqa: E402
from supertokens_py.recipe.session.syncio import create_new_session  # noqa: E402


async def row_of(user: Any) -> str:
    row, _ = await User.objects.aget_or_create(username=user.id, defaults={"email": user.emails[0]})
    return str(row.pk)


documented["row_of"] = row_of


@login_not_required
def sign_in(request: HttpRequest) -> HttpResponse:
    code = syncio.create_code("public", email=request.POST["email"])
    used: Any = syncio.consume_code("public", code.pre_auth_session_id, link_code=code.link_code)
    create_new_session(request, "public", used.user.id)
    return HttpResponse()


@login_not_required
async def sign_in_async(request: HttpRequest) -> HttpResponse:
    code = await asyncio.create_code("public", email=request.POST["email"])
    used: Any = await asyncio.consume_code("public", code.pre_auth_session_id, link_code=code.link_code)
    await create_async(request, "public", used.user.id)
    return HttpResponse()


def home(request: Any) -> HttpResponse:
    return HttpResponse(f"{request.user.pk} {request.user.email}")


urlpatterns = [path("sync", sign_in), path("async", sign_in_async), path("", home)]


def visit(kind: str, name: str) -> list[str]:
    seen: list[str] = []
    for _ in range(2):
        client = Client()
        client.post(f"/{kind}", {"email": f"{name}@example.com"}, headers={"st-auth-mode": "cookie"})
        page = client.get("/")
        seen.append(page.content.decode() or page.headers["Location"])
    return seen


if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    found: dict[str, Any] = {kind: visit(kind, kind) for kind in ("sync", "async")}
    with transaction.atomic():  # as in a TestCase: rows of the test's own connection
        found["in a transaction"] = visit("sync", "ada")
    print(json.dumps({**found, "rows": User.objects.count()}))
