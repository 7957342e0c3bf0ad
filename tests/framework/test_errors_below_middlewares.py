"""FastAPI and Starlette: the SDK's errors where a layer between ours and the view catches everything."""

from __future__ import annotations

import functools
import traceback
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.routing import Host, Mount, Route
from starlette.testclient import TestClient

from supertokens_py import InputAppInfo, init
from supertokens_py.exceptions import ConfigError, SuperTokensError
from supertokens_py.framework.fastapi import get_middleware
from supertokens_py.framework.starlette import SuperTokensMiddleware
from supertokens_py.recipe import session
from supertokens_py.recipe.session import syncio as session_syncio
from supertokens_py.recipe.session.asyncio import create_new_session, get_session
from supertokens_py.recipe.session.exceptions import UnauthorisedError
from supertokens_py.recipe.session.framework import starlette
from supertokens_py.recipe.session.framework.fastapi import verify_session


@pytest.fixture(autouse=True)
def initialised(supertokens: Any) -> None:
    init(
        InputAppInfo("Test", api_domain="http://localhost", website_domain="http://localhost"),
        recipe_list=[session.init()],
    )


def client_of(app: Any) -> TestClient:
    return TestClient(app, base_url="http://localhost", raise_server_exceptions=False)


async def catch(request: Request, call_next: Any) -> Any:
    try:
        return await call_next(request)
    except Exception:
        return JSONResponse({"detail": "internal"}, 500)


async def look(request: Request, call_next: Any) -> Any:
    """What an authentication middleware does that lets visitors through."""
    await get_session(request, session_required=False)
    return await call_next(request)


async def require(request: Request, call_next: Any) -> Any:
    """What one does that lets nobody through but to log in."""
    if request.method == "GET":
        await get_session(request)
    return await call_next(request)


class Catching(APIRoute):
    """A route class that catches everything."""

    def get_route_handler(self) -> Any:
        handle = super().get_route_handler()

        async def caught(request: Request) -> Any:
            try:
                return await handle(request)
            except Exception:
                return JSONResponse({"detail": "internal"}, 500)

        return caught


def routes_of(app: FastAPI) -> None:
    @app.get("/maintenance")
    async def maintenance() -> None:
        raise UnauthorisedError("closed")

    @app.get("/me")
    async def me(found: Annotated[Any, Depends(verify_session())]) -> None:
        raise NotImplementedError  # nobody gets here

    @app.get("/got")
    async def got(request: Request) -> None:
        await get_session(request)

    @app.post("/banned")
    async def banned(request: Request) -> None:
        await create_new_session(request, "public", "mallory")
        raise UnauthorisedError("banned")

    @app.get("/handled")
    async def handled(request: Request) -> Any:
        try:
            await get_session(request)
        except UnauthorisedError:
            return JSONResponse({"detail": "a 500 of the view itself"}, 500)

    @app.get("/broken")
    async def broken(request: Request) -> None:
        await get_session(request, session_required=False)
        raise LookupError("a mistake of the view")


def app_with(*inside: Any) -> FastAPI:
    """The application with these middlewares, the innermost first, below ours."""
    app = FastAPI()
    for each in inside:
        app.middleware("http")(each)
    app.add_middleware(get_middleware())
    routes_of(app)
    return app


def assert_answered(app: Any, *paths: str) -> None:
    client = client_of(app)
    for path in [*paths, *paths]:  # the second request of a process is answered as the first one
        reply = client.get(path)
        assert (reply.status_code, reply.json()) == (401, {"message": "unauthorised"}), path
    reply = client.post("/banned", headers={"st-auth-mode": "cookie"})
    assert (reply.status_code, reply.headers["front-token"]) == (401, "remove")
    assert len(client.cookies) == 0
    assert session_syncio.get_all_session_handles_for_user("mallory") == []


@pytest.mark.parametrize("inside", [[catch], [catch, look], [look, catch], [require, catch]])
@pytest.mark.parametrize("first", ["/maintenance", "/me", "/got"])
def test_fastapi_errors_are_answered_below_a_middleware_that_catches_everything(
    inside: list[Any], first: str
) -> None:
    assert_answered(app_with(*inside), first, "/maintenance", "/me", "/got")


def test_fastapi_a_route_class_that_catches_everything() -> None:
    app = FastAPI()
    app.router.route_class = Catching
    app.add_middleware(get_middleware())
    routes_of(app)

    async def both(request: Request, *, required: bool) -> None:
        await get_session(request, session_required=required)

    app.add_api_route("/partial", functools.partial(both, required=True))
    assert_answered(app, "/me", "/got", "/partial")


