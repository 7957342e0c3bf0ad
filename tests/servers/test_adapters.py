"""The published suite over sockets: each ASGI and WSGI framework under a server that it is deployed with."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import hypercorn.asyncio
import hypercorn.config
import pytest
import uvicorn
import waitress

from supertokens_py.testing.conformance import Conformance, Driver, SocketClient
from tests.framework.clients import django_async, fastapi, flask, litestar, quart, starlette

pytestmark = pytest.mark.real


class OnUvicorn:
    """A driver whose application uvicorn serves."""

    def client(self, app: Any) -> SocketClient:
        @asynccontextmanager
        async def serve(listener: socket.socket) -> AsyncIterator[None]:
            server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            while not server.started:  # noqa: ASYNC110  it has no event
                await asyncio.sleep(0)
            yield
            server.should_exit = True
            await serving

        return SocketClient(serve)


class OnHypercorn:
    """A driver whose application Hypercorn serves."""

    def client(self, app: Any) -> SocketClient:
        @asynccontextmanager
        async def serve(listener: socket.socket) -> AsyncIterator[None]:
            config = hypercorn.config.Config()
            config.bind = [f"fd://{listener.dup().detach()}"]
            config.errorlog = None
            ended = asyncio.Event()
            serving = asyncio.create_task(
                hypercorn.asyncio.serve(app, config, shutdown_trigger=ended.wait, mode="asgi")
            )
            yield
            ended.set()
            await serving

        return SocketClient(serve)


class OnWaitress:
    """A driver whose application waitress serves, in threads."""

    def client(self, app: Any) -> SocketClient:
        @asynccontextmanager
        async def serve(listener: socket.socket) -> AsyncIterator[None]:
            channels: dict[int, Any] = {}
            server = waitress.create_server(app, map=channels, sockets=[listener])
            thread = threading.Thread(target=server.run)
            thread.start()
            yield
            server.trigger.pull_trigger(lambda: server.asyncore.close_all(channels))
            await asyncio.to_thread(thread.join)
            server.task_dispatcher.shutdown()

        return SocketClient(serve)


def on(server: type[Any], driver: type[Driver]) -> type[Driver]:
    """Return a driver whose application this server serves."""
    return type(driver.__name__, (server, driver), {})


class TestStarletteOnUvicorn(Conformance):
    driver = on(OnUvicorn, starlette.Driver)


class TestLitestarOnUvicorn(Conformance):
    driver = on(OnUvicorn, litestar.Driver)


class TestLitestarOnHypercorn(Conformance):
    driver = on(OnHypercorn, litestar.Driver)


class TestFastApiOnUvicorn(Conformance):
    driver = on(OnUvicorn, fastapi.Driver)


class TestQuartOnHypercorn(Conformance):
    driver = on(OnHypercorn, quart.Driver)


class TestFlaskOnWaitress(Conformance):
    driver = on(OnWaitress, flask.Driver)


class TestDjangoOnUvicorn(Conformance):
    driver = on(OnUvicorn, django_async.Driver)
