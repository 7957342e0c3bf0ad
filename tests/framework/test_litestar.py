"""What only Litestar has: guards of every layer, its exception handlers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from litestar import (
    Controller,
    Litestar,
    MediaType,
    Request,
    Response,
    Router,
    WebSocket,
    get,
    post,
    websocket,
)
from litestar.config.cors import CORSConfig
from litestar.di import NamedDependency, Provide
from litestar.exceptions import HTTPException

from supertokens_py.exceptions import SuperTokensError
from supertokens_py.framework.litestar import SuperTokensPlugin
from supertokens_py.recipe.session import InputOverrideConfig
from supertokens_py.recipe.session import syncio as session_syncio
from supertokens_py.recipe.session.asyncio import create_new_session
from supertokens_py.recipe.session.claims import PrimitiveClaim
from supertokens_py.recipe.session.framework.litestar import verify_session
from supertokens_py.testing.conformance import AsgiClient
from tests.seeds.fixtures import start

__all__ = ["start"]

AnyRequest = Request[Any, Any, Any]


@post("/login", status_code=200)
async def log_in(request: AnyRequest) -> None:
    await create_new_session(request, "public", "ada")


class Pages(Controller):
    path = "/pages"
    guards = [verify_session()]  # noqa: RUF012  as Litestar wants it

    @get("/me", media_type=MediaType.TEXT)
    async def me(self, request: AnyRequest) -> str:
        assert request.auth is request.state.supertokens
        return request.user

    @get("/blocking", media_type=MediaType.TEXT, sync_to_thread=True)
    def blocking(self, request: AnyRequest) -> str:
        request.auth.sync_merge_into_access_token_payload({"n": 1})
        return request.user


@get("/optional", guards=[verify_session(session_required=False)])
async def optional(request: AnyRequest) -> list[Any]:
    return [request.auth, request.user]


@post("/auth/signout", status_code=200)
async def shadowed() -> None:
    raise NotImplementedError  # the SDK's route is first


@pytest.fixture
def open_app(start: Callable[..., Any]) -> Iterator[Callable[..., AsgiClient]]:
    """Call `init` and make a client for an application with these handlers."""
    start(info={"api_domain": "https://api.example.com", "website_domain": "https://example.com"})
    clients: list[AsgiClient] = []

    def make(**options: Any) -> AsgiClient:
        given: dict[str, Any] = {"plugins": [SuperTokensPlugin()], "openapi_config": None, **options}
        routes = [log_in, shadowed, Router("/in", route_handlers=[Pages, optional])]
        app = Litestar(routes, logging_config=None, **given)
        clients.append(AsgiClient(app))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


def bearer(client: AsgiClient) -> list[tuple[str, str]]:
    reply = client.request("POST", "/login", [])
    return [("authorization", f"Bearer {reply.access}")]


def test_guards_of_controllers_and_handlers(open_app: Callable[..., AsgiClient]) -> None:
    """The session is `request.auth`, the user's ID `request.user`; blocking handlers run in threads."""
    client = open_app()
    session = bearer(client)
    assert client.request("GET", "/in/pages/me", session).body == b"ada"
    assert client.request("GET", "/in/pages/me", []).json == {"message": "unauthorised"}
    reply = client.request("GET", "/in/pages/blocking", session)
    assert (reply.body, reply.front["up"]["n"]) == (b"ada", 1)
    assert client.request("GET", "/in/optional", []).json == [None, None]


