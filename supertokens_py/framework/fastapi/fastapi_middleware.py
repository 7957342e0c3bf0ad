"""The ASGI middleware, as FastAPI and Starlette add it."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, TypeVar

from anyio import from_thread
from starlette.requests import Request

from supertokens_py.framework import asgi
from supertokens_py.framework.adapter import AppBridge, ConfigError
from supertokens_py.framework.asgi import AsgiRequest

from .fastapi_request import FastApiRequest

T = TypeVar("T")


class _AnyioBridge(AppBridge):
    """Async application code for a `def` view runs on the event loop of the application.

    It may then use what belongs to that loop: locks, database pools, HTTP clients.
    """

    def run(self, result: Awaitable[Any]) -> Any:
        started = False

        async def run() -> Any:
            nonlocal started  # of this one call
            started = True
            return await result

        try:
            return from_thread.run(run)
        except RuntimeError:
            if started:
                raise
        return super().run(result)  # in a thread of the application's own


class SuperTokensMiddleware(asgi.SuperTokensMiddleware):
    """Answers SDK routes and session errors, and adds tokens to the responses of the application."""

    request_class: ClassVar[type[AsgiRequest]] = FastApiRequest
    native: ClassVar[type[Any]] = Request
    bridge: ClassVar[AppBridge | None] = _AnyioBridge()


def _without_arguments(make: Callable[[], T]) -> Callable[[], T]:
    """Explain forgotten parentheses, with which Starlette would call the function for a middleware."""

    @functools.wraps(make)
    def call(*arguments: object, **named: object) -> T:
        if arguments or named:
            raise ConfigError(
                "get_middleware has to be called: write app.add_middleware(get_middleware()), "
                "with parentheses"
            )
        return make()

    return call


@_without_arguments
def get_middleware() -> type[SuperTokensMiddleware]:
    """Return the class for `app.add_middleware(...)`; add CORS middleware after it, as the outermost."""
    return SuperTokensMiddleware