@pytest.mark.parametrize("is_ours_there", [True, False])
def test_the_error_says_where_a_middleware_belongs_that_stands_outside_of_ours(is_ours_there: bool) -> None:
    """Nobody answers its error; what the server logs says what to do."""
    app = FastAPI()
    if is_ours_there:
        app.add_middleware(get_middleware())
    app.middleware("http")(require)
    with pytest.raises(UnauthorisedError) as raised:
        TestClient(app, base_url="http://localhost").get("/")
    hint = traceback.format_exception(raised.value)[-1]
    assert "missing (app.add_middleware(get_middleware()), of supertokens_py.framework.fastapi)" in hint
    assert "FastAPI, Starlette: add that before it" in hint


MOUNTED = {
    "mount": lambda inner: [Mount("/", inner)],
    "mount-middleware": lambda inner: [
        Mount("/", inner, middleware=[Middleware(BaseHTTPMiddleware, dispatch=catch)])
    ],
    "router": lambda inner: [Mount("/", routes=[Mount("/", inner)])],
    "host": lambda inner: [Host("localhost", inner)],
    "application": lambda inner: [Mount("/", Starlette(routes=[Mount("/", inner)]))],
}


@pytest.mark.parametrize("mounted", MOUNTED)
@pytest.mark.parametrize("is_built", [False, True])
def test_fastapi_a_mounted_application_that_catches_everything(mounted: str, is_built: bool) -> None:
    """Its first request may be one whose view raises an error and calls nothing of the SDK."""
    inner, outer = FastAPI(), FastAPI()
    inner.middleware("http")(catch)
    routes_of(inner)
    if is_built:
        assert client_of(inner).get("/maintenance").status_code == 500
    outer.middleware("http")(look)
    outer.add_middleware(get_middleware())
    outer.router.routes += MOUNTED[mounted](inner)
    assert_answered(outer, "/maintenance", "/me", "/got")


def test_fastapi_a_mounted_application_with_a_handler_of_its_own() -> None:
    inner, outer = FastAPI(), FastAPI()
    inner.middleware("http")(catch)
    routes_of(inner)

    @inner.exception_handler(SuperTokensError)
    async def own(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"own": True}, 503)

    outer.add_middleware(get_middleware())
    outer.mount("/", inner)
    assert client_of(outer).get("/maintenance").json() == {"own": True}


def test_a_mounted_application_is_no_less_in_want_of_the_middleware_by_itself() -> None:
    """Where it also serves alone: its guards say what is missing, as those of any other application."""
    inner, outer = FastAPI(), FastAPI()
    routes_of(inner)
    outer.add_middleware(get_middleware())
    outer.mount("/", inner)
    assert client_of(outer).get("/me").status_code == 401
    with pytest.raises(ConfigError, match="middleware is missing"):
        TestClient(inner, base_url="http://localhost").get("/me")
    refused = client_of(inner).get("/maintenance")  # the error of a view is answered all the same
    assert (refused.status_code, refused.json()) == (401, {"message": "unauthorised"})
    assert refused.headers["front-token"] == "remove"


def test_a_mounted_application_that_has_the_middleware_as_well() -> None:
    inner, outer = app_with(catch), FastAPI()
    outer.add_middleware(get_middleware())
    outer.mount("/", inner)
    assert_answered(outer, "/maintenance", "/me", "/got")


def test_fastapi_what_is_no_error_of_a_session_stays_a_server_error() -> None:
    """Nor is a 500 replaced that a view made of the error itself."""
    client = client_of(app_with(catch, look))
    assert client.get("/handled").json() == {"detail": "a 500 of the view itself"}
    assert client.get("/broken").json() == {"detail": "internal"}


def test_fastapi_a_handler_of_the_application_keeps_its_server_error() -> None:
    app = app_with(catch, look)

    @app.exception_handler(SuperTokensError)
    async def own(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"own": True}, 503)

    for path in ("/maintenance", "/me", "/got"):
        reply = client_of(app).get(path)
        assert (reply.status_code, reply.json()) == (503, {"own": True}), path


@pytest.mark.parametrize("inside", [[catch], [catch, look], [look, catch]])
def test_starlette_errors_are_answered_below_a_middleware_that_catches_everything(inside: list[Any]) -> None:
    async def maintenance(request: Request) -> None:
        raise UnauthorisedError("closed")

    @starlette.verify_session()
    async def me(request: Request) -> None:
        raise NotImplementedError  # nobody gets here

    async def banned(request: Request) -> None:
        await create_new_session(request, "public", "mallory")
        raise UnauthorisedError("banned")

    layers = [Middleware(BaseHTTPMiddleware, dispatch=each) for each in reversed(inside)]
    routes = [
        Route("/maintenance", maintenance),
        Route("/me", me),
        Route("/banned", banned, methods=["POST"]),
    ]
    app = Starlette(routes=routes, middleware=[Middleware(SuperTokensMiddleware), *layers])
    assert_answered(app, "/maintenance", "/me")
