"""The contract of adapters, and the plain ASGI and WSGI middlewares on it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import werkzeug.sansio.request
from flask import Flask
from flask import request as flask_request

from supertokens_py import Supertokens
from supertokens_py.exceptions import BadInputError, ConfigError, EngineUnavailableError, GeneralError
from supertokens_py.framework import adapter, asgi, wsgi
from supertokens_py.framework.adapter import BaseRequest, SessionCheck
from supertokens_py.framework.flask.flask_request import FlaskRequest
from supertokens_py.framework.request_registry import as_base_request
from supertokens_py.recipe.session import asyncio as session_asyncio
from supertokens_py.recipe.session import syncio as session_syncio
from supertokens_py.recipe.session.exceptions import UnauthorisedError
from supertokens_py.testing.conformance import AsgiClient, Headers, Reply, WsgiClient
from tests.seeds.fixtures import start

__all__ = ["start"]

COOKIE = [("st-auth-mode", "cookie")]


@pytest.fixture(autouse=True)
def _started(start: Callable[..., Any]) -> None:
    start(info={"api_domain": "https://api.example.com", "website_domain": "https://example.com"})


# -- plain applications ------------------------------------------------------------------------------


async def asgi_app(scope: Any, receive: Any, send: Any) -> None:
    """A view for each path, as an application without a framework writes them."""
    connection = asgi.Connection(scope, receive)
    request = asgi.AsgiRequest.of(connection)
    body, status = b"", 200
    match scope["path"]:
        case "/login":
            await session_asyncio.create_new_session(connection, "public", "ada")
            assert scope["state"]["supertokens"].get_user_id() == "ada"
        case "/me":
            session = await SessionCheck().verify(request)
            body = b"" if session is None else session.get_user_id().encode()
        case "/echo":
            body = str(
                [await request.json(), request.get_query_params(), request.get_original_url()]
            ).encode()
        case "/failed":
            await session_asyncio.create_new_session(connection, "public", "ada")
            status = 500
        case "/raise":
            await session_asyncio.create_new_session(connection, "public", "ada")
            raise KeyError("mine")
        case "/away":
            await session_asyncio.create_new_session(connection, "public", "ada")
            raise EngineUnavailableError("away")
        case "/late":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            raise UnauthorisedError("late")
    await send({"type": "http.response.start", "status": status, "headers": [(b"x-mine", b"1")]})
    await send({"type": "http.response.body", "body": body})


def wsgi_app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """The same, blocking."""
    native = wsgi.Environ(environ)
    request = wsgi.WsgiRequest.of(native)
    body, status = b"", "200 OK"
    match environ["PATH_INFO"]:
        case "/login":
            session_syncio.create_new_session(native, "public", "ada")
            assert environ["supertokens"]["session"].get_user_id() == "ada"
        case "/me":
            session = SessionCheck().verify_blocking(request)
            body = b"" if session is None else session.get_user_id().encode()
        case "/echo":
            sent = adapter.blocking(request.json)()
            assert environ["wsgi.input"].read() == adapter.blocking(request.body)()
            body = str([sent, request.get_query_params(), request.get_original_url()]).encode()
        case "/failed":
            session_syncio.create_new_session(native, "public", "ada")
            status = "500 Internal Server Error"
        case "/raise":
            session_syncio.create_new_session(native, "public", "ada")
            raise KeyError("mine")
        case "/away":
            session_syncio.create_new_session(native, "public", "ada")
            raise EngineUnavailableError("away")
        case "/late":
            session_syncio.create_new_session(native, "public", "ada")
            start_response("200 OK", [])
            raise UnauthorisedError("late")
    start_response(status, [("X-Mine", "1")])
    return [body]


@pytest.fixture(params=["asgi", "wsgi"])
def client(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Send requests into the application with the middleware around it."""
    made: Any = (
        AsgiClient(asgi.SuperTokensMiddleware(asgi_app))
        if request.param == "asgi"
        else WsgiClient(wsgi.SuperTokensMiddleware(wsgi_app))
    )
    yield made
    made.close()


def cookies_of(reply: Reply) -> Headers:
    return [("cookie", "; ".join(f"{cookie.name}={cookie.raw}" for cookie in reply.set_cookies))]


def open_sessions() -> int:
    return len(session_syncio.get_all_session_handles_for_user("ada"))


