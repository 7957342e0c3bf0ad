"""The ASGI middleware, as FastAPI adds it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ClassVar, TypeVar

from supertokens_py.framework import starlette
from supertokens_py.framework.adapter import ConfigError
from supertokens_py.framework.asgi import AsgiRequest

from .fastapi_request import FastApiRequest

T = TypeVar("T")


class SuperTokensMiddleware(starlette.SuperTokensMiddleware):
    """Answers SDK routes and session errors, and adds tokens to the responses of the application."""

    request_class: ClassVar[type[AsgiRequest]] = FastApiRequest


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
