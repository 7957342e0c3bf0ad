"""A sign-in recipe whose application has forms of its own serves no HTTP API, with `init(routes=False)`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import httpx2
import pytest

from supertokens_py import Supertokens
from supertokens_py.exceptions import ConfigError
from supertokens_py.recipe import emailpassword, emailverification, passwordless, session, thirdparty
from supertokens_py.recipe.emailpassword.asyncio import sign_in, sign_up
from supertokens_py.recipe.emailpassword.interfaces import SignInOkResult, SignUpOkResult
from tests.recipe.conftest import Start
from tests.support.databases import Sqlite, TestDatabase

INITS: list[Callable[..., Any]] = [
    emailpassword.init,
    partial(emailverification.init, "OPTIONAL"),
    partial(passwordless.init, passwordless.ContactEmailOnlyConfig(), "USER_INPUT_CODE"),
    thirdparty.init,
]
LOCAL = {"api_domain": "http://localhost:8000", "website_domain": "http://localhost:8000"}


@pytest.fixture
def sqlite_database(sqlite_files: Sqlite) -> TestDatabase:
    return sqlite_files.create(users=True)


#: As many as the recipe serves, but paths that it has for frontends of old.
PATHS = {
    "emailpassword": [
        "/emailpassword/email/exists",
        "/signin",
        "/signup",
        "/user/password/reset",
        "/user/password/reset/token",
    ],
    "emailverification": ["/user/email/verify", "/user/email/verify/token"],
    "passwordless": [
        "/passwordless/email/exists",
        "/passwordless/phonenumber/exists",
        "/signinup/code",
        "/signinup/code/consume",
        "/signinup/code/resend",
    ],
    "thirdparty": ["/authorisationurl", "/callback/apple", "/signinup"],
}


@pytest.mark.parametrize(("init", "paths"), list(zip(INITS, PATHS.values(), strict=True)), ids=PATHS)
def test_a_recipe_without_routes_serves_none(
    start: Start, init: Callable[..., Any], paths: list[str]
) -> None:
    """The session's routes stay."""
    for given, wanted in (({}, paths), ({"routes": False}, [])):
        app = start(session.init(), init(**given), **LOCAL)
        assert [path for path in paths if app.methods_of(f"/auth{path}")] == wanted
        assert app.methods_of("/auth/signout") == ["POST"]
        Supertokens.reset()


async def test_its_paths_are_the_applications_and_its_functions_work(
    start: Start, client: httpx2.AsyncClient
) -> None:
    start(session.init(), emailpassword.init(routes=False), **LOCAL)
    form = [{"id": "email", "value": "eve@example.com"}, {"id": "password", "value": "correct horse 1"}]
    answer = await client.post("/auth/signup", json={"formFields": form})
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})  # of FastAPI
    made = await sign_up("public", "ada@example.com", "correct horse 1")
    assert isinstance(made, SignUpOkResult)
    signed_in = await sign_in("public", "ada@example.com", "correct horse 1")
    assert isinstance(signed_in, SignInOkResult)
    assert signed_in.user.id == made.user.id


@pytest.mark.parametrize("init", INITS, ids=PATHS)
def test_something_else_than_a_bool_is_refused(init: Callable[..., Any]) -> None:
    with pytest.raises(ConfigError, match="routes must be True or False"):
        init(routes=None)
