"""What only Starlette has: decorated endpoints of every form, and its exception handlers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute

from supertokens_py.exceptions import ConfigError, SuperTokensError
from supertokens_py.framework.fastapi.fastapi_request import FastApiRequest
from supertokens_py.framework.starlette import StarletteRequest, SuperTokensMiddleware
from supertokens_py.recipe.session.asyncio import create_new_session
from supertokens_py.recipe.session.exceptions import UnauthorisedError
from supertokens_py.recipe.session.framework.starlette import verify_session
from supertokens_py.testing.conformance import AsgiClient
from tests.seeds.fixtures import start

__all__ = ["start"]


async def log_in(request: Request) -> Response:
    await create_new_session(request, "public", "ada")
    return PlainTextResponse("hello")


@verify_session()
def blocking(request: Request) -> Response:
    """Runs in a thread, where the blocking methods work."""
    request.state.supertokens.sync_merge_into_access_token_payload({"n": 1})
    return PlainTextResponse(request.state.supertokens.get_user_id())


class Me(HTTPEndpoint):
    @verify_session()
    async def get(self, request: Request) -> Response:
        return PlainTextResponse(request.state.supertokens.get_user_id())


@verify_session(session_required=False)
async def optional(request: Request) -> Response:
    return JSONResponse(request.state.supertokens)


@verify_session(check_database=True)
async def socket(websocket: Any) -> None:
    raise NotImplementedError  # nobody gets here


async def refusing(websocket: Any) -> None:
    raise UnauthorisedError("not for you")


ROUTES = [
    Route("/login", log_in, methods=["POST"]),
    Route("/blocking", blocking),
    Mount("/inner", routes=[Route("/me", Me), Route("/optional", optional)]),
    WebSocketRoute("/socket", socket),
    WebSocketRoute("/refusing", refusing),
]


@pytest.fixture
def open_app(start: Callable[..., Any]) -> Iterator[Callable[..., AsgiClient]]:
    """Call `init` and make a client for an application with these routes."""
    start(info={"api_domain": "https://api.example.com", "website_domain": "https://example.com"})
    clients: list[AsgiClient] = []

    def make(**options: Any) -> AsgiClient:
        middleware = options.pop("middleware", [Middleware(SuperTokensMiddleware)])
        clients.append(AsgiClient(Starlette(routes=ROUTES, middleware=middleware, **options)))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


def bearer(client: AsgiClient) -> list[tuple[str, str]]:
    reply = client.request("POST", "/login", [])
    return [("authorization", f"Bearer {reply.access}")]


def test_endpoints_of_every_form(open_app: Callable[..., AsgiClient]) -> None:
    """A `def` in a thread, a method of a class, and below a mount."""
    client = open_app()
    session = bearer(client)
    reply = client.request("GET", "/blocking", session)
    assert (reply.body, reply.front["up"]["n"]) == (b"ada", 1)
    assert client.request("GET", "/inner/me", session).body == b"ada"
    assert client.request("GET", "/inner/me", []).json == {"message": "unauthorised"}
    assert client.request("GET", "/inner/optional", []).body == b"null"


def test_a_handler_of_the_application_wins(open_app: Callable[..., AsgiClient]) -> None:
    """Its handler for the SDK's errors stays, in the middle of the application and without the middleware."""

    async def own(request: Request, error: Exception) -> Response:
        return PlainTextResponse("mine", 418)

    for options in ({}, {"middleware": []}):
        client = open_app(exception_handlers={SuperTokensError: own}, **options)
        assert client.request("GET", "/blocking", []).status == 418


def test_a_forgotten_middleware(open_app: Callable[..., AsgiClient]) -> None:
    """The error says what to add: where a session is created, and where the refusal would be a bare 500."""
    client = open_app(middleware=[])
    for method, path in (("POST", "/login"), ("GET", "/blocking")):
        assert client.request(method, path, []).status == 500
        assert isinstance(client.error, ConfigError)
        assert "Add it: app.add_middleware(" in str(client.error)
    assert StarletteRequest.how_to_deliver == (
        "app.add_middleware(SuperTokensMiddleware), of supertokens_py.framework.starlette"
    )
    assert "get_middleware()" in FastApiRequest.how_to_deliver


def test_an_error_of_the_endpoint_of_a_websocket_is_the_applications(
    open_app: Callable[..., AsgiClient],
) -> None:
    """There is no response that it could be."""
    with pytest.raises(UnauthorisedError, match="not for you"):
        open_app().handshake("/refusing", [])


def test_a_websocket_whose_session_was_revoked(
    open_app: Callable[..., AsgiClient], start: Callable[..., Any]
) -> None:
    """1008 where the session is gone, 1013 ("try again later") where the store is."""
    client = open_app()
    session = bearer(client)
    assert client.handshake("/socket", []).code == 1008
    start(uri="sqlite:////dev")
    assert client.handshake("/socket", session).code == 1013