def test_tokens_come_and_go_over_a_whole_visit(client: Any) -> None:
    """Log in, ask, refresh, log out: tokens come and go, and caches are told."""
    refused = client.request("GET", "/me", [])
    assert (refused.status, refused.json) == (401, {"message": "unauthorised"})
    assert refused.header("www-authenticate") == "Bearer"
    login = client.request("POST", "/login", COOKIE)
    assert login.session_parts == ["front-token", "sAccessToken", "sRefreshToken"]
    assert (login.header("x-mine"), login.header("cache-control")) == ("1", "private, no-store")
    me = client.request("GET", "/me", cookies_of(login))
    assert (me.body, me.header("vary"), me.header("cache-control")) == (
        b"ada",
        "Cookie, Authorization",
        "private",
    )
    refreshed = client.request("POST", "/auth/session/refresh", [*cookies_of(login), ("rid", "session")])
    assert refreshed.session_parts == ["front-token", "sAccessToken", "sRefreshToken"]
    out = client.request("POST", "/auth/signout", [*cookies_of(refreshed), ("rid", "session")])
    out.assert_cleared("cookie")
    assert client.request("GET", "/auth/nothing", []).header("x-mine") == "1"
    assert open_sessions() == 0


def test_what_a_request_carries(client: Any) -> None:
    echo = client.request("POST", "/echo?a=1&a=2&b=", [("content-type", "application/json")], b'{"x": 1}')
    assert echo.body.decode() == (
        "[{'x': 1}, {'a': '2', 'b': ''}, 'https://api.example.com/echo?a=1&a=2&b=']"
    )
    assert client.request("POST", "/echo", [("content-length", "nonsense")]).body.startswith(b"[{}, {}")


@pytest.mark.parametrize("path", ["/failed", "/away"])
def test_failed_responses_carry_no_tokens(client: Any, path: str) -> None:
    """Whether the application or the SDK wrote them; the session that was created is revoked."""
    reply = client.request("POST", path, COOKIE)
    assert reply.status == {"/failed": 500, "/away": 503}[path]
    assert reply.session_parts == []
    assert open_sessions() == 0


def test_errors_of_the_application_leave_it(client: Any) -> None:
    """The server answers them; the session that was created is revoked."""
    with pytest.raises(KeyError, match="mine"):
        client.request("POST", "/raise", COOKIE)
    assert open_sessions() == 0


