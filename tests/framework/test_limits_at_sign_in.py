"""What people get to see who sign in while they have as many sessions as they may have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from supertokens_py.events import Event, SessionRefused, UserSignedIn, subscribe
from supertokens_py.recipe.emailpassword import InputOverrideConfig
from supertokens_py.recipe.emailpassword.syncio import sign_in
from supertokens_py.recipe.session import InputErrorHandlers, SessionLimit, SessionLimitError
from supertokens_py.recipe.session.asyncio import (
    create_new_session,
    create_new_session_without_request_response,
)
from supertokens_py.types.response import GeneralErrorResponse

from .site import ASGI_AND_WSGI, Site, Visitor
from .test_email_password import PASSWORD
from .ways_in import CODE, PROVIDER, SIGN_IN, SIGN_UP, Application, Way, served

ONE = SessionLimit(max_sessions=1, when_reached="refuse")
FULL = {
    "status": "GENERAL_ERROR",
    "message": "You are signed in on as many devices as you may be. "
    "Please sign out on one of them and try again.",
}


@pytest.fixture
def events() -> Iterator[list[Event]]:
    """What is emitted."""
    found: list[Event] = []
    unsubscribe = subscribe(found.append)
    yield found
    unsubscribe()


def _init(site: Site, *, apis: Any = None, functions: Any = None, **settings: Any) -> Application:
    """Sign in in one session each; `apis` and `functions` are of passwords."""
    override = InputOverrideConfig(apis=apis, functions=functions)
    return served(site, override=override, limit=ONE, **settings)


def _begun_elsewhere(original: Any) -> Any:
    """Begin a session before the route does."""
    sign_up = original.sign_up

    async def own(*args: Any, **kwargs: Any) -> Any:
        result = await sign_up(*args, **kwargs)
        await create_new_session_without_request_response("public", result.recipe_user_id)
        return result

    original.sign_up = own
    return original


@ASGI_AND_WSGI
@pytest.mark.parametrize(
    ("first", "second"),
    [(SIGN_UP, SIGN_IN), (CODE, CODE), (PROVIDER, PROVIDER)],
    ids=["password", "code", "provider"],
)
def test_a_sign_in_beyond_the_limit_says_what_to_do(
    bare_site: Site, events: list[Event], mode: str, first: Way, second: Way
) -> None:
    """SI-1, CP-15: a 200 with a message, no token, no `user.signed_in`; it works again after a sign-out."""
    application = _init(bare_site)
    visitor, other = Visitor(bare_site, mode), Visitor(bare_site, mode)
    user_id = application.use(visitor, first).json["user"]["id"]
    events.clear()
    reply = application.use(other, second)
    assert (reply.status, reply.json) == (200, FULL)
    names = ("front-token", "st-access-token", "st-refresh-token")
    assert (reply.set_cookies, [reply.header(name) for name in names]) == ([], [None] * 3)
    assert events == [SessionRefused(code="session_limit", may_refresh=False)]
    assert visitor.get("/protected").json == {"user": user_id}
    assert application.use(visitor, second).json == FULL
    assert visitor.get("/protected").json == {"user": user_id}
    visitor.post("/auth/signout")
    events.clear()
    assert application.use(other, second).json["user"]["id"] == user_id
    assert [event.name for event in events] == ["session.created", "user.signed_in"]
    assert other.get("/protected").json == {"user": user_id}


@ASGI_AND_WSGI
@pytest.mark.parametrize("way", [SIGN_IN, CODE, PROVIDER], ids=["password", "code", "provider"])
def test_a_sign_in_beyond_the_limit_is_no_failure_of_its_client(bare_site: Site, way: Way) -> None:
    """SI-1: nor counted with wrong passwords of whoever has the same address."""
    engine = {"sign_in_failures_per_client_and_hour": 1}
    application = _init(bare_site, engine=engine, has_clients=True)
    first = SIGN_UP if way is SIGN_IN else way
    assert application.use(Visitor(bare_site), first).json["status"] == "OK"
    for _ in range(2):
        assert application.use(Visitor(bare_site), way).json == FULL


@ASGI_AND_WSGI
def test_a_sign_up_beyond_the_limit_says_what_to_do(bare_site: Site, events: list[Event]) -> None:
    """SI-1: where the application has begun a session for the new user before."""
    application = _init(bare_site, functions=_begun_elsewhere)
    reply = application.use(Visitor(bare_site), SIGN_UP)
    assert (reply.status, reply.json, reply.set_cookies) == (200, FULL, [])
    assert [event.name for event in events] == ["user.signed_up", "session.created", "session.refused"]


@ASGI_AND_WSGI
def test_an_override_that_begins_the_session_itself(bare_site: Site, events: list[Event]) -> None:
    """SI-1: the page is the same, and so is the answer."""

    def apis(original: Any) -> Any:
        async def sign_in_post(form_fields: Any, tenant_id: str, api_options: Any, user_context: Any) -> Any:
            functions, (email, password) = api_options.recipe_implementation, form_fields
            found = await functions.sign_in(email.value, password.value, tenant_id, user_context)
            return await create_new_session(api_options.request, tenant_id, found.recipe_user_id)

        original.sign_in_post = sign_in_post
        return original

    application = _init(bare_site, apis=apis)
    assert application.use(Visitor(bare_site), SIGN_UP).json["status"] == "OK"
    events.clear()
    reply = application.use(Visitor(bare_site), SIGN_IN)
    assert (reply.status, reply.json, reply.set_cookies) == (200, FULL, [])
    assert [event.name for event in events] == ["session.refused"]


@ASGI_AND_WSGI
def test_an_application_may_say_it_in_words_of_its_own(bare_site: Site) -> None:
    """An override catches `SessionLimitError`; `on_session_limit_reached` is asked where none does."""

    def apis(original: Any) -> Any:
        post = original.sign_in_post

        async def sign_in_post(*args: Any, **kwargs: Any) -> Any:
            try:
                return await post(*args, **kwargs)
            except SessionLimitError as error:
                return GeneralErrorResponse(f"{error.limit} at most")

        original.sign_in_post = sign_in_post
        return original

    def hook(request: Any, error: SessionLimitError, response: Any) -> Any:
        response.set_status_code(403)
        response.set_json_content({"devices": len(error.sessions), "path": request.get_path()})
        return response

    handlers = InputErrorHandlers(on_session_limit_reached=hook)
    application = _init(bare_site, apis=apis, error_handlers=handlers)
    assert application.use(Visitor(bare_site), SIGN_UP).json["status"] == "OK"
    said = application.use(Visitor(bare_site), SIGN_IN)
    assert (said.status, said.json) == (200, {"status": "GENERAL_ERROR", "message": "1 at most"})
    assert application.use(Visitor(bare_site), CODE).json["status"] == "OK"
    asked = application.use(Visitor(bare_site), CODE)
    assert (asked.status, asked.json) == (403, {"devices": 1, "path": "/auth/signinup/code/consume"})


@ASGI_AND_WSGI
def test_nobody_signed_in_whom_an_override_turned_away(bare_site: Site, events: list[Event]) -> None:
    """No session, no `user.signed_in`; an application that asks the function itself has one at once."""

    def apis(original: Any) -> Any:
        async def sign_in_post(form_fields: Any, tenant_id: str, api_options: Any, user_context: Any) -> Any:
            functions, (email, password) = api_options.recipe_implementation, form_fields
            await functions.sign_in(email.value, password.value, tenant_id, user_context)
            return GeneralErrorResponse("Not today")

        original.sign_in_post = sign_in_post
        return original

    application = _init(bare_site, apis=apis)
    user_id = application.use(Visitor(bare_site), SIGN_UP).json["user"]["id"]
    events.clear()
    assert application.use(Visitor(bare_site), SIGN_IN).json["message"] == "Not today"
    assert events == []
    sign_in("public", "ada@example.com", PASSWORD)
    assert events == [UserSignedIn(user_id=user_id, tenant_id="public", recipe_id="emailpassword")]