def test_async_hooks_of_blocking_code_run_on_the_applications_loop(
    start: Callable[..., Any],
) -> None:
    """Of handlers and of dependencies, also of a WebSocket's: they may hold locks of that loop."""
    start()
    loops: list[Any] = []
    lock = asyncio.Lock()
    nothing: list[tuple[str, str]] = []

    async def fetch(user_id: str, tenant_id: str, context: Any) -> str:
        async with lock:
            loops.append(asyncio.get_running_loop())
            await asyncio.sleep(0)
        return user_id

    claim: Any = PrimitiveClaim("name", fetch)

    def make() -> str:
        made = session_syncio.create_new_session_without_request_response("public", "ada")
        made.sync_fetch_and_set_claim(claim)
        return made.get_user_id()

    @get("/loop")
    async def loop() -> None:
        loops.append(asyncio.get_running_loop())

    @get("/handler", sync_to_thread=True)
    def handler() -> str:
        return make()

    made = {"made": Provide(make, sync_to_thread=True)}

    @get("/dependency", dependencies=made)
    async def dependency(made: NamedDependency[str]) -> str:
        return made

    @websocket("/socket", dependencies=made)
    async def live(socket: WebSocket[Any, Any, Any], made: NamedDependency[str]) -> None:
        await socket.accept()
        await socket.send_text(made)
        await socket.close()

    app = Litestar(
        [loop, handler, dependency, live],
        plugins=[SuperTokensPlugin()],
        openapi_config=None,
        logging_config=None,
    )
    with closing(AsgiClient(app)) as client:
        client.request("GET", "/loop", [])
        replies = client.together([("GET", path, nothing) for path in ("/handler", "/dependency")] * 3)
        assert [(reply.status, reply.body) for reply in replies] == [(200, b"ada")] * 6
        assert client.handshake("/socket", []).message == "ada"
    assert loops == [loops[0]] * 8


def test_routes_at_the_sdks_paths(open_app: Callable[..., AsgiClient]) -> None:
    """The SDK answers, whether or not the application has a route there."""
    client = open_app()
    assert client.request("POST", "/auth/signout", bearer(client)).json == {"status": "OK"}


def test_a_handler_of_the_application_wins(open_app: Callable[..., AsgiClient]) -> None:
    """For the SDK's errors, and for pages that are not there, except the SDK's."""

    def own(request: AnyRequest, error: Exception) -> Response[str]:
        return Response("mine", status_code=418)

    client = open_app(exception_handlers={SuperTokensError: own, HTTPException: own})
    assert client.request("GET", "/in/pages/me", []).status == 418
    assert client.request("GET", "/nothing", []).status == 418
    assert client.request("GET", "/auth/nothing", []).status == 418
    assert client.request("GET", "/auth/jwt/jwks.json", []).status == 200
    assert client.request("POST", "/auth/session/refresh", []).status == 401


def test_cors_headers_on_the_sdks_routes(open_app: Callable[..., AsgiClient]) -> None:
    """Litestar's CORS is outside of the plugin."""
    client = open_app(cors_config=CORSConfig(allow_origins=["https://example.com"], allow_credentials=True))
    origin = [("origin", "https://example.com")]
    for path in ("/auth/session/refresh", "/login"):
        reply = client.request("POST", path, origin)
        assert reply.header("access-control-allow-origin") == "https://example.com"


def test_a_forgotten_plugin(open_app: Callable[..., AsgiClient]) -> None:
    """The error in the log says what to add."""
    client = open_app(plugins=[], debug=True)
    for method, path in (("POST", "/login"), ("GET", "/in/pages/me")):
        reply = client.request(method, path, [])
        assert reply.status == 500
        assert b"Litestar(plugins=[SuperTokensPlugin()]), of supertokens_py.framework.litestar" in reply.body


def test_a_mistake_in_an_override(start: Callable[..., Any], open_app: Callable[..., AsgiClient]) -> None:
    """It is answered by Litestar's 500 and told to `after_exception`, where the SDK's answer was to be."""
    seen: list[BaseException] = []

    async def note(error: BaseException, scope: Any) -> None:
        seen.append(error)

    def broken(original: Any) -> Any:
        async def refresh(*args: Any, **kwargs: Any) -> Any:
            raise LookupError("mine")

        original.refresh_post = refresh
        return original

    client = open_app(after_exception=[note])
    start(
        info={"api_domain": "https://api.example.com", "website_domain": "https://example.com"},
        override=InputOverrideConfig(apis=broken),
    )
    reply = client.request("POST", "/auth/session/refresh", bearer(client))
    assert (reply.status, reply.json["detail"]) == (500, "Internal Server Error")
    assert isinstance(seen[-1], LookupError)


def test_mounted_below_a_prefix(open_app: Callable[..., AsgiClient]) -> None:
    """The prefix is part of the path that a browser sees."""
    client = open_app()
    session = bearer(client)
    for path, status in (("/api/in/pages/me", 200), ("/api/auth/session/refresh", 404)):
        method = "GET" if status == 200 else "POST"
        assert client.request(method, path, session, b"", "/api").status == status, path