def test_errors_after_the_response_has_started_leave_it() -> None:
    """Nobody can answer them any more."""
    client = AsgiClient(asgi.SuperTokensMiddleware(asgi_app))
    client.request("GET", "/late", [])
    assert isinstance(client.error, UnauthorisedError)
    client.close()
    with pytest.raises(UnauthorisedError, match="late"):
        WsgiClient(wsgi.SuperTokensMiddleware(wsgi_app)).request("GET", "/late", COOKIE)
    assert open_sessions() == 0
    started: list[str] = []

    def start_response(status: str, headers: Any) -> None:
        started.append(status)

    def no_session(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        raise UnauthorisedError("late")

    with pytest.raises(UnauthorisedError, match="late"):
        wsgi.SuperTokensMiddleware(no_session)({"PATH_INFO": "/"}, start_response)
    assert started == ["200 OK"]


def test_a_wsgi_response_that_starts_anew() -> None:
    """PEP 3333: with `exc_info` an error takes the place of headers that were not sent: without tokens."""

    def app(environ: Any, start_response: Any) -> list[bytes]:
        session_syncio.create_new_session(wsgi.Environ(environ), "public", "ada")
        start_response("200 OK", [])
        start_response("500 Oops", [], ("kind", "error", "traceback"))
        return []

    starts: list[Any] = []
    environ = {"PATH_INFO": "/", "REQUEST_METHOD": "GET", "HTTP_ST_AUTH_MODE": "cookie"}
    wsgi.SuperTokensMiddleware(app)(environ, lambda *arguments: starts.append(arguments))
    (_, tokens), (status, headers, exc_info) = starts
    assert [name for name, _ in tokens].count("Set-Cookie") == 2
    assert (status, headers, exc_info) == ("500 Oops", [], ("kind", "error", "traceback"))
    assert open_sessions() == 0


def test_a_forgotten_middleware() -> None:
    """Creating a session says what to add, since its tokens would never arrive."""
    with pytest.raises(ConfigError, match=r"SuperTokensMiddleware\(app\), of supertokens_py.framework.wsgi"):
        session_syncio.create_new_session(wsgi.Environ({"REQUEST_METHOD": "GET"}), "public", "ada")
    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    with pytest.raises(ConfigError, match=r"SuperTokensMiddleware\(app\), of supertokens_py.framework.asgi"):
        session_syncio.create_new_session(asgi.Connection(scope, None), "public", "ada")  # type: ignore[arg-type]


async def test_a_body_in_parts() -> None:
    """It is received once, however often it is asked for; a WebSocket has none."""
    parts = [{"body": b"a=1", "more_body": True}, {"body": b"&b=2"}]

    async def receive() -> Any:
        return parts.pop(0)

    request = asgi.AsgiRequest.of(asgi.Connection({"type": "http", "headers": []}, receive))
    assert await request.form_data() == await request.form_data() == {"a": "1", "b": "2"}
    assert asgi.AsgiRequest(request.request).changes is request.changes
    socket = asgi.AsgiRequest.of(asgi.Connection({"type": "websocket", "headers": []}, receive))
    assert (await socket.json(), socket.finished, socket.delivers) == ({}, True, True)


async def test_the_origin_of_a_handshake_with_cookies_is_checked() -> None:
    """The origin of a handshake with cookies is checked; errors say how to close it."""
    session = await session_asyncio.create_new_session_without_request_response("public", "ada")
    refusals: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            await SessionCheck().verify(asgi.AsgiRequest.of(asgi.Connection(scope, receive)))
            refusals.append("accepted")
        except UnauthorisedError as error:
            refusals.append(asgi.close_of(error))

    for origin in (b"https://evil.test", b"https://example.com"):
        cookie = f"sAccessToken={session.get_access_token()}".encode()
        headers = [(b"cookie", cookie), (b"origin", origin)]
        scope = {"type": "websocket", "path": "/", "headers": headers}
        await asgi.SuperTokensMiddleware(app)(scope, None, None)  # type: ignore[arg-type]
    (code, reason), accepted = refusals
    assert (code, accepted) == (1008, "accepted")
    assert reason == "unauthorised"
    assert asgi.close_of(EngineUnavailableError("x")) == (1013, "the session store cannot be reached")
    assert asgi.close_of(BadInputError("x")) is None
    Supertokens.get_instance().debug = True
    assert asgi.close_of(UnauthorisedError("x", code="foreign_websocket")) == (1008, "foreign_websocket")


# -- which class wraps a request ---------------------------------------------------------------------


class Native:
    """A request of a small framework."""

    headers: dict[str, str]

    def __init__(self, **headers: str) -> None:
        self.headers = headers


class NativeRequest(BaseRequest):
    def method(self) -> str:
        return "GET"

    def get_path(self) -> str:
        return "/"

    def get_header(self, key: str) -> str | None:
        return self.request.headers.get(key)

    def get_original_url(self) -> str:
        return "http://localhost/"

    def get_query_params(self) -> dict[str, Any]:
        return {}


async def test_a_registered_type(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK's functions take it and its subclasses; what is not said has defaults."""

    class Own(Native):
        pass

    class Special(Own):
        pass

    native = Special()
    with pytest.raises(GeneralError, match=r"^Special is not a request of FastAPI, .* Flask"):
        as_base_request(native)
    adapter.register(Own, NativeRequest)
    with pytest.raises(GeneralError, match=rf"no adapter .* knows it \(they know .*{__name__}\.test_a_reg"):
        as_base_request({"path": "/"})
    made = await session_asyncio.create_new_session(native, "public", "ada")
    request = as_base_request(native)
    assert type(request) is NativeRequest
    assert request is NativeRequest.of(native)
    assert native.supertokens is made  # type: ignore[attr-defined]
    lines = await adapter.deliver(request, 200, [("x-mine", "1")])
    assert lines is not None
    assert {name for name, _ in lines} > {"x-mine", "front-token", "st-access-token"}
    assert NativeRequest.forget(native) is request
    assert NativeRequest.of(native) is not request
    with pytest.raises(NotImplementedError, match="NativeRequest defines neither `body` nor"):
        await request.json()


def test_a_request_on_werkzeug_is_not_always_flasks() -> None:
    """Others stand on it, too; the error names the frameworks instead of a missing attribute."""

    class Request(werkzeug.sansio.request.Request):
        pass

    made = Request("GET", "http", None, "", "/", b"", werkzeug.datastructures.Headers(), None)
    with pytest.raises(GeneralError, match=r"^Request is not a request of FastAPI, .* Flask"):
        as_base_request(made)


def test_proxies_are_what_they_stand_for() -> None:
    """A proxy of Flask's says nothing about what another proxy of its type stands for."""

    class Own(Native):
        pass

    adapter.register(Own, NativeRequest)
    with Flask("x").test_request_context("/"):
        assert isinstance(as_base_request(flask_request), FlaskRequest)
    native = Own()
    assert as_base_request(werkzeug.local.LocalProxy(lambda: native)) is NativeRequest.of(native)


# -- classes of 0.24 ---------------------------------------------------------------------------------


class OldRequest(BaseRequest):
    """What 0.24 asked of a subclass, and nothing more."""

    def __init__(self, request: dict[str, Any]) -> None:
        super().__init__(request)
        self.session: Any = None

    async def form_data(self) -> dict[str, Any]:
        return {"form": "1"}

    async def json(self) -> Any:
        return {"json": 1}

    def get_cookie(self, key: str) -> str | None:
        return self.request["cookies"].get(key)

    def get_header(self, key: str) -> str | None:
        return self.request["headers"].get(key.lower())

    def get_original_url(self) -> str:
        return "http://localhost/"

    def get_path(self) -> str:
        return "/"

    def get_query_param(self, key: str, default: str | None = None) -> str | None:
        return default

    def get_query_params(self) -> dict[str, Any]:
        return {}

    def get_session(self) -> Any:
        return self.session

    def method(self) -> str:
        return "GET"

    def set_session(self, session: Any) -> None:
        self.session = session

    def set_session_as_none(self) -> None:
        self.session = None


async def test_a_request_class_of_0_24() -> None:
    """It creates and verifies sessions, by header and by the cookies that only its `get_cookie` knows."""
    request = OldRequest({"headers": {"st-auth-mode": "cookie"}, "cookies": {}})
    made = await session_asyncio.create_new_session(request, "public", "ada")
    assert request.get_session() is made
    assert {cookie.name for cookie in request.changes.cookies.values()} == {"sAccessToken", "sRefreshToken"}
    cookies = {cookie.name: cookie.coded_value for cookie in request.changes.cookies.values()}
    by_cookie = await session_asyncio.get_session(OldRequest({"headers": {}, "cookies": cookies}))
    headers = {"authorization": f"Bearer {made.get_access_token()}", "content-type": "application/json"}
    second = OldRequest({"headers": headers, "cookies": {}})
    by_header = await session_asyncio.get_session(second)
    assert by_cookie is not None
    assert by_header is not None
    assert by_cookie.get_handle() == by_header.get_handle() == made.get_handle()
    assert await second.get_json_or_form_data() == {"json": 1}
    second.set_session_as_none()
    assert second.get_session() is None


# -- guards --------------------------------------------------------------------------------------------


def test_guards_with_the_same_arguments_are_equal() -> None:
    """Those with the same arguments do the same; validators count by identity."""

    def validators(given: Any, session: Any, user_context: Any) -> Any:
        return given

    assert SessionCheck() == SessionCheck(None, True)
    assert hash(SessionCheck()) == hash(SessionCheck(user_context={"a": []}))
    assert SessionCheck(override_global_claim_validators=validators) == SessionCheck(
        override_global_claim_validators=validators
    )
    assert SessionCheck() != SessionCheck(check_database=True)
    assert SessionCheck() != SessionCheck(user_context={"a": 1})
    assert SessionCheck() != "SessionCheck"


def test_answers_of_an_engine_out_of_reach(
    start: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    """503, and the request goes on without tokens."""
    caplog.set_level(logging.CRITICAL)
    request = wsgi.WsgiRequest.of(wsgi.Environ({"REQUEST_METHOD": "GET"}))
    answer = adapter.answer_error_blocking(request, EngineUnavailableError("away"))
    assert (answer.status_code, answer.get_header("retry-after")) == (503, "1")
    assert adapter.deliver_blocking(request, answer.status_code, []) is None
