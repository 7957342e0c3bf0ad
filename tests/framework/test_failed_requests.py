"""Requests that fail: no live token leaves, and what they created is revoked, whoever writes the response."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from supertokens_py.exceptions import EngineUnavailableError, SuperTokensError
from supertokens_py.framework.fastapi import get_middleware
from supertokens_py.framework.flask import Middleware
from supertokens_py.recipe.session import asyncio as session_asyncio
from supertokens_py.recipe.session import syncio as session_syncio
from supertokens_py.recipe.session.exceptions import (
    ClaimValidationError,
    InvalidClaimsError,
    TokenTheftError,
    TryRefreshTokenError,
    UnauthorisedError,
)
from supertokens_py.testing.conformance import AsgiClient, Reply, WsgiClient
from tests.support.clock import Clock
from tests.support.databases import Sqlite
from tests.support.units import refused_units

from .clients import django_settings  # noqa: F401  must be first
from .script import Answer
from .site import Site, quoted
from .test_verify import UNAUTHORISED

#: Errors that say that there is no session, and whether the client is to forget its tokens.
REFUSALS: dict[str, tuple[Callable[[], Exception], bool]] = {
    "unauthorised": (lambda: UnauthorisedError("banned"), True),
    "kept": (lambda: UnauthorisedError("banned", clear_tokens=False), False),
    "try refresh": (lambda: TryRefreshTokenError("banned"), False),
    "theft": (lambda: TokenTheftError("user-3", "some-handle"), True),
}


def assert_nothing_left(site: Site, reply: Reply) -> None:
    """No header and no cookie of the response is a live token, and the session of user-2 is gone."""
    assert reply.header("front-token") in (None, "remove")
    assert reply.header("anti-csrf") is None
    assert not any(reply.header(name) for name in ("st-access-token", "st-refresh-token"))
    assert all(cookie.is_cleared for cookie in reply.set_cookies)
    assert site.handles("user-2") == []


# -- every framework -------------------------------------------------------------------------------


@pytest.mark.pairwise
@pytest.mark.parametrize(("method", "path"), [("POST", "/open"), ("GET", "/optional")])
@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_log_in_that_is_refused_leaves_nothing(
    site: Site, method: str, path: str, refusal: str, mode: str
) -> None:
    """FP-86: the session that nobody has is revoked; at most cleared tokens reach the client."""
    error, clears = REFUSALS[refusal]

    def script(view: Any) -> Any:
        session = yield view.create("user-2")
        assert session.get_handle()
        raise error()

    reply = site.request(method, path, [("st-auth-mode", mode)], do=script)
    assert reply.status == 401
    assert_nothing_left(site, reply)
    if clears:
        reply.assert_cleared("cookie", "header")
    if refusal == "unauthorised":
        assert reply.json == UNAUTHORISED


@pytest.mark.pairwise
@pytest.mark.parametrize("status", [200, 302, 403, 500])
def test_created_then_refused_in_the_words_of_the_view(site: Site, status: int, mode: str) -> None:
    """The view catches the error and answers itself, be it with a 200 or a redirect: no log-in."""

    def script(view: Any) -> Any:
        yield view.create("user-2")
        try:
            raise UnauthorisedError("banned")
        except UnauthorisedError:
            return status, {"own": "words"}

    reply = site.post("/open", [("st-auth-mode", mode)], do=script)
    assert (reply.status, reply.json, reply.session_parts) == (status, {"own": "words"}, [])
    assert_nothing_left(site, reply)


@pytest.mark.pairwise
@pytest.mark.parametrize("answered", [True, False])
def test_a_log_in_before_a_server_error_leaves_nothing(site: Site, answered: bool, mode: str) -> None:
    """Answered by the view or let out of it."""

    def script(view: Any) -> Any:
        yield view.create("user-2")
        if answered:
            return 502, {}
        raise LookupError("a mistake of the view")

    try:
        reply = site.post("/open", [("st-auth-mode", mode)], do=script)
    except LookupError:  # Starlette's own answer is outside of everything, and the test client's is none
        assert site.handles("user-2") == []
    else:
        assert (reply.status, reply.session_parts) == (502 if answered else 500, [])
        assert_nothing_left(site, reply)


def test_created_and_then_the_store_goes_away(site: Site, mode: str) -> None:
    """The SDK's own 503 is no log-in either."""

    def script(view: Any) -> Any:
        yield view.create("user-2")
        raise EngineUnavailableError("the disk is gone")

    reply = site.post("/open", [("st-auth-mode", mode)], do=script)
    assert (reply.status, reply.session_parts) == (503, [])
    assert_nothing_left(site, reply)


