"""The published suite fails on adapters that are wrong: each of these has one mistake."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from starlette.applications import Starlette

from supertokens_py.exceptions import GeneralError
from supertokens_py.framework.asgi import Connection
from supertokens_py.framework.starlette import SuperTokensMiddleware
from supertokens_py.testing.conformance import AsgiClient, Conformance, Driver, Route
from supertokens_py.testing.conformance.application import Application
from tests.support.databases import TestDatabase

from .clients import flask, starlette


def run(driver: type[Driver], database: TestDatabase, test: Callable[..., None], *arguments: Any) -> None:
    """Run a test of the suite on a driver's application."""

    application = Application(driver(), database.uri)
    try:
        test(type("Suite", (Conformance,), {"driver": driver})(), application, *arguments)
    finally:
        application.close()


class Optimistic(flask.Driver):
    """Its requests say that tokens are delivered, also where the middleware was forgotten."""

    def build(self, routes: Sequence[Route]) -> Any:
        client = super().build(routes)
        client.app.extensions["supertokens"] = True
        return client


def test_tokens_that_nobody_delivers(sqlite_database: TestDatabase) -> None:
    class Suite(Conformance):
        driver = Optimistic

    with pytest.raises(AssertionError, match="tokens were made that nobody delivers"):
        Suite().test_a_forgotten_middleware(sqlite_database.uri)


class Repetitive(starlette.Driver):
    """Its framework adds a Content-Type to responses that have one."""

    def client(self, app: Starlette) -> AsgiClient:
        async def adding(scope: Any, receive: Any, send: Any) -> None:
            async def send_more(message: Any) -> None:
                if message["type"] == "http.response.start" and scope["path"].startswith("/auth/"):
                    message["headers"] = [*message["headers"], (b"content-type", b"text/plain")]
                await send(message)

            await app(scope, receive, send_more)

        return AsgiClient(adding)


@pytest.mark.parametrize("mode", ["cookie", "header"])
def test_two_content_types(sqlite_database: TestDatabase, mode: str) -> None:
    with pytest.raises(AssertionError, match="content-type is there 2 times"):
        run(Repetitive, sqlite_database, Conformance.test_no_header_comes_twice, mode)


class Foreign(starlette.Driver):
    """Its middleware makes requests of a class that the framework's users do not know."""

    def build(self, routes: Sequence[Route]) -> Any:
        self.middleware = False
        return super().build(routes)

    def client(self, app: Starlette) -> AsgiClient:
        class Middleware(SuperTokensMiddleware):
            native = Connection

        return AsgiClient(Middleware(app))


def test_another_request_than_the_frameworks(sqlite_database: TestDatabase) -> None:
    with pytest.raises(
        AssertionError, match=r"views have starlette.requests.Request, overrides .*Connection"
    ):
        run(Foreign, sqlite_database, Conformance.test_the_frameworks_own_request, sqlite_database.uri)


class Socket:
    """A WebSocket of a class that the adapter has not registered."""

    def __init__(self, native: Any) -> None:
        self.scope = native.scope


class Unregistered(starlette.Driver):
    """Its users have a class of WebSockets that the adapter does not know."""

    def build(self, routes: Sequence[Route]) -> Any:
        class Other(Route):
            async def run(self, request: Any, session: Any = None) -> Any:
                return await super().run(Socket(request) if self.websocket else request, session)

        return super().build([Other(**vars(route)) for route in routes])


def test_a_class_of_websockets_that_was_not_registered(sqlite_database: TestDatabase) -> None:
    with pytest.raises(GeneralError, match="Socket is not a request of"):
        run(Unregistered, sqlite_database, Conformance.test_a_websocket_with_a_header)


class Blind(starlette.Driver):
    """Its requests do not say that they are WebSockets."""

    def build(self, routes: Sequence[Route]) -> Any:
        class Other(Route):
            async def run(self, request: Any, session: Any = None) -> Any:
                request.scope["type"] = "http"
                return await super().run(request, session)

        return super().build([Other(**vars(route)) for route in routes])


def test_a_request_that_knows_no_websockets(sqlite_database: TestDatabase) -> None:
    with pytest.raises(AssertionError, match="the adapter's request class does not know a WebSocket"):
        run(Blind, sqlite_database, Conformance.test_a_websocket_with_a_header)