def test_what_was_cleared_before_stays_cleared(site: Site, mode: str) -> None:
    """Signed out, signed in as somebody else, failed: only the log-in is taken back."""

    def script(view: Any) -> Any:
        yield view.revoke()
        yield view.create("user-2")
        return 500, {}

    visitor = site.sign_in(mode)
    reply = visitor.post("/protected", do=script)
    reply.assert_cleared(mode)
    assert_nothing_left(site, reply)
    assert site.stored(visitor.handle) is None


def test_an_error_before_the_log_in_does_not_count(site: Site, mode: str) -> None:
    """Nobody was there, so the view makes a session; its own 403 may ask for a second factor."""

    def script(view: Any) -> Any:
        try:
            yield view.get_session()
        except UnauthorisedError:
            yield view.create("user-2")
        return 403, {"next": "second factor"}

    reply = site.post("/open", [("st-auth-mode", mode)], do=script)
    assert (reply.status, reply.front["uid"]) == (403, "user-2")
    assert len(site.handles("user-2")) == 1


def test_created_then_a_claim_that_fails(site: Site, mode: str) -> None:
    """FP-89: the session is valid, only the claim is missing: the client needs its tokens to go on."""

    def script(view: Any) -> Any:
        yield view.create("user-2")
        raise InvalidClaimsError("x", [ClaimValidationError("second-factor", None)])

    reply = site.post("/open", [("st-auth-mode", mode)], do=script)
    assert (reply.status, reply.front["uid"]) == (403, "user-2")
    assert len(site.handles("user-2")) == 1


def test_refused_then_refreshed(site: Site, mode: str) -> None:
    """The application went on with new tokens, which replace those of the session that was refused."""

    def script(view: Any) -> Any:
        yield view.refresh()
        try:
            raise TryRefreshTokenError("not this one")
        except TryRefreshTokenError:
            yield view.refresh()
        return 200, {}

    visitor = site.sign_in(mode)
    token = visitor.refresh_token or ""
    headers = [("rid", "anti-csrf"), ("st-auth-mode", mode)]
    if mode == "header":
        reply = site.post("/open", headers, do=script, bearer=token)
    else:
        reply = site.post("/open", headers, do=script, cookies=[("sRefreshToken", quoted(token))])
    assert (reply.status, reply.front["uid"]) == (200, "user-1")
    assert reply.refresh


@pytest.mark.pairwise
@pytest.mark.parametrize("status", [200, 409])
def test_merged_then_refused_in_the_words_of_the_view(site: Site, status: int, mode: str) -> None:
    """The changed token of a session that was refused is withheld; the session stays as it was stored."""

    def script(view: Any) -> Any:
        yield view.merge({"a": 1})
        try:
            raise UnauthorisedError("no", clear_tokens=False)
        except UnauthorisedError:
            return status, {}

    visitor = site.sign_in(mode)
    reply = visitor.post("/protected", do=script)
    assert (reply.status, reply.session_parts) == (status, [])
    assert site.stored(visitor.handle).payload["a"] == 1


@pytest.mark.pairwise
@pytest.mark.parametrize("raises", [True, False])
def test_the_store_is_away_when_a_failed_log_in_is_revoked(
    site: Site, mode: str, raises: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """FP-86: the client gets no live token all the same; what could not be revoked is logged."""

    def script(view: Any) -> Any:
        yield view.create("user-2")
        outage.enter_context(refused_units(site.engine.database, "the disk is gone"))
        if raises:
            raise UnauthorisedError("changed my mind")
        return 500, {}

    with ExitStack() as outage:
        reply = site.post("/open", [("st-auth-mode", mode)], do=script)
    if raises:
        assert (reply.status, reply.json) == (401, UNAUTHORISED)
        reply.assert_cleared("cookie", "header")
    else:
        assert (reply.status, reply.session_parts) == (500, [])
    assert "a session could not be revoked: the disk is gone" in caplog.messages
    assert len(site.handles("user-2")) == 1


def test_nothing_of_one_request_counts_for_the_next(site: Site, mode: str) -> None:
    """An error of the same thread or loop, made outside of the request that delivered tokens."""
    site.sign_in(mode)
    UnauthorisedError("of nobody")
    reply = site.post("/open", [("st-auth-mode", mode)], do=lambda view: Answer({}, 404))
    assert (reply.status, reply.session_parts) == (404, [])
    visitor = site.sign_in(mode)

    def merge(view: Any) -> Any:
        yield view.merge({"a": 1})
        return 404, {}

    assert visitor.post("/protected", do=merge).front["up"]["a"] == 1


# -- handlers of the application -------------------------------------------------------------------


@pytest.fixture
def made(sqlite_files: Sqlite, clock: Clock) -> Iterator[Callable[[str], Site]]:
    """Makes the site of one framework, for an application of the test's own."""
    sites: list[Site] = []

    def make(driver: str) -> Site:
        sites.append(Site(driver, sqlite_files.create().uri, clock).init())
        return sites[-1]

    yield make
    for site in sites:
        site.close()


def assert_answered(site: Site, *, banned: int = 401) -> None:
    """Anonymous is 401 with our words, a refused log-in leaves nothing."""
    anonymous = site.get("/me")
    assert (anonymous.status, anonymous.json) == (401, UNAUTHORISED)
    reply = site.post("/login", [("st-auth-mode", "cookie")])
    assert reply.status == banned
    assert_nothing_left(site, reply)


def fastapi_routes(app: Any) -> None:
    @app.get("/me")
    async def me(request: Request) -> str:
        return (await session_asyncio.get_session(request)).get_user_id()

    @app.post("/login")
    async def login(request: Request) -> None:
        await session_asyncio.create_new_session(request, "public", "user-2")
        raise UnauthorisedError("banned")


def test_fastapi_a_middleware_that_catches_everything(made: Any) -> None:
    """Below ours and above the view, as `@app.middleware("http")` is."""
    site, app = made("fastapi"), FastAPI()

    @app.middleware("http")
    async def catch(request: Any, call_next: Any) -> Any:
        try:
            return await call_next(request)
        except Exception:
            return JSONResponse({"detail": "internal"}, 500)

    app.add_middleware(get_middleware())
    fastapi_routes(app)
    site.client = AsgiClient(app)
    assert_answered(site)


def test_fastapi_an_application_mounted_below_the_middleware(made: Any) -> None:
    """The inner application would answer 500 before the error reaches the middleware."""
    site, outer, inner = made("fastapi"), FastAPI(), FastAPI()
    outer.add_middleware(get_middleware())
    fastapi_routes(inner)
    outer.mount("", inner)
    site.client = AsgiClient(outer)
    assert_answered(site)


@pytest.mark.parametrize("status", [200, 302, 499])
def test_fastapi_a_handler_of_the_application(made: Any, status: int) -> None:
    """It keeps the last word on our errors, and its answer carries no live token, whatever its status."""
    site, app = made("fastapi"), FastAPI()
    app.add_middleware(get_middleware())

    @app.exception_handler(SuperTokensError)
    async def own(request: Any, error: Exception) -> JSONResponse:
        return JSONResponse({"own": str(error)}, status)

    fastapi_routes(app)
    site.client = AsgiClient(app)
    assert site.get("/me").status == status
    reply = site.post("/login", [("st-auth-mode", "cookie")])
    assert (reply.status, reply.json, reply.session_parts) == (status, {"own": "banned"}, [])
    assert_nothing_left(site, reply)


def flask_app(site: Site) -> Any:
    from flask import Flask

    app = Flask(__name__)
    app.logger.disabled = True
    Middleware(app)
    site.client = WsgiClient(app)
    return app


def flask_routes(target: Any) -> None:
    from flask import request

    @target.get("/me")
    def me() -> str:
        return session_syncio.get_session(request).get_user_id()

    @target.post("/login")
    def login() -> str:
        session_syncio.create_new_session(request, "public", "user-2")
        raise UnauthorisedError("banned")


def test_flask_a_blueprint_that_catches_everything(made: Any) -> None:
    """Its handler is nearer to the view than the application's."""
    from flask import Blueprint

    site = made("flask")
    app, api = flask_app(site), Blueprint("api", "api")
    api.register_error_handler(Exception, lambda error: ({"error": "internal"}, 500))
    flask_routes(api)
    app.register_blueprint(api)
    assert_answered(site)


def test_flask_an_extension_that_takes_over_errors(made: Any) -> None:
    """As Flask-RESTX does, before or after our middleware."""
    site = made("flask")
    app = flask_app(site)
    app.handle_user_exception = lambda error: ({"message": "Internal Server Error"}, 500)
    flask_routes(app)
    assert_answered(site)


@pytest.mark.parametrize("status", [200, 302, 499])
def test_flask_a_handler_of_the_application(made: Any, status: int) -> None:
    """It keeps the last word on our errors, under the decorator, too, and its answer carries no token."""
    from flask import Blueprint

    from supertokens_py.recipe.session.framework.flask import verify_session

    site = made("flask")
    app, api = flask_app(site), Blueprint("api", "api")
    api.register_error_handler(UnauthorisedError, lambda error: ({"own": type(error).__name__}, status))
    flask_routes(api)
    api.add_url_rule("/guarded", "guarded", verify_session()(dict))
    app.register_blueprint(api)
    app.add_url_rule("/outside", "outside", verify_session()(dict))
    assert site.get("/me").json == site.get("/guarded").json == {"own": "UnauthorisedError"}
    assert site.get("/outside").json == UNAUTHORISED
    reply = site.post("/login", [("st-auth-mode", "cookie")])
    assert (reply.status, reply.session_parts) == (status, [])
    assert_nothing_left(site, reply)


@pytest.mark.parametrize("early", [True, False])
@pytest.mark.parametrize("raises", [True, False])
@pytest.mark.parametrize("nested", [True, False])
def test_flask_an_after_request_that_fails(made: Any, early: bool, raises: bool, nested: bool) -> None:
    """It makes a server error of the log-in, registered before our middleware or after it."""
    from flask import Blueprint, Flask

    def fail(response: Any) -> Any:
        if raises:
            raise LookupError("a mistake of the hook")
        response.status_code = 500
        return response

    site, app = made("flask"), Flask(__name__)
    app.logger.disabled = True
    target: Any = Blueprint("api", "api") if nested else app

    @target.post("/login")
    def login() -> str:
        from flask import request

        session_syncio.create_new_session(request, "public", "user-2")
        return "welcome"

    if early:
        target.after_request(fail)
    Middleware(app)
    if not early:
        target.after_request(fail)
    if nested:
        app.register_blueprint(target)
    site.client = WsgiClient(app)
    for _ in range(2):  # the first request sorts the hooks
        reply = site.post("/login", [("st-auth-mode", "cookie")])
        assert (reply.status, reply.session_parts) == (500, [])
        assert_nothing_left(site, reply)


def test_flask_an_error_that_goes_to_a_debugger(made: Any) -> None:
    """With PROPAGATE_EXCEPTIONS there is no response, and the session is revoked all the same."""
    site = made("flask")
    app = flask_app(site)
    app.config["PROPAGATE_EXCEPTIONS"] = True

    @app.post("/login")
    def login() -> None:
        from flask import request

        session_syncio.create_new_session(request, "public", "user-2")
        raise LookupError("a mistake of the view")

    with pytest.raises(LookupError):
        site.post("/login", [("st-auth-mode", "cookie")])
    assert site.handles("user-2") == []


class Catches:
    """A middleware of Django that answers every exception of a view."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> Any:
        return self.get_response(request)

    def process_exception(self, request: Any, error: Exception) -> Any:
        from django.http import JsonResponse

        return JsonResponse({"error": "internal"}, status=500)


def django_me(request: Any) -> Any:
    return session_syncio.get_session(request).get_user_id()


def django_login(request: Any) -> Any:
    session_syncio.create_new_session(request, "public", "user-2")
    raise UnauthorisedError("banned")


def django_closed(request: Any) -> Any:
    """A view that calls nothing of the SDK."""
    raise UnauthorisedError("closed")


def django_claims(request: Any) -> Any:
    raise InvalidClaimsError("claims", [ClaimValidationError("plan", {"message": "too small"})])


def django_caught(request: Any) -> Any:
    """A view that makes a 500 of the error itself."""
    from django.http import JsonResponse

    try:
        raise UnauthorisedError("closed")
    except UnauthorisedError:
        return JsonResponse({"error": "of the view"}, status=500)


def django_broken(request: Any) -> Any:
    """A view that can do without a session and fails for another reason."""
    try:
        session_syncio.get_session(request)
    except UnauthorisedError:
        raise LookupError("a mistake of the view") from None


@pytest.mark.parametrize("driver", ["django_sync", "django_async"])
def test_django_a_middleware_that_catches_everything(made: Any, driver: str) -> None:
    """Below ours, so that Django asks it first. What is no error of a session stays a 500."""
    from django.core.handlers.asgi import ASGIHandler
    from django.core.handlers.wsgi import WSGIHandler
    from django.test import override_settings
    from django.urls import path

    class Urls:
        urlpatterns = [  # noqa: RUF012  as Django reads it
            path("me", django_me),
            path("login", django_login),
            path("broken", django_broken),
            path("closed", django_closed),
            path("claims", django_claims),
            path("caught", django_caught),
        ]

    site = made(driver)
    ours = "supertokens_py.framework.django.django_middleware.middleware"
    with override_settings(ROOT_URLCONF=Urls, MIDDLEWARE=[ours, f"{__name__}.Catches"]):
        site.client = WsgiClient(WSGIHandler()) if driver == "django_sync" else AsgiClient(ASGIHandler())
        assert_answered(site)
        assert site.get("/broken").json == {"error": "internal"}
        assert (site.get("/closed").status, site.get("/closed").json) == (401, UNAUTHORISED)
        assert site.get("/claims").status == 403
        assert site.get("/caught").json == {"error": "of the view"}
